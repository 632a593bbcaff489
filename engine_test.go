package merlon_test

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon"
)

// What mutation testing found untested: each case here fails when one comparison, call or constant of the library changes.

// A meeting is what becomes of a handler's headers, in the spelling that the handler chose.
type meeting struct {
	name    string
	config  merlon.Config
	proxy   bool
	request string // empty for GET https://shop.example/
	status  int
	theirs  http.Header
	want    http.Header // nil for absent; nonces are 'nonce'
	misuse  []string
}

func (m meeting) run(t *testing.T) {
	g, _, misuse := watched(t, m.config)
	var h http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		maps.Copy(w.Header(), m.theirs)
		if m.status != 0 {
			w.WriteHeader(m.status)
		}
	})
	if m.proxy {
		h = g.Proxy(h)
	} else {
		h = g.Handler(h)
	}
	method, target, ok := strings.Cut(m.request, " ")
	if !ok {
		method, target = "GET", shop
	}
	sent := ask(h, method, target).Header
	for name, want := range m.want {
		got := slices.Clone(sent[name])
		for i, v := range got {
			got[i] = stripNonces(v)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	var told []string
	for _, m := range *misuse {
		told = append(told, string(m.Kind)+": "+m.Detail)
	}
	if !slices.Equal(told, m.misuse) {
		t.Errorf("misuse %q, want %q", told, m.misuse)
	}
}

// A change of headers is for its route alone, and keeps the rest.
func TestChangesOfHeaders(t *testing.T) {
	config := policyOf("img-src 'self'")
	config.Headers = map[string]string{"x-site": "ours", "X-Other": "ours"}
	g := newGuard(t, config)
	names, origins := []string{"X-Other"}, []string{partner}
	without, by := merlon.Without(names...), merlon.FrameBy(origins...)
	names[0], origins[0] = "X-Site", "https://evil.example"
	route := g.With("tested", merlon.Header("X-Site", "theirs"), merlon.Header("X-New", "new"), without, by)
	h := ask(g.Handler(route.Handler(text("x"))), "GET", shop).Header
	if got := [...]string{strings.Join(h["X-Site"], " AND "), h.Get("X-New"), h.Get("X-Other"), h.Get("Content-Security-Policy")}; got != [...]string{"theirs", "new", "", "img-src 'self'; frame-ancestors " + partner} {
		t.Errorf("the route sends %q", got)
	}
	h = ask(g.Handler(g.With("tested", merlon.Header("X-New", "other")).Handler(text("x"))), "GET", shop).Header
	if got := [...]string{h.Get("X-Site"), h.Get("X-New"), h.Get("X-Other")}; got != [...]string{"ours", "other", "ours"} {
		t.Errorf("the next route sends %q", got)
	}
	if got := g.Config().Headers; !maps.Equal(got, map[string]string{"x-site": "ours", "X-Other": "ours"}) {
		t.Errorf("the Guard's headers became %v", got)
	}
	h = ask(g.Handler(g.With("tested", merlon.Allow("img-src https://a.example"), merlon.Set("object-src 'none'")).Handler(text("x"))), "GET", shop).Header
	if got := h["Content-Security-Policy-Report-Only"]; got != nil {
		t.Errorf("changes began the trial %q", got)
	}
}

// Routes tell their changes as they are written.
func TestRoutesInWords(t *testing.T) {
	config := merlon.Config{CSP: "img-src 'self'", Trial: "img-src 'none'", Reports: "/r", Routes: []merlon.RouteConfig{
		{Match: "/a", Reason: "tested", CSP: "img-src 'none'", Trial: "img-src data:", Set: "object-src 'none'", Frame: merlon.Frame{"self", partner}, Allow: "img-src https://a.example", Reports: "off", Headers: map[string]string{"X-B": "1", "X-A": "2"}},
		{Match: "/b", Preset: "api"}, {Match: "/c", Trial: "off"},
	}}
	g := newGuard(t, config)
	first := func() { g.With("", merlon.FrameDeny(), merlon.Set("object-src 'none'").OnTrial()) }
	g.With("tested", merlon.FrameSelf(), merlon.Exempt().OnEnforced(), merlon.Header("X-A", "1"))
	g.With("tested", merlon.FrameExempt(), merlon.FrameBy("self", partner), merlon.Without("X-A"), merlon.Use("api"), merlon.Replace("img-src *"), merlon.Allow("img-src data:"))
	first()
	var got []string
	for _, r := range g.Routes() {
		place, _, _ := strings.Cut(r.String(), "engine_test.go:")
		got = append(got, place)
	}
	want := lines(
		"/a: csp: img-src 'none', trial: img-src data:, set: object-src 'none', frame: self "+partner+", allow: img-src https://a.example, reports: off, X-A: 2, X-B: 1 (tested) at routes[0]",
		"/b: preset: api at routes[1]", "/c: trial: off at routes[2]",
		`FrameDeny(), Set("object-src 'none'").OnTrial() at main/`, `FrameSelf(), Exempt().OnEnforced(), Header("X-A", "1") (tested) at main/`,
		`FrameExempt(), FrameBy(["self" "`+partner+`"]), Without(["X-A"]), Use("api"), Replace("img-src *"), Allow("img-src data:") (tested) at main/`)
	for i := range want {
		if i >= len(got) || strings.Split(got[i], " at ")[0] != strings.Split(want[i], " at ")[0] {
			t.Errorf("routes\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			break
		}
	}
	for path, want := range map[string]string{"a": "img-src data: https://a.example; object-src 'none'", "b": "", "c": "", "d": "img-src 'none'; report-uri /r?d=r"} {
		if got := ask(g.Handler(text("x")), "GET", shop+path).Header.Get("Content-Security-Policy-Report-Only"); got != want {
			t.Errorf("/%s tries %q, want %q", path, got, want)
		}
	}
}

// What With and Amend make of a route of the Config still has that route's pattern and cause, and is told as they are.
func TestChangesOnARouteOfTheConfig(t *testing.T) {
	config := but(policyOf("script-src 'nonce'"), func(c *merlon.Config) {
		c.Routes = []merlon.RouteConfig{{Match: "/a", Reason: "tested", Frame: merlon.Frame{"self"}}}
	})
	g, committed, _ := watched(t, config)
	amending := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := merlon.Amend(r.Context(), "old embed", merlon.Header("Referrer-Policy", "origin")); err != nil {
			t.Error(err)
		}
	})
	outer := g.With("outer", merlon.Header("X-A", "1"))
	const amend = `Header("Referrer-Policy", "origin") (old embed) at Amend`
	for name, h := range map[string]http.Handler{"Amend": amending, "With": outer.Handler(text("x")), "Amend in With": outer.Handler(amending)} {
		*committed = nil
		ask(g.Handler(h), "GET", shop+"a")
		causes := map[string]string{}
		for _, s := range g.Explain(h, httptest.NewRequest("GET", shop+"a", nil)).Steps {
			causes[s.Name] = s.Cause
		}
		t.Run(name+" keeps the pattern", func(t *testing.T) {
			if got := (*committed)[0].Pattern; got != "/a" {
				t.Errorf("committed as of %q", got)
			}
		})
		t.Run(name+" keeps the cause", func(t *testing.T) {
			if got := causes["X-Frame-Options"]; !strings.HasPrefix(got, "frame, changed by /a: frame: self (tested) at routes[0]") || strings.Contains(name, "With") != strings.Contains(got, `; Header("X-A", "1") (outer) at `) || strings.Contains(name, "Amend") != strings.HasSuffix(got, "; "+amend) {
				t.Errorf("X-Frame-Options comes from %q", got)
			}
		})
		t.Run(name+" is a step", func(t *testing.T) {
			if got := causes["amend"]; strings.Contains(name, "Amend") != strings.Contains(got, amend) {
				t.Errorf("the step amend comes from %q", got)
			}
		})
	}
	static := newGuard(t, policyOf("img-src 'self'")).With("outer", merlon.Header("X-A", "1")) // nothing but the Route asks for a context
	if got := ask(static.Handler(amending), "GET", shop).Header.Get("Referrer-Policy"); got != "origin" {
		t.Errorf("Amend on a Route without an outer Handler: Referrer-Policy %q", got)
	}
	if got := ask(static.Handler(own("X-Frame-Options", "SAMEORIGIN")), "GET", shop).Header.Get("X-Frame-Options"); got != "SAMEORIGIN" {
		t.Errorf("a handler's X-Frame-Options on a Route without an outer Handler became %q", got)
	}
}

