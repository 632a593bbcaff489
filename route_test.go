package merlon_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon"
)

func jsonOf(v any) ([]byte, error) { return json.Marshal(v) }

func ancestors(t *testing.T, h http.Handler, path string) string {
	t.Helper()
	res, _ := get(t, h, "GET", path)
	_, got, _ := strings.Cut(res.Header.Get("Content-Security-Policy"), "frame-ancestors ")
	return got
}

func TestRouteChangesApplyToCanonicalPathsOnly(t *testing.T) {
	c := merlon.Config{Routes: []merlon.RouteConfig{{Match: "GET /widget/", Frame: merlon.Frame{"https://partner.example"}, Reason: "contract 114"}}}
	g := newGuard(t, c)
	h := g.Handler(text("x"))
	for path, want := range map[string]string{
		"/widget/":             "https://partner.example",
		"/widget/a.b/c":        "https://partner.example",
		"/widget/...":          "'none'",
		"/widget/.well-known/": "https://partner.example",
		"/widget/a.":           "https://partner.example",
		"/widget/%41":          "https://partner.example",
		"/":                    "'none'",
		"/widget":              "'none'",
		"/widget/..%2fadmin":   "'none'",
		"/widget/..%2Fadmin":   "'none'",
		"/widget/%2e%2e/admin": "'none'",
		"/widget/%2E./admin":   "'none'",
		"/widget/../admin":     "'none'",
		"/widget/./x":          "'none'",
		"/widget/..":           "'none'",
		"/widget//x":           "'none'",
		"/widget/..;/admin":    "'none'",
		"/widget/..%3b/admin":  "'none'",
		"/widget/..%5cadmin":   "'none'",
		"/widget/..%252fadmin": "'none'",
		"/widget/..%00/admin":  "'none'",
		"/widget/.%09./admin":  "'none'",
		"/widget/..%20/admin":  "'none'",
		"/widget/%20./admin":   "'none'",

		"/widget/%c0%ae%c0%ae/admin":       "'none'", // overlong dots
		"/widget/..%c0%afadmin":            "'none'", // an overlong slash
		"/widget/%ef%bc%8e%ef%bc%8e/admin": "'none'", // full-width dots
		"/widget/..%ef%bc%8fadmin":         "'none'", // a full-width slash
	} {
		if got := ancestors(t, h, path); got != want {
			t.Errorf("GET %s: frame-ancestors %s, want %s", path, got, want)
		}
		pattern := ""
		if want != "'none'" {
			pattern = "GET /widget/"
		}
		if got := g.Pattern(httptest.NewRequest("GET", path, nil)); got != pattern {
			t.Errorf("GET %s: the pattern is %q, want %q", path, got, pattern)
		}
	}
}

// A path that servers read in different ways must not lead around a route that is stricter than the rest of the site.
func TestStricterRoutesHoldForOddPaths(t *testing.T) {
	c := merlon.Config{Frame: merlon.Frame{"self"}, Routes: []merlon.RouteConfig{
		{Match: "/admin/", Frame: merlon.Frame{"deny"}}, {Match: "/widget/", Frame: merlon.Frame{"https://partner.example"}, Reason: "contract 114"}}}
	h := newGuard(t, c).Handler(text("x"))
	for path, want := range map[string]string{
		"/admin/": "'none'", "//admin/": "'none'", "/./admin/": "'none'", "/x/../admin/": "'none'", "/admin;x/": "'none'", "/admin//": "'none'",
		"/admin/%2e/": "'none'", "/admin/a%2fb": "'none'", "/x%2f..%2fadmin/": "'none'", "/x%5c..%5cadmin%5c": "'none'", "/widget/..%2fadmin/": "'none'",
		"/widget//": "'self'", "/": "'self'", "//": "'self'", "/x/../widget/": "'self'",
	} {
		if got := ancestors(t, h, path); got != want {
			t.Errorf("GET %s: frame-ancestors %s, want %s", path, got, want)
		}
	}
}

