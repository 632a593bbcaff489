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
	h := newGuard(t, c).Handler(text("x"))
	for path, want := range map[string]string{
		"/widget/":             "https://partner.example",
		"/widget/a.b/c":        "https://partner.example",
		"/widget/...":          "https://partner.example",
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
	} {
		if got := ancestors(t, h, path); got != want {
			t.Errorf("GET %s: frame-ancestors %s, want %s", path, got, want)
		}
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
		{"frame deny", merlon.FrameDeny(), false},
		{"frame self, as before", merlon.FrameSelf(), false},
		{"allow", merlon.Allow("object-src https://o.example"), true},
		{"allow what is allowed", merlon.Allow("img-src https://i.example"), false},
	} {
		if _, err := g.NewRoute(" ", c.change); (err != nil) != c.wants {
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
	private := merlon.Strict()
	private.NonceCache = "private"
	res, _ := get(t, newGuard(t, private).Handler(http.HandlerFunc(page)), "GET", "/?type=text/html")
	if got := res.Header.Get("Cache-Control"); got != "private, max-age=60" {
		t.Errorf("private by choice: Cache-Control %q", got)
	}
}

func TestAllocations(t *testing.T) {
	c := merlon.Compat()
	c.Trial = "default-src 'self'"
	g := newGuard(t, c)
	w := &discard{h: http.Header{}}
	r := httptest.NewRequest("GET", "https://shop.example/a/b", nil)
	h := g.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(200) }))
	if n := testing.AllocsPerRun(100, func() { clear(w.h); h.ServeHTTP(w, r) }); n > 1 {
		t.Errorf("without a nonce: %v allocations, want at most 1", n)
	}
}

type discard struct{ h http.Header }

func (d *discard) Header() http.Header         { return d.h }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }
func (d *discard) WriteHeader(int)             {}
