package merlon_test

import (
	"io"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/merlon-sec/merlon"
)

// Mistakes that were in the library once, each with what must hold instead.

// A shared cache must not keep a page with a nonce, whatever the Config says for other responses.
func TestNoncesAreNeverShared(t *testing.T) {
	for name, edit := range map[string]func(*merlon.Config){
		"Cache-Control is mandatory": func(c *merlon.Config) { c.CacheControl, c.Mandatory = "public, max-age=600", []string{"Cache-Control"} },
		"CDN-Cache-Control":          func(c *merlon.Config) { c.Headers = map[string]string{"CDN-Cache-Control": "max-age=600"} },
		"Surrogate-Control":          func(c *merlon.Config) { c.Headers = map[string]string{"Surrogate-Control": "max-age=600"} },
		"X-Accel-Expires":            func(c *merlon.Config) { c.Headers = map[string]string{"X-Accel-Expires": "600"} },
		"Expires":                    func(c *merlon.Config) { c.Headers = map[string]string{"Expires": "Thu, 01 Jan 2099 00:00:00 GMT"} },
	} {
		h := ask(newGuard(t, but(merlon.Strict(), edit)).Handler(text("x")), "GET", shop).Header
		if got := h.Get("Cache-Control"); got != "no-store" || h.Get("CDN-Cache-Control")+h.Get("Surrogate-Control")+h.Get("X-Accel-Expires")+h.Get("Expires") != "" {
			t.Errorf("%s: a page with a nonce goes out with %v", name, h)
		}
	}
}

// The comma in a quoted string with an escaped quote separates nothing.
func TestCacheControlWithAnEscapedQuote(t *testing.T) {
	h := ask(newGuard(t, merlon.Strict()).Handler(own("Cache-Control", `public, ext="a\", no-store, b"`)), "GET", shop).Header
	if got := h.Get("Cache-Control"); strings.HasPrefix(got, "public") {
		t.Errorf("a page with a nonce goes out with Cache-Control: %s", got)
	}
}

// A CDN that goes by its own header would give one outcome of the sample to everybody.
func TestSampledResponsesAreForNoSharedCache(t *testing.T) {
	c := merlon.Config{Trial: "img-src 'none'", TrialSample: "50%"}
	h := ask(newGuard(t, c).Handler(own("CDN-Cache-Control", "max-age=600", "Surrogate-Control", "max-age=600")), "GET", shop).Header
	if got := h.Get("CDN-Cache-Control") + h.Get("Surrogate-Control"); got != "" {
		t.Errorf("a sampled response goes out with %v", h)
	}
}

func TestRemovedHeadersInAnySpelling(t *testing.T) {
	c := merlon.Config{Headers: map[string]string{"X-Powered-By": "off"}}
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Header()["x-powered-by"] = []string{"PHP/4"} })
	if res, _ := visit(t, newGuard(t, c).Handler(h), 1, "GET", shop); res.Header.Get("X-Powered-By") != "" {
		t.Errorf("a header that is off goes out: %v", res.Header)
	}
}

// Config.Mandatory promises that the handler's can only tighten.
func TestMandatoryPolicyKeepsItsFraming(t *testing.T) {
	c := merlon.Config{Frame: merlon.Frame{"deny"}, Mandatory: []string{"Content-Security-Policy"}}
	for _, pairs := range [][]string{{"X-Frame-Options", "SAMEORIGIN"}, {"Content-Security-Policy", "frame-ancestors https://evil.example"}} {
		got := ask(newGuard(t, c).Handler(own(pairs...)), "GET", shop).Header["Content-Security-Policy"]
		if !strings.Contains(strings.Join(got, " AND "), "frame-ancestors 'none'") {
			t.Errorf("beside the handler's %q the policies are %q", pairs, got)
		}
	}
}

// The host behind the proxy is the one that browsers would keep HSTS for.
func TestHSTSForTheHostThatTheProxySays(t *testing.T) {
	c := merlon.Config{HTTPS: merlon.HTTPS{HSTS: "365d", Proxies: merlon.Proxies{CIDR: []string{"10.0.0.0/8"}, HostHeader: "X-Forwarded-Host"}}}
	h := ask(newGuard(t, c).Handler(text("x")), "GET", "http://127.0.0.1:8000/", from("10.0.0.1:1", "X-Forwarded-Proto", "https", "X-Forwarded-Host", "shop.example")).Header
	if got := h.Get("Strict-Transport-Security"); got != "max-age=31536000" {
		t.Errorf("HSTS is %q", got)
	}
}

