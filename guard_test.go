package merlon_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/merlon-sec/merlon"
	"github.com/merlon-sec/merlon/cfgerrors"
)

func newGuard(t testing.TB, c merlon.Config) *merlon.Guard {
	t.Helper()
	g, err := merlon.New(c)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	return g
}

// get serves h over a real connection and returns the response with its body read.
func get(t testing.TB, h http.Handler, method, target string, edit ...func(*http.Request)) (*http.Response, string) {
	t.Helper()
	srv := httptest.NewServer(h)
	defer srv.Close()
	req, err := http.NewRequest(method, srv.URL+target, nil)
	if err != nil {
		t.Fatal(err)
	}
	if i := strings.IndexByte(target, '%'); i >= 0 {
		req.URL.Opaque = "//" + strings.TrimPrefix(srv.URL, "http://") + target // keep the path's encoding as written
	}
	for _, e := range edit {
		e(req)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(body)
}

func text(body string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, body) })
}

// Every way to answer in Go, and each response must carry each header once.
func TestHeadersOnEveryKindOfResponse(t *testing.T) {
	file := filepath.Join(t.TempDir(), "page.txt")
	if err := os.WriteFile(file, []byte("from a file"), 0o600); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/nothing", func(w http.ResponseWriter, r *http.Request) {})
	mux.HandleFunc("/status", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusTeapot) })
	mux.HandleFunc("/write", func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("x")) })
	mux.HandleFunc("/string", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "x") })
	mux.HandleFunc("/flush", func(w http.ResponseWriter, r *http.Request) { w.(http.Flusher).Flush(); w.Write([]byte("x")) })
	mux.HandleFunc("/control", func(w http.ResponseWriter, r *http.Request) { http.NewResponseController(w).Flush() })
	mux.HandleFunc("/copy", func(w http.ResponseWriter, r *http.Request) {
		f, _ := os.Open(file)
		defer f.Close()
		io.Copy(w, f)
	})
	mux.HandleFunc("/early", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", "</a.css>; rel=preload")
		w.WriteHeader(http.StatusEarlyHints)
		io.WriteString(w, "x")
	})
	mux.HandleFunc("/error", func(w http.ResponseWriter, r *http.Request) { http.Error(w, "no", 500) })
	mux.HandleFunc("/file", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, file) })
	mux.HandleFunc("GET /sub/", func(w http.ResponseWriter, r *http.Request) {})
	mux.Handle("/timeout", http.TimeoutHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }), time.Millisecond, "late"))
	mux.HandleFunc("/lowercase", func(w http.ResponseWriter, r *http.Request) {
		w.Header()["x-frame-options"] = []string{"SAMEORIGIN"}
		w.Header()["referrer-policy"] = []string{"origin"}
	})
	h := newGuard(t, merlon.Strict()).Handler(mux)
	for _, c := range []struct {
		method, path string
		status       int
	}{
		{"GET", "/nothing", 200}, {"GET", "/status", 418}, {"GET", "/write", 200}, {"HEAD", "/write", 200}, {"GET", "/string", 200},
		{"GET", "/flush", 200}, {"GET", "/control", 200}, {"GET", "/copy", 200}, {"GET", "/early", 200}, {"GET", "/error", 500},
		{"GET", "/file", 200}, {"GET", "/missing", 404}, {"POST", "/sub/", 405}, {"GET", "/sub", 307}, {"GET", "/timeout", 503}, {"GET", "/lowercase", 200},
	} {
		res, _ := get(t, h, c.method, c.path)
		if res.StatusCode != c.status {
			t.Errorf("%s %s: status %d, want %d", c.method, c.path, res.StatusCode, c.status)
		}
		for _, name := range []string{"Content-Security-Policy", "Content-Security-Policy-Report-Only", "X-Frame-Options", "X-Content-Type-Options", "Referrer-Policy",
			"Permissions-Policy", "Cross-Origin-Opener-Policy", "Cross-Origin-Resource-Policy", "Origin-Agent-Cluster"} {
			if n := len(res.Header.Values(name)); n != 1 {
				t.Errorf("%s %s: %d lines of %s, want 1", c.method, c.path, n, name)
			}
		}
		if c.path == "/early" && res.Header.Get("Link") == "" {
			t.Errorf("the handler's own header is lost")
		}
	}
}

