package csp

import "maps"

// Sandbox is what a sandboxed document may still do. The zero Sandbox is not sandboxed.
type Sandbox struct {
	Sandboxed bool
	tokens    map[string]bool // with those that they imply
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
		tokens := lifted(d.Value)
		if s.Sandboxed && quirksOf[m].sandboxUnion {
			maps.DeleteFunc(tokens, func(token string, _ bool) bool { return !s.tokens[token] })
		}
		s = Sandbox{true, tokens}
	}
	return s
}

// lifted returns the tokens and what they imply. https://html.spec.whatwg.org/#parse-a-sandboxing-directive
func lifted(words []string) map[string]bool {
	tokens := map[string]bool{}
	for _, w := range words {
		tokens[lower(w)] = true
	}
	if tokens["allow-top-navigation"] {
		tokens["allow-top-navigation-by-user-activation"] = true
	}
	if tokens["allow-top-navigation"] || tokens["allow-popups"] {
		tokens["allow-top-navigation-to-custom-protocols"] = true
	}
	return tokens
}

// Allows reports whether the document may do what a token of the sandbox attribute, such as allow-scripts, stands for: the
// token or another that implies it is in force, or there is no sandbox.
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