func TestNoHSTSForNamesOfThisMachine(t *testing.T) {
	for _, host := range []string{"localhost.", "localhost.:8443", "127.0.0.1.", "a.localhost."} {
		if got := ask(newGuard(t, merlon.Strict()).Handler(text("x")), "GET", "https://"+host+"/").Header.Get("Strict-Transport-Security"); got != "" {
			t.Errorf("%s has HSTS %q", host, got)
		}
	}
}

// Browsers leave out the port 80 that a request has gone to.
func TestRedirectFromPort80(t *testing.T) {
	c := redirecting("shop.example")
	c.HTTPS.Ports = map[string]int{"80": 8443}
	if got := location(t, c, "GET", "http://shop.example/x"); got != "301 https://shop.example:8443/x" {
		t.Errorf("leads to %s", got)
	}
}

// Go reads http:.evil.example/ in a request line as an opaque URL, which begins with no slash.
func TestRedirectOfAnOpaqueRequestLine(t *testing.T) {
	for _, c := range []merlon.Config{redirecting("shop.example"), {HTTPS: merlon.HTTPS{Redirect: true, Host: "shop.example"}}} {
		res := raw(t, newGuard(t, c).Handler(text("x")), "GET http:.evil.example/")
		if u, err := url.Parse(res.Header.Get("Location")); err != nil || u.Host != "" && u.Host != "shop.example" {
			t.Errorf("leads to %q", res.Header.Get("Location"))
		}
	}
}

func TestRedirectToAHostThatIsThenRefused(t *testing.T) {
	refused(t, map[string]merlon.Config{"a target that is none of the hosts": {Hosts: []string{"shop.example"}, HTTPS: merlon.HTTPS{Redirect: true, Host: "www.other.example"}}})
}

// New returns mistakes, and does not panic with them.
func TestARouteForEverythingByAWildcard(t *testing.T) {
	defer func() {
		if cause := recover(); cause != nil {
			t.Errorf("New panics: %v", cause)
		}
	}()
	g, err := merlon.New(merlon.Config{Frame: merlon.Frame{"self"}, Routes: []merlon.RouteConfig{{Match: "/{rest...}", Frame: merlon.Frame{"deny"}}}})
	if err != nil {
		t.Fatal(err)
	}
	if got := ask(g.Handler(text("x")), "GET", shop+"a/b").Header.Get("X-Frame-Options"); got != "DENY" {
		t.Errorf("X-Frame-Options is %q", got)
	}
}

func TestReportsOffIsOffForReportToAsWell(t *testing.T) {
	c := merlon.Config{Reports: "/r", ReportTo: "csp", Endpoints: map[string]string{"csp": "/r"}, Routes: []merlon.RouteConfig{{Match: "/quiet", Reports: "off"}}}
	for _, line := range ask(newGuard(t, c).Handler(text("x")), "GET", shop+"quiet").Header["Content-Security-Policy"] {
		if strings.Contains(line, "report-") {
			t.Errorf("a route whose violations are not reported has %q", line)
		}
	}
}

func TestTheNilGuardMakesRoutes(t *testing.T) {
	defer func() {
		if cause := recover(); cause != nil {
			t.Errorf("panic: %v", cause)
		}
	}()
	var g *merlon.Guard
	h := g.With("x", merlon.FrameSelf()).Handler(text("x"))
	if got := ask(h, "GET", shop).Header.Get("X-Frame-Options"); got != "SAMEORIGIN" || len(g.Routes()) > 1 {
		t.Errorf("X-Frame-Options is %q, the routes are %v", got, g.Routes())
	}
}

// A proxy inside TimeoutHandler tells the outer Guard about itself while that answers 503.
func TestAProxyInsideTimeoutHandler(t *testing.T) {
	g := newGuard(t, merlon.Strict())
	h := g.Handler(http.TimeoutHandler(g.Proxy(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() })), time.Millisecond, "late"))
	for range 20 {
		if res := ask(h, "GET", shop); res.StatusCode != 503 || res.Header.Get("X-Frame-Options") != "DENY" {
			t.Errorf("%d %v", res.StatusCode, res.Header)
		}
	}
}