// net/http drops a line with a control character over HTTP/2, and with it the protection that the handler thinks is there.
func TestControlCharactersInHandlersHeaders(t *testing.T) {
	srv := httptest.NewUnstartedServer(newGuard(t, merlon.Strict()).Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'self';\n frame-ancestors https://partner.example")
		w.Header().Set("Referrer-Policy", "origin\r\n")
		w.Header().Set("X-Content-Type-Options", "")
	})))
	srv.EnableHTTP2 = true
	srv.StartTLS()
	defer srv.Close()
	res, err := srv.Client().Get(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.ProtoMajor != 2 {
		t.Fatalf("over %s, want HTTP/2", res.Proto)
	}
	for name, want := range map[string]string{"Content-Security-Policy": "default-src 'self';  frame-ancestors https://partner.example", "Referrer-Policy": "origin", "X-Content-Type-Options": "nosniff"} {
		if got := strings.TrimSpace(res.Header.Get(name)); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestOutermostGuardAloneWrites(t *testing.T) {
	strict, compat := newGuard(t, merlon.Strict()), newGuard(t, merlon.Compat())
	echo := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		io.WriteString(w, merlon.Nonce(r.Context()))
	})
	var zero1, zero2 merlon.Guard
	for name, h := range map[string]http.Handler{
		"another inside":          strict.Handler(compat.Handler(echo)),
		"the same inside":         strict.Handler(strict.Handler(echo)),
		"a proxy of it inside":    strict.Handler(strict.Proxy(echo)),
		"another's route inside":  strict.Handler(compat.With("x", merlon.FrameBy("https://evil.example")).Handler(echo)),
		"another zero Guard's":    strict.Handler(zero2.With("x", merlon.FrameBy("https://evil.example")).Handler(echo)),
		"behind a writer wrapper": strict.Handler(wrapWriter(compat.Handler(echo))),
	} {
		res, body := get(t, h, "GET", "/")
		policies := res.Header.Values("Content-Security-Policy")
		if len(policies) != 1 || !strings.Contains(policies[0], "frame-ancestors 'none'") || len(body) != 22 || !strings.Contains(policies[0], body) {
			t.Errorf("%s: nonce %q, policies %q", name, body, policies)
		}
	}
	api := newGuard(t, merlon.API()) // no nonce, so no context to be found by
	for name, h := range map[string]http.Handler{
		"another's route in api": api.Handler(compat.With("x", merlon.FrameBy("https://evil.example")).Handler(echo)),
		"one zero in another":    zero1.Handler(zero2.With("x", merlon.FrameBy("https://evil.example")).Handler(echo)),
	} {
		if res, _ := get(t, h, "GET", "/"); res.Header.Get("X-Frame-Options") != "DENY" {
			t.Errorf("%s: %v", name, res.Header)
		}
	}
}

// wrapWriter is a middleware with a writer of its own that can be unwrapped.
func wrapWriter(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { next.ServeHTTP(unwrappable{w}, r) })
}

type unwrappable struct{ http.ResponseWriter }

func (u unwrappable) Unwrap() http.ResponseWriter { return u.ResponseWriter }

func TestMeaninglessPoliciesDoNotStandInForOurs(t *testing.T) {
	for _, own := range []string{"", " ", ";", "defautl-src 'self'", "x-unknown"} {
		h := newGuard(t, merlon.Strict()).Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Content-Security-Policy", own) }))
		res, _ := get(t, h, "GET", "/")
		if got := res.Header.Values("Content-Security-Policy"); len(got) != 1 || !strings.Contains(got[0], "default-src 'self'") {
			t.Errorf("the handler says %q: policies %q", own, got)
		}
	}
}

func TestHijackedAndUnflushableWritersAreLeftAlone(t *testing.T) {
	g := newGuard(t, merlon.Strict())
	var header http.Header
	get(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header = w.Header()
		g.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			c, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
			c.Close()
		})).ServeHTTP(w, r)
	}), "GET", "/")
	if len(header) > 0 {
		t.Errorf("after Hijack the headers are %v, want them untouched", header)
	}
	rec := struct{ http.ResponseWriter }{httptest.NewRecorder()}
	g.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := http.NewResponseController(w).Flush(); err == nil {
			t.Error("Flush on a writer that cannot flush gives no error")
		}
		if _, err := io.Copy(w, iotest.ErrReader(errors.New("no"))); err == nil {
			t.Error("io.Copy from a reader that fails gives no error")
		}
		w.Header().Set("X-Frame-Options", "SAMEORIGIN")
	})).ServeHTTP(rec, httptest.NewRequest("GET", "/", nil))
	if got := rec.Header().Get("Content-Security-Policy"); !strings.Contains(got, "frame-ancestors 'self'") {
		t.Errorf("nothing had gone out, and the handler's X-Frame-Options came too late: %s", got)
	}
}

