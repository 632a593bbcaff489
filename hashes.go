package merlon

import (
	"fmt"
	"slices"
	"strings"

	"github.com/merlon-sec/merlon/cfgerrors"
	"github.com/merlon-sec/merlon/csp"
)

// hashesToken is the word in a policy's text that becomes the hashes of a page's own code.
const hashesToken = "'hashes'"

// Hashes lets the code run that has these hashes, which [csp.HashOf] makes of what stands between the tags: scripts is for
// script directives, styles for style directives, and default-src gets both. They take the place of 'hashes' in both
// policies, and of 'nonce' in directives without 'hashes': a page whose code is known needs no nonce, and may be
// cached. Where a page has none, nothing inline runs. Beside hashes 'unsafe-hashes' may stand, which lets them cover event handlers
// and style attributes as well. https://www.w3.org/TR/CSP3/#external-hash
func Hashes(scripts, styles []string) Change {
	scripts, styles = slices.Clone(scripts), slices.Clone(styles)
	return policyChange(fmt.Sprintf("Hashes(%q, %q)", scripts, styles), func(_ *Config, policies []*string) error {
		for _, word := range slices.Concat(scripts, styles) {
			if err := checkHash(word); err != nil {
				return cfgerrors.Under("hashes", err)
			}
		}
		edit(policies, func(p csp.Policy) csp.Policy {
			for _, d := range p.Directives {
				p = p.Set(d.Name, withHashes(d, scripts, styles)...)
			}
			return p
		})
		return nil
	})
}

func checkHash(word string) error {
	lower := strings.ToLower(word)
	if lower != "'unsafe-hashes'" && !strings.HasPrefix(lower, "'sha") || strings.ContainsAny(word, " \t\n;") {
		return &cfgerrors.Error{Code: cfgerrors.InvalidSource, Value: word, Text: "no hash", Hint: "make it with csp.HashOf"}
	}
	return checkPolicy("default-src " + word)
}

// withHashes returns the directive's sources with the hashes in the place of their token.
func withHashes(d csp.Directive, scripts, styles []string) []string {
	token := hashesToken
	if !slices.Contains(d.Value, token) {
		token = nonceToken
	}
	at := slices.Index(d.Value, token)
	if at < 0 {
		return d.Value
	}
	var hashes []string
	if !strings.HasPrefix(d.Name, "style-src") {
		hashes = append(hashes, scripts...)
	}
	if !strings.HasPrefix(d.Name, "script-src") {
		hashes = append(hashes, styles...)
	}
	if len(hashes) == 0 {
		return sourcesWithout(token, d.Value)
	}
	var out []string
	for i, word := range d.Value {
		switch {
		case i == at:
			out = append(out, hashes...)
		case word != token:
			out = append(out, word)
		}
	}
	return out
}

// withoutHashes returns the policy for pages whose hashes nobody has named.
func withoutHashes(p csp.Policy) csp.Policy {
	for _, d := range p.Directives {
		if slices.Contains(d.Value, hashesToken) {
			p = p.Set(d.Name, sourcesWithout(hashesToken, d.Value)...)
		}
	}
	return p
}

func takesHashes(directive string) bool {
	return takesNonce(directive) || directive == "script-src-attr" || directive == "style-src-attr"
}