func TestChangesMeetOtherPlans(t *testing.T) {
	c := merlon.Compat()
	c.Routes = []merlon.RouteConfig{{Match: "/widget/", Preset: "strict", Frame: merlon.Frame{"https://partner.example"}, Reason: "contract 114"}}
	g := newGuard(t, c)
	if _, err := g.NewRoute("", merlon.FrameDeny(), merlon.Allow("img-src https://i.example")); err == nil {
		t.Error("a change that loosens the plan of a configured route needs no reason")
	}
	// On the base Allow changes nothing, images being allowed; below the outer route it would loosen and is left out.
	base := newGuard(t, merlon.Config{CSP: "object-src 'none'", Trial: merlon.Remove})
	inner := base.With("", merlon.FrameDeny(), merlon.Allow("img-src https://i.example"))
	outer := base.With("own", merlon.FrameSelf())
	if got := ancestors(t, base.Handler(outer.Handler(inner.Handler(text("x")))), "/"); got != "'none'" {
		t.Errorf("With inside With: frame-ancestors %s, want 'none'", got)
	}
}

func TestRoutesReachTheOutermostHandler(t *testing.T) {
	g := newGuard(t, merlon.Config{})
	partner := g.With("contract 114", merlon.FrameBy("https://partner.example"))
	mux := http.NewServeMux()
	mux.Handle("GET /widget/", partner.Handler(text("w")))
	mux.Handle("/nested/", partner.Handler(g.With("", merlon.FrameDeny()).Handler(text("n"))))
	mux.Handle("/foreign/", newGuard(t, merlon.Config{}).With("x", merlon.FrameSelf()).Handler(text("f")))
	h := g.Handler(mux)
	for path, want := range map[string]string{"/": "'none'", "/widget/": "https://partner.example", "/nested/": "'none'", "/foreign/": "'none'"} {
		if got := ancestors(t, h, path); got != want {
			t.Errorf("GET %s: frame-ancestors %s, want %s", path, got, want)
		}
	}
	if got := ancestors(t, partner.Handler(text("alone")), "/"); got != "https://partner.example" {
		t.Errorf("a Route without an outer Handler: frame-ancestors %s", got)
	}
}

func TestAllowStartsFromTheFallback(t *testing.T) {
	c := merlon.Config{CSP: "default-src 'self'; object-src 'none'", Trial: "script-src 'self'"}
	g := newGuard(t, c)
	h := g.Handler(g.With("map tiles", merlon.Allow("img-src https://tiles.example; object-src https://o.example; script-src https://s.example")).Handler(text("x")))
	res, _ := get(t, h, "GET", "/")
	want := "default-src 'self'; object-src https://o.example; img-src 'self' https://tiles.example; script-src 'self' https://s.example; frame-ancestors 'none'"
	if got := res.Header.Get("Content-Security-Policy"); got != want {
		t.Errorf("enforced\n got %s\nwant %s", got, want)
	}
	if got, want := res.Header.Get("Content-Security-Policy-Report-Only"), "script-src 'self' https://s.example"; got != want {
		t.Errorf("trial\n got %s\nwant %s (nothing governs images there: they are allowed already)", got, want)
	}
}

func TestLooseningWantsAReason(t *testing.T) {
	g := newGuard(t, merlon.Compat())
	for _, c := range []struct {
		name   string
		change merlon.Change
		wants  bool
	}{
		{"frame by", merlon.FrameBy("https://partner.example"), true},
		{"frame by self and a partner", merlon.FrameBy("self", "https://partner.example"), true},
		{"frame deny", merlon.FrameDeny(), false},
		{"frame self, as before", merlon.FrameSelf(), false},
		{"allow", merlon.Allow("object-src https://o.example"), true},
		{"allow what is allowed", merlon.Allow("img-src https://i.example"), false},
	} {
		if _, err := g.NewRoute(" . ", c.change); (err != nil) != c.wants {
			t.Errorf("%s without a reason: %v, want an error: %v", c.name, err, c.wants)
		}
		if _, err := g.NewRoute("contract 114", c.change); err != nil {
			t.Errorf("%s with a reason: %v", c.name, err)
		}
	}
	c := merlon.Compat()
	c.Routes = []merlon.RouteConfig{{Match: "/api/", Preset: "api"}, {Match: "/strict/", Preset: "strict"}}
	newGuard(t, c) // tightening, so no reason is wanted
}