func TestNotModifiedKeepsTheStoredPolicy(t *testing.T) {
	h := newGuard(t, merlon.Strict()).Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(304) }))
	res, _ := get(t, h, "GET", "/")
	if got := res.Header.Get("Content-Security-Policy"); got != "" {
		t.Errorf("304 with the policy %q: it would replace the one with the stored page's nonce", got)
	}
	if got := res.Header.Get("X-Frame-Options"); got != "DENY" {
		t.Errorf("304: X-Frame-Options = %q, want DENY", got)
	}
}

// httputil.ReverseProxy clears the header map after an upstream's 1xx and adds the upstream's headers to ours.
func TestBehindReverseProxyWithEarlyHints(t *testing.T) {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusEarlyHints)
		w.Header().Set("X-Frame-Options", "SAMEORIGIN")
		w.Header().Set("Content-Security-Policy", "frame-ancestors *")
		io.WriteString(w, "x")
	}))
	defer upstream.Close()
	target, _ := url.Parse(upstream.URL)
	res, _ := get(t, newGuard(t, merlon.Config{}).Proxy(httputil.NewSingleHostReverseProxy(target)), "GET", "/")
	if got := res.Header.Values("X-Frame-Options"); !reflect.DeepEqual(got, []string{"DENY"}) {
		t.Errorf("X-Frame-Options = %q, want one DENY", got)
	}
	want := []string{"frame-ancestors *", "object-src 'none'; base-uri 'self'; frame-ancestors 'none'"}
	if got := res.Header.Values("Content-Security-Policy"); !reflect.DeepEqual(got, want) {
		t.Errorf("Content-Security-Policy = %q, want %q", got, want)
	}
}

func TestFraming(t *testing.T) {
	type headers map[string]string
	partners := merlon.Frame{"https://partner.example"}
	for _, c := range []struct {
		name     string
		frame    merlon.Frame
		upstream bool
		set      headers
		options  string
		ancestor string // of the last policy
	}{
		{"deny", merlon.Frame{"deny"}, false, nil, "DENY", "'none'"},
		{"self", merlon.Frame{"self"}, false, nil, "SAMEORIGIN", "'self'"},
		{"partners", partners, false, nil, "", "https://partner.example"},
		{"off", merlon.Frame{merlon.Remove}, false, nil, "", ""},
		{"handler says SAMEORIGIN", merlon.Frame{"deny"}, false, headers{"X-Frame-Options": "sameorigin"}, "SAMEORIGIN", "'self'"},
		{"handler says DENY", partners, false, headers{"X-Frame-Options": "DENY"}, "DENY", "'none'"},
		{"handler says ALLOWALL", merlon.Frame{"deny"}, false, headers{"X-Frame-Options": "ALLOWALL"}, "DENY", "'none'"},
		{"handler says ALLOW-FROM", merlon.Frame{"self"}, false, headers{"X-Frame-Options": "ALLOW-FROM https://a.example"}, "SAMEORIGIN", "'self'"},
		{"handler contradicts itself", merlon.Frame{"self"}, false, headers{"X-Frame-Options": "DENY, SAMEORIGIN"}, "DENY", "'none'"},
		{"handler says frame-ancestors", merlon.Frame{"deny"}, false, headers{"Content-Security-Policy": "frame-ancestors 'self'"}, "SAMEORIGIN", "'self'"},
		{"handler says a wildcard", merlon.Frame{"deny"}, false, headers{"Content-Security-Policy": "frame-ancestors https:"}, "", "https:"},
		{"handler's policy lacks it", merlon.Frame{"deny"}, false, headers{"Content-Security-Policy": "default-src *"}, "DENY", "'none'"},
		{"upstream loosens", merlon.Frame{"deny"}, true, headers{"X-Frame-Options": "SAMEORIGIN"}, "DENY", "'none'"},
		{"upstream tightens", merlon.Frame{"self"}, true, headers{"X-Frame-Options": "DENY"}, "DENY", "'none'"},
		{"upstream and partners", partners, true, headers{"X-Frame-Options": "SAMEORIGIN"}, "DENY", "'none'"},
		{"upstream's policy tightens", merlon.Frame{"self"}, true, headers{"Content-Security-Policy": "frame-ancestors 'none'"}, "DENY", "'none'"},
		{"upstream's bogus value", merlon.Frame{"self"}, true, headers{"X-Frame-Options": "BOGUS"}, "SAMEORIGIN", "'self'"},
	} {
		guard := newGuard(t, merlon.Config{Frame: c.frame})
		inner := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			for k, v := range c.set {
				w.Header().Set(k, v)
			}
		})
		h := guard.Handler(inner)
		if c.upstream {
			h = guard.Proxy(inner)
		}
		res, _ := get(t, h, "GET", "/")
		if got := strings.Join(res.Header.Values("X-Frame-Options"), "|"); got != c.options {
			t.Errorf("%s: X-Frame-Options = %q, want %q", c.name, got, c.options)
		}
		policies := res.Header.Values("Content-Security-Policy")
		_, got, _ := strings.Cut(policies[len(policies)-1], "frame-ancestors ")
		if got != c.ancestor {
			t.Errorf("%s: policies %q end in frame-ancestors %q, want %q", c.name, policies, got, c.ancestor)
		}
	}
}

