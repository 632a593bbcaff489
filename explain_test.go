package merlon_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon"
)

func TestExplain(t *testing.T) {
	config := merlon.Strict()
	config.Routes = []merlon.RouteConfig{{Match: "/widget/", Frame: merlon.Frame{"https://partner.example"}, Reason: "contract 114"}}
	g := newGuard(t, config)
	page := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("Referrer-Policy", "origin")
		fmt.Fprintf(w, "<script nonce=%q></script>", merlon.Nonce(r.Context()))
	})
	h := g.With("map tiles", merlon.Allow("img-src https://tiles.example")).Handler(page)
	e := g.Explain(h, httptest.NewRequest("GET", "https://shop.example/widget/1", nil))

	// What is explained is what goes out.
	sent := ask(g.Handler(h), "GET", "https://shop.example/widget/1")
	for name := range sent.Header {
		if stripNonces(e.Header.Get(name)) != stripNonces(sent.Header.Get(name)) {
			t.Errorf("%s is explained as %q and goes out as %q", name, e.Header.Get(name), sent.Header.Get(name))
		}
	}
	if e.Status != 200 || e.Body == 0 || len(e.Header) != len(sent.Header) {
		t.Errorf("explained as %d %v, %d bytes", e.Status, e.Header, e.Body)
	}
	var names []string
	for i, s := range e.Steps {
		names = append(names, s.Name)
		if i > 0 && !sameHeader(e.Steps[i-1].After, s.Before) {
			t.Errorf("step %s does not begin where %s ended", s.Name, e.Steps[i-1].Name)
		}
	}
	if last := e.Steps[len(e.Steps)-1]; !sameHeader(last.After, e.Header) {
		t.Errorf("the last step ends with %v, the response has %v", last.After, e.Header)
	}
	want := []string{"request", "route", "route", "handler", "Cache-Control", "Content-Security-Policy", "Content-Security-Policy-Report-Only"}
	if len(names) < len(want) || !slices.Equal(names[:len(want)], want) {
		t.Errorf("steps %q, want %q first", names, want)
	}
	all := fmt.Sprintf("%+v", e.Steps)
	for _, part := range []string{"GET /widget/1, over HTTPS, host shop.example", "/widget/: frame: https://partner.example (contract 114) at routes[0]", `Allow("img-src https://tiles.example") (map tiles) at `,
		"csp and frame, changed by /widget/: frame", "permissions-policy of the preset strict", "keeps no copy, so that no nonce is used twice", "https.hsts"} {
		if !strings.Contains(all, part) {
			t.Errorf("no step says %q", part)
		}
	}
}

func sameHeader(a, b http.Header) bool {
	if len(a) != len(b) {
		return false
	}
	for name := range a {
		if !slices.Equal(a[name], b[name]) {
			return false
		}
	}
	return true
}

func TestExplainAnswersInFrontOfTheSite(t *testing.T) {
	config := merlon.Strict()
	config.Hosts, config.HTTPS.Redirect = []string{"shop.example"}, true
	g := newGuard(t, config)
	called := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the handler ran") })
	e := g.Explain(called, httptest.NewRequest("GET", "http://shop.example/x", nil))
	if e.Status != 301 || e.Header.Get("Location") != "https://shop.example/x" || !strings.Contains(fmt.Sprintf("%+v", e.Steps), "https.redirect") {
		t.Errorf("%d %v %+v", e.Status, e.Header, e.Steps)
	}
	e = g.Explain(called, httptest.NewRequest("GET", "https://evil.example/x", nil))
	if e.Status != 421 || !strings.Contains(fmt.Sprintf("%+v", e.Steps), "hosts") {
		t.Errorf("%d %+v", e.Status, e.Steps)
	}
}

func TestExplainProxyTightensOnly(t *testing.T) {
	g := newGuard(t, merlon.Strict())
	upstream := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Header().Set("X-Frame-Options", "SAMEORIGIN") })
	r := httptest.NewRequest("GET", "https://shop.example/", nil)
	if got := g.ExplainProxy(upstream, r).Header.Get("X-Frame-Options"); got != "DENY" {
		t.Errorf("a proxy gives %q", got)
	}
	if got := g.Explain(upstream, r).Header.Get("X-Frame-Options"); got != "SAMEORIGIN" {
		t.Errorf("a handler gives %q", got)
	}
}