// What counts as looser, and what becomes of changes that fit the base but not the route outside.
func TestLoosenessOfRoutes(t *testing.T) {
	for _, c := range []struct{ base, set string }{{"img-src 'none'", "img-src 'self'"}, {"script-src 'self'", "script-src 'self' 'nonce'"}} {
		if _, err := newGuard(t, policyOf(c.base)).NewRoute("", merlon.Set(c.set)); err == nil {
			t.Errorf("from %s to %s no reason is wanted", c.base, c.set)
		}
	}
	g := newGuard(t, merlon.Config{CSP: "object-src 'none'", Trial: "off", Frame: merlon.Frame{"self"}, Routes: []merlon.RouteConfig{{Match: "/a", Frame: merlon.Frame{"deny"}}}})
	g.With("tested", merlon.FrameSelf())
	if got := g.Routes(); len(got) != 2 || got[0].Looser || got[1].Looser || len(g.Routes()) != 2 {
		t.Errorf("routes %+v, none is looser than the base", got)
	}
	inner, outer := g.With("", merlon.FrameDeny(), merlon.Allow("img-src https://i.example")), g.With("tested", merlon.Set("img-src 'none'"))
	got := ask(g.Handler(outer.Handler(inner.Handler(text("x")))), "GET", shop).Header.Get("Content-Security-Policy")
	if want := "object-src 'none'; img-src 'none'; frame-ancestors 'none'"; got != want {
		t.Errorf("inside a stricter route the changes make %q, want %q", got, want)
	}
	if all := fmt.Sprintf("%+v", g.Explain(outer.Handler(inner.Handler(text("x"))), httptest.NewRequest("GET", shop, nil)).Steps); !strings.Contains(all, `csp and frame, changed by Set("img-src 'none'") (tested) at `) || !strings.Contains(all, "; FrameDeny(), Allow(") {
		t.Errorf("no step names both routes: %s", all)
	}
	began := g.Explain(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(200)
		inner.Handler(text("x")).ServeHTTP(w, r)
	}), httptest.NewRequest("GET", shop, nil))
	if slices.ContainsFunc(began.Steps, func(s merlon.Step) bool { return s.Name == "route" || s.Name == "handler" }) {
		t.Errorf("after the response began a route counts: %+v", began.Steps)
	}
}