func TestTypeAssertionsStayTruthful(t *testing.T) {
	var flusher, hijacker, readerFrom bool
	h := newGuard(t, merlon.Config{}).Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, flusher = w.(http.Flusher)
		_, hijacker = w.(http.Hijacker)
		_, readerFrom = w.(io.ReaderFrom)
	}))
	h.ServeHTTP(struct{ http.ResponseWriter }{httptest.NewRecorder()}, httptest.NewRequest("GET", "/", nil))
	if flusher || hijacker || readerFrom {
		t.Errorf("over a bare writer: Flusher %v, Hijacker %v, ReaderFrom %v, want none", flusher, hijacker, readerFrom)
	}
	get(t, h, "GET", "/")
	if !flusher || !hijacker || !readerFrom {
		t.Errorf("over net/http: Flusher %v, Hijacker %v, ReaderFrom %v, want all", flusher, hijacker, readerFrom)
	}
}

func TestHandlersCannotReachTheNextResponse(t *testing.T) {
	h := newGuard(t, merlon.Strict()).Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(200)
		for name := range w.Header() {
			w.Header()[name][0] = "corrupt"
		}
	}))
	for range 2 {
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, httptest.NewRequest("GET", "/", nil))
		if got := rec.Result().Header.Get("X-Frame-Options"); got != "DENY" {
			t.Fatalf("X-Frame-Options = %q, want DENY", got)
		}
	}
}

func TestHSTS(t *testing.T) {
	for _, c := range []struct{ url, want string }{
		{"https://shop.example/", "max-age=31536000"}, {"http://shop.example/", ""}, {"https://127.0.0.1/", ""},
		{"https://[::1]:8443/", ""}, {"https://localhost:8443/", ""}, {"https://app.localhost/", ""}, {"https://shop.example:8443/", "max-age=31536000"},
	} {
		rec := httptest.NewRecorder()
		newGuard(t, merlon.Strict()).Handler(text("x")).ServeHTTP(rec, httptest.NewRequest("GET", c.url, nil))
		if got := rec.Header().Get("Strict-Transport-Security"); got != c.want {
			t.Errorf("%s: Strict-Transport-Security = %q, want %q", c.url, got, c.want)
		}
		if upgrade := strings.Contains(rec.Header().Get("Content-Security-Policy"), "upgrade-insecure-requests"); upgrade != strings.HasPrefix(c.url, "https") {
			t.Errorf("%s: upgrade-insecure-requests = %v", c.url, upgrade)
		}
	}
}

