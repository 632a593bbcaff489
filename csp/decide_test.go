package csp_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon/csp"
)

func mustURL(t testing.TB, s string) csp.URL {
	t.Helper()
	u, err := csp.ParseURL(s)
	if err != nil {
		t.Fatalf("ParseURL(%q): %v", s, err)
	}
	return u
}

func TestRequestDecisionsAllocateNothing(t *testing.T) {
	l := csp.NewList(
		csp.Delivered{Value: "default-src 'self'; script-src 'nonce-abc' 'strict-dynamic' 'sha256-aaaa' https:; img-src *.cdn.example/img/ data:; connect-src wss://a.example"},
		csp.Delivered{Value: "img-src 'none'; script-src 'self'", Disposition: csp.Report})
	image, script := mustURL(t, "https://x.cdn.example/img/a.png"), mustURL(t, "https://evil.example/a.js?q")
	for _, m := range []csp.Mode{csp.Spec, csp.Chromium, csp.Firefox, csp.WebKit, csp.Strictest, csp.Laxest} {
		for _, r := range []csp.Request{{URL: image, Destination: "image"}, {URL: script, Destination: "script", ParserInserted: true}, {URL: script, Destination: "script", Nonce: "abc"},
			{URL: script, Destination: "script", ParserInserted: true, Integrity: "sha256-aaa_ sha384-b?c sha256"}, {URL: script, Destination: "fencedframe"},
			{URL: script}, {URL: image, Destination: "image", Initiator: "prefetch"}} {
			if n := testing.AllocsPerRun(50, func() {
				d := l.Request(m, self, &r)
				_ = d.Violations()
			}); n > 0 {
				t.Errorf("%v, %s: %v allocations, want none", m, r.Destination, n)
			}
			if n := testing.AllocsPerRun(50, func() { l.Fetch(m, self, &r, &image) }); n > 0 {
				t.Errorf("%v, %s with its response: %v allocations, want none", m, r.Destination, n)
			}
		}
	}
}

// In Strictest nothing is allowed that some reading blocks, in Laxest nothing blocked that some reading allows.
func TestStrictestAndLaxest(t *testing.T) {
	l := csp.NewList(csp.Delivered{Value: "connect-src https:; img-src http://10.1.2.3"})
	socket, address := mustURL(t, "wss://a.example/"), mustURL(t, "http://10.1.2.3/")
	for _, c := range []struct {
		m       csp.Mode
		blocked [2]bool
	}{{csp.Spec, [2]bool{false, true}}, {csp.Chromium, [2]bool{true, false}}, {csp.Strictest, [2]bool{true, true}}, {csp.Laxest, [2]bool{false, false}}} {
		d1, d2 := l.Request(c.m, self, &csp.Request{URL: socket}), l.Request(c.m, self, &csp.Request{URL: address, Destination: "image"})
		if got := [2]bool{d1.Blocked, d2.Blocked}; got != c.blocked {
			t.Errorf("%v: blocked %v, want %v", c.m, got, c.blocked)
		}
	}
}

// Decide never panics, a source that is added never blocks what was allowed unless the text says so, and what Contains calls
// contained is never refuted. Commas separate policies.
func FuzzDecide(f *testing.F) {
	f.Add("default-src 'self'; script-src a.example 'nonce-x'", "img-src *; script-src 'unsafe-inline'", "https://a.example:8443/x?y", "b.example")
	f.Add("frame-ancestors *; base-uri http://a/b%2fc; sandbox", "connect-src wss: https:", "wss://10.1.2.3/%zz", "http://*:80/p")
	f.Add("script-src 'none'", "script-src 'nonce-a', script-src 'strict-dynamic'", "javascript:x", "a.example")
	f.Add("script-src-elem 'none'", "script-src-elem 'nonce-a', script-src-elem "+hash256, "data:,x", "a.example")
	f.Add("style-src 'none'", "style-src "+hash256+", style-src "+hash384, "https://a.example:0/", "a.example")
	f.Add("trusted-types a; form-action 'none', sandbox allow-popups", "sandbox allow-forms; form-action javascript:; require-trusted-types-for 'script'", "http://localhost/", "*.2.3")
	f.Add("default-src *; fenced-frame-src 'none'", "img-src *; media-src *; fenced-frame-src a", "http://u:p@a.example:0/?'#f", "a:80/x://y")
	f.Add("img-src https: *.1.2.3", "img-src http: *.2.3; upgrade-insecure-requests", "http://1.1.2.3:59999/", "x:")
	f.Fuzz(func(t *testing.T, policy, other, target, source string) {
		if len(policy)+len(other) > 250 {
			return
		}
		u, err := csp.ParseURL(target)
		if err != nil {
			return
		}
		if again, err := csp.ParseURL(u.String()); err != nil || again != u {
			t.Errorf("ParseURL(%q) prints %q, which parses as %q, %v", target, u, again, err)
		}
		outer, inner := list(policy), list(other)
		for m := csp.Spec; m <= csp.Laxest; m++ {
			contained := csp.Contains(m, self, outer, inner).Answer == csp.Yes
			everything(m, inner, u, func(what string, blocked func(*csp.List) bool) {
				if out, in := blocked(outer), blocked(inner); contained && out && !in {
					t.Errorf("%v: %q contains %q, but only the second allows %s", m, policy, other, what)
				}
			})
			if !strings.ContainsAny(policy+source, ",") {
				monotone(t, m, policy, source, u)
			}
		}
	})
}