// Paths that servers read in different ways keep away from what a route loosens; others are as they are.
func TestOddPaths(t *testing.T) {
	c := merlon.Config{Frame: merlon.Frame{"self"}, Routes: []merlon.RouteConfig{{Match: "/widget/", Frame: merlon.Frame{partner}, Reason: "tested"}, {Match: "/admin/", Frame: merlon.Frame{"deny"}}, {Match: "/exact", Frame: merlon.Frame{"deny"}}, {Match: "/{$}", Frame: merlon.Frame{"deny"}}}}
	want := map[string]string{"/widget/a%2fb": "'self'", "/widget/a%2F": "'self'", "/widget/a%2eb": "'self'", "/widget/%41a2f": partner, "/widget/a%20b": partner, "/widget/%C3%A9": partner, "/widget/a~b-c_d.9": partner, "/widget/%20a%2fb": "'self'", "/widget/%20%41": partner,
		"/x;p/../admin/": "'none'", "/x%5C..%5Cadmin%5C": "'none'", "//": "'none'", "/./exact": "'none'", "/./exact/": "'self'"}
	for _, r := range "\x00\x1f\x7f;%\\․‥…．。⁄∕／＼﹨％；" {
		want["/widget/a"+url.PathEscape(string(r))+"b"] = "'self'"
	}
	h := newGuard(t, c).Handler(text("x"))
	for path, want := range want {
		_, got, _ := strings.Cut(ask(h, "GET", "https://shop.example"+path).Header.Get("Content-Security-Policy"), "frame-ancestors ")
		if got != want {
			t.Errorf("GET %s: frame-ancestors %s, want %s", path, got, want)
		}
	}
}