func TestChangesThatChangeNothingAreMistakes(t *testing.T) {
	g := newGuard(t, merlon.Strict())
	for name, change := range map[string]merlon.Change{
		"frame by off": merlon.FrameBy(merlon.Remove), "frame by deny": merlon.FrameBy("deny"), "frame by nobody": merlon.FrameBy(), "empty": {},
		"allow none": merlon.Allow("img-src 'none'"), "allow nothing": merlon.Allow("img-src"), "allow a flag": merlon.Allow("sandbox allow-forms"),
		"allow a typo": merlon.Allow("image-src https://i.example"), "allow framing": merlon.Allow("frame-ancestors https://p.example"),
		"hosts beside strict-dynamic":                 merlon.Allow("script-src https://cdn.example"),
		"frame by an address that no policy can name": merlon.FrameBy("http://[::1]:8080"),
	} {
		if _, err := g.NewRoute("reason", change); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestPatternsThatMatchNothingAreMistakes(t *testing.T) {
	for pattern, hint := range map[string]string{"/widget/*": "write /widget/", "get /widget/": "write GET /widget/", "GET widget": "write a pattern", "/a/{": "write a pattern"} {
		_, err := merlon.New(merlon.Config{Routes: []merlon.RouteConfig{{Match: pattern, Frame: merlon.Frame{"deny"}}}})
		if err == nil || !strings.Contains(err.Error(), hint) {
			t.Errorf("match %q: %v, want a hint that says %s", pattern, err, hint)
		}
	}
}

func TestWithPanicsWithTheMistake(t *testing.T) {
	defer func() {
		if err, ok := recover().(error); !ok || !strings.Contains(err.Error(), "https://") {
			t.Errorf("panic with %v, want the mistake and the way out", err)
		}
	}()
	newGuard(t, merlon.Config{}).With("typo", merlon.FrameBy("partner.example"))
}

func TestNonce(t *testing.T) {
	page := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", r.URL.Query().Get("type"))
		w.Header().Set("Cache-Control", "public, s-maxage=60, max-age=60")
		w.Header().Set("Expires", "Thu, 01 Jan 2099 00:00:00 GMT")
		w.Write([]byte(merlon.Nonce(r.Context())))
	}
	g := newGuard(t, merlon.Strict())
	for _, c := range []struct {
		method, mime string
		carries      bool
	}{
		{"GET", "text/html; charset=utf-8", true}, {"GET", "image/svg+xml", true}, {"GET", "application/pdf", true}, {"GET", "application/xml", true},
		{"GET", "TEXT/HTML", true}, {"GET", "nonsense", true}, {"HEAD", "text/html", false}, {"GET", "application/json", false}, {"GET", "image/png", false},
	} {
		res, body := get(t, g.Handler(http.HandlerFunc(page)), c.method, "/", func(r *http.Request) { r.URL.RawQuery = url.Values{"type": {c.mime}}.Encode() })
		policy := res.Header.Get("Content-Security-Policy")
		if carries := strings.Contains(policy, "'nonce-"); carries != c.carries {
			t.Errorf("%s %s: policy %s", c.method, c.mime, policy)
		}
		if !c.carries && !strings.Contains(policy, "script-src 'none'; style-src 'self' 'report-sample'") {
			t.Errorf("%s %s: policy without a nonce %s", c.method, c.mime, policy)
		}
		if c.carries && (len(body) != 22 || !strings.Contains(policy, "'nonce-"+body+"'")) {
			t.Errorf("%s %s: nonce %q, policy %s", c.method, c.mime, body, policy)
		}
		if cache := res.Header.Get("Cache-Control"); c.carries && (cache != "no-store" || res.Header.Get("Expires") != "") {
			t.Errorf("%s %s: Cache-Control %q, Expires %q", c.method, c.mime, cache, res.Header.Get("Expires"))
		}
	}
	for before, want := range map[string]string{
		"no-store":                                 "no-store",
		"private, no-store":                        "private, no-store",
		"must-understand, no-store":                "private, no-store",
		`public, max-age=60, ext="a, no-store, b"`: `private, max-age=60, ext="a, no-store, b"`,
		`private="Set-Cookie, X", max-age=60`:      "private, max-age=60",
		"":                                         "private",
	} {
		private := merlon.Strict()
		private.NonceCache = "private"
		res, _ := get(t, newGuard(t, private).Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", before)
			for _, name := range []string{"X-Accel-Expires", "Cloudflare-CDN-Cache-Control", "CDN-Cache-Control", "Surrogate-Control", "Edge-Control", "Expires"} {
				w.Header().Set(name, "600")
			}
		})), "GET", "/")
		if got := res.Header.Get("Cache-Control"); got != want {
			t.Errorf("Cache-Control %q becomes %q, want %q", before, got, want)
		}
		for name := range res.Header {
			if strings.HasPrefix(name, "Cloud") || strings.HasPrefix(name, "Cdn") || strings.HasPrefix(name, "Surr") || strings.HasPrefix(name, "Edge") || strings.HasPrefix(name, "X-Acc") || name == "Expires" {
				t.Errorf("%s goes out beside a nonce", name)
			}
		}
	}
	private := merlon.Strict()
	private.NonceCache = "private"
	res, _ := get(t, newGuard(t, private).Handler(http.HandlerFunc(page)), "GET", "/?type=text/html")
	if got := res.Header.Get("Cache-Control"); got != "private, max-age=60" {
		t.Errorf("private by choice: Cache-Control %q", got)
	}
}

