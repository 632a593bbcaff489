package csp

import (
	"fmt"
	"slices"
	"strings"
)

// probeURL is one URL of each class that the sources of two lists can tell apart.
type probeURL struct {
	URL
	redirects int
}

func (u *probeURL) text(r *Request) string {
	s := u.String()
	if u.redirects > 0 {
		s += " after a redirect"
	}
	switch {
	case r.Nonce != "":
		s += " with the nonce " + r.Nonce
	case r.Integrity != "":
		s += " with the integrity " + r.Integrity
	case !r.ParserInserted && scriptLike(r.Destination):
		s += ", loaded by a script"
	}
	return s
}

// urls makes the URLs for a directive, at most limit. A source looks at scheme, host, port and path one by one, so that the
// products of the values that differ in each stand for all URLs. Of one host, only the sources that cover it tell ports and
// paths apart, which keeps the products small.
func (p *prober) urls(directive string, limit int) ([]probeURL, bool) {
	schemes := []string{"http", "https", "ws", "wss", "ftp", p.self.scheme}
	hosts := []string{"fresh.invalid", "192.0.2.1", "[2001:db8::1]", p.self.host}
	opaque := []string{"data", "fresh"}
	var named []Source
	for _, s := range p.sources(directive) {
		switch {
		case s.Kind == SchemeSource && !special(s.Scheme):
			opaque = append(opaque, s.Scheme)
		case s.Kind == SchemeSource:
			schemes = append(schemes, s.Scheme)
		case s.Kind == HostSource || s.extra:
			schemes = append(schemes, s.Scheme)
			hosts = append(hosts, hostsOf(s.Host)...)
			named = append(named, s)
		}
	}
	out := []probeURL{{URL: URL{Scheme: "blob", Port: -1, Path: p.self.String() + "/id", opaque: true}}}
	for _, s := range distinct(opaque) {
		out = append(out, probeURL{URL: URL{Scheme: s, Port: -1, Path: "x", opaque: true}})
	}
	schemes, hosts = distinct(schemes), distinct(hosts)
	if len(hosts)*len(schemes) > limit {
		return nil, false
	}
	for _, h := range hosts {
		var ok bool
		if out, ok = p.appendHost(out, h, schemes, named, limit); !ok {
			return nil, false
		}
	}
	return out, true
}

// appendHost adds the URLs of one host, unless there would be more than limit.
func (p *prober) appendHost(out []probeURL, host string, schemes []string, named []Source, limit int) ([]probeURL, bool) {
	ports, paths := []int{-1, 80, 443, 59999, p.self.port}, []string{"/", "/fresh"}
	for _, s := range named {
		if covers(s.Host, host) {
			ports = append(ports, s.port)
			paths = append(paths, pathsOf(s.Path[:s.pathEnd])...)
		}
	}
	ports, paths = distinct(ports), distinct(paths)
	if len(out)+2*len(schemes)*len(ports)*len(paths) > limit {
		return nil, false
	}
	for _, s := range schemes {
		for _, port := range ports {
			for _, path := range paths {
				if s == "" || host == "" || port == 0 || port == specialPorts[s] {
					continue
				}
				u := URL{Scheme: s, Host: host, Port: port, Path: path, opaque: !special(s)}
				out = append(out, probeURL{u, 0}, probeURL{u, 1})
			}
		}
	}
	return out, true
}

// covers reports whether a host pattern can match the host in any mode.
func covers(pattern, host string) bool {
	suffix, wild := strings.CutPrefix(pattern, "*")
	return wild && strings.HasSuffix(host, suffix) || pattern == host
}

func distinct[T string | int](list []T) []T {
	slices.Sort(list)
	return slices.Compact(list)
}

func hostsOf(pattern string) []string {
	if pattern == "*" {
		return nil
	}
	if parent, ok := strings.CutPrefix(pattern, "*."); ok {
		return []string{"fresh." + parent, parent}
	}
	return []string{pattern, "fresh." + pattern}
}

// pathsOf gives the path, what lies below it, what lies beside it, and the same with an encoded slash.
func pathsOf(path string) []string {
	if path == "" || path == "/" {
		return nil
	}
	below := strings.TrimSuffix(path, "/") + "/fresh"
	encoded := path
	if i := strings.LastIndexByte(strings.TrimSuffix(path, "/"), '/'); i > 0 {
		encoded = path[:i] + "%2F" + path[i+1:]
	}
	bare := strings.TrimSuffix(path, "/")
	return []string{path, below, bare, bare + "fresh", encoded, bare + "%2Ffresh"}
}

func (p *prober) compiles() {
	for trust, what := range map[Trust]string{Untyped: "eval of a string", PlainString: "eval of a plain string under Trusted Types", TrustedScript: "eval of a TrustedScript"} {
		p.try("script-src", func(l *List) Decision { return l.Eval(p.m, "x", trust) }, func() string { return what })
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

func (p *prober) policyNames() []string {
	names := []string{"fresh"}
	for _, policy := range p.policies() {
		if d := policy.directive("trusted-types"); d != nil {
			names = append(names, d.Value...)
		}
	}
	return distinct(names)
}

func (p *prober) navigations() {
	for _, directive := range []string{"base-uri", "form-action"} {
		urls, ok := p.urls(directive, maxProbes)
		if !ok {
			p.doubt(directive, "too many sources to try all")
			continue
		}
		for i := range urls {
			u := &urls[i]
			decide := func(l *List) Decision { return l.SubmitForm(p.m, p.self, &u.URL, u.redirects) }
			if directive == "base-uri" {
				decide = func(l *List) Decision { return l.Base(p.m, p.self, &u.URL) }
			}
			p.try(directive, decide, func() string { return u.text(&Request{ParserInserted: true}) })
			if directive == "form-action" {
				p.tryUpgrade(decide, u, "a form to ")
			}
		}
	}
	p.try("webrtc", func(l *List) Decision { return l.WebRTC(p.m) }, func() string { return "a peer connection" })
}

func (p *prober) frames() {
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
	for token := range sandboxTokens {
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