func TestScheme(t *testing.T) {
	proxied := merlon.Config{HTTPS: merlon.HTTPS{Proxies: merlon.Proxies{CIDR: []string{"10.0.0.0/8"}, Hops: 2}}}
	for _, c := range []struct {
		config merlon.Config
		peer   string
		proto  []string
		want   string
	}{
		{merlon.Config{}, "10.0.0.1:1", []string{"https"}, "http"},
		{proxied, "192.0.2.1:1", []string{"https, https"}, "http"},
		{proxied, "10.0.0.1:1", []string{"https, http"}, "https"},
		{proxied, "[::ffff:10.0.0.1]:1", []string{"https", "http"}, "https"},
		{proxied, "10.0.0.1:1", []string{"https, http, http"}, "http"},
		{proxied, "10.0.0.1:1", []string{"https"}, "http"},
		{proxied, "@", []string{"https, https"}, "http"},
	} {
		r := httptest.NewRequest("GET", "http://shop.example/", nil)
		r.RemoteAddr, r.Header["X-Forwarded-Proto"] = c.peer, c.proto
		if got := newGuard(t, c.config).Scheme(r); got != c.want {
			t.Errorf("Scheme from %s with %q = %s, want %s", c.peer, c.proto, got, c.want)
		}
	}
}

func TestPresetBytes(t *testing.T) {
	for _, c := range []struct {
		name   string
		config merlon.Config
		want   http.Header
	}{
		{"strict", merlon.Strict(), http.Header{
			"Content-Security-Policy":             {"default-src 'self'; script-src 'nonce-N' 'strict-dynamic' 'report-sample'; style-src 'self' 'nonce-N' 'report-sample'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; upgrade-insecure-requests; frame-ancestors 'none'; report-uri /.merlon/r?d=e"},
			"Content-Security-Policy-Report-Only": {"require-trusted-types-for 'script'; report-uri /.merlon/r?d=r"},
			"X-Frame-Options":                     {"DENY"}, "Strict-Transport-Security": {"max-age=31536000"}, "Referrer-Policy": {"same-origin"},
			"Cross-Origin-Opener-Policy": {"same-origin"}, "Cross-Origin-Resource-Policy": {"same-origin"}, "X-Content-Type-Options": {"nosniff"},
			"Permissions-Policy": {"camera=(), geolocation=(), microphone=(), payment=(), usb=()"}, "Origin-Agent-Cluster": {"?1"}, "Cache-Control": {"no-store"},
		}},
		{"compat", merlon.Compat(), http.Header{
			"Content-Security-Policy":             {"object-src 'none'; base-uri 'self'; frame-ancestors 'self'; report-uri /.merlon/r?d=e"},
			"Content-Security-Policy-Report-Only": {"default-src 'self'; script-src 'nonce-N' 'strict-dynamic' 'report-sample'; style-src 'self' 'nonce-N' 'report-sample'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; upgrade-insecure-requests; report-uri /.merlon/r?d=r"},
			"X-Frame-Options":                     {"SAMEORIGIN"}, "Strict-Transport-Security": {"max-age=86400"}, "Referrer-Policy": {"strict-origin-when-cross-origin"},
			"Cross-Origin-Opener-Policy": {"same-origin-allow-popups"}, "X-Content-Type-Options": {"nosniff"}, "Cache-Control": {"private"},
		}},
		{"api", merlon.API(), http.Header{
			"Content-Security-Policy": {"default-src 'none'; base-uri 'none'; form-action 'none'; sandbox; frame-ancestors 'none'; report-uri /.merlon/r?d=e"},
			"X-Frame-Options":         {"DENY"}, "Strict-Transport-Security": {"max-age=31536000"}, "Referrer-Policy": {"no-referrer"},
			"Cross-Origin-Resource-Policy": {"same-origin"}, "X-Content-Type-Options": {"nosniff"}, "Cache-Control": {"no-store"},
		}},
	} {
		c.config.Reports = "/.merlon/r"
		var nonce string
		h := newGuard(t, c.config).Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { nonce = merlon.Nonce(r.Context()) }))
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, httptest.NewRequest("GET", "https://shop.example/", nil))
		for name, want := range c.want {
			if nonce != "" {
				want[0] = strings.ReplaceAll(want[0], "nonce-N", "nonce-"+nonce)
			}
			if got := rec.Header()[name]; !reflect.DeepEqual(got, want) {
				t.Errorf("%s: %s\n got %q\nwant %q", c.name, name, got, want)
			}
		}
		for name := range rec.Header() {
			if c.want[name] == nil {
				t.Errorf("%s: also sends %s", c.name, name)
			}
		}
	}
}