// Which requests are answered before the site, and how.
func TestAnswersInFrontOfTheSite(t *testing.T) {
	https := func(edit func(*merlon.HTTPS)) merlon.Config {
		c := merlon.Config{Hosts: lines("shop.example", "shop.example:8443"), HTTPS: merlon.HTTPS{Redirect: true}}
		edit(&c.HTTPS)
		return c
	}
	plain := https(func(*merlon.HTTPS) {})
	exempt := https(func(s *merlon.HTTPS) { s.Exempt = lines("/a", "/b", "/pub/", "regexp:^re/") })
	byHost := merlon.Config{Hosts: lines("shop.example:8443"), Reports: "/r?x=1"}
	proxied := func(header string, hops int) merlon.Config {
		return merlon.Config{Hosts: lines("shop.example"), HTTPS: merlon.HTTPS{Proxies: merlon.Proxies{CIDR: lines("unix", "10.0.0.0/8"), Hops: hops, HostHeader: header}}}
	}
	for _, c := range []struct {
		config          merlon.Config
		request, answer string
		edit            func(*http.Request)
	}{
		{plain, "GET http://shop.example", "301 https://shop.example/", nil},
		{plain, "GET http://shop.example:8443/x?y", "301 https://shop.example/x?y", nil},
		{https(func(s *merlon.HTTPS) { s.Ports = map[string]int{"8443": 443} }), "GET http://shop.example:8443/", "301 https://shop.example/", nil},
		{https(func(s *merlon.HTTPS) { s.Temporary = true }), "POST http://shop.example/", "307 https://shop.example/", nil},
		{plain, "CONNECT http://shop.example/", "200 ", nil},
		{merlon.Config{HTTPS: merlon.HTTPS{Redirect: true, Host: "shop.example"}}, "OPTIONS *", "200 ", nil},
		{merlon.Config{Hosts: lines("shop.example")}, "GET http://shop.example/", "200 ", nil},
		{exempt, "GET http://shop.example/a", "200 ", nil}, {exempt, "GET http://shop.example/b", "200 ", nil}, {exempt, "GET http://shop.example/x/a", "301 https://shop.example/x/a", nil},
		{exempt, "GET http://shop.example/re/x", "200 ", nil}, {exempt, "GET http://shop.example/pub/x", "200 ", nil}, {exempt, "GET http://shop.example/pub/..%2fx", "301 https://shop.example/pub/..%2fx", nil},
		{byHost, "GET https://shop.example:8443/", "200 ", nil}, {byHost, "GET https://shop.example/", "421 ", nil}, {byHost, "GET https://other.example/r?d=e", "200 ", nil}, {byHost, "GET https://other.example/", "421 ", nil},
		{proxied("Forwarded", 1), "GET http://10.0.0.2/", "200 ", from("10.0.0.1:1", "Forwarded", `for=1;host="shop.example";proto=https`)},
		{proxied("Forwarded", 1), "GET http://shop.example/", "200 ", from("@", "Forwarded", "for=1")},
		{proxied("X-Forwarded-Host", 2), "GET http://shop.example/", "200 ", from("10.0.0.1:1", "X-Forwarded-Host", "other.example")},
		{proxied("X-Forwarded-Host", 1), "GET http://shop.example/", "421 ", from("10.0.0.1:1", "X-Forwarded-Host", "other.example")},
		{proxied("X-Forwarded-Host", 1), "GET http://shop.example/", "421 ", from("/run/x", "X-Forwarded-Host", "other.example")},
		{proxied("X-Forwarded-Host", 1), "GET http://shop.example/", "421 ", from("", "X-Forwarded-Host", "other.example")},
		{proxied("X-Forwarded-Host", 1), "GET http://shop.example/", "200 ", from("name:1", "X-Forwarded-Host", "other.example")},
	} {
		method, target, _ := strings.Cut(c.request, " ")
		edit := c.edit
		if edit == nil {
			edit = func(*http.Request) {}
		}
		res := ask(newGuard(t, c.config).Handler(text("x")), method, target, edit)
		if got := fmt.Sprintf("%d %s", res.StatusCode, res.Header.Get("Location")); got != c.answer {
			t.Errorf("%s with %+v: %s, want %s", c.request, c.config.HTTPS, got, c.answer)
		}
	}
	opaque := raw(t, newGuard(t, plain).Handler(text("x")), "GET http:.evil.example/")
	if got := opaque.Header.Get("Location"); got != "https://shop.example/" {
		t.Errorf("an opaque request line leads to %q", got)
	}
	g := newGuard(t, merlon.Config{})
	if got := g.Scheme(httptest.NewRequest("GET", shop, nil)) + " " + g.Scheme(httptest.NewRequest("GET", "http://shop.example/", nil)); got != "https http" {
		t.Errorf("schemes %s", got)
	}
	for _, host := range lines("", "10.0.0.0", "10.0.0.9", "[::1]:443") {
		if got := ask(g.Handler(text("x")), "GET", shop, func(r *http.Request) { r.Host = host }).Header.Get("Strict-Transport-Security"); got != "" {
			t.Errorf("for the host %q HSTS is %q", host, got)
		}
	}
}

