package merlon_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon"
)

// watched returns a Guard and what its hooks were told.
func watched(t *testing.T, c merlon.Config) (g *merlon.Guard, committed *[]merlon.Committed, misuse *[]merlon.Misuse) {
	t.Helper()
	committed, misuse = new([]merlon.Committed), new([]merlon.Misuse)
	g, err := merlon.NewHooked(c, merlon.Hooks{
		Committed: func(c merlon.Committed) { *committed = append(*committed, c) },
		Misuse:    func(m merlon.Misuse) { *misuse = append(*misuse, m) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return g, committed, misuse
}

func TestCommittedHook(t *testing.T) {
	config := merlon.Strict()
	config.Routes = []merlon.RouteConfig{{Match: "/api/", Preset: "api"}}
	g, committed, misuse := watched(t, config)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /item/{id}", func(w http.ResponseWriter, r *http.Request) { merlon.Nonce(r.Context()) })
	h := g.Handler(mux)
	page := ask(h, "GET", "https://shop.example/item/1")
	ask(h, "GET", "https://shop.example/item/2")
	ask(h, "GET", "https://shop.example/api/x")
	if len(*committed) != 3 || len(*misuse) != 0 {
		t.Fatalf("committed %+v, misuse %+v", *committed, *misuse)
	}
	first, second, api := (*committed)[0], (*committed)[1], (*committed)[2]
	if first.Pattern != "GET /item/{id}" || first.Status != 200 || !first.Document || !slices.Contains(nonces(page), first.Nonce) || first.Request.PathValue("id") != "1" {
		t.Errorf("the page is %+v, with the policy %q", first, page.Header.Get("Content-Security-Policy"))
	}
	if first.Policy != second.Policy || first.Nonce == second.Nonce || first.Policy == api.Policy || len(first.Policy) != 16 {
		t.Errorf("policies %q, %q and %q; nonces %q, %q", first.Policy, second.Policy, api.Policy, first.Nonce, second.Nonce)
	}
	if api.Pattern != "/api/" || api.Status != 404 || api.Nonce != "" {
		t.Errorf("the API is %+v", api)
	}
}

func nonces(res *http.Response) []string {
	var out []string
	for _, m := range nonceSource.FindAllStringSubmatch(res.Header.Get("Content-Security-Policy"), -1) {
		out = append(out, m[1])
	}
	return out
}

func TestPageView(t *testing.T) {
	for _, c := range []struct {
		method, kind, dest string
		status             int
		want               bool
	}{
		{"GET", "text/html", "document", 200, true},
		{"GET", "text/html", "iframe", 200, true},
		{"POST", "text/html; charset=utf-8", "", 200, true},
		{"GET", "text/html", "document", 404, true},
		{"GET", "text/html", "document", 500, true},
		{"GET", "image/svg+xml", "", 200, true},
		{"GET", "image/svg+xml", "image", 200, false},
		{"GET", "text/html", "empty", 200, false}, // of fetch
		{"GET", "application/json", "", 200, false},
		{"HEAD", "text/html", "", 200, false},
		{"GET", "text/html", "document", 304, false},
		{"GET", "text/html", "document", 302, false},
		{"GET", "application/pdf", "", 206, false},
		{"POST", "", "", 204, false},
	} {
		g, committed, _ := watched(t, merlon.Strict())
		r := httptest.NewRequest(c.method, "https://shop.example/", nil)
		if c.dest != "" {
			r.Header.Set("Sec-Fetch-Dest", c.dest)
		}
		g.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if c.kind != "" {
				w.Header().Set("Content-Type", c.kind)
			}
			w.WriteHeader(c.status)
		})).ServeHTTP(httptest.NewRecorder(), r)
		if got := (*committed)[0].PageView(); got != c.want {
			t.Errorf("%s %d %s for %q: %t, want %t", c.method, c.status, c.kind, c.dest, got, c.want)
		}
	}
}

