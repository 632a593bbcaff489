package csp

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/merlon-sec/merlon/cfgerrors"
	"github.com/merlon-sec/merlon/internal/spell"
)

// Check reads a policy as its author and reports, joined, every mistake as a *cfgerrors.Error whose Field is the
// directive's name: unknown and duplicate directives, invalid sources, 'none' beside others, literal nonces.
// Browsers skip such parts in silence, which looks like protection and is none. Tokens lists words that the caller
// replaces by real sources later and that are therefore accepted in source lists, such as 'nonce'.
func Check(text string, tokens ...string) error {
	if len(text) > MaxBytes {
		return &cfgerrors.Error{Code: cfgerrors.InvalidValue, Text: fmt.Sprintf("a policy of %d bytes is over the limit of %d", len(text), MaxBytes)}
	}
	if i := strings.IndexFunc(text, func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' || r > '~' }); i >= 0 {
		return &cfgerrors.Error{Code: cfgerrors.Syntax, Value: clip(text[i:]), Text: "a policy is printable ASCII; browsers drop other text",
			Hint: "write hosts in their ASCII (xn--) form and percent-encode paths"}
	}
	if i := strings.IndexByte(text, ','); i >= 0 {
		return &cfgerrors.Error{Code: cfgerrors.Syntax, Value: clip(text[i:]), Text: "a comma ends a policy in a header field",
			Hint: "separate directives with ; and sources with spaces"}
	}
	var errs []error
	seen := map[string]bool{}
	for part := range strings.SplitSeq(text, ";") {
		words := strings.FieldsFunc(part, isSpace)
		if len(words) == 0 {
			continue
		}
		name := lower(words[0])
		if seen[name] {
			errs = append(errs, &cfgerrors.Error{Field: name, Code: cfgerrors.DuplicateOf, Text: "browsers use the first directive of a name and ignore this one", Hint: "join the two"})
			continue
		}
		seen[name] = true
		errs = append(errs, checkDirective(name, words[1:], tokens))
	}
	return errors.Join(errs...)
}

func checkDirective(name string, value, tokens []string) error {
	bad := func(v, text, hint string) error {
		return &cfgerrors.Error{Field: name, Code: cfgerrors.InvalidValue, Value: v, Text: text, Hint: hint}
	}
	switch kinds[name] {
	case sources:
		return checkSources(name, value, tokens)
	case noValue:
		if len(value) > 0 {
			return bad(value[0], "this directive takes no value", "write "+name+" alone")
		}
	case sandboxFlags:
		for _, v := range value {
			if !sandboxTokens[lower(v)] {
				return bad(v, "no sandbox token", didYouMean(v, sandboxTokens))
			}
		}
	case ttSinks:
		if len(value) != 1 || value[0] != "'script'" {
			return bad(strings.Join(value, " "), "the only sink group is 'script'", "write require-trusted-types-for 'script'")
		}
	case token:
		if len(value) != 1 {
			return bad(strings.Join(value, " "), "report-to takes one endpoint name", "")
		}
	case webrtc:
		if len(value) != 1 || value[0] != "'allow'" && value[0] != "'block'" {
			return bad(strings.Join(value, " "), "webrtc takes 'allow' or 'block'", "")
		}
	case uris, ttPolicies:
	default:
		return &cfgerrors.Error{Field: name, Code: cfgerrors.UnknownDirective, Value: name, Text: "browsers know no such directive and ignore it", Hint: didYouMean(name, kinds)}
	}
	return nil
}

func checkSources(name string, value, tokens []string) error {
	var errs []error
	for _, v := range value {
		if !slices.Contains(tokens, v) {
			errs = append(errs, checkSource(name, v))
		}
	}
	if len(value) > 1 && slices.ContainsFunc(value, func(v string) bool { return equalFold(v, "'none'") }) {
		errs = append(errs, &cfgerrors.Error{Field: name, Code: cfgerrors.NoneWithOthers, Value: strings.Join(value, " "),
			Text: "browsers ignore 'none' beside other sources", Hint: "keep 'none' alone, or remove it"})
	}
	return errors.Join(errs...)
}

// didYouMean gives a hint naming the key of known that is nearest to word, or nothing.
func didYouMean[V any](word string, known map[string]V) string {
	if near := spell.Nearest(word, maps.Keys(known)); near != "" {
		return "did you mean " + near + "?"
	}
	return ""
}

func clip(s string) string {
	if len(s) > 40 {
		return s[:40] + "..."
	}
	return s
}
