package merlon_test

import (
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon"
)

// wellFormed holds what a Guard sends against what a Config may mean: nothing ends a header, a policy or a directive that its
// author did not end.
func wellFormed(t *testing.T, c merlon.Config) {
	t.Helper()
	g, err := merlon.New(c)
	if err != nil {
		return
	}
	rec := httptest.NewRecorder()
	g.Handler(text("x")).ServeHTTP(rec, httptest.NewRequest("GET", "https://shop.example/", nil))
	for name, values := range rec.Header() {
		for _, v := range values {
			if strings.ContainsFunc(v, func(r rune) bool { return r < ' ' || r > '~' }) {
				t.Errorf("%s: %q", name, v)
			}
		}
	}
	most := 1
	if c.ReportTo != "" {
		most = 2 // framing is then a policy of its own
	}
	if policies := rec.Header()["Content-Security-Policy"]; len(policies) > most || slices.ContainsFunc(policies, func(p string) bool { return strings.Contains(p, ",") }) {
		t.Errorf("a Config became several policies: %q", policies)
	}
	if again, err := merlon.New(g.Config()); err != nil {
		t.Errorf("New(g.Config()) is refused: %v", err)
	} else if first, second := headersOf(g), headersOf(again); first != second {
		t.Errorf("New(g.Config()) sends\n%s\nand g sends\n%s", second, first)
	}
}

func headersOf(g *merlon.Guard) string {
	var out []string
	for name, values := range ask(g.Handler(text("x")), "GET", "https://shop.example/").Header {
		out = append(out, name+": "+stripNonces(strings.Join(values, " AND ")))
	}
	slices.Sort(out)
	return strings.Join(out, "\n")
}

func FuzzNew(f *testing.F) {
	f.Add("default-src 'self'", "img-src 'none'", "https://a.example", "same-origin", "camera=()", "X-A", "b", "/r", "main", "365d")
	f.Add("script-src 'nonce'; report-uri /x", "a\r\nb", "self", "x, y", "camera=(https://x)", "X\r\nY", "b;c", "https://r.example/?a,b", "m;n", "withdraw")
	f.Add("img-src a;b,c", "'none'", "http://[::1]:80", "", `a="b"`, "Set-Cookie", "a=b", "//x", "A", "1ns")
	f.Fuzz(func(t *testing.T, policy, trial, framer, referrer, permissions, name, value, url, endpoint, hsts string) {
		wellFormed(t, merlon.Config{CSP: policy, Trial: trial, Frame: merlon.Frame{framer}, Reports: url, HTTPS: merlon.HTTPS{HSTS: hsts}})
		wellFormed(t, merlon.Config{ReferrerPolicy: referrer, PermissionsPolicy: permissions, DocumentPolicy: permissions, OpenerPolicy: value, IntegrityPolicy: value})
		wellFormed(t, merlon.Config{Preset: "off", Headers: map[string]string{name: value}, Endpoints: map[string]string{endpoint: url}, ReportTo: endpoint, CSP: policy})
		wellFormed(t, merlon.Config{Preset: "strict", Hosts: []string{value, "shop.example"}, CacheControl: value, Cookies: merlon.Cookies{Secure: true, Only: []string{name}}})
		wellFormed(t, merlon.Config{Routes: []merlon.RouteConfig{{Match: "/", Set: policy, Allow: trial, Headers: map[string]string{name: value}, Reason: "fuzzed"}}})
	})
}

func FuzzParseConfig(f *testing.F) {
	f.Add([]byte(`{"preset":"strict","frame":{"by":["https://partner.example"]},"csp":"default-src 'self'","reports":"/r"}`))
	f.Add([]byte(`{"referrer-policy":"no-referrer,\r\n origin","permissions-policy":"camera=(),\n usb=()"}`))
	f.Add([]byte(`{"routes":[{"match":"GET /a/","allow":"img-src https://b.example","reason":"x"}],"cache-control":"no-store\r\nX: y"}`))
	f.Add([]byte(`{"preset":"off","headers":{"X-A":"b"},"reporting-endpoints":{"a":"/r"},"report-to":"a","cookies":{"secure":true},"hosts":["*.a.example"],"https":{"redirect":true}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if c, err := merlon.ParseConfig(data); err == nil {
			wellFormed(t, c)
		}
	})
}
