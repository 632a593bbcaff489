package csp

import "slices"

// plain reports whether the lists themselves show that outer allows what inner allows: whatever governs the directive in a
// policy of outer holds all sources of what governs it in some policy of inner. Long policies are compared so.
func (p *prober) plain(directive string) bool {
	for _, m := range p.readings() {
		name := quirksOf[m].knows(directive)
		for i := range p.outer.byMode[m] {
			outer := &p.outer.byMode[m][i]
			if outer.Disposition == Enforce && !outer.looserThanAny(p.inner.byMode[m], name) {
				return false
			}
		}
	}
	return true
}

// looserThanAny also holds for a policy that has no say.
func (p *Policy) looserThanAny(others []Policy, directive string) bool {
	if p.governing(directive) == nil {
		return true
	}
	return slices.ContainsFunc(others, func(other Policy) bool {
		return other.Disposition == Enforce && p.looser(&other, directive)
	})
}

// looser says yes only where every source counts by itself. A nonce, a hash and 'strict-dynamic' make others void, so both
// lists must have them or neither; and what they mean can depend on the directive that they stand in.
func (p *Policy) looser(other *Policy, directive string) bool {
	a, b := p.governing(directive), other.governing(directive)
	switch {
	case b == nil:
		return false
	case directive == "default-src":
		return includes(p.hintSources(), other.hintSources())
	case a.list.nonceOrHash != b.list.nonceOrHash, a.list.strictDynamic != b.list.strictDynamic,
		a.Name != b.Name && (a.list.nonceOrHash || a.list.strictDynamic):
		return false
	}
	return includes(a.list.sources, b.list.sources)
}

// hintSources are those of all fetch directives, each of which can let a hint through.
func (p *Policy) hintSources() []Source {
	var out []Source
	for i := range p.Directives {
		if d := &p.Directives[i]; d.passesHints() {
			out = append(out, d.list.sources...)
		}
	}
	return out
}

// includes reports whether a has each source of b that can allow anything.
func includes(a, b []Source) bool {
	type meaning struct{ text, directive string }
	means := func(s *Source) meaning {
		if s.Text == "*" && (s.directive == "img-src" || s.directive == "media-src") { // where it can cover more
			return meaning{s.Text, s.directive}
		}
		return meaning{text: s.Text}
	}
	has := make(map[meaning]bool, len(a))
	for i := range a {
		has[means(&a[i])] = true
	}
	return !slices.ContainsFunc(b, func(s Source) bool {
		idle := s.Kind == None || s.Kind == Invalid && !s.extra || s.is("report-sample")
		return !idle && !has[means(&s)]
	})
}