func TestConstructorsPromises(t *testing.T) {
	for _, word := range []string{"deny", "self", merlon.Remove, "https://a.example"} {
		c := merlon.Strict()
		c.Frame = merlon.Frame{word}
		c.HTTPS.Proxies.CIDR = []string{"10.0.0.0/8"}
		c.Routes = []merlon.RouteConfig{{Match: "GET /w/", Frame: merlon.Frame{"https://b.example"}, Reason: "b"}}
		g := newGuard(t, c)
		before := g.Config()
		c.Frame[0], c.HTTPS.Proxies.CIDR[0], c.Routes[0].Frame[0], c.Routes[0].Match = "x", "y", "z", "w"
		if after := g.Config(); !reflect.DeepEqual(after, before) || after.Frame[0] != word || after.Routes[0].Frame[0] != "https://b.example" {
			t.Errorf("changing the Config reached the Guard: %+v", after)
		}
		returned := g.Config()
		returned.Frame[0], returned.HTTPS.Proxies.CIDR[0], returned.Routes[0].Frame[0] = "x", "y", "z"
		if again := newGuard(t, g.Config()); !reflect.DeepEqual(again.Config(), before) {
			t.Errorf("New(g.Config()).Config() = %+v, want %+v", again.Config(), before)
		}
	}
}

func TestZeroGuardProtects(t *testing.T) {
	for name, g := range map[string]*merlon.Guard{"zero": {}, "nil": nil, "New(Config{})": newGuard(t, merlon.Config{})} {
		rec := httptest.NewRecorder()
		g.Handler(text("x")).ServeHTTP(rec, httptest.NewRequest("GET", "/", nil))
		if rec.Header().Get("X-Frame-Options") != "DENY" || !strings.Contains(rec.Header().Get("Content-Security-Policy"), "frame-ancestors 'none'") {
			t.Errorf("%s: headers %v do not deny framing", name, rec.Header())
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	g := newGuard(t, merlon.Strict())
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		var wg sync.WaitGroup
		nonces := make([]string, 4)
		for i := range nonces {
			wg.Go(func() { nonces[i] = merlon.Nonce(r.Context()) })
		}
		wg.Wait()
		fmt.Fprint(w, strings.Join(nonces, " "))
	})
	mux.Handle("/w", g.With("widget", merlon.FrameSelf()).Handler(text("w")))
	h := g.Handler(mux)
	var wg sync.WaitGroup
	seen := sync.Map{}
	for i := range 64 {
		wg.Go(func() {
			rec := httptest.NewRecorder()
			path := "/"
			if i%4 == 0 {
				path = "/w"
			}
			h.ServeHTTP(rec, httptest.NewRequest("GET", path, nil))
			if path == "/w" {
				return
			}
			words := strings.Fields(rec.Body.String())
			if len(words) != 4 || words[0] != words[3] || !strings.Contains(rec.Header().Get("Content-Security-Policy"), "'nonce-"+words[0]+"'") {
				t.Errorf("nonces %q, policy %q", words, rec.Header().Get("Content-Security-Policy"))
			}
			if _, dup := seen.LoadOrStore(words[0], true); dup {
				t.Errorf("the nonce %q was issued twice", words[0])
			}
		})
	}
	wg.Wait()
}

