package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon/merlontest"
	"github.com/merlon-sec/merlon/report"
)

func ignore(*report.Violation) {}

func TestHandler(t *testing.T) {
	h := newHandler(ignore)
	page, api := httptest.NewRequest("GET", "https://shop.example/", nil), httptest.NewRequest("GET", "https://shop.example/api/cart", nil)
	logOut := httptest.NewRequest("POST", "https://shop.example/log-out", nil)
	merlontest.Protected(t, h, page, api, logOut, httptest.NewRequest("POST", "https://shop.example/reports", strings.NewReader("x")))
	merlontest.Nonce(t, h, page)
	merlontest.Allows(t, h, page, "", "/api/cart")
	merlontest.Blocks(t, h, page, "", "https://evil.example/collect")
	merlontest.Blocks(t, h, api, "image", "/logo.png")
}

func TestHeaders(t *testing.T) {
	srv := httptest.NewTLSServer(newHandler(ignore)) // Clear-Site-Data needs it
	defer srv.Close()
	for _, tc := range []struct {
		method, path, site string
		status             int
		header, want       string
	}{
		{"GET", "/api/cart", "", http.StatusOK, "Content-Security-Policy", "default-src 'none'; base-uri 'none'; form-action 'none'; sandbox; frame-ancestors 'none'; report-uri /reports?d=e"},
		{"GET", "/api/cart", "", http.StatusOK, "Cache-Control", "no-store"},
		{"GET", "/api/no", "", http.StatusNotFound, "Cross-Origin-Resource-Policy", "same-origin"},
		{"GET", "/api/no", "", http.StatusNotFound, "Cache-Control", "no-store"},
		{"GET", "/app.js", "", http.StatusOK, "Cache-Control", ""},
		{"GET", "/", "", http.StatusOK, "Clear-Site-Data", ""},
		{"POST", "/log-out", "same-origin", http.StatusNoContent, "Clear-Site-Data", `"cache", "cookies", "storage"`},
		{"POST", "/log-out", "cross-site", http.StatusForbidden, "Clear-Site-Data", ""},
	} {
		req, err := http.NewRequestWithContext(t.Context(), tc.method, srv.URL+tc.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Sec-Fetch-Site", tc.site)
		res, err := srv.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if got := strings.Join(res.Header.Values(tc.header), " | "); res.StatusCode != tc.status || got != tc.want {
			t.Errorf("%s %s (%s): status %d, %s %q; want %d, %q", tc.method, tc.path, tc.site, res.StatusCode, tc.header, got, tc.status, tc.want)
		}
	}
}

func TestReports(t *testing.T) {
	var got []string
	srv := httptest.NewServer(newHandler(func(v *report.Violation) { got = append(got, v.Directive+" "+v.BlockedURL) }))
	defer srv.Close()
	for _, tc := range []struct {
		body   string
		status int
	}{
		{`{"csp-report": {"document-uri": "https://shop.example/", "effective-directive": "img-src", "blocked-uri": "https://a.example/"}}`, http.StatusNoContent},
		{`[{"type": "csp-violation", "url": "https://shop.example/", "age": 1, "body": {"documentURL": "https://shop.example/", "effectiveDirective": "script-src-elem", "blockedURL": "inline"}}]`, http.StatusNoContent},
		{`no report`, http.StatusNoContent},
		{strings.Repeat(" ", report.MaxBatchBytes+1), http.StatusRequestEntityTooLarge},
	} {
		res, err := srv.Client().Post(srv.URL+"/reports?d=e", "application/csp-report", strings.NewReader(tc.body))
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != tc.status {
			t.Errorf("%.40s: status %d, want %d", tc.body, res.StatusCode, tc.status)
		}
	}
	srv.Close() // waits for the handlers, which write got
	if want := "img-src https://a.example/, script-src-elem inline"; strings.Join(got, ", ") != want {
		t.Errorf("reported %q, want %s", got, want)
	}
}
