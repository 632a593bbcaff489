package merlon_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon"
	"github.com/merlon-sec/merlon/csp"
)

var (
	hashA = csp.HashOf("sha256", "a()")
	hashP = csp.HashOf("sha384", "p{}")
)

// policiesOf returns the two policies, and what caches are told.
func policiesOf(t *testing.T, g *merlon.Guard, route *merlon.Route) (enforced, trial, cache string) {
	t.Helper()
	page := http.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Write([]byte("<script>a()</script>"))
	}))
	if route != nil {
		page = route.Handler(page)
	}
	w := httptest.NewRecorder()
	g.Handler(page).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	h := w.Header()
	cut := func(s string) string { before, _, _ := strings.Cut(s, "; frame-ancestors"); return before }
	return cut(h.Get("Content-Security-Policy")), h.Get("Content-Security-Policy-Report-Only"), h.Get("Cache-Control")
}

func TestHashes(t *testing.T) {
	for _, tt := range []struct {
		csp             string
		scripts, styles []string
		without, with   string
	}{
		{"script-src 'hashes'", []string{hashA}, nil, "script-src 'none'", "script-src " + hashA},
		{"script-src 'hashes'", nil, []string{hashP}, "script-src 'none'", "script-src 'none'"},
		{"script-src 'self' 'hashes' 'report-sample'", []string{hashA, hashP}, nil, "script-src 'self' 'report-sample'", "script-src 'self' " + hashA + " " + hashP + " 'report-sample'"},
		{"script-src 'hashes' 'strict-dynamic' https:", []string{hashA}, nil, "script-src 'none'", "script-src " + hashA + " 'strict-dynamic' https:"},
		{"script-src 'hashes' 'unsafe-inline' https://a.example", []string{hashA}, nil, "script-src https://a.example", "script-src " + hashA + " 'unsafe-inline' https://a.example"},
		{"script-src 'hashes' " + hashP + " 'strict-dynamic'", []string{hashA}, nil, "script-src " + hashP + " 'strict-dynamic'", "script-src " + hashA + " " + hashP + " 'strict-dynamic'"},
		{"default-src 'self' 'hashes'; style-src-elem 'hashes'; script-src-attr 'hashes'", []string{hashA}, []string{hashP},
			"default-src 'self'; style-src-elem 'none'; script-src-attr 'none'", "default-src 'self' " + hashA + " " + hashP + "; style-src-elem " + hashP + "; script-src-attr " + hashA},
		{"script-src 'hashes'", []string{hashA, "'unsafe-hashes'"}, nil, "script-src 'none'", "script-src " + hashA + " 'unsafe-hashes'"},
		{"img-src 'self'", []string{hashA}, []string{hashP}, "img-src 'self'", "img-src 'self'"},
	} {
		g := newGuard(t, merlon.Config{CSP: tt.csp, Trial: tt.csp})
		if enforced, trial, _ := policiesOf(t, g, nil); enforced != tt.without || trial != tt.without {
			t.Errorf("%s\nwithout hashes %s\nand            %s\nwant           %s", tt.csp, enforced, trial, tt.without)
		}
		route := g.With("a page of ours", merlon.Hashes(tt.scripts, tt.styles))
		if enforced, trial, cache := policiesOf(t, g, route); enforced != tt.with || trial != tt.with || cache != "" {
			t.Errorf("%s\nwith hashes %s\nand         %s, %s\nwant        %s", tt.csp, enforced, trial, cache, tt.with)
		}
	}
}

// Where a policy knows nonces only, hashes stand in for them, and the page may be cached.
func TestHashesInPlaceOfNonces(t *testing.T) {
	g := newGuard(t, merlon.Strict())
	enforced, _, cache := policiesOf(t, g, g.With("a page of ours", merlon.Hashes([]string{hashA}, nil)))
	if !strings.Contains(enforced, "script-src "+hashA+" 'strict-dynamic' 'report-sample'; style-src 'self' 'report-sample';") || cache != "" {
		t.Errorf("%s, %q", enforced, cache)
	}
	enforced, _, _ = policiesOf(t, g, g.With("", merlon.Hashes(nil, nil))) // nothing inline runs: no reason is wanted
	if !strings.Contains(enforced, "script-src 'none'; style-src 'self' 'report-sample';") {
		t.Errorf("without hashes: %s", enforced)
	}
	both := newGuard(t, merlon.Config{CSP: "script-src 'nonce' 'hashes'"})
	if enforced, _, cache := policiesOf(t, both, nil); !strings.HasPrefix(enforced, "script-src 'nonce-") || strings.Contains(enforced, "hashes") || cache != "no-store" {
		t.Errorf("a nonce and no hash: %s, %s", enforced, cache)
	}
	if enforced, _, _ := policiesOf(t, both, both.With("a page of ours", merlon.Hashes([]string{hashA}, nil))); !strings.HasPrefix(enforced, "script-src 'nonce-") || !strings.HasSuffix(enforced, " "+hashA) {
		t.Errorf("a nonce and a hash: %s", enforced)
	}
}

func TestMistakesOfHashes(t *testing.T) {
	g := newGuard(t, merlon.Strict())
	for _, word := range []string{"", "a", "'self'", "'sha256-x", "'sha256-x'", "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=", hashA + " *", hashA + "; img-src *", hashA + ","} {
		if _, err := g.NewRoute("a page of ours", merlon.Hashes(nil, []string{word})); err == nil {
			t.Errorf("%q is taken for a hash", word)
		}
	}
	if _, err := g.NewRoute("", merlon.Hashes([]string{hashA}, nil)); err == nil {
		t.Error("code runs that the base blocks, and nobody asked why")
	}
	if _, err := merlon.New(merlon.Config{CSP: "img-src 'hashes'"}); err == nil || !strings.Contains(err.Error(), "hashes of inline code mean nothing here") {
		t.Errorf("img-src 'hashes': %v", err)
	}
}
