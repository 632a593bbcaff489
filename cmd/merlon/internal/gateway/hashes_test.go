package gateway_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/gateway"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/inline"
	"github.com/merlon-sec/merlon/csp"
)

// Each page gets the hashes of its own code in place of the nonce, and every other one none.
func TestHashesOfPages(t *testing.T) {
	a, b := csp.HashOf("sha256", "a()"), csp.HashOf("sha256", "p{}")
	m := &inline.Manifest{Pages: map[string]inline.Page{
		"/":         {Scripts: []string{strings.Trim(a, "'")}},
		"/a b":      {Scripts: []string{strings.Trim(a, "'")}, Styles: []string{strings.Trim(b, "'")}},
		"/widget/x": {Styles: []string{strings.Trim(b, "'")}},
	}}
	config := merlon.Strict()
	config.Routes = []merlon.RouteConfig{{Match: "/widget/", Frame: merlon.Frame{"https://partner.example"}, Reason: "contract 114"}}
	addr := serve(t, config, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("Cache-Control", "max-age=60")
		fmt.Fprintf(w, "<script>a()</script> %q", r.Header.Get("Merlon-Nonce"))
	}, func(s *gateway.Site) { s.Nonce = gateway.Nonce{Hashes: m} })
	for target, want := range map[string]string{
		"/":              "script-src " + a + " 'strict-dynamic' 'report-sample'; style-src 'self' 'report-sample';",
		"/?q=1":          "script-src " + a + " 'strict-dynamic'",
		"/a%20b":         "script-src " + a + " 'strict-dynamic' 'report-sample'; style-src 'self' " + b + " 'report-sample';",
		"/widget/x":      "script-src 'none'; style-src 'self' " + b + " 'report-sample';",
		"/other":         "script-src 'none'; style-src 'self' 'report-sample';",
		"/x/..%2f":       "script-src 'none';",
		"//":             "script-src 'none';",
		"/widget/..%2f/": "script-src 'none';",
	} {
		res, body := send(t, addr, "GET "+target+" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
		policy := res.Header.Get("Content-Security-Policy")
		if !strings.Contains(policy, want) || strings.Contains(policy, "nonce") || body != `<script>a()</script> ""` || res.Header.Get("Cache-Control") != "max-age=60" {
			t.Errorf("%s: %v %s\nwant %s", target, res.Header, body, want)
		}
		if framed := strings.Contains(policy, "frame-ancestors https://partner.example"); framed != (target == "/widget/x") {
			t.Errorf("%s: %s", target, policy)
		}
	}
}
