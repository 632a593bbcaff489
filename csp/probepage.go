package csp

import (
	"fmt"
	"maps"
	"slices"
)

// compiles tries what makes code of strings, and Trusted Types.
func (p *prober) compiles() {
	for trust, what := range []string{Untyped: "eval of a string", PlainString: "eval of a plain string under Trusted Types", TrustedScript: "eval of a TrustedScript"} {
		p.try("script-src", func(l *List) Decision { return l.Eval(p.m, "x", Trust(trust)) }, func() string { return what })
	}
	p.try("script-src", func(l *List) Decision { return l.Wasm(p.m) }, func() string { return "WebAssembly" })
	p.try("require-trusted-types-for", func(l *List) Decision { return l.TrustedTypesSink(p.m, "Element innerHTML", "x") }, func() string { return "a plain string in innerHTML" })
	for _, name := range p.policyNames() {
		for _, created := range [][]string{nil, {name}} {
			p.try("trusted-types", func(l *List) Decision { return l.TrustedTypesPolicy(p.m, name, created) },
				func() string {
					return fmt.Sprintf("the Trusted Types policy %s, %d of it being there", name, len(created))
				})
		}
	}
}

// policyNames are those that are named, and one that is not.
func (p *prober) policyNames() []string {
	var names []string
	for _, policy := range p.policies() {
		if d := policy.directive("trusted-types"); d != nil {
			names = append(names, d.Value...)
		}
	}
	names = append(names, newWords(names).fresh("fresh"))
	return distinct(slices.DeleteFunc(names, func(name string) bool { return !isPolicyName(name) }))
}

func (p *prober) navigations() {
	for _, directive := range []string{"base-uri", "form-action"} {
		if p.plain(directive) && (directive == "base-uri" || !p.upgradesLess()) {
			continue
		}
		urls, ok := p.urls(directive, maxProbes)
		if !ok {
			p.doubt(directive, "too many sources to try all")
			continue
		}
		for i := range urls {
			u := &urls[i]
			text := u.text(&Request{ParserInserted: true})
			if directive == "base-uri" { // which is no load
				p.try(directive, func(l *List) Decision { return l.Base(p.m, p.self, &u.URL) }, func() string { return text })
				continue
			}
			p.tryLoad(directive, func(l *List) Decision { return l.SubmitForm(p.m, p.self, &u.URL, u.redirects) }, u, func() string { return text })
		}
	}
	p.try("webrtc", func(l *List) Decision { return l.WebRTC(p.m) }, func() string { return "a peer connection" })
}

func (p *prober) frames() {
	if p.plain("frame-ancestors") {
		return
	}
	urls, ok := p.urls("frame-ancestors", maxProbes)
	if !ok {
		p.doubt("frame-ancestors", "too many sources to try all")
		return
	}
	page := URL{Scheme: p.self.scheme, Host: p.self.host, Port: p.self.port, Path: "/"}
	framedBy := func(a Origin) func(*List) Decision {
		return func(l *List) Decision { return l.Frame(p.m, page, []Origin{a}, nil).Decision }
	}
	for i := range urls {
		if o := urls[i].Origin(); urls[i].Scheme != "blob" {
			p.try("frame-ancestors", framedBy(o), func() string { return "a frame of " + o.String() })
		}
	}
	p.try("frame-ancestors", framedBy(Origin{}), func() string { return "a frame of an opaque origin" })
}

func (p *prober) sandboxes() {
	for _, token := range slices.Sorted(maps.Keys(sandboxTokens)) {
		p.try("sandbox", func(l *List) Decision { return Decision{Blocked: p.sandboxed(l, token)} }, func() string { return "what needs " + token })
	}
	p.try("sandbox", func(l *List) Decision { return Decision{Blocked: p.sandboxed(l, "")} }, func() string { return "what every sandbox forbids" })
}

func (p *prober) sandboxed(l *List, token string) bool {
	m := p.m
	if m == Strictest {
		m = Chromium // browsers unite several sandboxes, the text takes the last
	}
	return !l.Sandbox(m).Allows(token)
}