// TimeoutHandler's writer cannot be unwrapped: the context leads to the outer Guard, which is there with a nonce.
func TestAForeignRouteInsideTimeoutHandler(t *testing.T) {
	foreign := newGuard(t, merlon.API()).With("contract", merlon.FrameSelf())
	h := newGuard(t, merlon.Strict()).Handler(http.TimeoutHandler(foreign.Handler(text("x")), time.Minute, "late"))
	if got := ask(h, "GET", shop).Header.Get("X-Frame-Options"); got != "DENY" {
		t.Errorf("the route of another Guard decides: %s", got)
	}
}

// HEAD asks a page for its headers. The page runs as it would for GET, and misuses nothing.
func TestNoMisuseInHead(t *testing.T) {
	g, _, misuse := watched(t, merlon.Strict())
	page := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "<p>")
		io.WriteString(w, merlon.Nonce(r.Context()))
	})
	ask(g.Handler(page), "GET", shop)
	ask(g.Handler(page), "HEAD", shop)
	if len(*misuse) > 0 {
		t.Errorf("told %+v", *misuse)
	}
}

// net/http's own file server writes Etag, and many write w.Header()["ETag"] to keep the spelling.
func TestNonceWithETagInItsUsualSpelling(t *testing.T) {
	g, _, misuse := watched(t, merlon.Strict())
	ask(g.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Header()["ETag"] = []string{`"v1"`} })), "GET", shop)
	if len(*misuse) != 1 || (*misuse)[0].Kind != merlon.NonceWithETag {
		t.Errorf("told %+v", *misuse)
	}
}

func TestNoNonceIsToldWhereNoneGoesOut(t *testing.T) {
	g, committed, _ := watched(t, merlon.Strict())
	ask(g.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		merlon.Nonce(r.Context())
		if err := merlon.Amend(r.Context(), "tested", merlon.Exempt()); err != nil {
			t.Error(err)
		}
	})), "GET", shop)
	if got := (*committed)[0]; got.Nonce != "" {
		t.Errorf("the hook is told the nonce %q of a response without one", got.Nonce)
	}
}

func TestMistakesHaveOneOrder(t *testing.T) {
	seen := map[string]bool{}
	for range 50 {
		_, err := merlon.New(merlon.Config{Cookies: merlon.Cookies{Only: []string{"a b"}, Except: []string{"c d"}}, HTTPS: merlon.HTTPS{Redirect: true, Host: "a.example",
			Ports: map[string]int{"x": 1, "y": 2}, Proxies: merlon.Proxies{CIDR: []string{"unix"}, Header: "a b", HostHeader: "c d"}}})
		seen[err.Error()] = true
	}
	if len(seen) > 1 {
		t.Errorf("the same mistakes are told in %d orders", len(seen))
	}
}

// A route's own preset and directives are for development as well.
func TestDevReachesRoutes(t *testing.T) {
	c := merlon.Strict()
	c.Routes = []merlon.RouteConfig{{Match: "/a", Preset: "strict"}, {Match: "/b", Set: "upgrade-insecure-requests"}}
	h := newGuard(t, c.Dev()).Handler(text("x"))
	for _, path := range []string{"/a", "/b"} {
		if got := ask(h, "GET", "https://localhost:8443"+path).Header.Get("Content-Security-Policy"); strings.Contains(got, "upgrade") || !strings.Contains(got, "ws://localhost:*") {
			t.Errorf("%s in development: %s", path, got)
		}
	}
}

