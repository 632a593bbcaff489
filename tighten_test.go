package merlon_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/merlon-sec/merlon"
)

// Behind a Proxy the stricter of two values goes out; a handler's own value stands.
func TestProxyTightens(t *testing.T) {
	config := merlon.Strict()
	config.EmbedderPolicy, config.CrossDomainPolicies, config.XSSProtection, config.Headers = "credentialless", "none", "0", map[string]string{"X-Site": "ours"}
	config.HTTPS.IncludeSubDomains = true
	config.IntegrityPolicy, config.DocumentPolicy = "blocked-destinations=(script)", "document-write=?0, js-profiling"
	g := newGuard(t, config)
	for _, c := range []struct{ name, theirs, want string }{
		{"X-Content-Type-Options", "sniff", "nosniff"},
		{"X-Xss-Protection", "1; mode=block", "0"},
		{"Origin-Agent-Cluster", "?0", "?1"},
		{"Referrer-Policy", "unsafe-url", "same-origin"},
		{"Referrer-Policy", "strict-origin-when-cross-origin", "same-origin"},
		{"Referrer-Policy", "no-referrer", "no-referrer"},
		{"Referrer-Policy", "unsafe-url, no-referrer, new-policy", "no-referrer"},
		{"Referrer-Policy", "no-referrer, UNSAFE-URL", "same-origin"},
		{"Referrer-Policy", "unsafe-url, \u00a0no-referrer", "same-origin"},
		{"Referrer-Policy", "nonsense", "same-origin"},
		{"Cross-Origin-Opener-Policy", "unsafe-none", "same-origin"},
		{"Cross-Origin-Opener-Policy", `same-origin; report-to="x"`, "same-origin"},
		{"Cross-Origin-Embedder-Policy", "require-corp", "require-corp"},
		{"Cross-Origin-Embedder-Policy", `require-corp; report-to="x"`, "require-corp"},
		{"Cross-Origin-Embedder-Policy", "require-corp;=;", "credentialless"},
		{"Cross-Origin-Opener-Policy", `same-origin; "`, "same-origin"},
		{"Cross-Origin-Resource-Policy", "same-origin; x", "same-origin"},
		{"Cross-Origin-Embedder-Policy", "unsafe-none", "credentialless"},
		{"Cross-Origin-Resource-Policy", "cross-origin", "same-origin"},
		{"X-Permitted-Cross-Domain-Policies", "all", "none"},
		{"Permissions-Policy", "camera=*, fullscreen=(self)", "camera=(), fullscreen=(self), geolocation=(), microphone=(), payment=(), usb=()"},
		{"Permissions-Policy", "fullscreen=*, camera=*, camera=*", "fullscreen=*, camera=(), geolocation=(), microphone=(), payment=(), usb=()"},
		{"Permissions-Policy", "camera=(", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"},
		{"Strict-Transport-Security", "max-age=0", "max-age=31536000; includeSubDomains"},
		{"Strict-Transport-Security", "max-age=63072000; preload", "max-age=63072000; includeSubDomains; preload"},
		{"Strict-Transport-Security", `MAX-AGE="99999999" ; includesubdomains`, "max-age=99999999; includeSubDomains"},
		{"Strict-Transport-Security", "max-age=1; max-age=2", "max-age=31536000; includeSubDomains"},
		{"Strict-Transport-Security", "nonsense", "max-age=31536000; includeSubDomains"},
		{"Integrity-Policy", "blocked-destinations=(style script), endpoints=(x)", "blocked-destinations=(script style), endpoints=(x)"},
		{"Integrity-Policy", "blocked-destinations=()", "blocked-destinations=(script)"},
		{"Integrity-Policy", "blocked-destinations=script", "blocked-destinations=(script)"},
		{"Integrity-Policy", "blocked-destinations=(script", "blocked-destinations=(script)"},
		{"Document-Policy", "document-write, js-profiling=?0", "document-write=?0, js-profiling=?0"},
		{"Document-Policy", "force-load-at-top, document-write=?0, document-write", "document-write=?0, js-profiling, force-load-at-top"},
		{"Document-Policy", "=", "document-write=?0, js-profiling"},
		{"X-Site", "theirs", "theirs"},
	} {
		sets := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Header().Set(c.name, c.theirs) })
		if got := ask(g.Proxy(sets), "GET", "https://shop.example/").Header.Values(c.name); !slices.Equal(got, []string{c.want}) {
			t.Errorf("%s: %q of another server goes out as %q, want %q", c.name, c.theirs, got, c.want)
		}
		if got := ask(g.Handler(sets), "GET", "https://shop.example/").Header.Get(c.name); got != c.theirs {
			t.Errorf("%s: %q of a handler goes out as %q", c.name, c.theirs, got)
		}
	}
	withdrawn := merlon.Strict()
	withdrawn.HTTPS.HSTS = "withdraw"
	lasting := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Strict-Transport-Security", "max-age=500")
	})
	if got := ask(newGuard(t, withdrawn).Proxy(lasting), "GET", "https://shop.example/").Header.Get("Strict-Transport-Security"); got != "max-age=0" {
		t.Errorf("a withdrawal becomes %q", got)
	}
	withdrawn.HTTPS.HSTS = "off"
	sets := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Strict-Transport-Security", "max-age=5") })
	if got := ask(newGuard(t, withdrawn).Proxy(sets), "GET", "https://shop.example/").Header.Get("Strict-Transport-Security"); got != "max-age=5" {
		t.Errorf("without HSTS of our own theirs becomes %q", got)
	}
	// A route may be looser, for what the route names.
	loose := merlon.Strict()
	loose.Routes = []merlon.RouteConfig{{Match: "/img/", Headers: map[string]string{"Cross-Origin-Resource-Policy": "cross-origin"}, Reason: "images for partners"}}
	theirs := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cross-Origin-Resource-Policy", "same-site")
	})
	if got := ask(newGuard(t, loose).Proxy(theirs), "GET", "https://shop.example/img/a").Header.Get("Cross-Origin-Resource-Policy"); got != "same-site" {
		t.Errorf("on a looser route theirs becomes %q", got)
	}
}