// everything asks about all that a page does with a URL, with several means to pass a policy at once. page is the list of the
// page, which upgrades what it loads.
func everything(m csp.Mode, page *csp.List, u csp.URL, ask func(what string, blocked func(*csp.List) bool)) {
	loaded := page.Upgrade(m, u)
	for _, nonce := range []string{"", "a", "x"} {
		for _, hash := range []string{"", hash256, hash384, hash256 + " " + hash384} {
			for _, parser := range []bool{true, false} {
				as := csp.Request{URL: loaded, Nonce: nonce, Integrity: strings.ReplaceAll(hash, "'", ""), ParserInserted: parser}
				askRequests(m, as, ask)
			}
		}
		for _, parser := range []bool{true, false} {
			askInlines(m, csp.Inline{Nonce: nonce, ParserInserted: parser}, ask)
		}
	}
	decision := func(what string, decide func(*csp.List) csp.Decision) {
		ask(what, func(l *csp.List) bool { return decide(l).Blocked })
	}
	for _, trust := range []csp.Trust{csp.Untyped, csp.PlainString, csp.TrustedScript} {
		decision("eval", func(l *csp.List) csp.Decision { return l.Eval(m, "x", trust) })
	}
	decision("wasm", func(l *csp.List) csp.Decision { return l.Wasm(m) })
	decision("webrtc", func(l *csp.List) csp.Decision { return l.WebRTC(m) })
	decision("a sink", func(l *csp.List) csp.Decision { return l.TrustedTypesSink(m, "Element innerHTML", "x") })
	decision("the policy a", func(l *csp.List) csp.Decision { return l.TrustedTypesPolicy(m, "a", nil) })
	decision("a second policy a", func(l *csp.List) csp.Decision { return l.TrustedTypesPolicy(m, "a", []string{"a"}) })
	decision("a base", func(l *csp.List) csp.Decision { return l.Base(m, self, &u) })
	decision("a form", func(l *csp.List) csp.Decision { return l.SubmitForm(m, self, &loaded, 0) })
	decision("a form, redirected", func(l *csp.List) csp.Decision { return l.SubmitForm(m, self, &loaded, 1) })
	decision("a frame", func(l *csp.List) csp.Decision {
		return l.Frame(m, mustParse("https://self.example/"), []csp.Origin{u.Origin()}, nil).Decision
	})
	for _, token := range []string{"allow-scripts", "allow-popups", "allow-top-navigation-to-custom-protocols"} {
		ask(token, func(l *csp.List) bool { return m <= csp.WebKit && !l.Sandbox(m).Allows(token) })
	}
}

func askRequests(m csp.Mode, as csp.Request, ask func(string, func(*csp.List) bool)) {
	for _, destination := range []string{"image", "video", "script", "style", "", "iframe", "fencedframe", "worker", "xslt", "prefetch"} {
		for as.Redirects = range 2 {
			r := as
			if r.Destination = destination; destination == "prefetch" {
				r.Destination, r.Initiator = "image", destination
			}
			ask(fmt.Sprintf("%s as %q %+v", r.URL, destination, r), func(l *csp.List) bool { return l.Request(m, self, &r).Blocked })
		}
	}
}

