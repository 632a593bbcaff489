package csp

// passesHints reports whether the directive can let a prefetch through. Attributes fetch nothing, and the text knows no fenced
// frames. https://www.w3.org/TR/CSP3/#does-resource-hint-violate-policy
func (d *Directive) passesHints() bool {
	switch d.Name {
	case "default-src":
		return true
	case "script-src-attr", "style-src-attr", "fenced-frame-src":
		return false
	}
	return fallbacks[d.Name] != nil
}

// refusesHint decides about prefetch and prerender: what some directive would let through may be fetched early.
// The text of the specification is broken here; this is what it means. https://github.com/w3c/webappsec-csp/issues/633
func (p *Policy) refusesHint(self Origin, r *Request, u *URL, q *quirks) *Directive {
	fallback := p.directive("default-src")
	if fallback == nil {
		return nil
	}
	for i := range p.Directives {
		d := &p.Directives[i]
		if d.passesHints() && d.list.match(u, self, r.Redirects, q) {
			return nil
		}
	}
	return fallback
}
