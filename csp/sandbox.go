package csp

import "strings"

// Sandbox is what a sandboxed document may still do. The zero Sandbox is not sandboxed.
type Sandbox struct {
	Sandboxed bool
	tokens    map[string]bool
}

// Sandbox returns the restrictions that the enforced policies put on a document: by the text those of the last sandbox
// directive, in browsers those of all. https://html.spec.whatwg.org/#csp-derived-sandboxing-flags
func (l *List) Sandbox(m Mode) Sandbox {
	m = m.reading()
	var s Sandbox
	for i := range l.byMode[m] {
		d := l.byMode[m][i].directive("sandbox")
		if d == nil || l.byMode[m][i].Disposition != Enforce {
			continue
		}
		tokens := map[string]bool{}
		for _, w := range d.Value {
			if w = strings.ToLower(w); !s.Sandboxed || !quirksOf[m].sandboxUnion || s.tokens[w] {
				tokens[w] = true
			}
		}
		s = Sandbox{true, tokens}
	}
	return s
}

// Allows reports whether a token of the sandbox attribute, such as allow-scripts, is in force, or there is no sandbox.
func (s Sandbox) Allows(token string) bool { return !s.Sandboxed || s.tokens[token] }

// Worker decides whether a worker of a response with these policies may start. https://www.w3.org/TR/CSP3/#sandbox-init
func (l *List) Worker(m Mode) Decision {
	return l.decide(m, func(d *Decision, policies []Policy, q *quirks) {
		for i := range policies {
			by := policies[i].directive("sandbox")
			if by == nil || policies[i].Disposition != Enforce {
				continue
			}
			s := (&List{byMode: [4][]Policy{{policies[i]}}}).Sandbox(Spec)
			if !s.Allows("allow-scripts") || !s.Allows("allow-same-origin") {
				d.add(Violation{Policy: i, Directive: "sandbox", By: "sandbox", Disposition: Enforce})
			}
		}
	})
}
