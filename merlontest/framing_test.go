package merlontest_test

import (
	"net/http"
	"testing"

	"github.com/merlon-sec/merlon"
	"github.com/merlon-sec/merlon/merlontest"
)

func widgetSite(t *testing.T) http.Handler {
	guard := mustGuard(t, merlon.Strict())
	mux := http.NewServeMux()
	mux.Handle("/", with("hello"))
	mux.Handle("/widget/", guard.With("contract 114", merlon.FrameBy("https://partner.example")).Handler(with("hello")))
	mux.Handle("/local/", guard.With("to try it", merlon.FrameBy("http://127.0.0.1:8081")).Handler(with("hello")))
	mux.Handle("/self/", guard.With("our own pages", merlon.FrameSelf()).Handler(with("hello")))
	mux.Handle("/open/", guard.With("a badge", merlon.FrameExempt()).Handler(with("hello")))
	return guard.Handler(mux)
}

func TestFraming(t *testing.T) {
	site := widgetSite(t)
	merlontest.FramedBy(t, site, get("https://shop.example/widget/"), "https://partner.example", "https://partner.example:443")
	merlontest.NotFramedBy(t, site, get("https://shop.example/widget/"), "https://evil.example", "http://partner.example", "https://partner.example:8443", "https://shop.example", "null")
	merlontest.FramedBy(t, site, get("http://127.0.0.1:8080/local/"), "http://127.0.0.1:8081")
	merlontest.NotFramedBy(t, site, get("http://127.0.0.1:8080/local/"), "http://127.0.0.1:8080")
	merlontest.FramedBy(t, site, get("https://shop.example/self/"), "https://shop.example")
	merlontest.NotFramedBy(t, site, get("https://shop.example/self/"), "http://shop.example", "https://partner.example")
	merlontest.FramedBy(t, site, get("https://shop.example/open/"), "https://evil.example")
	merlontest.NotFramedBy(t, site, get("https://shop.example/"), "https://shop.example", "https://partner.example")
}

func TestFramingFails(t *testing.T) {
	site, partner := widgetSite(t), "https://partner.example"
	page := func(headers ...string) http.Handler { return with("hello", headers...) }
	for _, tc := range []struct {
		name   string
		assert func(testing.TB, http.Handler, *http.Request, ...string)
		h      http.Handler
		path   string
		origin string
		want   string
	}{
		{"denied", merlontest.FramedBy, site, "/", partner, "by frame-ancestors; 'none': for https://partner.example: nothing is allowed"},
		{"let in", merlontest.NotFramedBy, site, "/widget/", partner, "by frame-ancestors, which has https://partner.example"},
		{"another", merlontest.FramedBy, site, "/widget/", "https://other.example", "the host is other.example"},
		{"exempt", merlontest.NotFramedBy, site, "/open/", partner, "no frame-ancestors and no X-Frame-Options"},
		{"bare", merlontest.NotFramedBy, page(), "/", partner, "no frame-ancestors and no X-Frame-Options"},
		{"options alone", merlontest.FramedBy, page("X-Frame-Options: SAMEORIGIN"), "/", partner, "by x-frame-options; SAMEORIGIN: an ancestor is of another origin"},
		{"options ignored", merlontest.NotFramedBy, page("X-Frame-Options: ALLOW-FROM https://shop.example"), "/", partner, "it protects nothing"},
		{"on trial", merlontest.NotFramedBy, page("Content-Security-Policy-Report-Only: frame-ancestors 'none'"), "/", partner, "no frame-ancestors"},
		// Firefox passes over the path of a source, the others do not.
		{"path in", merlontest.FramedBy, page("Content-Security-Policy: frame-ancestors https://partner.example/app/"), "/", partner, "blocked, but not in firefox\n"},
		{"path out", merlontest.NotFramedBy, page("Content-Security-Policy: frame-ancestors https://partner.example/app/"), "/", partner, "by frame-ancestors, which has https://partner.example/app/"},
		{"no origin", merlontest.NotFramedBy, site, "/", "partner.example", "which is no origin"},
		{"redirect", merlontest.NotFramedBy, http.RedirectHandler("/log-in", http.StatusFound), "/", partner, "no page, Found /log-in"},
		{"missing", merlontest.NotFramedBy, http.NotFoundHandler(), "/", partner, "no page, Not Found\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var f failures
			tc.assert(&f, tc.h, get("https://shop.example"+tc.path), tc.origin)
			f.wants(t, tc.want)
		})
	}
	var f failures
	merlontest.FramedBy(&f, site, get("/widget/"))
	merlontest.NotFramedBy(&f, site, get("/"), partner, "https://evil.example")
	f.wants(t, "no origins")
}

func TestLoads(t *testing.T) {
	guard := mustGuard(t, merlon.Strict())
	mux := http.NewServeMux()
	mux.Handle("/", with("hello"))
	mux.Handle("/map", guard.With("map tiles", merlon.Allow("img-src https://tiles.example")).Handler(with("hello")))
	site, page, plain := guard.Handler(mux), get("https://shop.example/map"), get("https://shop.example/")

	merlontest.Allows(t, site, page, "image", "https://tiles.example/1.png")
	merlontest.Allows(t, site, page, "image", "http://tiles.example/1.png") // upgraded
	merlontest.Allows(t, site, page, "image", "logo.png")
	merlontest.Allows(t, site, page, "", "/api/cart")
	merlontest.Blocks(t, site, page, "", "https://evil.example/collect")
	merlontest.Blocks(t, site, page, "script", "/app.js") // 'strict-dynamic' wants the nonce
	merlontest.Blocks(t, site, page, "object", "/flash.swf")
	merlontest.Blocks(t, site, plain, "image", "https://tiles.example/1.png")

	var f failures
	merlontest.Allows(&f, site, plain, "image", "https://tiles.example/1.png")
	merlontest.Blocks(&f, site, page, "image", "https://tiles.example/1.png")
	merlontest.Allows(&f, site, page, "script", "/app.js")
	merlontest.Allows(&f, site, page, "font", "data:font/woff2,x")
	merlontest.Allows(&f, site, page, "img", "/logo.png")
	merlontest.Allows(&f, site, page, "image", "https://[")
	merlontest.Blocks(&f, with("hello", "Content-Security-Policy-Report-Only: img-src 'none'"), page, "image", "/logo.png")
	merlontest.Blocks(&f, http.NotFoundHandler(), page, "image", "/logo.png")
	f.wants(t, `merlon.Allow("img-src https://tiles.example")`, "by img-src, which has https://tiles.example", "print the nonce into the element", `merlon.Allow("font-src data:")`,
		`the destination "img"`, "want: a URL", "allowed, as no policy has a say", "no page, Not Found")
}
