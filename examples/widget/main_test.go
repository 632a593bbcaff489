package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon/merlontest"
)

func TestFraming(t *testing.T) {
	h := newHandler("https://partner.example")
	widget := httptest.NewRequest("GET", "https://shop.example/widget/", nil)
	merlontest.FramedBy(t, h, widget, "https://partner.example")
	merlontest.NotFramedBy(t, h, widget, "https://evil.example", "http://partner.example", "https://partner.example.evil.example", "null")
	merlontest.NotFramedBy(t, h, httptest.NewRequest("GET", "https://shop.example/account", nil), "https://partner.example", "https://shop.example")
	merlontest.Protected(t, h, widget)
}

func TestWidget(t *testing.T) {
	srv := httptest.NewServer(newHandler("https://partner.example"))
	defer srv.Close()
	client := srv.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	for _, tc := range []struct{ path, ancestors, options string }{
		{"/widget/", "frame-ancestors https://partner.example", ""},
		{"/", "frame-ancestors 'none'", "DENY"},
		{"/nothing", "frame-ancestors 'none'", "DENY"},
		{"/widget/..%2faccount", "frame-ancestors 'none'", "DENY"}, // servers do not agree on what this path is
	} {
		res, err := client.Get(srv.URL + tc.path)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		policy, options := res.Header.Get("Content-Security-Policy"), res.Header.Get("X-Frame-Options")
		if !strings.HasSuffix(policy, tc.ancestors) || options != tc.options {
			t.Errorf("GET %s: Content-Security-Policy %q and X-Frame-Options %q, want %q and %q", tc.path, policy, options, tc.ancestors, tc.options)
		}
	}
}
