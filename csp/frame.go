package csp

import (
	"slices"
	"strings"
)

// FrameVerdict is whether a response may be shown in a frame, and which header said no.
type FrameVerdict struct {
	Decision
	By string // "frame-ancestors" or "x-frame-options" where it is blocked
}

// Frame decides whether the response of the URL self may be shown in a frame below these ancestors, the parent first and
// the top page last. options are its X-Frame-Options lines, which do not count where an enforced policy has frame-ancestors.
// Without ancestors the page is no frame. https://www.w3.org/TR/CSP3/#frame-ancestors-navigation-response
func (l *List) Frame(m Mode, self URL, ancestors []Origin, options []string) FrameVerdict {
	if len(ancestors) == 0 {
		return FrameVerdict{}
	}
	v := FrameVerdict{Decision: l.decide(m, func(d *Decision, policies []Policy, q *quirks) {
		for i := range policies {
			by := policies[i].directive("frame-ancestors")
			if by != nil && !localScheme(self.Scheme) && by.list.uncovered(ancestors, self.Origin(), q) >= 0 {
				d.add(Violation{Policy: i, Directive: "frame-ancestors", By: "frame-ancestors", Disposition: policies[i].Disposition})
			}
		}
	})}
	switch {
	case v.Blocked:
		v.By = "frame-ancestors"
	case !l.enforcesAncestors(m) && blockedByOptions(options, l.responseOrigin(m, self), ancestors):
		v.Blocked, v.By = true, "x-frame-options"
	}
	return v
}

// responseOrigin is the origin of the response's document: opaque in a sandbox without allow-same-origin. SAMEORIGIN compares
// with it, and frame-ancestors 'self' with the URL's. https://html.spec.whatwg.org/#determining-the-origin
func (l *List) responseOrigin(m Mode, self URL) Origin {
	if !l.Sandbox(m).Allows("allow-same-origin") {
		return Origin{}
	}
	return self.Origin()
}

func localScheme(scheme string) bool {
	return scheme == "about" || scheme == "data" || scheme == "blob"
}

func (l *List) enforcesAncestors(m Mode) bool {
	for i := range l.Policies(m) {
		if p := &l.Policies(m)[i]; p.Disposition == Enforce && p.directive("frame-ancestors") != nil {
			return true
		}
	}
	return false
}

// uncovered returns the index of the first ancestor that the list does not cover, or -1.
func (l *sourceList) uncovered(ancestors []Origin, self Origin, q *quirks) int {
	return slices.IndexFunc(ancestors, func(a Origin) bool { return !l.coversAncestor(a, self, q) })
}

// coversAncestor matches the origin's serialisation and a slash: a source with a path matches nothing but "/".
func (l *sourceList) coversAncestor(a, self Origin, q *quirks) bool {
	if a.Opaque() { // "null" is no URL
		return q.opaqueMatchesStar && !l.none && strings.HasPrefix(l.textOf("*"), "*")
	}
	u, redirects := a.ancestorURL(q)
	return l.match(&u, self, redirects, q)
}

// ancestorURL returns the URL that stands for an ancestor, and the redirect count that makes paths count or not.
func (o Origin) ancestorURL(q *quirks) (u URL, redirects int) {
	if q.framePathIgnored {
		redirects = 1
	}
	return URL{Scheme: o.scheme, Host: o.host, Port: o.port, Path: "/"}, redirects
}

// textOf returns word if the list has it.
func (l *sourceList) textOf(word string) string {
	for i := range l.sources {
		if l.sources[i].Text == word {
			return word
		}
	}
	return ""
}

// blockedByOptions reads X-Frame-Options as all three browsers do: the set of all values of all lines, in lower case. Known
// values beside others contradict each other and block; a lone unknown value protects nothing.
// https://html.spec.whatwg.org/#the-x-frame-options-header
func blockedByOptions(lines []string, self Origin, ancestors []Origin) bool {
	if len(lines) == 0 {
		return false
	}
	values := optionValues(lines)
	switch {
	case len(values) > 1:
		return values["deny"] || values["allowall"] || values["sameorigin"]
	case values["deny"]:
		return true
	case values["sameorigin"]:
		for _, a := range ancestors {
			if !a.Same(self) {
				return true
			}
		}
	}
	return false
}

func optionValues(lines []string) map[string]bool {
	values := map[string]bool{}
	for _, v := range splitHeader(strings.Join(lines, ", ")) {
		values[lower(v)] = true
	}
	return values
}

// splitHeader splits at commas outside quoted strings. https://fetch.spec.whatwg.org/#header-value-get-decode-and-split
func splitHeader(s string) []string {
	var out []string
	quoted, begin := false, 0
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && quoted:
			i++
		case s[i] == '"':
			quoted = !quoted
		case s[i] == ',' && !quoted:
			out = append(out, strings.Trim(s[begin:i], " \t"))
			begin = i + 1
		}
	}
	return append(out, strings.Trim(s[begin:], " \t"))
}
