package merlontest_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon"
	"github.com/merlon-sec/merlon/merlontest"
)

func mux() *http.ServeMux {
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", with("hello"))
	mux.Handle("GET /json", with("{}", "Content-Type: application/json"))
	mux.Handle("POST /form", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if body, _ := io.ReadAll(r.Body); string(body) != "a=b" {
			http.Error(w, "the body is gone", http.StatusTeapot)
		}
	}))
	mux.HandleFunc("GET /hints", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusForbidden)
	})
	mux.HandleFunc("GET /same", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusNotModified) })
	mux.HandleFunc("GET /nothing", func(http.ResponseWriter, *http.Request) {})
	mux.Handle("GET /old", http.RedirectHandler("/", http.StatusFound))
	return mux
}

func TestProtectedPasses(t *testing.T) {
	toTLS := merlon.Strict()
	toTLS.HTTPS.Redirect, toTLS.HTTPS.Host, toTLS.Hosts = true, "shop.example", []string{"shop.example"}
	shared := merlon.Strict()
	shared.Frame = merlon.Frame{"self", "https://partner.example"}
	subdomains := merlon.Strict()
	subdomains.Frame = merlon.Frame{"https://*.partner.example"}
	for name, c := range map[string]merlon.Config{"zero": {}, "strict": merlon.Strict(), "compat": merlon.Compat(), "api": merlon.API(),
		"redirect": toTLS, "shared": shared, "subdomains": subdomains} {
		t.Run(name, func(t *testing.T) {
			h := mustGuard(t, c).Handler(mux())
			merlontest.Protected(t, h)
			for _, path := range []string{"/", "/json", "/hints", "/same", "/nothing", "/old", "/missing/", "/a//b"} {
				merlontest.Protected(t, h, get("http://shop.example"+path), get("https://shop.example"+path), get("https://[::1]"+path), get("http://localhost:8080"+path))
			}
		})
	}
}

func TestProtectedKeepsBodies(t *testing.T) {
	r, err := http.NewRequest("POST", "https://shop.example/form", strings.NewReader("a=b"))
	if err != nil {
		t.Fatal(err)
	}
	asked := 0
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/form" && r.Method == "POST" {
			if body, _ := io.ReadAll(r.Body); string(body) != "a=b" || r.TLS == nil {
				t.Errorf("the handler got %q, TLS %v; want a=b over TLS", body, r.TLS)
			}
			asked++
		}
	})
	guarded := mustGuard(t, merlon.Strict()).Handler(h)
	merlontest.Protected(t, guarded, r)
	merlontest.Protected(t, guarded, r)
	if asked != 2 {
		t.Errorf("the request was served %d times, want 2", asked)
	}
}

const (
	goodFrame   = "X-Frame-Options: DENY"
	goodPolicy  = "Content-Security-Policy: object-src 'none'"
	goodNosniff = "X-Content-Type-Options: nosniff"
	goodHSTS    = "Strict-Transport-Security: max-age=3600"
)

func TestProtectedFails(t *testing.T) {
	for _, tc := range []struct {
		name    string
		headers []string
		want    []string // in each of the three failures, by their order
	}{
		{"bare", nil, []string{"no frame-ancestors and no X-Frame-Options", "no Content-Security-Policy", "no X-Content-Type-Options", "no Strict-Transport-Security"}},
		{"by hand", []string{goodFrame, goodPolicy, goodNosniff, goodHSTS}, nil},
		{"quoted age", []string{goodFrame, goodPolicy, goodNosniff, `Strict-Transport-Security: includeSubDomains; Max-Age="60"`}, nil},
		{"frame-ancestors alone", []string{"Content-Security-Policy: object-src 'none'; frame-ancestors 'self'", goodNosniff, goodHSTS}, nil},
		{"both agree", []string{"X-Frame-Options: SAMEORIGIN", "Content-Security-Policy: frame-ancestors 'self'", goodNosniff, goodHSTS}, nil},
		{"two layers", []string{goodFrame, "X-Frame-Options: SAMEORIGIN", goodPolicy, goodNosniff, goodHSTS}, []string{"one line with one value"}},
		{"the same twice", []string{goodFrame, goodFrame, goodPolicy, goodNosniff, goodHSTS}, []string{"one line with one value"}},
		{"ALLOW-FROM", []string{"X-Frame-Options: ALLOW-FROM https://partner.example", goodPolicy, goodNosniff, goodHSTS}, []string{"ALLOW-FROM"}},
		{"everybody", []string{goodFrame, "Content-Security-Policy: frame-ancestors *", goodNosniff, goodHSTS}, []string{"unknown origins"}},
		{"partner and DENY", []string{goodFrame, "Content-Security-Policy: frame-ancestors https://partner.example", goodNosniff, goodHSTS}, []string{"both to say the same"}},
		{"self and DENY", []string{goodFrame, "Content-Security-Policy: frame-ancestors 'self'", goodNosniff, goodHSTS}, []string{"both to say the same"}},
		{"none and SAMEORIGIN", []string{"X-Frame-Options: SAMEORIGIN", "Content-Security-Policy: frame-ancestors 'none'", goodNosniff, goodHSTS}, []string{"both to say the same"}},
		{"empty frame-ancestors", []string{"X-Frame-Options: SAMEORIGIN", "Content-Security-Policy: frame-ancestors", goodNosniff, goodHSTS}, []string{"both to say the same"}},
		{"framing on trial", []string{"Content-Security-Policy-Report-Only: frame-ancestors 'none'", goodPolicy, goodNosniff, goodHSTS}, []string{"no frame-ancestors"}},
		{"policy on trial", []string{goodFrame, "Content-Security-Policy-Report-Only: object-src 'none'", goodNosniff, goodHSTS}, []string{"which blocks nothing"}},
		{"unknown directive", []string{goodFrame, "Content-Security-Policy: scripts-src 'self'", goodNosniff, goodHSTS}, []string{"a directive that browsers know"}},
		{"reports alone", []string{goodFrame, "Content-Security-Policy: report-uri /r", goodNosniff, goodHSTS}, []string{"a directive that browsers know"}},
		{"sniffing", []string{goodFrame, goodPolicy, "X-Content-Type-Options: no-sniff, nosniff", goodHSTS}, []string{"no-sniff, nosniff"}},
		{"withdrawn", []string{goodFrame, goodPolicy, goodNosniff, "Strict-Transport-Security: max-age=0", goodHSTS}, []string{"max-age above 0"}},
		{"age twice", []string{goodFrame, goodPolicy, goodNosniff, "Strict-Transport-Security: max-age=1; max-age=2"}, []string{"max-age above 0"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var f failures
			merlontest.Protected(&f, with("", tc.headers...), get("https://shop.example/cart"))
			f.wants(t, append(append(tc.want[:len(tc.want):len(tc.want)], tc.want...), tc.want...)...)
		})
	}
}

// A guard inside of the router leaves the router's own answers bare.
func TestProtectedSeesTheRouter(t *testing.T) {
	guard := mustGuard(t, merlon.Strict())
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", guard.Handler(with("hello")))
	var f failures
	merlontest.Protected(&f, mux, get("http://shop.example/"))
	f.wants(t,
		"GET http://shop.example/merlontest-no-such-page, status 404\n", "status 404\n", // http.Error sends nosniff
		"MERLONTEST http://shop.example/, status 405\n", "status 405\n")
}