// For each header the values from the strictest on: of any two the first goes out, whoever sent it.
func TestOrderOfStrictness(t *testing.T) {
	for name, c := range map[string]struct {
		set   func(*merlon.Config, string)
		order []string
	}{
		"Cross-Origin-Opener-Policy":        {func(c *merlon.Config, v string) { c.OpenerPolicy = v }, lines("same-origin", "noopener-allow-popups", "same-origin-allow-popups", "unsafe-none")},
		"Cross-Origin-Embedder-Policy":      {func(c *merlon.Config, v string) { c.EmbedderPolicy = v }, lines("require-corp", "credentialless", "unsafe-none")},
		"Cross-Origin-Resource-Policy":      {func(c *merlon.Config, v string) { c.ResourcePolicy = v }, lines("same-origin", "same-site", "cross-origin")},
		"X-Permitted-Cross-Domain-Policies": {func(c *merlon.Config, v string) { c.CrossDomainPolicies = v }, lines("none", "none-this-response", "master-only", "by-content-type", "by-ftp-filename", "all")},
		"Referrer-Policy": {func(c *merlon.Config, v string) { c.ReferrerPolicy = v }, lines("no-referrer", "same-origin", "strict-origin", "origin", "strict-origin-when-cross-origin", "origin-when-cross-origin",
			"no-referrer-when-downgrade", "unsafe-url")},
	} {
		for ours, value := range c.order {
			g := newGuard(t, but(merlon.Off(), func(config *merlon.Config) { c.set(config, value) }))
			for theirs, sent := range append(slices.Clone(c.order), "nonsense") {
				want := value
				if theirs < ours {
					want = sent
				}
				if got := ask(g.Proxy(own(name, sent)), "GET", shop).Header.Values(name); !slices.Equal(got, lines(want)) {
					t.Errorf("%s: %s and another server's %s make %q", name, value, sent, got)
				}
			}
		}
	}
	for _, c := range []struct {
		ours         merlon.HTTPS
		theirs, want string
	}{
		{merlon.HTTPS{HSTS: "1d"}, "max-age=5", "max-age=86400"}, {merlon.HTTPS{HSTS: "1d"}, "max-age=0; includeSubDomains", "max-age=86400; includeSubDomains"}, {merlon.HTTPS{HSTS: "1d", IncludeSubDomains: true}, "max-age=99999999", "max-age=99999999; includeSubDomains"},
		{merlon.HTTPS{HSTS: "365d", IncludeSubDomains: true, Preload: true, Redirect: true, Host: "shop.example"}, "max-age=99999999", "max-age=99999999; includeSubDomains; preload"},
		{merlon.HTTPS{HSTS: "1d"}, "max-age=99999999; max-age=99999999", "max-age=86400"}, {merlon.HTTPS{HSTS: "1d"}, "max-age=-1; preload", "max-age=86400"}, {merlon.HTTPS{HSTS: "1d"}, "max-age=x; includeSubDomains", "max-age=86400"},
	} {
		if got := ask(newGuard(t, merlon.Config{HTTPS: c.ours}).Proxy(own("Strict-Transport-Security", c.theirs)), "GET", shop).Header.Get("Strict-Transport-Security"); got != c.want {
			t.Errorf("%+v and another server's %s make %s, want %s", c.ours, c.theirs, got, c.want)
		}
	}
	g := newGuard(t, merlon.Config{PermissionsPolicy: "camera=(self), usb=self"})
	if got := ask(g.Proxy(own("Permissions-Policy", "camera=(), usb=*")), "GET", shop).Header.Get("Permissions-Policy"); got != "camera=(), usb=*" {
		t.Errorf("another server's permissions became %s", got)
	}
}

