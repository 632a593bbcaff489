package merlontest_test

import (
	"fmt"
	"html/template"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/merlon-sec/merlon"
	"github.com/merlon-sec/merlon/merlontest"
)

// printed stands in for the *testing.T of a test: it prints what the test would fail with.
type printed struct{ testing.TB }

func (printed) Helper() {}

func (printed) Errorf(format string, args ...any) { fmt.Printf(format+"\n", args...) }

var t printed // in a test: t *testing.T

// A guard inside of the router misses what the router answers itself.
func ExampleProtected() {
	guard, _ := merlon.New(merlon.Compat())
	mux := http.NewServeMux()
	mux.Handle("GET /cart", guard.Handler(http.NotFoundHandler()))

	merlontest.Protected(t, guard.Handler(mux), httptest.NewRequest("GET", "http://shop.example/cart", nil)) // passes
	merlontest.Protected(t, mux, httptest.NewRequest("GET", "http://shop.example/cart", nil))
	// Output:
	// Protected: GET http://shop.example/cart/merlontest-no-such-page, status 404
	// 	got:  no frame-ancestors and no X-Frame-Options
	// 	want: an answer that keeps pages of unknown origins from framing this one
	// 	do:   put the guard around the outermost handler, the router included: srv.Handler = guard.Handler(router)
	// Protected: GET http://shop.example/cart/merlontest-no-such-page, status 404
	// 	got:  no Content-Security-Policy
	// 	want: an enforced policy with a directive that browsers know
	// 	do:   put the guard around the outermost handler, the router included: srv.Handler = guard.Handler(router)
	// Protected: MERLONTEST http://shop.example/cart, status 405
	// 	got:  no frame-ancestors and no X-Frame-Options
	// 	want: an answer that keeps pages of unknown origins from framing this one
	// 	do:   put the guard around the outermost handler, the router included: srv.Handler = guard.Handler(router)
	// Protected: MERLONTEST http://shop.example/cart, status 405
	// 	got:  no Content-Security-Policy
	// 	want: an enforced policy with a directive that browsers know
	// 	do:   put the guard around the outermost handler, the router included: srv.Handler = guard.Handler(router)
}

func ExampleNonce() {
	guard, _ := merlon.New(merlon.Strict())
	page := template.Must(template.New("").Parse(`<script nonce="{{.}}">greet()</script>`))
	h := guard.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page.Execute(w, merlon.Nonce(r.Context()))
	}))
	merlontest.Nonce(t, h, httptest.NewRequest("GET", "https://shop.example/", nil))

	cached := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "script-src 'nonce-cGxlYXNlIGRvIG5vdCBndWVzcw'")
		fmt.Fprint(w, `<script nonce="cGxlYXNlIGRvIG5vdCBndWVzcw">greet()</script>`)
	})
	merlontest.Nonce(t, cached, httptest.NewRequest("GET", "https://shop.example/", nil))
	// Output:
	// Nonce: GET https://shop.example/, status 200
	// 	got:  the nonce cGxlYXNlIGRvIG5vdCBndWVzcw in two responses
	// 	want: another one each time
	// 	do:   make it in each request, and keep no copy of the page: merlon.Nonce(r.Context())
}

func ExampleFramedBy() {
	guard, _ := merlon.New(merlon.Strict())
	mux := http.NewServeMux()
	mux.Handle("GET /widget/", guard.With("contract 114", merlon.FrameBy("https://partner.example")).Handler(http.NotFoundHandler()))
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "hello") })

	merlontest.FramedBy(t, guard.Handler(mux), httptest.NewRequest("GET", "https://shop.example/", nil), "https://partner.example")
	// Output:
	// FramedBy: GET https://shop.example/, status 200
	// 	got:  Content-Security-Policy with frame-ancestors 'none'
	// 	      X-Frame-Options: DENY
	// 	      blocked
	// 	      by frame-ancestors; 'none': for https://partner.example: nothing is allowed
	// 	want: every browser to show the page in a frame of https://partner.example
	// 	do:   guard.With("why", merlon.FrameBy("https://partner.example")).Handler(page)
}

func ExampleNotFramedBy() {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Frame-Options", "ALLOW-FROM https://shop.example") // no browser knows it
	})
	merlontest.NotFramedBy(t, h, httptest.NewRequest("GET", "https://shop.example/", nil), "https://evil.example")
	// Output:
	// NotFramedBy: GET https://shop.example/, status 200
	// 	got:  X-Frame-Options: ALLOW-FROM https://shop.example
	// 	      allowed
	// 	      despite x-frame-options; ALLOW-FROM https://shop.example: no value that browsers know: it protects nothing
	// 	want: no browser to show the page in a frame of https://evil.example
	// 	do:   take "https://evil.example" out of FrameBy, or see whether the guard stands around this page
}

func ExampleAllows() {
	guard, _ := merlon.New(merlon.Config{CSP: "default-src 'self'; object-src 'none'; base-uri 'none'"})
	hello := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "hello") })
	mux := http.NewServeMux()
	mux.Handle("GET /", hello)
	mux.Handle("GET /map", guard.With("map tiles", merlon.Allow("img-src https://tiles.example")).Handler(hello))
	h := guard.Handler(mux)

	merlontest.Allows(t, h, httptest.NewRequest("GET", "https://shop.example/map", nil), "image", "https://tiles.example/1.png") // passes
	merlontest.Allows(t, h, httptest.NewRequest("GET", "https://shop.example/", nil), "", "https://stock.example/api")
	// Output:
	// Allows: GET https://shop.example/, status 200
	// 	got:  Content-Security-Policy: default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'
	// 	      blocked
	// 	      by default-src; 'self': the page is of https://shop.example
	// 	want: every browser to let the page load https://stock.example/api by fetch
	// 	do:   guard.With("why", merlon.Allow("connect-src https://stock.example")).Handler(page)
}

func ExampleBlocks() {
	guard, _ := merlon.New(merlon.Compat()) // it has Strict's policy on trial
	h := guard.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "hello") }))

	merlontest.Blocks(t, h, httptest.NewRequest("GET", "https://shop.example/", nil), "object", "/movie.swf") // passes
	merlontest.Blocks(t, h, httptest.NewRequest("GET", "https://shop.example/", nil), "image", "https://evil.example/?secret")
	// Output:
	// Blocks: GET https://shop.example/, status 200
	// 	got:  Content-Security-Policy: object-src 'none'; base-uri 'self'; frame-ancestors 'self'
	// 	      allowed, as no policy has a say
	// 	want: every browser to block https://evil.example/?secret as "image"
	// 	do:   set or narrow img-src in merlon.Config.CSP
}