func TestMistakesAreReportedAtOnce(t *testing.T) {
	c := merlon.Config{
		CSP:            "scirpt-src 'self'; img-src 'none' https://a.example; script-src 'nonce-abc' self; frame-ancestors 'self'; report-uri /r; img-src *",
		Frame:          merlon.Frame{"ALLOW-FROM https://partner.example"},
		ReferrerPolicy: "no-referrer,\r\n origin", PermissionsPolicy: "camera=(https://x.example)", OpenerPolicy: "same", CacheControl: "no-store\r\nX: y",
		Reports: "ftp://r", NonceCache: "forever",
		HTTPS:  merlon.HTTPS{HSTS: "-5s", Proxies: merlon.Proxies{CIDR: []string{"10.1.2.3/8", "x"}, Hops: 99}},
		Routes: []merlon.RouteConfig{{Match: "GET widget"}, {Match: "/a", Preset: "nope"}, {Match: "/b", Allow: "img-src self"}},
	}
	_, err := merlon.New(c)
	var got []string
	for e := range cfgerrors.All(err) {
		got = append(got, e.Field+" "+string(e.Code))
	}
	want := []string{
		"frame invalid-value", "csp.frame-ancestors misplaced-framing", "csp.report-uri misplaced-reporting", "csp.scirpt-src unknown-directive", "csp.img-src none-with-others",
		"csp.script-src literal-nonce", "csp.script-src invalid-source", "csp.img-src duplicate-of", "reports invalid-value", "nonce-cache invalid-value",
		"referrer-policy invalid-value", "permissions-policy invalid-value", "cross-origin-opener-policy invalid-value", "cache-control invalid-value",
		"https.hsts invalid-value", "https.proxies.cidr[0] invalid-value", "https.proxies.cidr[1] syntax", "https.proxies.hops invalid-value",
		"routes[0].match syntax", "routes[1].preset invalid-value", "routes[2].allow.img-src invalid-source",
	}
	for _, w := range want {
		if !strings.Contains("\n"+strings.Join(got, "\n")+"\n", "\n"+w+"\n") {
			t.Errorf("missing the mistake %q", w)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d mistakes, want %d:\n%v", len(got), len(want), err)
	}
	if !strings.Contains(err.Error(), "did you mean script-src?") || !strings.Contains(err.Error(), "by: [https://partner.example]") {
		t.Errorf("the hints are missing:\n%v", err)
	}
}

func TestParseConfigReportsEveryMistake(t *testing.T) {
	_, err := merlon.ParseConfig([]byte(`{"frame": {"by": 3}, "csp": 7, "refererpolicy": "x", "csp": "", "routes": [{"match": "/a", "reasons": "x"}, 5], "https": {"proxies": {"hops": "1"}}} x`))
	var got []string
	for e := range cfgerrors.All(err) {
		got = append(got, e.Field+" "+string(e.Code))
	}
	want := []string{"frame.by wrong-type", "csp wrong-type", "refererpolicy unknown-key", "csp duplicate-key", "routes[0].reasons unknown-key", "routes[1] wrong-type", "https.proxies.hops wrong-type", " syntax"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("mistakes\n got %q\nwant %q\n%v", got, want, err)
	}
}

func TestConfigSurvivesJSON(t *testing.T) {
	c := merlon.Strict()
	c.Frame = merlon.Frame{"self", "https://partner.example"}
	c.Routes = []merlon.RouteConfig{{Match: "/m", Allow: "img-src https://tiles.example", Set: "font-src 'none'", Reason: "map tiles", Reports: "off",
		Headers: map[string]string{"Clear-Site-Data": "cookies", "X-Robots-Tag": "noindex"}}}
	c.Reports, c.ReportSample, c.TrialSample, c.ReportTo, c.NetworkErrors = "/r", "50%", "9.9%", "default", "1d"
	c.Endpoints, c.Headers, c.Mandatory = map[string]string{"default": "https://reports.example/r"}, map[string]string{"Server": "off"}, []string{"Referrer-Policy"}
	c.Cookies = merlon.Cookies{Secure: true, HTTPOnly: true, SameSite: "None", Partitioned: true, Only: []string{"sid"}}
	c.HTTPS = merlon.HTTPS{HSTS: "730d", IncludeSubDomains: true, Preload: true, Redirect: true, Temporary: true, Host: "a.example", Ports: map[string]int{"80": 443}, Exempt: []string{"/x", "regexp:^y"},
		Proxies: merlon.Proxies{CIDR: []string{"10.0.0.0/8", "unix"}, Hops: 2, Header: "X-Scheme", Value: "ssl", HostHeader: "X-Host"}}
	c.Hosts, c.Health = []string{"a.example", "*.b.example:8443"}, []string{"GET /healthz"}
	c.OpenerPolicyTrial, c.EmbedderPolicy, c.EmbedderPolicyTrial, c.IntegrityPolicy, c.IntegrityPolicyTrial = "unsafe-none", "credentialless", "require-corp", "blocked-destinations=(script)", "off"
	c.DocumentPolicy, c.XSSProtection, c.DNSPrefetchControl, c.CrossDomainPolicies, c.CacheControl = "document-write=?0", "0", "deny", "none", "private"
	data, err := jsonOf(c)
	if err != nil {
		t.Fatal(err)
	}
	back, err := merlon.ParseConfig(data)
	if err != nil || !reflect.DeepEqual(back, c) {
		t.Errorf("ParseConfig(%s) = %+v, %v", data, back, err)
	}
	for _, key := range []string{`"x-a":"1","x-a":"2"`, `"x-a":{}`, `"x-a":null`} {
		if _, err := merlon.ParseConfig([]byte(`{"headers":{` + key + `}}`)); err == nil {
			t.Errorf("ParseConfig takes headers {%s}", key)
		}
	}
}