func TestNoNonceLetsNothingIn(t *testing.T) {
	for policy, want := range map[string]string{
		"script-src 'nonce' 'unsafe-inline'":                           "script-src 'none'",
		"script-src 'nonce' 'strict-dynamic' https: 'unsafe-inline'":   "script-src 'none'",
		"script-src 'nonce' https://a.example 'unsafe-inline'":         "script-src https://a.example",
		"style-src 'self' 'nonce' 'report-sample'":                     "style-src 'self' 'report-sample'",
		"script-src 'self'; style-src 'unsafe-inline'; img-src https:": "script-src 'self'; style-src 'unsafe-inline'; img-src https:",
	} {
		h := newGuard(t, merlon.Config{CSP: policy, Frame: merlon.Frame{merlon.Remove}}).Handler(text("x"))
		if res, _ := get(t, h, "HEAD", "/"); res.Header.Get("Content-Security-Policy") != want {
			t.Errorf("%s\nwithout a nonce is %s\nwant %s", policy, res.Header.Get("Content-Security-Policy"), want)
		}
	}
}

func TestAllocations(t *testing.T) {
	static := merlon.Compat()
	static.Trial = "default-src 'self'"
	g, strict := newGuard(t, static), newGuard(t, merlon.Strict())
	answer := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(200) })
	deny := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header()["X-Frame-Options"] = []string{"DENY"}
		w.WriteHeader(200)
	})
	for _, c := range []struct {
		name string
		h    http.Handler
		most float64
	}{
		{"without a nonce", g.Handler(answer), 1},
		{"on a changed route", g.Handler(g.With("", merlon.FrameDeny()).Handler(answer)), 2},
		{"with a nonce", strict.Handler(answer), 3 + allocatedByRace},
		{"with a handler's X-Frame-Options", g.Handler(deny), 3},
	} {
		w := &discard{h: http.Header{}}
		r := httptest.NewRequest("GET", "https://shop.example/a/b", nil)
		if n := testing.AllocsPerRun(100, func() { clear(w.h); c.h.ServeHTTP(w, r) }); n > c.most {
			t.Errorf("%s: %v allocations, want at most %v", c.name, n, c.most)
		}
	}
}

type discard struct{ h http.Header }

func (d *discard) Header() http.Header         { return d.h }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }
func (d *discard) WriteHeader(int)             {}
