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

// What browsers make of URLs, by the WHATWG URL Standard.
func TestParseURL(t *testing.T) {
	for in, want := range map[string]string{
		"https://Example.COM:443/a/../b":               "https://example.com/b",
		"HTTP://a.example:80":                          "http://a.example/",
		"https://a.example:8443/%7Ex?q=1#f":            "https://a.example:8443/%7Ex?q=1",
		"https://user:pw@a.example/":                   "https://a.example/",
		`https:\\a.example\x`:                          "https://a.example/x",
		"https:a.example/x":                            "https://a.example/x",
		"  https://a.example/ \n":                      "https://a.example/",
		"ht\ntps://a.exa\tmple/":                       "https://a.example/",
		"https://0x7f.1/":                              "https://127.0.0.1/",
		"https://017700000001/":                        "https://127.0.0.1/",
		"https://[2001:DB8::0:1]:8443/":                "https://[2001:db8::1]:8443/",
		"https://a%2eexample/":                         "https://a.example/",
		"https://a.example/%2e%2E/x/.":                 "https://a.example/x/",
		"https://a.example/a b\"<>":                    "https://a.example/a%20b%22%3C%3E",
		"data:text/html,<b>":                           "data:text/html,<b>",
		"blob:https://a.example/id":                    "blob:https://a.example/id",
		"javascript:alert(1)":                          "javascript:alert(1)",
		"wss://a.example":                              "wss://a.example/",
		"custom:thing":                                 "custom:thing",
		"file:///etc/passwd":                           "file:///etc/passwd",
		"":                                             "",
		"/relative":                                    "",
		"https://":                                     "",
		"https://a b/":                                 "",
		"https://a.example:99999/":                     "",
		"https://a.example:x/":                         "",
		"https://[::1":                                 "",
		"https://1.2.3.4.5/":                           "",
		"https://256.256.256.256/":                     "",
		"https://a<b/":                                 "",
		"1https://a.example/":                          "",
		"https://b\u00fccher.example/":                 "",
		strings.Repeat("a", csp.MaxURLBytes+1):         "",
		"https://a.example/" + strings.Repeat("x", 10): "https://a.example/xxxxxxxxxx",
	} {
		u, err := csp.ParseURL(in)
		if got := u.String(); got != want || (err == nil) != (want != "") {
			t.Errorf("ParseURL(%.60q) = %q, %v; want %q", in, got, err, want)
		}
	}
	base := mustURL(t, "https://a.example/dir/page?q=1")
	for in, want := range map[string]string{
		"": "https://a.example/dir/page?q=1", "x": "https://a.example/dir/x", "../x": "https://a.example/x", "/x?y": "https://a.example/x?y", "?z": "https://a.example/dir/page?z",
		"//b.example/x": "https://b.example/x", "https:x": "https://a.example/dir/x", "http://c.example": "http://c.example/", "#f": "https://a.example/dir/page?q=1",
	} {
		if u, err := base.Resolve(in); err != nil || u.String() != want {
			t.Errorf("Resolve(%q) = %q, %v; want %q", in, u, err, want)
		}
	}
}

func TestRequestDecisionsAllocateNothing(t *testing.T) {
	l := csp.NewList(
		csp.Delivered{Value: "default-src 'self'; script-src 'nonce-abc' 'strict-dynamic' https:; img-src *.cdn.example/img/ data:; connect-src wss://a.example"},
		csp.Delivered{Value: "img-src 'none'; script-src 'self'", Disposition: csp.Report})
	image, script := mustURL(t, "https://x.cdn.example/img/a.png"), mustURL(t, "https://evil.example/a.js?q")
	for _, m := range []csp.Mode{csp.Spec, csp.Chromium, csp.Firefox, csp.WebKit, csp.Strictest, csp.Laxest} {
		for _, r := range []csp.Request{{URL: image, Destination: "image"}, {URL: script, Destination: "script", ParserInserted: true}, {URL: script, Destination: "script", Nonce: "abc"},
			{URL: script}, {URL: image, Destination: "image", Initiator: "prefetch"}} {
			if n := testing.AllocsPerRun(50, func() {
				d := l.Request(m, self, &r)
				_ = d.Violations()
			}); n > 0 {
				t.Errorf("%v, %s: %v allocations, want none", m, r.Destination, n)
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
// contained is never refuted.
func FuzzDecide(f *testing.F) {
	f.Add("default-src 'self'; script-src a.example 'nonce-x'", "img-src *; script-src 'unsafe-inline'", "https://a.example:8443/x?y", "b.example")
	f.Add("frame-ancestors *; base-uri http://a/b%2fc; sandbox", "connect-src wss: https:", "wss://10.1.2.3/%zz", "http://*:80/p")
	f.Fuzz(func(t *testing.T, policy, other, target, source string) {
		if len(policy)+len(other) > 300 || strings.ContainsAny(policy+other+source, ",") {
			return
		}
		u, err := csp.ParseURL(target)
		if err != nil {
			return
		}
		if again, err := csp.ParseURL(u.String()); err != nil || again != u {
			t.Errorf("ParseURL(%q) prints %q, which parses as %q, %v", target, u, again, err)
		}
		a, b := csp.NewList(csp.Delivered{Value: policy}), csp.NewList(csp.Delivered{Value: other})
		for _, m := range []csp.Mode{csp.Spec, csp.Chromium, csp.Firefox, csp.WebKit, csp.Strictest, csp.Laxest} {
			contained := csp.Contains(m, self, a, b).Answer == csp.Yes
			for _, destination := range []string{"image", "script", "style", "", "iframe", "worker", "xslt"} {
				r := &csp.Request{URL: u, Destination: destination, ParserInserted: true}
				outer, inner := a.Request(m, self, r), b.Request(m, self, r)
				if contained && outer.Blocked && !inner.Blocked {
					t.Errorf("%v: %q contains %q, but only the second allows %s as %q", m, policy, other, u, destination)
				}
			}
			monotone(t, m, policy, source, u)
		}
	})
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