func TestPresetsAndTheirNames(t *testing.T) {
	for name, c := range map[string]merlon.Config{"strict": merlon.Strict(), "compat": merlon.Compat(), "api": merlon.API(), "off": merlon.Off(), "": {}} {
		if got := newGuard(t, c).Config().Preset; got != name {
			t.Errorf("the preset %q is called %q", name, got)
		}
	}
	dev := merlon.Strict().Dev()
	dev.Hosts = lines("dev.example")
	if got := ask(newGuard(t, dev).Handler(text("x")), "GET", "https://dev.example/").Header.Get("Strict-Transport-Security"); got != "" {
		t.Errorf("development has HSTS %q", got)
	}
	if g, err := merlon.NewHooked(merlon.Config{Preset: "x"}, merlon.Hooks{}); g != nil || err == nil {
		t.Errorf("NewHooked takes an unknown preset: %v, %v", g, err)
	}
	c := merlon.Config{Cookies: merlon.Cookies{Secure: true, Only: lines("a")}}
	g := newGuard(t, c)
	c.Cookies.Only[0] = "x"
	if got := g.Config().Cookies.Only[0]; got != "a" {
		t.Errorf("the Guard's cookies became %q", got)
	}
	if got := ask(g.With("tested", merlon.Without("X-Content-Type-Options")).Handler(text("x")), "GET", shop).Header["X-Content-Type-Options"]; got != nil {
		t.Errorf("the first header of the table stays: %q", got)
	}
}

