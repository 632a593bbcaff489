package report_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon/report"
)

var routeTests = map[string]string{
	"https://a.example":                                                                "/",
	"https://a.example/":                                                               "/",
	"https://a.example/cart/checkout":                                                  "/cart/checkout",
	"https://a.example/users/42/orders/7":                                              "/users/*/orders/*",
	"https://a.example/o/550e8400-e29b-41d4-a716-446655440000":                         "/o/*",
	"https://a.example/reset/Zm9vYmFyMTIzNDU2Nzg5":                                     "/reset/*",
	"https://a.example/reset/AbCdEfGhIjKlMnOpQr":                                       "/reset/*",
	"https://a.example/invite/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abcDEFabcDEFabcDEF": "/invite/*.*.*",
	"https://a.example/u/alice@mail.example/edit":                                      "/u/*/edit",
	"https://a.example/u/alice%40mail.example":                                         "/u/*",
	"https://a.example/u/alice%2540mail.example":                                       "/u/*",
	"https://a.example/u/alice%252540mail.example/edit":                                "/u/*/edit",
	"https://a.example/go/x%3Fkey%3Dhunter/y":                                          "/go/*/y",
	"https://a.example/key=hunter/y":                                                   "/*/y",
	"https://a.example/go/a%23hunter":                                                  "/go/*",
	"https://a.example/go/a%3Bjsessionid%3Dhunter":                                     "/go/*",
	"https://a.example/a;jsessionid=0123/b?c#d":                                        "/a/b",
	"https://a.example/static/app.3f9a8b7c.js":                                         "/static/app.*.js",
	"https://a.example/static/main-4f8e9d7c6b.css":                                     "/static/main-*.css",
	"https://a.example/blog/how-we-moved-to-go":                                        "/blog/how-we-moved-to-go",
	"https://a.example/facade/decade":                                                  "/facade/decade",
	"https://a.example/invoice20481.pdf":                                               "/*.pdf", "https://a.example/report2024": "/report2024",
	"https://a.example/v2/items":     "/v2/items",
	"https://a.example/caf%C3%A9":    "/caf%C3%A9",
	"https://a.example/%2e%2e%2fetc": "/%2e%2e%2fetc",
}

func TestRoute(t *testing.T) {
	for in, want := range routeTests {
		u, err := url.Parse(in)
		if err != nil {
			t.Fatal(err)
		}
		if got := report.Route(u); got != want {
			t.Errorf("Route(%q) = %q, want %q", in, got, want)
		}
	}
}

// FuzzRoute looks for what must not be left of any input.
func FuzzRoute(f *testing.F) {
	for in := range routeTests {
		f.Add(in)
	}
	f.Fuzz(func(t *testing.T, in string) {
		u, err := url.Parse(in)
		if err != nil {
			return
		}
		route := report.Route(u)
		if len(route) > 256 || !strings.HasPrefix(route, "/") || strings.ContainsAny(route, "?#;@ \x00\n") {
			t.Errorf("Route(%q) = %q", in, route)
		}
		for segment := range strings.SplitSeq(route, "/") {
			if segment != "" && strings.Trim(segment, "0123456789") == "" {
				t.Errorf("Route(%q) = %q: a number is left", in, route)
			}
		}
	})
}