func TestMisuseHook(t *testing.T) {
	other := newGuard(t, merlon.API())
	for _, c := range []struct {
		kind    merlon.MisuseKind
		handler func(w http.ResponseWriter, r *http.Request)
	}{
		{merlon.LateNonce, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			w.WriteHeader(200)
			if n := merlon.Nonce(r.Context()); n != "" {
				t.Errorf("a late nonce is %q", n)
			}
		}},
		{merlon.LateAmend, func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(200)
			if err := merlon.Amend(r.Context(), "late", merlon.FrameSelf()); err == nil {
				t.Error("a late Amend succeeds")
			}
		}},
		{merlon.ForeignRoute, other.With("contract", merlon.FrameSelf()).Handler(text("x")).ServeHTTP},
		{merlon.IgnoredFraming, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Frame-Options", "ALLOW-FROM https://a.example")
		}},
		{merlon.IgnoredPolicy, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Security-Policy", "scirpt-src 'self'")
		}},
		{merlon.RefusedCookie, func(w http.ResponseWriter, r *http.Request) { w.Header().Add("Set-Cookie", "__Host-a=b; Path=/x") }},
		{merlon.NonceWithETag, func(w http.ResponseWriter, r *http.Request) { w.Header().Set("ETag", `"v1"`) }},
	} {
		config := merlon.Strict()
		config.Cookies.Secure = true
		g, _, misuse := watched(t, config)
		ask(g.Handler(http.HandlerFunc(c.handler)), "GET", "https://shop.example/")
		if len(*misuse) != 1 || (*misuse)[0].Kind != c.kind || (*misuse)[0].Detail == "" || (*misuse)[0].Request == nil {
			t.Errorf("%s: told %+v", c.kind, *misuse)
		}
	}
}

func TestHooksMayAskTheGuard(t *testing.T) {
	var got string
	g, err := merlon.NewHooked(merlon.Strict(), merlon.Hooks{Committed: func(c merlon.Committed) { got = merlon.Nonce(c.Request.Context()) }})
	if err != nil {
		t.Fatal(err)
	}
	ask(g.Handler(text("x")), "GET", "https://shop.example/")
	if got == "" {
		t.Error("the hook found no nonce")
	}
}

func TestAmend(t *testing.T) {
	g := newGuard(t, merlon.Strict())
	policy := func(amend func(context.Context) error) (string, error) {
		var err error
		h := g.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { err = amend(r.Context()) }))
		res := ask(h, "GET", "https://shop.example/")
		return res.Header.Get("Content-Security-Policy") + " | " + res.Header.Get("X-Frame-Options") + " | " + res.Header.Get("Referrer-Policy"), err
	}
	base, _ := policy(func(context.Context) error { return nil })
	for _, c := range []struct {
		name    string
		reason  string
		changes []merlon.Change
		want    string
		refused bool
	}{
		{"framing", "shown in the partner's app", []merlon.Change{merlon.FrameBy("https://partner.example")}, "frame-ancestors https://partner.example |  |", false},
		{"framing without a reason", "", []merlon.Change{merlon.FrameBy("https://partner.example")}, "", true},
		{"tightening wants none", "", []merlon.Change{merlon.Set("img-src 'none'")}, "img-src 'none'", false},
		{"a header", "measured", []merlon.Change{merlon.Without("Referrer-Policy")}, "| DENY | ", false},
		{"a mistake changes nothing", "x", []merlon.Change{merlon.FrameSelf(), merlon.Allow("img-src self")}, "", true},
		{"an empty change", "x", []merlon.Change{{}}, "", true},
	} {
		got, err := policy(func(ctx context.Context) error { return merlon.Amend(ctx, c.reason, c.changes...) })
		if (err != nil) != c.refused {
			t.Errorf("%s: %v", c.name, err)
		}
		if c.refused && stripNonces(got) != stripNonces(base) || !c.refused && !strings.Contains(got, c.want) {
			t.Errorf("%s: sends %s", c.name, got)
		}
	}
	// The next response has the base again.
	if got, _ := policy(func(context.Context) error { return nil }); stripNonces(got) != stripNonces(base) {
		t.Errorf("after that, %s, want %s", got, base)
	}
	if err := merlon.Amend(t.Context(), "x", merlon.FrameSelf()); err == nil {
		t.Error("Amend succeeds without a response")
	}
}

// A Guard without nonces spares the context, but on a route it is there.
func TestAmendOnARouteWithoutNonces(t *testing.T) {
	g := newGuard(t, merlon.API())
	var errs []error
	amending := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		errs = append(errs, merlon.Amend(r.Context(), "", merlon.Header("Cache-Control", "private")))
	})
	ask(g.Handler(amending), "GET", "/")
	rec := httptest.NewRecorder()
	g.Handler(g.With("").Handler(amending)).ServeHTTP(rec, httptest.NewRequest("GET", "/", nil))
	if errs[0] == nil || errs[1] != nil || rec.Header().Get("Cache-Control") != "private" {
		t.Errorf("bare %v, on a route %v and %v", errs[0], errs[1], rec.Header())
	}
}

var nonceSource = regexp.MustCompile(`'nonce-([^']+)'`)

func stripNonces(policy string) string { return nonceSource.ReplaceAllString(policy, "'nonce'") }
