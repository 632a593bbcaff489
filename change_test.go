package merlon_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon"
)

// Every change, on the enforced policy and the trial.
func TestChanges(t *testing.T) {
	base := merlon.Config{CSP: "default-src 'self'; object-src 'none'", Trial: "default-src 'none'", Frame: merlon.Frame{"self"}, ReferrerPolicy: "origin"}
	const untouched = "default-src 'self'; object-src 'none'; frame-ancestors 'self' | default-src 'none' | SAMEORIGIN"
	for _, c := range []struct {
		change  merlon.Change
		want    string // the enforced policy, the trial, X-Frame-Options
		tighter bool   // no reason is wanted
	}{
		{merlon.Allow("img-src https://a.example"), "default-src 'self'; object-src 'none'; img-src 'self' https://a.example; frame-ancestors 'self' | default-src 'none'; img-src https://a.example | SAMEORIGIN", false},
		{merlon.Allow("img-src https://a.example").OnEnforced(), "default-src 'self'; object-src 'none'; img-src 'self' https://a.example; frame-ancestors 'self' | default-src 'none' | SAMEORIGIN", false},
		{merlon.Allow("img-src https://a.example").OnTrial(), "default-src 'self'; object-src 'none'; frame-ancestors 'self' | default-src 'none'; img-src https://a.example | SAMEORIGIN", true},
		{merlon.Set("object-src 'self'; img-src data:"), "default-src 'self'; object-src 'self'; img-src data:; frame-ancestors 'self' | default-src 'none'; object-src 'self'; img-src data: | SAMEORIGIN", false},
		{merlon.Set("img-src 'none'").OnEnforced(), "default-src 'self'; object-src 'none'; img-src 'none'; frame-ancestors 'self' | default-src 'none' | SAMEORIGIN", true},
		{merlon.Replace("img-src https:"), "img-src https:; frame-ancestors 'self' | img-src https: | SAMEORIGIN", false},
		{merlon.Replace("img-src https:").OnTrial(), "default-src 'self'; object-src 'none'; frame-ancestors 'self' | img-src https: | SAMEORIGIN", true},
		{merlon.Exempt(), "frame-ancestors 'self' |  | SAMEORIGIN", false},
		{merlon.Exempt().OnTrial(), "default-src 'self'; object-src 'none'; frame-ancestors 'self' |  | SAMEORIGIN", true},
		{merlon.Exempt().OnEnforced(), "frame-ancestors 'self' | default-src 'none' | SAMEORIGIN", false},
		{merlon.FrameDeny(), "default-src 'self'; object-src 'none'; frame-ancestors 'none' | default-src 'none' | DENY", true},
		{merlon.FrameSelf(), untouched, true},
		{merlon.FrameBy("https://a.example", "self"), "default-src 'self'; object-src 'none'; frame-ancestors https://a.example 'self' | default-src 'none' | ", false},
		{merlon.FrameExempt(), "default-src 'self'; object-src 'none' | default-src 'none' | ", false},
		{merlon.Use("api"), "default-src 'none'; base-uri 'none'; form-action 'none'; sandbox; frame-ancestors 'none' |  | DENY", true},
		{merlon.Use("off"), " |  | ", false},
		{merlon.Header("Referrer-Policy", "no-referrer"), untouched, true},
		{merlon.Header("X-Robots-Tag", "noindex"), untouched, true},
		{merlon.Header("X-Robots-Tag", "off"), untouched, true},
		{merlon.Without("Referrer-Policy"), untouched, false},
	} {
		g := newGuard(t, base)
		name := fmt.Sprintf("%+v", c.change)
		_, err := g.NewRoute("", c.change)
		if (err == nil) != c.tighter {
			t.Errorf("%s without a reason: %v", name, err)
		}
		header := ask(g.Handler(g.With("tested", c.change).Handler(text("x"))), "GET", "https://shop.example/").Header
		got := strings.Join(header["Content-Security-Policy"], " AND ") + " | " + header.Get("Content-Security-Policy-Report-Only") + " | " + header.Get("X-Frame-Options")
		if got != c.want {
			t.Errorf("%s sends\n%s, want\n%s", name, got, c.want)
		}
		// The next response has the base again.
		if h := ask(g.Handler(text("x")), "GET", "https://shop.example/").Header; h.Get("Content-Security-Policy") != "default-src 'self'; object-src 'none'; frame-ancestors 'self'" {
			t.Errorf("%s stays for other routes: %v", name, h)
		}
	}
}

func TestChangesThatCannotBe(t *testing.T) {
	for _, ch := range []merlon.Change{
		{}, merlon.Set(""), merlon.Set("off"), merlon.Set("frame-ancestors 'self'"), merlon.Replace(""), merlon.Replace("report-uri /x"), merlon.Allow(""), merlon.Allow("off"),
		merlon.Allow("sandbox"), merlon.Allow("img-src 'none'"), merlon.FrameBy(), merlon.FrameBy("deny"), merlon.FrameBy("off"), merlon.FrameBy("https://a.example/path"),
		merlon.FrameSelf().OnTrial(), merlon.Use("off").OnEnforced(), merlon.Use("nope"), merlon.Header("X-A", ""), merlon.Header("X A", "1"), merlon.Header("X-A", "1\r\n2"),
		merlon.Header("Strict-Transport-Security", "max-age=1"), merlon.Header("Content-Security-Policy", "x"), merlon.Without("X-Frame-Options"), merlon.Without("Origin-Agent-Cluster"),
		merlon.Header("Clear-Site-Data", "cakes"), merlon.Header("Referrer-Policy", ""),
	} {
		if rt, err := newGuard(t, merlon.Strict()).NewRoute("tested", ch); err == nil {
			t.Errorf("%+v makes the route %+v", ch, rt)
		}
	}
}

