package collect

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/merlon-sec/merlon/csp"
	"github.com/merlon-sec/merlon/report"
)

// policy is what is kept of the policy in a report, and what is asked of it.
type policy struct {
	hash string // of text
	text string // the normal form: see newPolicy

	list  *csp.List       // nil for one that cannot be judged
	paths map[string]bool // the directives with a source that has a path
}

// maxCachedPolicies is how much of all sites' policies is remembered, in bytes of their text. Parsed, they take about twenty times as much; a page
// and its routes have a few.
const maxCachedPolicies = 256 << 10

func newPolicies() *cache[*policy] { return newCache[*policy](maxCachedPolicies) }

// policy returns the policy behind a text, nil for none. Nonces and addresses of reports differ between two responses with the same policy, so
// they are taken out before it is looked up.
func (h *hosts) policy(text string) *policy {
	if text == "" {
		return nil
	}
	var buffer [1 << 10]byte
	key := appendCommon(buffer[:0], text)
	if p, ok := h.policies.getBytes(key); ok {
		return p
	}
	p := newPolicy(string(key))
	if len(text) >= report.MaxFieldBytes { // the end is missing
		p.list = nil
	}
	h.policies.put(string(key), p)
	return p
}

// appendCommon appends what two responses with one policy have in common: all words but those of report-uri and report-to, with the same
// nonce and the same hash of each kind everywhere.
func appendCommon(out []byte, text string) []byte {
	for text != "" {
		end := strings.IndexByte(text, ';')
		if end < 0 {
			end = len(text)
		}
		out = appendDirective(out, text[:end])
		text = text[min(end+1, len(text)):]
	}
	return out
}

func appendDirective(out []byte, text string) []byte {
	name, text := nextWord(text)
	if name == "" || strings.EqualFold(name, "report-uri") || strings.EqualFold(name, "report-to") {
		return out
	}
	if len(out) > 0 {
		out = append(out, "; "...)
	}
	out = append(out, strings.ToLower(name)...)
	for last := ""; ; {
		var w string
		if w, text = nextWord(text); w == "" {
			return out
		}
		if w = commonWord(w); w != last {
			out = append(append(out, ' '), w...)
		}
		last = w
	}
}

// nextWord cuts the first word between white space off; it is "" at the end. There are no other control characters in a report.
func nextWord(s string) (word, rest string) {
	begin := 0
	for begin < len(s) && s[begin] <= ' ' {
		begin++
	}
	end := begin
	for end < len(s) && s[end] > ' ' {
		end++
	}
	return s[begin:end], s[end:]
}

// commonWord replaces a nonce and a hash. Only a quote makes one of a word: a host may be called nonce-cdn.example.
func commonWord(w string) string {
	if len(w) < len("'nonce-") || w[0] != '\'' {
		return w
	}
	for _, common := range [...]string{"'nonce-x'", "'sha256-x'", "'sha384-x'", "'sha512-x'"} {
		if n := len(common) - len("x'"); len(w) >= n && strings.EqualFold(w[:n], common[:n]) {
			return common
		}
	}
	return w
}

// newPolicy makes the normal form of what appendCommon has left: directives in the order of their names, each once, and of sources
// neither queries nor what may be somebody's in a path.
func newPolicy(common string) *policy {
	parsed := csp.Parse(common)
	p := &policy{paths: map[string]bool{}}
	texts := make([]string, 0, len(parsed.Directives))
	named := map[string]bool{} // several may have the name for those that cannot be kept
	for _, d := range parsed.Directives {
		words := []string{policyName(d.Name)}
		if named[words[0]] {
			continue
		}
		named[words[0]] = true
		there := make(map[string]bool, len(d.Value))
		for _, w := range d.Value {
			s := csp.ParseSource(w)
			if s.Kind == csp.HostSource && strings.Trim(s.Path, "/") != "" {
				p.paths[d.Name] = true
			}
			if w = cleanSource(&s); !there[w] {
				there[w] = true
				words = append(words, w)
			}
		}
		texts = append(texts, strings.Join(words, " "))
	}
	slices.Sort(texts)
	p.text = strings.Join(texts, "; ")
	sum := sha256.Sum256([]byte(p.text))
	p.hash = hex.EncodeToString(sum[:8])
	// A comma would split it, and a header has none in one policy.
	if len(parsed.Directives) > 0 && !strings.Contains(common, ",") {
		p.list = csp.NewList(csp.Delivered{Value: common})
	}
	return p
}

func policyName(name string) string {
	if csp.Known(name) {
		return name
	}
	return word(name)
}

// cleanSource returns what is kept of a word in a policy.
func cleanSource(s *csp.Source) string {
	w := s.Text
	switch s.Kind {
	case csp.HostSource:
		return strings.ToLower(strings.TrimSuffix(w, s.Path)) + cleanSourcePath(s.Path)
	case csp.SchemeSource:
		return maskWord(strings.ToLower(w))
	case csp.None, csp.Keyword, csp.NonceSource, csp.HashSource:
		return strings.ToLower(w)
	}
	switch common := commonWord(w); { // what looks like a nonce and is none may be one that was cut
	case common == "'nonce-x'", common == "'sha256-x'", common == "'sha384-x'", common == "'sha512-x'":
		return common
	case strings.EqualFold(w, "'script'"), strings.EqualFold(w, "'allow-duplicates'"), strings.EqualFold(w, "'allow'"), strings.EqualFold(w, "'block'"):
		return strings.ToLower(w) // of Trusted Types and WebRTC
	case strings.Trim(w, wordCharacters) == "" && len(w) <= maxWord: // the name of a Trusted Types policy, a keyword of sandbox
		return maskWord(w)
	}
	return wildcard
}

// cleanSourcePath keeps the slash at the end: with it, a source covers what is below.
func cleanSourcePath(path string) string {
	if path == "" {
		return ""
	}
	u := parseHTTP("https://host.example" + path)
	if u == nil {
		return "/" + wildcard
	}
	return report.Route(u)
}

// hasPath reports whether the directive that decides for this one has a source with a path.
func (p *policy) hasPath(directive string) bool {
	if p == nil || len(p.paths) == 0 {
		return false
	}
	for _, name := range csp.Fallbacks(directive) {
		if p.has(name) {
			return p.paths[name]
		}
	}
	return false
}

func (p *policy) has(name string) bool {
	if p.list == nil {
		return p.paths[name]
	}
	return slices.ContainsFunc(p.list.Policies(csp.Spec)[0].Directives, func(d csp.Directive) bool { return d.Name == name })
}
