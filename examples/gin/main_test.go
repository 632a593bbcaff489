package main

import (
	"bufio"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon/merlontest"
)

func get(path string) *http.Request {
	return httptest.NewRequest("GET", "https://shop.example"+path, nil)
}

func TestHandler(t *testing.T) {
	h := newHandler()
	merlontest.Protected(t, h, get("/"), get("/map"), get("/map/"), get("/panic"))
	merlontest.Nonce(t, h, get("/"))
	merlontest.Nonce(t, h, get("/map"))
	merlontest.Allows(t, h, get("/map"), "image", "https://tiles.example/1.png")
	merlontest.Blocks(t, h, get("/"), "image", "https://tiles.example/1.png")
	merlontest.NotFramedBy(t, h, get("/map"), "https://evil.example")
}

// What the router answers by itself, over a real connection.
func TestRouter(t *testing.T) {
	srv := httptest.NewServer(newHandler())
	defer srv.Close()
	client := srv.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	for _, tc := range []struct {
		method, path string
		status       int
	}{
		{"GET", "/", http.StatusOK},
		{"GET", "/map/", http.StatusMovedPermanently},
		{"GET", "/nothing", http.StatusNotFound},
		{"POST", "/", http.StatusMethodNotAllowed},
		{"GET", "/panic", http.StatusInternalServerError},
	} {
		req, err := http.NewRequestWithContext(t.Context(), tc.method, srv.URL+tc.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if got := res.Header.Values("X-Frame-Options"); res.StatusCode != tc.status || len(got) != 1 || got[0] != "DENY" {
			t.Errorf("%s %s: status %d, X-Frame-Options %q; want %d and DENY once", tc.method, tc.path, res.StatusCode, got, tc.status)
		}
	}
}

// The first event arrives while the handler is still at work.
func TestStream(t *testing.T) {
	srv := httptest.NewServer(newHandler())
	defer srv.Close()
	res, err := srv.Client().Get(srv.URL + "/events")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close() // ends the handler
	event := ""
	for lines := bufio.NewScanner(res.Body); lines.Scan() && event == ""; {
		if data, ok := strings.CutPrefix(lines.Text(), "data:"); ok {
			event = strings.TrimSpace(data)
		}
	}
	if got := res.Header.Get("X-Content-Type-Options"); event != "hello" || got != "nosniff" {
		t.Errorf("the stream began with %q and X-Content-Type-Options %q, want hello and nosniff", event, got)
	}
}