// Each header is explained by its setting and by what browsers do with it.
func TestExplanationOfEachHeader(t *testing.T) {
	config := but(merlon.Strict(), func(c *merlon.Config) {
		c.Headers, c.Cookies.Secure, c.Endpoints, c.NetworkErrors = map[string]string{"Server": "off", "X-Site": "a"}, true, map[string]string{"default": "https://reports.example/r"}, "1d"
		c.Routes = []merlon.RouteConfig{{Match: "/out", Headers: map[string]string{"Clear-Site-Data": "cookies"}}}
	})
	g := newGuard(t, config)
	steps := func(h http.Handler, target string) map[string]string {
		out := map[string]string{}
		for _, s := range g.Explain(h, httptest.NewRequest("GET", target, nil)).Steps {
			out[s.Name] = s.Cause + " | " + s.Browser
		}
		return out
	}
	const old = "; beside frame-ancestors only old browsers read this"
	for _, c := range []struct {
		h      http.Handler
		target string
		want   map[string]string
	}{
		{own("Set-Cookie", "a=b", "Server", "x", "X-Frame-Options", "BOGUS"), shop, map[string]string{
			"request": "GET /, over HTTPS, host shop.example | ", "misuse": "ignored-framing: BOGUS protects nothing | ", "headers": "headers | ",
			"Content-Security-Policy":             "csp and frame of the preset strict | blocks what the policy does not allow",
			"Content-Security-Policy-Report-Only": "trial of the preset strict | reports what the policy would block, and blocks nothing",
			"X-Frame-Options":                     "frame of the preset strict | shows the page in no frame" + old,
			"Strict-Transport-Security":           "https.hsts of the preset strict | uses HTTPS alone for this host from now on, and lets nobody click a certificate's warning away",
			"Cache-Control":                       "nonce-cache and cache-control of the preset strict | keeps no copy, so that no nonce is used twice",
			"Set-Cookie":                          "cookies | keeps the cookie by these rules", "Reporting-Endpoints": "reporting-endpoints | sends reports there", "Nel": "nel | reports failed requests", "Report-To": "nel | sends reports of failed requests there",
			"X-Site": "headers | ", "Referrer-Policy": "referrer-policy of the preset strict | tells other pages only so much of the address",
		}},
		{g.With("tested", merlon.FrameSelf()).Handler(own("Content-Type", "application/json")), shop, map[string]string{"X-Frame-Options": "frame, changed by | shows the page in frames of its own origin alone" + old, "Content-Security-Policy": "csp and frame, changed by | blocks what the policy does not allow", "Cache-Control": ""}},
		{g.With("tested", merlon.Set("img-src 'none'"), merlon.Header("Cache-Control", "private")).Handler(text("x")), shop, map[string]string{"Content-Security-Policy": "csp and frame, changed by | blocks what the policy does not allow", "Cache-Control": "nonce-cache and cache-control, changed by | keeps no copy, so that no nonce is used twice"}},
		{g.With("tested", merlon.FrameBy(partner)).Handler(own("X-Frame-Options", "BOGUS")), shop, map[string]string{"X-Frame-Options": "frame, changed by | reads frame-ancestors alone: X-Frame-Options cannot name origins, and would contradict it"}},
		{text("x"), shop + "out", map[string]string{"Clear-Site-Data": "headers, changed by | throws away what it has stored of the site", "route": "/out: Clear-Site-Data: cookies at routes[0] | "}},
		{text("x"), shop + "a%2fb", map[string]string{"request": "GET /a%2fb, over HTTPS, host shop.example; servers read this path in different ways, so that routes may only tighten | "}},
		{own("Strict-Transport-Security", "max-age=5"), "http://shop.example/", map[string]string{"request": "GET /, over plain HTTP, host shop.example | ", "Strict-Transport-Security": " | ", "route": ""}},
	} {
		got := steps(c.h, c.target)
		for name, want := range c.want {
			have := got[name]
			if before, after, changed := strings.Cut(have, ", changed by "); changed {
				_, browser, _ := strings.Cut(after, " | ")
				have = before + ", changed by | " + browser
			}
			if have != want {
				t.Errorf("%s: the step %s is %q, want %q", c.target, name, have, want)
			}
		}
	}
	withdrawn := newGuard(t, merlon.Config{HTTPS: merlon.HTTPS{HSTS: "withdraw"}, CacheControl: "private"})
	all := fmt.Sprintf("%+v", withdrawn.Explain(text("x"), httptest.NewRequest("GET", shop, nil)).Steps)
	for _, part := range lines("Cause:https.hsts Before", "forgets to use HTTPS alone", "caches as it says", "Cause:referrer-policy Before") {
		if !strings.Contains(all, part) {
			t.Errorf("no step says %q: %s", part, all)
		}
	}
	e := g.Explain(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(103)
		w.WriteHeader(404)
		f, err := os.Open("engine_test.go")
		if err != nil {
			t.Error(err)
			return
		}
		defer f.Close()
		n, _ := io.WriteString(w, "12345")
		if m, err := io.CopyN(w, f, 3); n != 5 || m != 3 || err != nil {
			t.Errorf("wrote %d and %d bytes, %v", n, m, err)
		}
	}), httptest.NewRequest("GET", shop, nil))
	if e.Status != 404 || e.Body != 8 {
		t.Errorf("the answer is %d with %d bytes", e.Status, e.Body)
	}
	if got := g.Explain(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(101) }), httptest.NewRequest("GET", shop, nil)).Status; got != 101 {
		t.Errorf("other protocols are explained as %d", got)
	}
	all = fmt.Sprintf("%+v", g.ExplainProxy(own("Referrer-Policy", "unsafe-url"), httptest.NewRequest("GET", shop, nil)).Steps)
	if !strings.Contains(all, "{Name:Referrer-Policy Cause:referrer-policy of the preset strict Before:") {
		t.Errorf("no step says that Referrer-Policy was tightened: %s", all)
	}
	if got := (merlon.Step{After: http.Header{"A": {"1"}}}).Changed(); !slices.Equal(got, lines("A")) {
		t.Errorf("from nothing to A changes %q", got)
	}
	front := newGuard(t, merlon.Config{Hosts: lines("shop.example"), HTTPS: merlon.HTTPS{Redirect: true}})
	for target, want := range map[string]string{"http://shop.example/x": "https.redirect to https://shop.example/x", "https://evil.example/": "hosts: the site is not reached as evil.example"} {
		steps := front.Explain(text("x"), httptest.NewRequest("GET", target, nil)).Steps
		if i := slices.IndexFunc(steps, func(s merlon.Step) bool { return s.Name == "front" }); i < 0 || steps[i].Cause != want {
			t.Errorf("%s is explained as %+v, want %s", target, steps, want)
		}
	}
}