func TestRoutesAreListed(t *testing.T) {
	config := merlon.Strict()
	config.Routes = []merlon.RouteConfig{
		{Match: "GET /widget/", Frame: merlon.Frame{"https://partner.example"}, Reason: "contract 114"},
		{Match: "/api/", Preset: "api", Headers: map[string]string{"X-Robots-Tag": "noindex"}},
	}
	g := newGuard(t, config)
	for range 3 {
		g.With("map tiles", merlon.Allow("img-src https://tiles.example").OnEnforced())
	}
	if _, err := g.NewRoute("", merlon.FrameDeny()); err != nil {
		t.Fatal(err)
	}
	if _, err := g.NewRoute("", merlon.FrameSelf()); err == nil {
		t.Fatal("a looser route without a reason")
	}
	var got []string
	for _, r := range g.Routes() {
		got = append(got, fmt.Sprint(r.Match, "|", r.Changes, "|", r.Reason, "|", r.Looser, "|", strings.Split(r.Declared, ":")[0]))
	}
	dir := strings.Split(strings.TrimPrefix(got[2], ""), "|")[4]
	want := []string{
		"GET /widget/|[frame: https://partner.example]|contract 114|true|routes[0]",
		"/api/|[preset: api X-Robots-Tag: noindex]||true|routes[1]", // api sends fewer headers
		`|[Allow("img-src https://tiles.example").OnEnforced()]|map tiles|true|` + dir,
		"|[FrameDeny()]||false|" + dir,
	}
	if !slices.Equal(got, want) || !strings.HasSuffix(dir, "/change_test.go") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	var zero merlon.Guard
	zero.With("x", merlon.FrameSelf())
	if got := zero.Routes(); len(got) != 1 {
		t.Errorf("the zero Guard lists %+v", got)
	}
}

// What is about the site as a whole survives a preset on a route.
func TestAPresetOnARouteKeepsTheSite(t *testing.T) {
	config := merlon.Strict()
	config.Reports, config.Headers, config.Cookies.Secure = "/r", map[string]string{"X-Site": "shop"}, true
	config.Routes = []merlon.RouteConfig{{Match: "/api/", Preset: "api"}}
	h := newGuard(t, config).Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Set-Cookie", "a=b") }))
	header := ask(h, "GET", "https://shop.example/api/x").Header
	for name, want := range map[string]string{"X-Site": "shop", "Set-Cookie": "a=b; Secure", "Origin-Agent-Cluster": "?1", "Strict-Transport-Security": "max-age=31536000",
		"Referrer-Policy": "no-referrer", "Permissions-Policy": "",
		"Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; sandbox; frame-ancestors 'none'; report-uri /r?d=e"} {
		if got := header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

func TestDevAndOff(t *testing.T) {
	strict := merlon.Strict()
	strict.Hosts = []string{"shop.example"}
	strict.HTTPS.Redirect = true
	strict.Routes = []merlon.RouteConfig{{Match: "/map", CSP: "img-src https:; connect-src 'none'; upgrade-insecure-requests", Reason: "tested"}}
	dev := newGuard(t, strict.Dev())
	res := ask(dev.Handler(text("x")), "GET", "https://localhost:8443/")
	policy := stripNonces(res.Header.Get("Content-Security-Policy"))
	if res.StatusCode != 200 || res.Header.Get("Strict-Transport-Security") != "" || strings.Contains(policy, "upgrade") ||
		!strings.Contains(policy, "script-src 'nonce' 'strict-dynamic'") || !strings.Contains(policy, "connect-src 'self' ws://localhost:*") || !strings.Contains(policy, "frame-ancestors 'none'") {
		t.Errorf("Strict in development: %d %v", res.StatusCode, res.Header)
	}
	if got := ask(dev.Handler(text("x")), "GET", "/map").Header.Get("Content-Security-Policy"); !strings.HasPrefix(got, "img-src https:; connect-src ws://localhost:* ws://127.0.0.1:*; frame") {
		t.Errorf("a route in development: %s", got)
	}
	if strict.HTTPS.HSTS != "365d" || !strings.Contains(strict.Routes[0].CSP, "upgrade") {
		t.Errorf("Dev changed its receiver: %+v", strict)
	}
	if res := ask(dev.Handler(text("x")), "GET", "http://localhost:8080/"); res.StatusCode != 200 {
		t.Errorf("over plain HTTP: %d", res.StatusCode)
	}
	header := ask(newGuard(t, merlon.Off()).Handler(text("x")), "GET", "https://shop.example/").Header
	delete(header, "Content-Type")
	if len(header) > 0 {
		t.Errorf("Off sends %v", header)
	}
}