func askInlines(m csp.Mode, as csp.Inline, ask func(string, func(*csp.List) bool)) {
	for kind, element := range map[csp.InlineType]string{csp.InlineScript: "script", csp.InlineStyle: "style", csp.InlineScriptAttribute: "",
		csp.InlineStyleAttribute: "", csp.InlineNavigation: ""} {
		for _, content := range []string{"x", "javascript:x"} {
			in := as
			in.Type, in.Element, in.Content = kind, element, content
			ask(fmt.Sprintf("%+v", in), func(l *csp.List) bool { return l.Inline(m, &in).Blocked })
		}
	}
}

// monotone adds a plain source to img-src.
func monotone(t *testing.T, m csp.Mode, policy, source string, u csp.URL) {
	if s := csp.ParseSource(source); s.Kind != csp.HostSource && s.Kind != csp.SchemeSource {
		return
	}
	before := csp.Parse(policy)
	value, ok := before.Get("img-src")
	if !ok || len(value) == 0 || before.String() != policy {
		return
	}
	after := before.Set("img-src", append(append([]string{}, value...), source)...)
	r := &csp.Request{URL: u, Destination: "image"}
	was, is := list(before.String()).Request(m, self, r), list(after.String()).Request(m, self, r)
	if !was.Blocked && is.Blocked {
		t.Errorf("%v: adding %s to %q blocks %s", m, source, policy, u)
	}
}

// A policy as long as a policy may be gets an answer, and the answer is that it cannot be told.
func TestContainsIsBounded(t *testing.T) {
	for name, source := range map[string]string{"hosts": "h%d.example ", "ports and paths": "*:%d/p%[1]d/ ", "nonces": "'nonce-%d' ", "paths": "a.example/%d "} {
		var b strings.Builder
		b.WriteString("default-src 'self'; script-src 'self' ")
		for i := 1; b.Len() < csp.MaxBytes-100; i++ {
			fmt.Fprintf(&b, source, i)
		}
		outer, inner := list(b.String()), list(b.String()+"'unsafe-hashes'")
		if got := csp.Contains(csp.Spec, self, outer, inner); got.Answer != csp.CannotTell {
			t.Errorf("%s: %v (%s: %.80s), want cannot tell", name, got.Answer, got.Witness.Directive, got.Witness.Witness)
		}
	}
}

// No directive has a check for XSLT, not even where WebKit lets 'strict-dynamic' in default-src void hosts for other loads.
func TestNothingStopsXSLT(t *testing.T) {
	r := &csp.Request{URL: mustURL(t, "https://a.example/x.xsl"), Destination: "xslt", ParserInserted: true}
	for m := csp.Spec; m <= csp.Laxest; m++ {
		for _, policy := range []string{"default-src 'strict-dynamic' https:", "default-src 'none'", "script-src 'none'"} {
			if d := list(policy).Request(m, self, r); d.Blocked {
				t.Errorf("%v: %q blocks XSLT", m, policy)
			}
		}
	}
}

func ExampleList_Request() {
	l := csp.NewList(csp.Delivered{Value: "default-src 'self'; img-src https:"})
	page := csp.ParseOrigin("https://shop.example")
	target, _ := csp.ParseURL("http://cdn.example/logo.png")
	d := l.Request(csp.Spec, page, &csp.Request{URL: target, Destination: "image"})
	for _, v := range d.Violations() {
		fmt.Println(d.Blocked, v.Directive)
	}
	// Output: true img-src
}

func ExampleContains() {
	before := csp.NewList(csp.Delivered{Value: "default-src 'self'; script-src 'self'"})
	after := csp.NewList(csp.Delivered{Value: "default-src 'self'"})
	looser := csp.NewList(csp.Delivered{Value: "default-src 'self'; script-src 'self' https://cdn.example/lib/"})
	page := csp.ParseOrigin("https://shop.example")
	fmt.Println(csp.Contains(csp.Spec, page, before, after).Answer)
	c := csp.Contains(csp.Spec, page, before, looser)
	fmt.Println(c.Answer, c.Witness.Directive, c.Witness.Witness)
	// Output:
	// yes
	// no script-src-elem https://cdn.example/ after a redirect
}
