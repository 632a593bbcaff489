package merlon_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/merlon-sec/merlon"
)

// A 304 replaces the headers of the stored page. Where another server's policy can only tighten, one that comes alone with a 304 must
// not take the place of the two that the page came with.
func TestNotModifiedLoosensNothing(t *testing.T) {
	const theirs = "default-src *; frame-ancestors *"
	mandatory, framing := merlon.Strict(), merlon.Strict()
	mandatory.Mandatory, framing.Mandatory = []string{"Content-Security-Policy"}, []string{"X-Frame-Options"}
	app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", theirs)
		w.Header().Set("Content-Security-Policy-Report-Only", theirs)
		w.WriteHeader(http.StatusNotModified)
	})
	for _, c := range []struct {
		name             string
		handler          http.Handler
		enforced, trials []string
	}{
		{"behind a proxy", newGuard(t, merlon.Strict()).Proxy(app), nil, []string{theirs, "require-trusted-types-for 'script'"}},
		{"behind a proxy, on trial", newGuard(t, merlon.Compat()).Proxy(app), []string{theirs, "object-src 'none'; base-uri 'self'; frame-ancestors 'self'"}, nil},
		{"a mandatory policy", newGuard(t, mandatory).Handler(app), nil, []string{theirs}},
		{"mandatory framing", newGuard(t, framing).Handler(app), nil, []string{theirs}},
		{"a handler, whose policy stands in for ours", newGuard(t, merlon.Strict()).Handler(app), []string{theirs}, []string{theirs}},
	} {
		h := ask(c.handler, "GET", "https://shop.example/").Header
		if got := h["Content-Security-Policy"]; !slices.Equal(got, c.enforced) {
			t.Errorf("%s: a 304 goes out with the policies %q, want %q", c.name, got, c.enforced)
		}
		if got := h["Content-Security-Policy-Report-Only"]; !slices.Equal(got, c.trials) {
			t.Errorf("%s: a 304 goes out with the trials %q, want %q", c.name, got, c.trials)
		}
	}
}
