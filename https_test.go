package merlon_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon"
)

// ask serves one request without a network, as a server behind Go's would see it.
func ask(h http.Handler, method, target string, edit ...func(*http.Request)) *http.Response {
	r := httptest.NewRequest(method, target, nil)
	for _, e := range edit {
		e(r)
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	return rec.Result()
}

func plainly(r *http.Request) { r.TLS = nil }

func from(peer string, header ...string) func(*http.Request) {
	return func(r *http.Request) {
		r.RemoteAddr, r.TLS = peer, nil
		for i := 0; i < len(header); i += 2 {
			r.Header.Add(header[i], header[i+1])
		}
	}
}

func TestHSTSValues(t *testing.T) {
	for _, c := range []struct {
		https merlon.HTTPS
		want  string
	}{
		{merlon.HTTPS{HSTS: "1h"}, "max-age=3600"},
		{merlon.HTTPS{HSTS: "365d"}, "max-age=31536000"},
		{merlon.HTTPS{HSTS: "10m", IncludeSubDomains: true}, "max-age=600; includeSubDomains"},
		{merlon.HTTPS{HSTS: "730d", IncludeSubDomains: true, Preload: true, Redirect: true, Host: "shop.example"}, "max-age=63072000; includeSubDomains; preload"},
		{merlon.HTTPS{HSTS: "withdraw"}, "max-age=0"},
		{merlon.HTTPS{HSTS: "withdraw", IncludeSubDomains: true}, "max-age=0; includeSubDomains"},
		{merlon.HTTPS{HSTS: "off"}, ""},
	} {
		g := newGuard(t, merlon.Config{HTTPS: c.https})
		if got := ask(g.Handler(text("x")), "GET", "https://shop.example/").Header.Get("Strict-Transport-Security"); got != c.want {
			t.Errorf("%+v sends %q, want %q", c.https, got, c.want)
		}
		if got := ask(g.Handler(text("x")), "GET", "http://shop.example/").Header.Get("Strict-Transport-Security"); got != "" {
			t.Errorf("%+v sends %q over plain HTTP", c.https, got)
		}
	}
}

func TestHandlersHSTSStays(t *testing.T) {
	g := newGuard(t, merlon.Strict())
	h := g.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Strict-Transport-Security", "max-age=7") }))
	if got := ask(h, "GET", "https://shop.example/").Header.Get("Strict-Transport-Security"); got != "max-age=7" {
		t.Errorf("the handler's HSTS became %q", got)
	}
}

func TestRedirect(t *testing.T) {
	site := merlon.Config{Hosts: []string{"shop.example", "*.shop.example", "127.0.0.1", "[::1]"}, Health: []string{"/healthz"}, Reports: "/.merlon/r", HTTPS: merlon.HTTPS{Redirect: true,
		Ports: map[string]int{"8080": 8443}, Exempt: []string{"GET /plain/", "regexp:^insecure/[0-9]+$"}}}
	oneHost, temporary := site, site
	oneHost.HTTPS.Host = "www.shop.example"
	temporary.HTTPS.Temporary = true
	for _, c := range []struct {
		name           string
		config         merlon.Config
		method, target string
		status         int
		location       string
		edit           func(*http.Request)
	}{
		{"GET", site, "GET", "http://shop.example/a?b=c", 301, "https://shop.example/a?b=c", nil},
		{"HEAD", site, "HEAD", "http://shop.example/a", 301, "https://shop.example/a", nil},
		{"POST keeps method and body", site, "POST", "http://shop.example/a", 308, "https://shop.example/a", nil},
		{"temporary GET", temporary, "GET", "http://shop.example/", 302, "https://shop.example/", nil},
		{"temporary PUT", temporary, "PUT", "http://shop.example/", 307, "https://shop.example/", nil},
		{"https already", site, "GET", "https://shop.example/", 200, "", nil},
		{"one host for all", oneHost, "GET", "http://x.shop.example/a", 301, "https://www.shop.example/a", nil},
		{"port 80 drops out", site, "GET", "http://shop.example:80/", 301, "https://shop.example/", nil},
		{"a mapped port", site, "GET", "http://shop.example:8080/", 301, "https://shop.example:8443/", nil},
		{"another port", site, "GET", "http://shop.example:9000/", 301, "https://shop.example/", nil},
		{"IPv6", site, "GET", "http://[::1]:8080/", 301, "https://[::1]:8443/", nil},
		{"encoding byte for byte", site, "GET", "http://shop.example/%2e%2E/a%2fb?q=%zz&x=+", 301, "https://shop.example/%2e%2E/a%2fb?q=%zz&x=+", nil},
		{"no authority from the path", site, "GET", "//evil.example/x", 301, "https://shop.example//evil.example/x", func(r *http.Request) { r.Host = "shop.example" }},
		{"the absolute form", site, "GET", "http://shop.example/x", 301, "https://shop.example/x", func(r *http.Request) { r.RequestURI = "http://shop.example/x" }},
		{"https in the request line of a plain socket", site, "GET", "https://shop.example/x", 301, "https://shop.example/x", plainly},
		{"exempt by pattern", site, "GET", "http://shop.example/plain/x", 200, "", nil},
		{"not by an odd path", site, "GET", "http://shop.example/plain/..%2fadmin", 301, "https://shop.example/plain/..%2fadmin", nil},
		{"exempt by expression", site, "GET", "http://shop.example/insecure/12", 200, "", nil},
		{"the expression is held to", site, "GET", "http://shop.example/insecure/x", 301, "https://shop.example/insecure/x", nil},
		{"ACME", site, "GET", "http://shop.example/.well-known/acme-challenge/token", 200, "", nil},
		{"reports", site, "POST", "http://shop.example/.merlon/r?d=e", 200, "", nil},
		{"health", site, "GET", "http://10.0.0.1/healthz", 200, "", nil},
		{"a host that is not ours", site, "GET", "http://evil.example/", 421, "", nil},
		{"over https too", site, "GET", "https://evil.example/", 421, "", nil},
		{"with a port of its own", site, "GET", "https://evil.example:443/", 421, "", nil},
		{"a suffix is no subdomain", site, "GET", "https://evilshop.example/", 421, "", nil},
		{"a subdomain", site, "GET", "https://a.b.shop.example:8443/", 200, "", nil},
		{"a final dot", site, "GET", "https://shop.example./", 200, "", nil},
		{"upper case", site, "GET", "https://SHOP.Example/", 200, "", nil},
		{"a host that is none", site, "GET", "/", 421, "", func(r *http.Request) { r.Host = "evil:.shop.example" }},
		{"no host", site, "GET", "/", 421, "", func(r *http.Request) { r.Host = "" }},
		{"a Unix socket, whose client may be on TLS", site, "GET", "http://shop.example/", 200, "", from("@")},
	} {
		var edits []func(*http.Request)
		if c.edit != nil {
			edits = append(edits, c.edit)
		}
		res := ask(newGuard(t, c.config).Handler(text("x")), c.method, c.target, edits...)
		if res.StatusCode != c.status || res.Header.Get("Location") != c.location {
			t.Errorf("%s: %s %s gives %d %q, want %d %q", c.name, c.method, c.target, res.StatusCode, res.Header.Get("Location"), c.status, c.location)
		}
		if res.Header.Get("X-Frame-Options") != "DENY" || res.Header.Get("Content-Security-Policy") == "" {
			t.Errorf("%s: the answer has no headers: %v", c.name, res.Header)
		}
	}
}

func TestProxies(t *testing.T) {
	guard := func(p merlon.Proxies) *merlon.Guard {
		p.CIDR = append(p.CIDR, "10.0.0.0/8")
		return newGuard(t, merlon.Config{HTTPS: merlon.HTTPS{Proxies: p, Redirect: true}, Hosts: []string{"shop.example"}})
	}
	proxied, oneHop, twoHops := merlon.Proxies{}, "10.1.2.3:99", merlon.Proxies{Hops: 2}
	forwarded, custom := merlon.Proxies{Header: "forwarded"}, merlon.Proxies{Header: "X-Scheme", Value: "ssl"}
	hosts := merlon.Proxies{HostHeader: "X-Forwarded-Host"}
	unix := merlon.Proxies{CIDR: []string{"unix"}}
	for _, c := range []struct {
		name    string
		proxies merlon.Proxies
		peer    string
		header  []string
		status  int
	}{
		{"believed", proxied, oneHop, []string{"X-Forwarded-Proto", "https"}, 200},
		{"in any case", proxied, oneHop, []string{"X-Forwarded-Proto", "HTTPS"}, 200},
		{"plain", proxied, oneHop, []string{"X-Forwarded-Proto", "http"}, 301},
		{"absent", proxied, oneHop, nil, 301},
		{"not from others", proxied, "192.0.2.1:99", []string{"X-Forwarded-Proto", "https"}, 301},
		{"a client's value before the proxy's", proxied, oneHop, []string{"X-Forwarded-Proto", "https, http"}, 301},
		{"the proxy's value after a client's", proxied, oneHop, []string{"X-Forwarded-Proto", "http,https"}, 200},
		{"in lines of their own", proxied, oneHop, []string{"X-Forwarded-Proto", "https", "X-Forwarded-Proto", "http"}, 301},
		{"a client's open quote", proxied, oneHop, []string{"X-Forwarded-Proto", `"`, "X-Forwarded-Proto", "https"}, 200},
		{"the outer one of two", twoHops, oneHop, []string{"X-Forwarded-Proto", "https, http"}, 200},
		{"one of two is missing", twoHops, oneHop, []string{"X-Forwarded-Proto", "https"}, 301},
		{"Forwarded", forwarded, oneHop, []string{"Forwarded", `for=192.0.2.1;Proto="https";by=x`}, 200},
		{"Forwarded by the client", forwarded, oneHop, []string{"Forwarded", `proto=https;x="`, "Forwarded", "for=192.0.2.1;proto=http"}, 301},
		{"another header where Forwarded is meant", forwarded, oneHop, []string{"X-Forwarded-Proto", "https"}, 301},
		{"a header and a value", custom, oneHop, []string{"X-Scheme", "ssl"}, 200},
		{"another value", custom, oneHop, []string{"X-Scheme", "https"}, 301},
		{"the host", hosts, oneHop, []string{"X-Forwarded-Proto", "https", "X-Forwarded-Host", "evil.example"}, 421},
		{"the host of nobody we know", hosts, "192.0.2.1:99", []string{"X-Forwarded-Host", "evil.example"}, 301},
		{"a Unix socket that is believed", unix, "@", []string{"X-Forwarded-Proto", "https"}, 200},
		{"and says plain", unix, "@", []string{"X-Forwarded-Proto", "http"}, 301},
	} {
		res := ask(guard(c.proxies).Handler(text("x")), "GET", "http://shop.example/", from(c.peer, c.header...))
		if res.StatusCode != c.status {
			t.Errorf("%s: %v from %s gives %d, want %d", c.name, c.header, c.peer, res.StatusCode, c.status)
		}
		if location := res.Header.Get("Location"); strings.Contains(location, "evil") {
			t.Errorf("%s: redirects to %s", c.name, location)
		}
	}
}

func TestRedirectLeavesTheRequestAlone(t *testing.T) {
	g := newGuard(t, merlon.Config{Hosts: []string{"shop.example"}, HTTPS: merlon.HTTPS{Redirect: true}})
	r := httptest.NewRequest("GET", "http://shop.example/a?b", nil)
	before := *r.URL
	g.Handler(text("x")).ServeHTTP(httptest.NewRecorder(), r)
	if *r.URL != before {
		t.Errorf("the request's URL became %v", r.URL)
	}
}
