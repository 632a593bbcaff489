package csp

import (
	"slices"
	"strings"
)

// Tightens reports whether everything that b allows is allowed by a as well. It is sound and not complete: it compares
// source lists word by word, so true can be relied on and false means "not seen to be".
func Tightens(a, b Policy) bool {
	for name := range kinds {
		if !narrower(name, a, b) {
			return false
		}
	}
	for _, d := range slices.Concat(a.Directives, b.Directives) { // names that browsers do not know
		if !Known(d.Name) && !narrower(d.Name, a, b) {
			return false
		}
	}
	return true
}

// narrower compares what governs name. Fallbacks make a directive decide about names that neither policy mentions: a
// child-src that is gone hands workers to script-src.
func narrower(name string, a, b Policy) bool {
	before, had := a.Governing(name)
	after, has := b.Governing(name)
	switch {
	case kinds[name] == uris || kinds[name] == token: // reporting allows nothing
		return true
	case !had:
		return name != "require-trusted-types-for" || !has || !evalsTrustedTypes(b)
	case !has:
		return name == "upgrade-insecure-requests" && loadsNothing(b)
	case kinds[name] == sandboxFlags:
		return subset(after, before)
	case kinds[name] != sources:
		return slices.Equal(before, after)
	case isNone(after) || slices.Equal(before, after):
		return true
	}
	// A nonce, a hash or 'strict-dynamic' switches other words off, so taking one away can loosen the list.
	return !slices.ContainsFunc(before, switchesOff) && subset(after, before)
}

// evalsTrustedTypes reports whether requiring Trusted Types gives a permission: 'trusted-types-eval' acts only then.
func evalsTrustedTypes(p Policy) bool {
	v, _ := p.Governing("script-src")
	return slices.ContainsFunc(v, func(w string) bool { return strings.EqualFold(w, "'trusted-types-eval'") })
}

// loadsNothing reports whether the policy leaves no request that could be upgraded.
func loadsNothing(p Policy) bool {
	for name, k := range kinds {
		if _, fetches := fallbacks[name]; k == sources && (fetches || name == "default-src" || name == "form-action") {
			if v, ok := p.Governing(name); !ok || !isNone(v) {
				return false
			}
		}
	}
	return true
}

func isNone(value []string) bool {
	return len(value) == 0 || len(value) == 1 && strings.EqualFold(value[0], "'none'")
}

func switchesOff(word string) bool {
	w := strings.ToLower(word)
	return w == "'strict-dynamic'" || strings.HasPrefix(w, "'nonce") || strings.HasPrefix(w, "'sha")
}

func subset(inner, outer []string) bool {
	return !slices.ContainsFunc(inner, func(w string) bool { return !slices.Contains(outer, w) })
}
