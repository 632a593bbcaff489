package csp

import (
	"slices"
	"strings"
)

// Tightens reports whether everything that b allows is allowed by a as well. It is sound and not complete: it compares
// source lists word by word, so true can be relied on and false means "not seen to be".
func Tightens(a, b Policy) bool {
	for _, name := range namesOf(a, b) {
		if !narrower(name, a, b) {
			return false
		}
	}
	return true
}

func namesOf(a, b Policy) []string {
	var names []string
	for _, d := range slices.Concat(a.Directives, b.Directives) {
		names = append(names, d.Name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func narrower(name string, a, b Policy) bool {
	before, had := a.Governing(name)
	after, has := b.Governing(name)
	switch {
	case kinds[name] == uris || kinds[name] == token: // reporting allows nothing
		return true
	case !had:
		return true
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

func loadsNothing(p Policy) bool {
	v, ok := p.Get("default-src")
	return ok && isNone(v)
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
