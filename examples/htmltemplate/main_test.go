package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/merlon-sec/merlon/merlontest"
)

func TestHandler(t *testing.T) {
	h := newHandler()
	page := httptest.NewRequest("GET", "https://shop.example/?name=%3Cscript%3E", nil)
	merlontest.Protected(t, h, page, httptest.NewRequest("GET", "https://shop.example/style.css", nil))
	merlontest.Nonce(t, h, page)
	merlontest.Allows(t, h, page, "style", "/style.css")
	merlontest.Blocks(t, h, page, "script", "https://evil.example/x.js")
}

var inHeader, inPage = regexp.MustCompile(`'nonce-([^']+)'`), regexp.MustCompile(`nonce="([^"]*)"`)

// Pages that are made at the same time have each their own nonce.
func TestManyAtOnce(t *testing.T) {
	srv := httptest.NewServer(newHandler())
	defer srv.Close()
	var seen sync.Map
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			res, err := srv.Client().Get(srv.URL)
			if err != nil {
				t.Error(err)
				return
			}
			defer res.Body.Close()
			body, err := io.ReadAll(res.Body)
			nonce := inHeader.FindStringSubmatch(res.Header.Get("Content-Security-Policy"))
			carried := inPage.FindAllStringSubmatch(string(body), -1)
			if err != nil || nonce == nil || len(carried) != 2 || carried[0][1] != nonce[1] || carried[1][1] != nonce[1] {
				t.Errorf("the policy has %q and the page %q, error %v; want the same twice", nonce, carried, err)
				return
			}
			if _, again := seen.LoadOrStore(nonce[1], true); again {
				t.Errorf("the nonce %s came twice", nonce[1])
			}
		})
	}
	all.Wait()
}

func TestNoNonce(t *testing.T) {
	srv := httptest.NewServer(newHandler())
	defer srv.Close()
	for _, tc := range []struct{ method, path string }{{"HEAD", "/"}, {"GET", "/style.css"}, {"GET", "/nothing"}} {
		req, err := http.NewRequestWithContext(t.Context(), tc.method, srv.URL+tc.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := srv.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if got := res.Header.Get("Content-Security-Policy"); got == "" || strings.Contains(got, "nonce") {
			t.Errorf("%s %s: Content-Security-Policy %q, want one without a nonce", tc.method, tc.path, got)
		}
	}
}