// A route that only tightens holds for paths that servers read in different ways; one that loosens anything does not.
func TestWithOnOddPaths(t *testing.T) {
	base := merlon.Config{CSP: "script-src 'self'", Frame: merlon.Frame{"https://partner.example"}}
	g := newGuard(t, base)
	mux := http.NewServeMux()
	mux.Handle("/admin/", g.With("", merlon.FrameDeny(), merlon.Set("script-src 'none'")).Handler(text("admin")))
	mux.Handle("/open/", g.With("tested", merlon.FrameExempt()).Handler(text("open")))
	for _, path := range []string{"/admin/", "/admin/;x", "/admin/%25", "/admin/a%2fb"} {
		if got := ask(g.Handler(mux), "GET", shop+path[1:]).Header.Get("Content-Security-Policy"); got != "script-src 'none'; frame-ancestors 'none'" {
			t.Errorf("%s has %q", path, got)
		}
	}
	if got := ask(g.Handler(mux), "GET", shop+"open/;x").Header.Get("Content-Security-Policy"); !strings.Contains(got, "frame-ancestors https://partner.example") {
		t.Errorf("a loosening route applies to an odd path: %s", got)
	}
	loose := merlon.Strict()
	loose.Routes = []merlon.RouteConfig{{Match: "/pub/", Reason: "tested", Headers: map[string]string{"Referrer-Policy": "unsafe-url", "X-Content-Type-Options": "off"}}}
	h := ask(newGuard(t, loose).Handler(text("x")), "GET", shop+"admin;/..%2fpub/").Header
	if h.Get("Referrer-Policy") != "same-origin" || h.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("a route that loosens headers applies to an odd path: %v", h)
	}
}

func TestLooserHeadersWantAReason(t *testing.T) {
	for _, ch := range []merlon.Change{
		merlon.Header("Referrer-Policy", "unsafe-url"), merlon.Header("Cross-Origin-Opener-Policy", "unsafe-none"), merlon.Header("Permissions-Policy", "camera=*"),
		merlon.Header("Cross-Origin-Resource-Policy", "cross-origin"), merlon.Without("X-Content-Type-Options"),
	} {
		if _, err := newGuard(t, merlon.Strict()).NewRoute("", ch); err == nil {
			t.Errorf("%+v wants no reason", ch)
		}
	}
	for _, ch := range []merlon.Change{merlon.Header("Referrer-Policy", "no-referrer"), merlon.Header("Permissions-Policy", "camera=(), geolocation=(),microphone=(), payment=(), usb=(), midi=()"), merlon.Header("Cache-Control", "no-store")} {
		if _, err := newGuard(t, merlon.Strict()).NewRoute("", ch); err != nil {
			t.Errorf("%+v: %v", ch, err)
		}
	}
}

// A plan of Amend is of one response and must not stay.
func TestAmendOutsideARouteKeepsNothing(t *testing.T) {
	g := newGuard(t, merlon.Strict())
	inner := g.With("tested", merlon.FrameSelf()).Handler(text("x"))
	h := g.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := merlon.Amend(r.Context(), "tenant", merlon.Allow("connect-src https://tenant.example")); err != nil {
			t.Error(err)
		}
		inner.ServeHTTP(w, r)
	}))
	live := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	ask(h, "GET", shop)
	before := live()
	for range 200 {
		ask(h, "GET", shop)
	}
	if after := live(); after > before+2<<20 {
		t.Errorf("200 amended responses keep %d KiB", (after-before)>>10)
	}
}

func TestForwardedWithQuotes(t *testing.T) {
	c := merlon.Config{Hosts: []string{"shop.example"}, HTTPS: merlon.HTTPS{Redirect: true, Proxies: merlon.Proxies{CIDR: []string{"10.0.0.0/8", "fe80::/10"}, Header: "Forwarded"}}}
	for value, status := range map[string]int{`for=1.2.3.4;host="shop.example,proto=https";proto=http`: 301, `for=1.2.3.4;proto=http;host="a,proto=https"`: 301, `for="_x;proto=https";proto=http`: 301,
		"proto=https;proto=http": 301, `for="[::1]:80";proto=https`: 200} {
		if res := ask(newGuard(t, c).Handler(text("x")), "GET", "http://shop.example/", from("10.0.0.1:1", "Forwarded", value)); res.StatusCode != status {
			t.Errorf("%s: %d, want %d", value, res.StatusCode, status)
		}
	}
	if res := ask(newGuard(t, c).Handler(text("x")), "GET", "http://shop.example/", from("[fe80::1%eth0]:80", "Forwarded", "proto=https")); res.StatusCode != 200 {
		t.Errorf("a link-local proxy is not believed: %d", res.StatusCode)
	}
}

func TestNoStoreIsADirective(t *testing.T) {
	for _, value := range []string{`max-age=600, x="no-store"`, "max-age=600, not-no-store", "no-store-please=1"} {
		if got := ask(newGuard(t, merlon.Strict()).Handler(own("Cache-Control", value)), "GET", shop).Header.Get("Cache-Control"); got != "no-store" {
			t.Errorf("%s becomes %s", value, got)
		}
	}
}
