package csp

import "slices"

// Answer is the answer of a comparison.
type Answer uint8

// The answers. No comes with a witness.
const (
	Yes Answer = iota
	No
	CannotTell
)

// String returns "yes", "no" or "cannot tell".
func (a Answer) String() string { return [...]string{"yes", "no", "cannot tell"}[a] }

// Difference is something that one list of policies allows and another blocks.
type Difference struct {
	Directive string // the effective directive that governs it
	Witness   string // what is allowed here and blocked there: a URL, or an inline script in words
}

// Comparison is whether one list of policies allows everything that another allows.
type Comparison struct {
	Answer  Answer
	Witness Difference // with No, and with CannotTell where something is in doubt
}

// maxProbes bounds what a comparison tries for one directive; beyond it the answer is CannotTell.
const maxProbes = 50_000

// Contains reports whether everything that inner allows is allowed by outer as well, for a document of the origin self:
// loads of all kinds, inline code, eval, Trusted Types, base, forms, framing and sandbox. Only enforced policies count.
// An insecure load counts as allowed only if it is not upgraded, and of one that inner upgrades what it becomes.
// A Yes is never refuted by a decision.
func Contains(m Mode, self Origin, outer, inner *List) Comparison {
	var out Comparison
	each(m, self, outer, inner, func(d Difference, a Answer) bool {
		out = Comparison{a, d}
		return a != No
	})
	return out
}

// Differences lists for each directive one thing that b allows and a blocks, and that is what changes when b replaces a.
func Differences(m Mode, self Origin, a, b *List) []Difference {
	var out []Difference
	seen := map[string]bool{}
	each(m, self, a, b, func(d Difference, answer Answer) bool {
		if answer == No && !seen[d.Directive] {
			seen[d.Directive] = true
			out = append(out, d)
		}
		return true
	})
	return out
}

// each calls found for what inner allows and outer blocks (No) or may block (CannotTell), until it returns false.
// The probes stand for every kind of input that sources of the two lists can tell apart.
func each(m Mode, self Origin, outer, inner *List, found func(Difference, Answer) bool) {
	p := prober{m: m, self: self, outer: outer, inner: inner, found: found}
	for _, step := range []func(){p.requests, p.inlines, p.compiles, p.navigations, p.frames, p.sandboxes} {
		if step(); p.done {
			return
		}
	}
}

type prober struct {
	m            Mode
	self         Origin
	outer, inner *List
	found        func(Difference, Answer) bool
	done         bool
}

// try compares one probe.
func (p *prober) try(directive string, decide func(*List) Decision, witness func() string) {
	if p.done {
		return
	}
	if in := decide(p.inner); in.Blocked {
		return
	}
	if out := decide(p.outer); out.Blocked {
		p.done = !p.found(Difference{blamed(&out, directive), witness()}, No)
	}
}

// blamed is the effective directive that blocks, which for code under Trusted Types is not the one that was asked about.
func blamed(d *Decision, asked string) string {
	for _, v := range d.Violations() {
		if v.Disposition == Enforce {
			return v.Directive
		}
	}
	return asked
}

func (p *prober) doubt(directive, why string) {
	p.done = p.done || !p.found(Difference{directive, why}, CannotTell)
}

// readings are those that the mode combines.
func (p *prober) readings() []Mode {
	if p.m > WebKit {
		return []Mode{Spec, Chromium, Firefox, WebKit}
	}
	return []Mode{p.m}
}

// destinations has one for each fetch directive.
var destinations = []struct{ directive, destination, initiator string }{
	{"script-src-elem", "script", ""}, {"style-src-elem", "style", ""}, {"img-src", "image", ""}, {"font-src", "font", ""},
	{"connect-src", "", ""}, {"media-src", "video", ""}, {"object-src", "object", ""}, {"frame-src", "iframe", ""},
	{"fenced-frame-src", "fencedframe", ""}, {"worker-src", "worker", ""}, {"manifest-src", "manifest", ""}, {"default-src", "image", "prefetch"},
}

func (p *prober) requests() {
	for _, d := range destinations {
		if p.plain(d.directive) && !p.upgradesLess() {
			continue
		}
		elements := p.elements(d.directive)
		urls, ok := p.urls(d.directive, maxProbes/len(elements))
		if !ok {
			p.doubt(d.directive, "too many sources to try all")
			continue
		}
		for _, as := range elements {
			for i := range urls {
				r := as
				r.URL, r.Redirects, r.Destination, r.Initiator = urls[i].URL, urls[i].redirects, d.destination, d.initiator
				p.tryLoad(d.directive, func(l *List) Decision { return l.Request(p.m, p.self, &r) }, &urls[i], func() string { return urls[i].text(&r) })
			}
		}
	}
	r := Request{URL: URL{Scheme: "https", Host: "fresh.invalid", Port: -1, Path: "/"}, WebTransportHashes: true}
	p.try("connect-src", func(l *List) Decision { return l.Request(p.m, p.self, &r) }, func() string { return "WebTransport by certificate hashes" })
}

// tryLoad compares a load, and whether one that inner allows is made secure.
func (p *prober) tryLoad(directive string, decide func(*List) Decision, u *probeURL, witness func() string) {
	if p.done || p.rewritten(u.URL) {
		return
	}
	p.try(directive, decide, witness)
	if p.done || u.redirects > 0 || p.outer.Upgrade(p.m, u.URL) == u.URL || p.inner.Upgrade(p.m, u.URL) != u.URL {
		return
	}
	if inside := decide(p.inner); !inside.Blocked {
		p.done = !p.found(Difference{"upgrade-insecure-requests", witness() + ", not upgraded"}, No)
	}
}

// rewritten reports whether a page of inner never loads the URL: Fetch upgrades it before the policies are asked, and what
// comes of it is a probe too. https://fetch.spec.whatwg.org/#main-fetch
func (p *prober) rewritten(u URL) bool {
	for _, m := range p.readings() {
		if p.inner.Upgrade(m, u) == u {
			return false
		}
	}
	return true
}

func (p *prober) innerUpgrades() bool { return slices.ContainsFunc(p.readings(), p.inner.upgrades) }

// upgradesLess reports whether inner leaves loads insecure that outer upgrades.
func (p *prober) upgradesLess() bool {
	for _, m := range p.readings() {
		if p.outer.upgrades(m) && !p.inner.upgrades(m) {
			return true
		}
	}
	return false
}

// sources are those of the lists that govern a directive in any of the policies; for hints all of them.
func (p *prober) sources(directive string) []Source {
	var out []Source
	seen := map[string]bool{}
	add := func(d *Directive) {
		for _, s := range d.list.sources {
			if !seen[s.Text] {
				out = append(out, s)
			}
			seen[s.Text] = true
		}
	}
	for _, policy := range p.policies() {
		for _, m := range p.readings() {
			if d := policy.governing(quirksOf[m].knows(directive)); d != nil {
				add(d)
			}
		}
		for i := range policy.Directives {
			if directive == "default-src" {
				add(&policy.Directives[i])
			}
		}
	}
	return out
}

// policies are those of both lists, in each reading that differs.
func (p *prober) policies() []*Policy {
	var out []*Policy
	for _, l := range []*List{p.outer, p.inner} {
		for m, policies := range l.byMode {
			if m > 0 && len(policies) > 0 && len(l.byMode[0]) > 0 && &policies[0] == &l.byMode[0][0] {
				continue // shared
			}
			for i := range policies {
				out = append(out, &policies[i])
			}
		}
	}
	return out
}
