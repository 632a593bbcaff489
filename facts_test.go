package merlon_test

import (
	"bufio"
	"errors"
	"fmt"
	"html/template"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/http/httputil"
	"net/textproto"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/merlon-sec/merlon"
	"github.com/merlon-sec/merlon/cfgerrors"
)

// The facts of the peers: what other libraries of headers promise, and what Go's net/http does. Each has a number, with
// which the names of its cases begin. E1 to E9 are HSTS, redirects and hosts, framing, small headers, policies, policies on
// responses, nonces, cookies, and the platform. Where merlon differs on purpose docs/differences.md says so.

// factsElsewhere are the facts without a case in this file: a heading of docs/differences.md, or the tests that hold them.
func factsElsewhere() map[int]string {
	return map[int]string{
		7: "# HSTS", 9: "# HSTS", 35: "# Redirects and hosts", 55: "# Defaults", 83: "# Policies", 107: "# Construction",
		97: "TestChanges", 103: "TestChanges", 111: "TestSampling", 141: "TestHandlersCannotReachTheNextResponse",
	}
}

// An exchange is a fact about one request over a real connection, and its answer.
type exchange struct {
	name    string
	config  merlon.Config
	changes []merlon.Change // of the handler's route
	own     []string        // what the handler sets: name, value, name, value
	request string          // method and URL; empty for GET https://shop.example/
	sent    []string        // with the request: name, value
	status  int             // 0 for 200; what the handler answers if it is 304
	want    []string        // name, value; "" for absent. Several lines are joined by " AND ", nonces are 'nonce'
}

func (x exchange) run(t *testing.T) {
	g := newGuard(t, x.config)
	var h http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		eachPair(x.own, w.Header().Add)
		if x.status == http.StatusNotModified {
			w.WriteHeader(x.status)
		}
	})
	if x.changes != nil {
		h = g.With("tested", x.changes...).Handler(h)
	}
	method, target, ok := strings.Cut(x.request, " ")
	if !ok {
		method, target = "GET", "https://shop.example/"
	}
	res, _ := visit(t, g.Handler(h), 1, method, target, func(r *http.Request) { eachPair(x.sent, r.Header.Add) })
	if want := max(x.status, 200); res.StatusCode != want {
		t.Errorf("%s %s gives %d, want %d", method, target, res.StatusCode, want)
	}
	eachPair(x.want, func(name, want string) {
		if got := stripNonces(strings.Join(res.Header.Values(name), " AND ")); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	})
}

func eachPair(pairs []string, f func(name, value string)) {
	for pair := range slices.Chunk(pairs, 2) {
		f(pair[0], pair[1])
	}
}

// visit serves one request to h by a real server of this version of HTTP, over TLS where the target says https.
func visit(t testing.TB, h http.Handler, version int, method, target string, edit ...func(*http.Request)) (*http.Response, string) {
	t.Helper()
	srv := httptest.NewUnstartedServer(h)
	srv.EnableHTTP2 = version == 2
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	if strings.HasPrefix(target, "https:") {
		srv.StartTLS()
	} else {
		srv.Start()
	}
	defer srv.Close()
	r, err := http.NewRequestWithContext(t.Context(), method, target, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host, r.URL.Host = r.URL.Host, srv.Listener.Addr().String()
	for _, e := range edit {
		e(r)
	}
	res, err := srv.Client().Transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if res.ProtoMajor != version {
		t.Fatalf("over %s, want HTTP/%d", res.Proto, version)
	}
	return res, string(body)
}

// A refusal is a fact about a configuration that does not become a Guard.
type refusal struct {
	name string
	why  string // field and code of one of its mistakes
	json string // the Config
}

func (x refusal) run(t *testing.T) {
	_, err := merlon.ParseConfig([]byte(x.json))
	var got []string
	for e := range cfgerrors.All(err) {
		got = append(got, e.Field+" "+string(e.Code))
	}
	if !slices.Contains(got, x.why) {
		t.Errorf("%s: mistakes %q, want %q", x.json, got, x.why)
	}
}

func but(c merlon.Config, edit func(*merlon.Config)) merlon.Config {
	edit(&c)
	return c
}

func policyOf(text string) merlon.Config { return merlon.Config{CSP: text, Trial: "off"} }

func TestFactsOfThePeers(t *testing.T) {
	for _, x := range slices.Concat(hstsFacts(), redirectFacts(), framingFacts(), headerFacts(), policyFacts(), responseFacts(), nonceExchanges(), cookieFacts()) {
		t.Run(x.name, x.run)
	}
	for _, x := range refusals() {
		t.Run(x.name, x.run)
	}
	for name, check := range otherFacts() {
		t.Run(name, check)
	}
}

func hstsFacts() []exchange {
	const name = "Strict-Transport-Security"
	age := func(s merlon.HTTPS) merlon.Config { return merlon.Config{HTTPS: s} }
	behind := merlon.HTTPS{HSTS: "730d", IncludeSubDomains: true, Proxies: merlon.Proxies{CIDR: []string{"127.0.0.0/8"}}}
	return []exchange{
		{name: "E1.1 one hour", config: age(merlon.HTTPS{HSTS: "1h"}), want: []string{name, "max-age=3600"}},
		{name: "E1.3 the handler's", config: merlon.Strict(), own: []string{name, "max-age=7"}, want: []string{name, "max-age=7"}},
		{name: "E1.5 subdomains", config: age(merlon.HTTPS{HSTS: "10m", IncludeSubDomains: true}), want: []string{name, "max-age=600; includeSubDomains"}},
		{name: "E1.5 without", config: age(merlon.HTTPS{HSTS: "10m"}), want: []string{name, "max-age=600"}},
		{name: "E1.13 two years", config: age(behind), want: []string{name, "max-age=63072000; includeSubDomains"}},
		{name: "E1.13 behind a proxy", config: age(behind), request: "GET http://shop.example/", sent: []string{"X-Forwarded-Proto", "https"},
			want: []string{name, "max-age=63072000; includeSubDomains", "Location", ""}},
		{name: "E1.15 plain HTTP", config: merlon.Strict(), request: "GET http://shop.example/", want: []string{name, ""}},
	}
}

func redirectFacts() []exchange {
	site := merlon.Config{Hosts: []string{"shop.example", "*.example.com"}, HTTPS: merlon.HTTPS{Redirect: true, Exempt: []string{"/plain"}}}
	ports := but(site, func(c *merlon.Config) { c.HTTPS.Ports = map[string]int{"8080": 8443} })
	one := but(site, func(c *merlon.Config) { c.HTTPS.Host = "secure.example.com" })
	odd := but(one, func(c *merlon.Config) { c.HTTPS.Host = "secure.example.com:8443" })
	temporary := but(site, func(c *merlon.Config) { c.HTTPS.Temporary = true })
	proxied := but(site, func(c *merlon.Config) {
		c.HTTPS.Proxies = merlon.Proxies{CIDR: []string{"127.0.0.0/8"}, Header: "X-Scheme", Value: "ssl", HostHeader: "X-Proxy-Host"}
	})
	to := func(url string) []string { return []string{"Location", url} }
	return []exchange{
		{name: "E2.17 already HTTPS", config: site, want: to("")},
		{name: "E2.19 one host", config: one, request: "GET http://shop.example/some/url", status: 301, want: to("https://secure.example.com/some/url")},
		{name: "E2.21 the proxy says so", config: proxied, request: "GET http://shop.example/", sent: []string{"X-Scheme", "ssl"}, want: to("")},
		{name: "E2.23 exempt", config: site, request: "GET http://shop.example/plain", want: to("")},
		{name: "E2.25 GET", config: site, request: "GET http://shop.example/", status: 301, want: to("https://shop.example/")},
		{name: "E2.25 HEAD", config: site, request: "HEAD http://shop.example/", status: 301, want: to("https://shop.example/")},
		{name: "E2.25 POST", config: site, request: "POST http://shop.example/", status: 308, want: to("https://shop.example/")},
		{name: "E2.25 port 80", config: site, request: "GET http://shop.example:80/", status: 301, want: to("https://shop.example/")},
		{name: "E2.25 a mapped port", config: ports, request: "GET http://shop.example:8080/", status: 301, want: to("https://shop.example:8443/")},
		{name: "E2.25 a host with its port", config: odd, request: "GET http://shop.example/", status: 301, want: to("https://secure.example.com:8443/")},
		{name: "E2.27 below the host", config: site, request: "GET https://a.b.example.com/"},
		{name: "E2.27 the host itself", config: site, request: "GET https://example.com/", status: 421},
		{name: "E2.27 a host that begins so", config: site, request: "GET https://a.example.com.evil.example/", status: 421},
		{name: "E2.29 a good host of the proxy", config: proxied, request: "GET http://10.0.0.1/", sent: []string{"X-Scheme", "ssl", "X-Proxy-Host", "www.example.com"}},
		{name: "E2.29 a bad one", config: proxied, request: "GET http://shop.example/", sent: []string{"X-Scheme", "ssl", "X-Proxy-Host", "evil.example"}, status: 421},
		{name: "E2.31 permanent", config: site, request: "GET http://www.example.com/foo", status: 301, want: to("https://www.example.com/foo")},
		{name: "E2.31 with a host", config: one, request: "GET http://www.example.com/foo", status: 301, want: to("https://secure.example.com/foo")},
		{name: "E2.31 temporary", config: temporary, request: "GET http://www.example.com/foo", status: 302, want: to("https://www.example.com/foo")},
		{name: "E2.31 temporary POST", config: temporary, request: "POST http://www.example.com/foo", status: 307, want: to("https://www.example.com/foo")},
		{name: "E2.33 the right value", config: proxied, request: "GET http://www.example.com/", sent: []string{"X-Scheme", "ssl"}},
		{name: "E2.33 a wrong value", config: proxied, request: "GET http://www.example.com/", sent: []string{"X-Scheme", "https"}, status: 301, want: to("https://www.example.com/")},
	}
}

func framingFacts() []exchange {
	const name = "X-Frame-Options"
	return []exchange{
		{name: "E3.37 default", want: []string{name, "DENY"}},
		{name: "E3.37 a setting", config: merlon.Config{Frame: merlon.Frame{"self"}}, want: []string{name, "SAMEORIGIN"}},
		{name: "E3.37 the handler's, in lower case", own: []string{name, "sameorigin"}, want: []string{name, "SAMEORIGIN"}},
		{name: "E3.39 exempt view", changes: []merlon.Change{merlon.FrameExempt()}, want: []string{name, ""}},
		{name: "E3.39 a route without a change", changes: []merlon.Change{}, want: []string{name, "DENY"}},
		{name: "E3.43 the handler's value wins", own: []string{name, "SAMEORIGIN"}, want: []string{name, "SAMEORIGIN"}},
		{name: "E3.43 the route's value wins", changes: []merlon.Change{merlon.FrameSelf()}, want: []string{name, "SAMEORIGIN"}},
	}
}

func headerFacts() []exchange {
	off := merlon.Off()
	out := []exchange{
		{name: "E4.45 on", want: []string{"X-Content-Type-Options", "nosniff"}},
		{name: "E4.45 off", config: merlon.Config{ContentTypeOptions: "off"}, want: []string{"X-Content-Type-Options", ""}},
		{name: "E4.45 the handler's", own: []string{"X-Content-Type-Options", "other"}, want: []string{"X-Content-Type-Options", "other"}},
		{name: "E4.47 a list", config: merlon.Config{ReferrerPolicy: "no-referrer, strict-origin"}, want: []string{"Referrer-Policy", "no-referrer, strict-origin"}},
		{name: "E4.47 a list as Django joins it", config: merlon.Config{ReferrerPolicy: "no-referrer,unsafe-url"}, want: []string{"Referrer-Policy", "no-referrer,unsafe-url"}},
		{name: "E4.49 the handler's", own: []string{"Referrer-Policy", "unsafe-url"}, want: []string{"Referrer-Policy", "unsafe-url"}},
		{name: "E4.49 off", config: merlon.Config{ReferrerPolicy: "off"}, want: []string{"Referrer-Policy", ""}},
		{name: "E4.57 two keys", config: merlon.Config{DocumentPolicy: "oversized-images=?0, document-write=?0"},
			want: []string{"Document-Policy", "oversized-images=?0, document-write=?0"}},
		{name: "E4.59 words", config: off, changes: []merlon.Change{merlon.Header("Clear-Site-Data", "cache, cookies, storage, executionContexts")},
			want: []string{"Clear-Site-Data", `"cache", "cookies", "storage", "executionContexts"`}},
		{name: "E4.59 off", config: off, changes: []merlon.Change{merlon.Header("Clear-Site-Data", "cache"), merlon.Without("Clear-Site-Data")}, want: []string{"Clear-Site-Data", ""}},
		{name: "E4.59 elsewhere", config: off, want: []string{"Clear-Site-Data", ""}},
	}
	add := func(name, header, value string, c merlon.Config) {
		out = append(out, exchange{name: name + " " + value, config: c, want: []string{header, value}})
	}
	for _, v := range []string{"no-referrer", "no-referrer-when-downgrade", "origin", "origin-when-cross-origin", "same-origin", "strict-origin", "strict-origin-when-cross-origin", "unsafe-url"} {
		add("E4.47", "Referrer-Policy", v, merlon.Config{ReferrerPolicy: v})
	}
	for _, v := range []string{"require-corp", "credentialless", "unsafe-none"} {
		add("E4.51", "Cross-Origin-Embedder-Policy", v, merlon.Config{EmbedderPolicy: v})
	}
	for _, v := range []string{"same-origin", "same-site", "cross-origin"} {
		add("E4.51", "Cross-Origin-Resource-Policy", v, merlon.Config{ResourcePolicy: v})
	}
	return out
}

func policyFacts() []exchange {
	const name = "Content-Security-Policy"
	is := func(text string) []string { return []string{name, text} }
	reporting := policyOf("img-src *; default-src 'self'")
	reporting.Reports, reporting.ReportTo, reporting.Endpoints = "/r", "csp_1-a", map[string]string{"csp_1-a": "/r"}
	return []exchange{
		{name: "E5.61 the strict preset", config: merlon.Strict(), want: is("default-src 'self'; script-src 'nonce' 'strict-dynamic' 'report-sample'; style-src 'self' 'nonce' 'report-sample'; " +
			"img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; upgrade-insecure-requests; frame-ancestors 'none'")},
		{name: "E5.63 a bare name", config: policyOf("upgrade-insecure-requests; sandbox"), want: is("upgrade-insecure-requests; sandbox; frame-ancestors 'none'")},
		{name: "E5.67 more than 'none'", config: policyOf("img-src 'none'"), changes: []merlon.Change{merlon.Allow("img-src https://a.example")}, want: is("img-src https://a.example; frame-ancestors 'none'")},
		{name: "E5.69 paths", config: policyOf("img-src a.example.org/ c.example.net/foo/ wss://d.example"), want: is("img-src a.example.org/ c.example.net/foo/ wss://d.example; frame-ancestors 'none'")},
		{name: "E5.71 a wildcard", config: policyOf("img-src *.example.org a.example.org"), want: is("img-src *.example.org a.example.org; frame-ancestors 'none'")},
		{name: "E5.73 order", config: reporting, want: is("img-src *; default-src 'self'; report-uri /r?d=e; report-to csp_1-a AND frame-ancestors 'none'; report-uri /r?d=e")},
		{name: "E5.81 nothing of the preset's policy", config: but(merlon.Strict(), func(c *merlon.Config) { c.CSP = "img-src 'self'" }), want: is("img-src 'self'; frame-ancestors 'none'")},
	}
}

func responseFacts() []exchange {
	const enforced, trial = "Content-Security-Policy", "Content-Security-Policy-Report-Only"
	both := merlon.Config{CSP: "default-src 'self'", Trial: "default-src 'none'"}
	foo := policyOf("img-src foo.com")
	change := func(ch ...merlon.Change) []merlon.Change { return ch }
	return []exchange{
		{name: "E6.87 both", config: both, want: []string{enforced, "default-src 'self'; frame-ancestors 'none'", trial, "default-src 'none'"}},
		{name: "E6.89 the handler's", config: both, own: []string{enforced, "img-src 'self'; frame-ancestors 'self'", trial, "img-src *"},
			want: []string{enforced, "img-src 'self'; frame-ancestors 'self'", trial, "img-src *"}},
		{name: "E6.91 exempt", config: both, changes: change(merlon.Exempt(), merlon.FrameExempt()), want: []string{enforced, "", trial, ""}},
		{name: "E6.91 exempt from the trial", config: both, changes: change(merlon.Exempt().OnTrial()), want: []string{enforced, "default-src 'self'; frame-ancestors 'none'", trial, ""}},
		{name: "E6.93 added", config: foo, changes: change(merlon.Allow("img-src bar.com")), want: []string{enforced, "img-src foo.com bar.com; frame-ancestors 'none'"}},
		{name: "E6.95 all of it", config: both, changes: change(merlon.Replace("font-src 'self'"), merlon.FrameExempt()), want: []string{enforced, "font-src 'self'", trial, "font-src 'self'"}},
		{name: "E6.99 at the end", config: policyOf("script-src 'self' cdn.example"), changes: change(merlon.Allow("script-src anothercdn.com")),
			want: []string{enforced, "script-src 'self' cdn.example anothercdn.com; frame-ancestors 'none'"}},
		{name: "E6.101 beside the fallback", config: policyOf("default-src 'self'"), changes: change(merlon.Set("img-src img.example")),
			want: []string{enforced, "default-src 'self'; img-src img.example; frame-ancestors 'none'"}},
		{name: "E6.109 a trial that only consoles show", config: merlon.Config{CSP: "off", Trial: "img-src 'none'", Frame: merlon.Frame{"off"}}, want: []string{enforced, "", trial, "img-src 'none'"}},
		{name: "E6.109 a trial with reports", config: merlon.Config{Trial: "img-src 'none'", Reports: "/r"}, want: []string{trial, "img-src 'none'; report-uri /r?d=r"}},
	}
}

func nonceExchanges() []exchange {
	const name = "Content-Security-Policy"
	return []exchange{
		{name: "E7.115 never read by a page", config: policyOf("script-src 'nonce'"), want: []string{name, "script-src 'nonce'; frame-ancestors 'none'"}},
		{name: "E7.125 no fallback to 'unsafe-inline'", config: policyOf("default-src 'self'"), changes: []merlon.Change{merlon.Allow("script-src 'nonce'")},
			want: []string{name, "default-src 'self'; script-src 'self' 'nonce'; frame-ancestors 'none'"}},
		{name: "E7.127 a policy with a nonce", config: policyOf("script-src 'nonce'"), status: 304, want: []string{name, "", "X-Frame-Options", "DENY"}},
		{name: "E7.127 a policy without", config: policyOf("script-src 'self'"), status: 304, want: []string{name, "script-src 'self'; frame-ancestors 'none'"}},
	}
}

func cookieFacts() []exchange {
	flags := merlon.Cookies{Secure: true, HTTPOnly: true, SameSite: "Lax"}
	with := func(edit func(*merlon.Cookies)) merlon.Config {
		c := merlon.Config{Cookies: flags}
		edit(&c.Cookies)
		return c
	}
	all := with(func(*merlon.Cookies) {})
	two := []string{"Set-Cookie", "a=1", "Set-Cookie", "_session=2"}
	return []exchange{
		{name: "E8.129 all flags", config: all, own: two, want: []string{"Set-Cookie", "a=1; Secure; HttpOnly; SameSite=Lax AND _session=2; Secure; HttpOnly; SameSite=Lax"}},
		{name: "E8.131 only", config: with(func(k *merlon.Cookies) { k.Only = []string{"a"} }), own: two, want: []string{"Set-Cookie", "a=1; Secure; HttpOnly; SameSite=Lax AND _session=2"}},
		{name: "E8.131 except", config: with(func(k *merlon.Cookies) { k.Except = []string{"a"} }), own: two, want: []string{"Set-Cookie", "a=1 AND _session=2; Secure; HttpOnly; SameSite=Lax"}},
		{name: "E8.133 Strict where the handler says so", config: all, own: []string{"Set-Cookie", "a=1", "Set-Cookie", "_session=2; SameSite=Strict"},
			want: []string{"Set-Cookie", "a=1; Secure; HttpOnly; SameSite=Lax AND _session=2; SameSite=Strict; Secure; HttpOnly"}},
		{name: "E8.135 odd names and values", config: all, own: []string{"Set-Cookie", "secure=a,b; Expires=Wed, 21 Oct 2099 07:28:00 GMT", "Set-Cookie", "httponly=1"},
			want: []string{"Set-Cookie", "secure=a,b; Expires=Wed, 21 Oct 2099 07:28:00 GMT; Secure; HttpOnly; SameSite=Lax AND httponly=1; Secure; HttpOnly; SameSite=Lax"}},
	}
}

func refusals() []refusal {
	out := []refusal{
		{"E1.11 negative", "https.hsts invalid-value", `{"https":{"hsts":"-5s"}}`},
		{"E1.11 a number", "https.hsts wrong-type", `{"https":{"hsts":31536000}}`},
		{"E1.11 NaN", "https.hsts invalid-value", `{"https":{"hsts":"NaN"}}`},
		{"E1.11 Infinity", "https.hsts invalid-value", `{"https":{"hsts":"Infinity"}}`},
		{"E1.11 misspelt maxage", "https.maxage unknown-key", `{"https":{"maxage":"1d"}}`},
		{"E1.11 the wrong case", "https.includeSubdomains unknown-key", `{"https":{"includeSubdomains":true}}`},
		{"E1.13 negative, at construction", "https.hsts invalid-value", `{"https":{"hsts":"-1h"}}`},
		{"E1.15 the header's own text", "https.hsts invalid-value", `{"https":{"hsts":"max-age=31536000"}}`},
		{"E2.27 a regular expression", "hosts[0] invalid-value", `{"hosts":["*\\.example\\.com"]}`},
		{"E2.27 another", "hosts[0] invalid-value", `{"hosts":[".*sub\\..*-awesome-example\\.com"]}`},
		{"E3.41 in capitals", "frame invalid-value", `{"frame":"DENY"}`},
		{"E3.41 the header's other value", "frame invalid-value", `{"frame":"SAME-ORIGIN"}`},
		{"E3.41 allow-from", "frame invalid-value", `{"frame":"allow-from"}`},
		{"E3.41 white space", "frame invalid-value", `{"frame":" deny"}`},
		{"E3.41 empty", "frame invalid-value", `{"frame":""}`},
		{"E3.41 null", "frame wrong-type", `{"frame":null}`},
		{"E3.41 a number", "frame wrong-type", `{"frame":123}`},
		{"E4.47 an unknown token", "referrer-policy invalid-value", `{"referrer-policy":"origin, never"}`},
		{"E4.51 embedder", "cross-origin-embedder-policy invalid-value", `{"cross-origin-embedder-policy":"same-origin"}`},
		{"E4.51 resource", "cross-origin-resource-policy invalid-value", `{"cross-origin-resource-policy":"any"}`},
		{"E4.53 a setting and its header", "headers.Referrer-Policy conflict", `{"referrer-policy":"origin","headers":{"Referrer-Policy":"origin"}}`},
		{"E4.53 one header twice", "headers.x-a duplicate-key", `{"headers":{"X-A":"1","x-a":"1"}}`},
		{"E4.53 one key twice", "csp duplicate-key", `{"csp":"off","csp":"off"}`},
		{"E4.59 not a text", "routes[0].headers.Clear-Site-Data wrong-type", `{"routes":[{"match":"/x","headers":{"Clear-Site-Data":[1]}}]}`},
		{"E4.59 nothing", "routes[0].headers.Clear-Site-Data invalid-value", `{"routes":[{"match":"/x","headers":{"Clear-Site-Data":""}}]}`},
		{"E5.63 a boolean directive with a value", "csp.upgrade-insecure-requests invalid-value", `{"csp":"upgrade-insecure-requests true"}`},
		{"E5.67 'none' and more", "csp.img-src none-with-others", `{"csp":"img-src 'none' a.example"}`},
		{"E5.75 a directive in two cases", "csp.img-src duplicate-of", `{"csp":"img-src 'self'; IMG-SRC *"}`},
		{"E5.75 camel case", "csp.imgsrc unknown-directive", `{"csp":"imgSrc 'self'"}`},
		{"E5.79 null", "csp wrong-type", `{"csp":null}`},
		{"E5.79 false", "csp wrong-type", `{"csp":false}`},
		{"E5.79 zero", "csp wrong-type", `{"csp":0}`},
		{"E5.85 empty", "report-to missing", `{"report-to":"csp","reporting-endpoints":{}}`},
		{"E5.85 a space", "reporting-endpoints.a b syntax", `{"reporting-endpoints":{"a b":"/r"}}`},
		{"E5.85 a slash", "reporting-endpoints.a/b syntax", `{"reporting-endpoints":{"a/b":"/r"}}`},
		{"E6.105 an unknown name", "routes[0].preset invalid-value", `{"routes":[{"match":"/x","preset":"mine"}]}`},
		{"E6.105 one pattern twice", "routes[1].match syntax", `{"routes":[{"match":"/x"},{"match":"/x"}]}`},
		{"E6.109 report-uri in the policy", "trial.report-uri misplaced-reporting", `{"trial":"img-src 'none'; report-uri /r"}`},
		{"E8.131 both", "cookies.except conflict", `{"cookies":{"secure":true,"only":["a"],"except":["b"]}}`},
		{"E8.131 a list for lax", "cookies.same-site wrong-type", `{"cookies":{"same-site":["Lax","Strict"]}}`},
		{"E8.131 no boolean", "cookies.secure wrong-type", `{"cookies":{"secure":"yes"}}`},
		{"E9.146 a semicolon in a source", "routes[0].frame invalid-value", `{"routes":[{"match":"/x","reason":"x","frame":{"by":["https://a.example;script-src"]}}]}`},
		{"E9.146 a comma in a source", "csp syntax", `{"csp":"img-src a.example,b.example"}`},
		{"E9.146 a non-ASCII host", "csp syntax", `{"csp":"img-src bücher.example"}`},
	}
	for _, word := range []string{"self", "none", "unsafe-inline", "unsafe-eval", "strict-dynamic", "report-sample", "unsafe-hashes", "wasm-unsafe-eval", "nonce", "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", "sha256-n4bQgYhMfWWaL/qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=", "nonce-abcdefghijklmnopqrstuv"} {
		out = append(out, refusal{"E5.77 unquoted " + word, "csp.script-src invalid-source", fmt.Sprintf(`{"csp":"script-src %s"}`, word)})
	}
	for _, c := range []string{`\r\n`, `\r`, `\n`, `\u0000`, `é`} {
		for _, field := range []string{"referrer-policy", "permissions-policy", "cache-control", "reports"} {
			out = append(out, refusal{"E9.146 " + c + " in " + field, field + " invalid-value", fmt.Sprintf(`{%q:"/a%sb"}`, field, c)})
		}
		out = append(out, refusal{"E9.146 " + c + " in a header", "headers.X-A invalid-value", fmt.Sprintf(`{"headers":{"X-A":"a%sb"}}`, c)})
		out = append(out, refusal{"E9.146 " + c + " in a host", "hosts[0] invalid-value", fmt.Sprintf(`{"hosts":["a%s.example"]}`, c)})
	}
	return out
}

// otherFacts are those that no table says.
func otherFacts() map[string]func(*testing.T) {
	out := map[string]func(*testing.T){
		"E1.15 every value": everyHSTSValue, "E5.65 the same bytes each time": sameBytes, "E5.81 a fresh copy each time": freshPresets,
		"E6.93 nothing leaks": changesDoNotLeak, "E6.105 no such preset": func(t *testing.T) {
			if _, err := newGuard(t, merlon.Config{}).NewRoute("x", merlon.Use("mine")); err == nil {
				t.Error("NewRoute takes an unknown preset")
			}
		},
		"E6.113 an error": errorPages, "E7.115 known to carry no script": noNonceWithoutDocument, "E7.117 one value": oneNonce, "E7.119 22 characters": oneNonce,
		"E7.121 both policies": oneNonceInBoth, "E7.123 where the policy says": nonceWhereSaid, "E9.136 early hints": earlyHints, "E9.137 hijacked": hijacked,
		"E9.137 an upgrade through a proxy": upgraded, "E9.138 what the writer can do": writersAbilities, "E9.142 spelled in lower case": lowerCase,
		"E9.143 taken out": takenOut, "E9.144 HTTP/1.0": oldHTTP, "E9.145 a panic": panics,
	}
	for name, check := range templateFacts() {
		out["E7.123 html/template, "+name] = check
	}
	for _, c := range answers() {
		out[c.name] = c.run
	}
	return out
}

func everyHSTSValue(t *testing.T) {
	good := regexp.MustCompile(`^max-age=\d+(; includeSubDomains)?(; preload)?$`)
	for _, s := range []merlon.HTTPS{{HSTS: "1s"}, {HSTS: "withdraw"}, {HSTS: "90m", IncludeSubDomains: true}, {HSTS: "65535d", IncludeSubDomains: true, Preload: true, Redirect: true, Host: "shop.example"}} {
		res := ask(newGuard(t, merlon.Config{HTTPS: s}).Handler(text("x")), "GET", "https://shop.example/")
		if got := res.Header.Get("Strict-Transport-Security"); !good.MatchString(got) {
			t.Errorf("%+v sends %q", s, got)
		}
	}
}

func sameBytes(t *testing.T) {
	send := func() string {
		c := but(merlon.Strict(), func(c *merlon.Config) {
			c.CSP = "default-src 'self'; img-src c.example b.example a.example"
			c.Endpoints = map[string]string{"c": "/c", "b": "/b", "a": "/a"}
			c.Headers = map[string]string{"X-C": "c", "X-B": "b", "X-A": "a"}
		})
		var out strings.Builder
		if err := ask(newGuard(t, c).Handler(text("x")), "GET", "https://shop.example/").Header.Write(&out); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	first := send()
	for range 20 {
		if again := send(); again != first {
			t.Fatalf("sends\n%s, then\n%s", first, again)
		}
	}
	if !strings.Contains(first, "img-src c.example b.example a.example") || !strings.Contains(first, `a="/a", b="/b", c="/c"`) {
		t.Errorf("policies keep their author's order, and maps are sorted:\n%s", first)
	}
}

func freshPresets(t *testing.T) {
	for _, preset := range []func() merlon.Config{merlon.Strict, merlon.Compat, merlon.API, merlon.Off} {
		first := preset()
		first.Frame[0], first.CSP = "https://evil.example", "img-src *"
		if again := preset(); again.Frame[0] == first.Frame[0] || again.CSP == first.CSP {
			t.Errorf("changing a preset changed the next: %+v", again)
		}
	}
}

func changesDoNotLeak(t *testing.T) {
	g := newGuard(t, policyOf("img-src foo.com"))
	mux := http.NewServeMux()
	mux.Handle("/more", g.With("bar", merlon.Allow("img-src bar.com")).Handler(text("x")))
	mux.Handle("/", text("x"))
	for range 3 {
		for path, want := range map[string]string{"more": "img-src foo.com bar.com; frame-ancestors 'none'", "": "img-src foo.com; frame-ancestors 'none'"} {
			if got := ask(g.Handler(mux), "GET", "https://shop.example/"+path).Header.Get("Content-Security-Policy"); got != want {
				t.Errorf("/%s sends %q, want %q", path, got, want)
			}
		}
	}
}

func errorPages(t *testing.T) {
	failing := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.Error(w, "no", 500) })
	res, _ := visit(t, newGuard(t, merlon.Strict()).Handler(failing), 1, "GET", "https://shop.example/")
	if res.StatusCode != 500 || res.Header.Get("X-Frame-Options") != "DENY" || !strings.Contains(res.Header.Get("Content-Security-Policy"), "object-src 'none'") {
		t.Errorf("an error goes out as %d %v", res.StatusCode, res.Header)
	}
}

func noNonceWithoutDocument(t *testing.T) {
	data := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, "{}")
	})
	res, _ := visit(t, newGuard(t, policyOf("script-src 'nonce'; style-src 'self' 'nonce'")).Handler(data), 1, "GET", "https://shop.example/")
	if got := res.Header.Get("Content-Security-Policy"); got != "script-src 'none'; style-src 'self'; frame-ancestors 'none'" {
		t.Errorf("JSON has the policy %q", got)
	}
}

func oneNonce(t *testing.T) {
	page := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for range 3 {
			fmt.Fprintln(w, merlon.Nonce(r.Context()))
		}
	})
	res, body := visit(t, newGuard(t, merlon.Strict()).Handler(page), 1, "GET", "https://shop.example/")
	got := slices.Compact(append(strings.Fields(body), nonces(res)...))
	if len(got) != 1 || !regexp.MustCompile(`^[0-9A-Za-z_-]{22}$`).MatchString(got[0]) {
		t.Errorf("one response has the nonces %q", got)
	}
}

func oneNonceInBoth(t *testing.T) {
	c := merlon.Config{CSP: "script-src 'nonce'", Trial: "script-src 'nonce' 'strict-dynamic'; style-src 'nonce'"}
	res, _ := visit(t, newGuard(t, c).Handler(text("x")), 1, "GET", "https://shop.example/")
	trial := nonceSource.FindAllStringSubmatch(res.Header.Get("Content-Security-Policy-Report-Only"), -1)
	if got := nonces(res); len(got) != 1 || len(trial) != 2 || trial[0][1] != got[0] || trial[1][1] != got[0] {
		t.Errorf("the nonces are %q, and on trial %q", got, trial)
	}
}

func nonceWhereSaid(t *testing.T) {
	c := policyOf("default-src 'self'; script-src 'self' 'nonce'; style-src 'self'")
	page := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, merlon.Nonce(r.Context())) })
	res, body := visit(t, newGuard(t, c).Handler(page), 1, "GET", "https://shop.example/")
	want := "default-src 'self'; script-src 'self' 'nonce-" + body + "'; style-src 'self'; frame-ancestors 'none'"
	if got := res.Header.Get("Content-Security-Policy"); got != want || len(body) != 22 {
		t.Errorf("the policy is %q, want %q", got, want)
	}
}

var pageNonce = regexp.MustCompile(`<script nonce="([^"]*)">`)

// templateFacts execute a page straight into the writer, which is what begins the response before {{nonce}} runs.
func templateFacts() map[string]func(*testing.T) {
	out := map[string]func(*testing.T){}
	add := func(name, before string, flush, timeout bool) {
		out[name] = func(t *testing.T) {
			var h http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				flushing := func() string {
					if flush {
						w.(http.Flusher).Flush()
					}
					return ""
				}
				page := template.New("").Funcs(template.FuncMap{"flush": flushing}).Funcs(merlon.TemplateFuncs(r.Context()))
				template.Must(page.Parse("<p>" + before + `{{flush}}<script nonce="{{nonce}}">1</script><script nonce="{{nonce}}">2</script>`))
				if err := page.Execute(w, nil); err != nil {
					t.Error(err)
				}
			})
			if timeout {
				h = http.TimeoutHandler(h, time.Minute, "late")
			}
			for version := 1; version <= 2; version++ {
				res, body := visit(t, newGuard(t, merlon.Strict()).Handler(h), version, "GET", "https://shop.example/")
				got := pageNonce.FindAllStringSubmatch(body, -1)
				issued := nonces(res)
				if len(got) != 2 || len(issued) != 2 || got[0][1] == "" || got[0][1] != issued[0] || got[1][1] != issued[0] {
					t.Errorf("HTTP/%d: the page has %q, the policy %q", version, got, issued)
				}
			}
		}
	}
	add("after 1 byte", "", false, false)
	add("after 5 KB", strings.Repeat("x", 5<<10), false, false)
	add("after 100 KB", strings.Repeat("x", 100<<10), false, false)
	add("after a Flush", "", true, false)
	add("after 100 KB and a Flush", strings.Repeat("x", 100<<10), true, false)
	add("inside TimeoutHandler", strings.Repeat("x", 100<<10), false, true)
	return out
}

// siteHeaders are what every answer of plainSite carries over HTTPS, whatever it is.
func siteHeaders() map[string]string {
	return map[string]string{
		"Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'", "Content-Security-Policy-Report-Only": "default-src 'none'",
		"X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
		"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin", "Origin-Agent-Cluster": "?1",
		"Strict-Transport-Security": "max-age=31536000", "X-Site": "shop",
	}
}

func plainSite(t testing.TB) *merlon.Guard {
	return newGuard(t, but(merlon.Strict(), func(c *merlon.Config) {
		c.CSP, c.Trial, c.Headers = "default-src 'self'", "default-src 'none'", map[string]string{"X-Site": "shop"}
	}))
}

func checkSiteHeaders(t *testing.T, how string, h http.Header) {
	t.Helper()
	for name, want := range siteHeaders() {
		if got := h.Values(name); !slices.Equal(got, []string{want}) {
			t.Errorf("%s: %s is %q, want %q once", how, name, got, want)
		}
	}
}

// An answer is one way in which Go programs answer. Each is tried behind Handler and behind Proxy with a real server, over
// HTTP/1.1 and HTTP/2.
type answer struct {
	name    string
	handler http.Handler
	request string // method and path
	sent    []string
	status  int
}

func (a answer) run(t *testing.T) {
	upstream := httptest.NewServer(a.handler)
	defer upstream.Close()
	target, err := url.Parse(upstream.URL)
	if err != nil {
		t.Fatal(err)
	}
	method, path, _ := strings.Cut(a.request, " ")
	for version := 1; version <= 2; version++ {
		for way, h := range map[string]http.Handler{"Handler": plainSite(t).Handler(a.handler), "Proxy": plainSite(t).Proxy(httputil.NewSingleHostReverseProxy(target))} {
			res, _ := visit(t, h, version, method, "https://shop.example"+path, func(r *http.Request) { eachPair(a.sent, r.Header.Add) })
			how := fmt.Sprintf("%s over HTTP/%d", way, version)
			if res.StatusCode != a.status {
				t.Errorf("%s: status %d, want %d", how, res.StatusCode, a.status)
			}
			checkSiteHeaders(t, how, res.Header)
		}
	}
}

func answers() []answer {
	do := func(f http.HandlerFunc) http.Handler { return f }
	mux := http.NewServeMux()
	mux.Handle("GET /sub/", text("x"))
	content := do(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"v1"`)
		http.ServeContent(w, r, "page.html", time.Time{}, strings.NewReader("<p>page</p>"))
	})
	late := http.TimeoutHandler(do(func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }), time.Millisecond, "late")
	return []answer{
		{"E9.137 nothing written", do(func(http.ResponseWriter, *http.Request) {}), "GET /", nil, 200},
		{"E9.137 flushed first", do(func(w http.ResponseWriter, r *http.Request) { w.(http.Flusher).Flush(); io.WriteString(w, "x") }), "GET /", nil, 200},
		{"E9.137 flushed by a controller", do(func(w http.ResponseWriter, r *http.Request) { http.NewResponseController(w).Flush() }), "GET /", nil, 200},
		{"E9.137 copied from a file", do(copyFile), "GET /", nil, 200},
		{"E9.139 TimeoutHandler", late, "GET /", nil, 503},
		{"E9.140 404", mux, "GET /other", nil, 404},
		{"E9.140 405", mux, "POST /sub/", nil, 405},
		{"E9.140 a trailing slash", mux, "GET /sub", nil, 307},
		{"E9.144 200", content, "GET /", nil, 200},
		{"E9.144 HEAD", content, "HEAD /", nil, 200},
		{"E9.144 206", content, "GET /", []string{"Range", "bytes=0-1"}, 206},
		{"E9.144 304", content, "GET /", []string{"If-None-Match", `"v1"`}, 304},
		{"E9.144 416", content, "GET /", []string{"Range", "bytes=99-"}, 416},
		{"E9.144 204", do(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(204) }), "DELETE /", nil, 204},
		{"E9.145 recovered inside", recovering(do(func(http.ResponseWriter, *http.Request) { panic("no") })), "GET /", nil, 500},
		{"E9.145 http.Error", do(func(w http.ResponseWriter, r *http.Request) { http.Error(w, "no", http.StatusBadGateway) }), "GET /", nil, 502},
	}
}

// copyFile answers with this file, from the disk to the socket.
func copyFile(w http.ResponseWriter, _ *http.Request) {
	f, err := os.Open("facts_test.go")
	if err == nil {
		defer f.Close()
		_, err = io.Copy(w, f)
	}
	if err != nil {
		panic(err)
	}
}

func recovering(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if recover() != nil {
				w.WriteHeader(500)
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// Two 103 before the answer: neither has a header of ours, and the answer has each once.
func earlyHints(t *testing.T) {
	hinting := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, link := range []string{"</a.css>; rel=preload", "</b.css>; rel=preload"} {
			w.Header().Set("Link", link)
			w.WriteHeader(http.StatusEarlyHints)
		}
		io.WriteString(w, "x")
	})
	upstream := httptest.NewServer(hinting)
	defer upstream.Close()
	target, err := url.Parse(upstream.URL)
	if err != nil {
		t.Fatal(err)
	}
	for version := 1; version <= 2; version++ {
		for way, h := range map[string]http.Handler{"Handler": plainSite(t).Handler(hinting), "Proxy": plainSite(t).Proxy(httputil.NewSingleHostReverseProxy(target))} {
			var mu sync.Mutex
			var hints []string
			trace := &httptrace.ClientTrace{Got1xxResponse: func(code int, header textproto.MIMEHeader) error {
				mu.Lock()
				defer mu.Unlock()
				hints = append(hints, fmt.Sprintf("%d %v %s", code, slices.Sorted(maps.Keys(header)), header.Get("Link")))
				return nil
			}}
			res, _ := visit(t, h, version, "GET", "https://shop.example/", func(r *http.Request) { *r = *r.WithContext(httptrace.WithClientTrace(r.Context(), trace)) })
			how := fmt.Sprintf("%s over HTTP/%d", way, version)
			checkSiteHeaders(t, how, res.Header)
			mu.Lock()
			if want := []string{"103 [Link] </a.css>; rel=preload", "103 [Link] </b.css>; rel=preload"}; !slices.Equal(hints, want) {
				t.Errorf("%s: informational responses %q, want %q", how, hints, want)
			}
			mu.Unlock()
		}
	}
}

func hijacked(t *testing.T) {
	res, body := visit(t, plainSite(t).Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, buf, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		buf.WriteString("HTTP/1.1 200 OK\r\nX-Mine: 1\r\nContent-Length: 1\r\n\r\nx")
		buf.Flush()
	})), 1, "GET", "https://shop.example/")
	if want := (http.Header{"X-Mine": {"1"}, "Content-Length": {"1"}}); !reflect.DeepEqual(res.Header, want) || body != "x" {
		t.Errorf("a hijacked connection answers %v %q", res.Header, body)
	}
}

// upgraded speaks through a proxy with a server that switches protocols, as WebSockets do.
func upgraded(t *testing.T) {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Upgrade", "websocket")
		w.Header().Set("Connection", "Upgrade")
		w.WriteHeader(http.StatusSwitchingProtocols)
		conn, buf, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		line, _ := buf.ReadString('\n')
		io.WriteString(conn, "heard "+line)
	}))
	defer upstream.Close()
	target, err := url.Parse(upstream.URL)
	if err != nil {
		t.Fatal(err)
	}
	front := httptest.NewServer(plainSite(t).Proxy(httputil.NewSingleHostReverseProxy(target)))
	defer front.Close()
	conn, err := net.Dial("tcp", front.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, "GET / HTTP/1.1\r\nHost: shop.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	in := bufio.NewReader(conn)
	res, err := http.ReadResponse(in, nil)
	if err != nil || res.StatusCode != 101 || res.Header.Get("Upgrade") != "websocket" {
		t.Fatalf("the upgrade gives %+v, %v", res, err)
	}
	for name := range siteHeaders() {
		if n := len(res.Header.Values(name)); n > 1 {
			t.Errorf("the 101 has %d lines of %s", n, name)
		}
	}
	io.WriteString(conn, "hello\n")
	if line, err := in.ReadString('\n'); line != "heard hello\n" {
		t.Errorf("behind the upgrade: %q, %v", line, err)
	}
}

func writersAbilities(t *testing.T) {
	for version := 1; version <= 2; version++ {
		var bare, guarded [4]bool
		var deadline, duplex error
		look := func(into *[4]bool) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				_, into[0] = w.(http.Flusher)
				_, into[1] = w.(http.Hijacker)
				_, into[2] = w.(io.ReaderFrom)
				_, into[3] = w.(io.StringWriter)
				control := http.NewResponseController(w)
				deadline = errors.Join(control.SetReadDeadline(time.Now().Add(time.Hour)), control.SetWriteDeadline(time.Now().Add(time.Hour)))
				duplex = control.EnableFullDuplex()
			}
		}
		visit(t, look(&bare), version, "GET", "https://shop.example/")
		visit(t, plainSite(t).Handler(look(&guarded)), version, "GET", "https://shop.example/")
		if bare != guarded {
			t.Errorf("HTTP/%d: Flusher, Hijacker, ReaderFrom, StringWriter are %v, want %v", version, guarded, bare)
		}
		if deadline != nil || duplex != nil {
			t.Errorf("HTTP/%d: deadlines %v, full duplex %v", version, deadline, duplex)
		}
	}
}

func lowerCase(t *testing.T) {
	for version := 1; version <= 2; version++ {
		res, _ := visit(t, plainSite(t).Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header()["x-frame-options"] = []string{"SAMEORIGIN"}
			w.Header()["REFERRER-policy"] = []string{"origin"}
			w.Header()["x-site"] = []string{"own"}
		})), version, "GET", "https://shop.example/")
		for name, want := range map[string]string{"X-Frame-Options": "SAMEORIGIN", "Referrer-Policy": "origin", "X-Site": "own", "Content-Security-Policy": "default-src 'self'; frame-ancestors 'self'"} {
			if got := res.Header.Values(name); !slices.Equal(got, []string{want}) {
				t.Errorf("HTTP/%d: %s is %q, want %q once", version, name, got, want)
			}
		}
	}
}

func takenOut(t *testing.T) {
	deleting := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name := range siteHeaders() {
			w.Header().Del(name)
			w.Header()[name] = nil
		}
	})
	g := plainSite(t)
	res, _ := visit(t, g.Handler(deleting), 1, "GET", "https://shop.example/")
	checkSiteHeaders(t, "deleted by the handler", res.Header)
	res, _ = visit(t, g.Handler(g.With("old embed", merlon.Without("Cross-Origin-Resource-Policy")).Handler(text("x"))), 1, "GET", "https://shop.example/")
	if _, there := res.Header["Cross-Origin-Resource-Policy"]; there {
		t.Errorf("taken out by the route: %v", res.Header)
	}
	mandatory := newGuard(t, merlon.Config{ReferrerPolicy: "no-referrer", Mandatory: []string{"Referrer-Policy"}})
	res, _ = visit(t, mandatory.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Referrer-Policy", "unsafe-url") })), 1, "GET", "https://shop.example/")
	if got := res.Header.Values("Referrer-Policy"); !slices.Equal(got, []string{"no-referrer"}) {
		t.Errorf("a mandatory header became %q", got)
	}
}

func oldHTTP(t *testing.T) {
	srv := httptest.NewServer(plainSite(t).Handler(text("x")))
	defer srv.Close()
	conn, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, "GET / HTTP/1.0\r\n\r\n")
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if got := res.Header.Values("X-Frame-Options"); res.StatusCode != 200 || !slices.Equal(got, []string{"DENY"}) || len(res.Header.Values("Content-Security-Policy")) != 1 {
		t.Errorf("HTTP/1.0 without a Host gives %s %v", res.Status, res.Header)
	}
}

// Outside the Guard a recover finds a response that the Guard has not begun, so that its page goes out bare: it belongs inside.
func panics(t *testing.T) {
	failing := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("no") })
	res, _ := visit(t, plainSite(t).Handler(recovering(failing)), 2, "GET", "https://shop.example/")
	checkSiteHeaders(t, "recovered inside", res.Header)
	res, _ = visit(t, recovering(plainSite(t).Handler(failing)), 2, "GET", "https://shop.example/")
	if res.StatusCode != 500 || res.Header.Get("X-Site") != "" {
		t.Errorf("recovered outside: %d %v", res.StatusCode, res.Header)
	}
}

// Every fact is accounted for exactly once: by cases of this file, by another test, or as a difference.
func TestFactsAreAccountedFor(t *testing.T) {
	here := map[int]bool{}
	number := regexp.MustCompile(`^E[1-9]\.(\d+) `)
	for _, name := range factNames() {
		n, err := strconv.Atoi(number.FindStringSubmatch(name + " ")[1])
		if err != nil {
			t.Fatal(err)
		}
		here[n] = true
	}
	tests, headings := testsAndHeadings(t)
	elsewhere := factsElsewhere()
	for n := 1; n <= 146; n++ {
		where, listed := elsewhere[n]
		switch exists := n > 135 || n%2 == 1; {
		case !exists && (here[n] || listed):
			t.Errorf("there is no fact %d", n)
		case exists && here[n] == listed:
			t.Errorf("fact %d: cases here %v, elsewhere %q", n, here[n], where)
		case listed && !slices.Contains(tests, where) && !slices.Contains(headings, where):
			t.Errorf("fact %d: neither a test nor a heading of docs/differences.md is called %q", n, where)
		}
	}
}

func factNames() []string {
	var out []string
	for _, x := range slices.Concat(hstsFacts(), redirectFacts(), framingFacts(), headerFacts(), policyFacts(), responseFacts(), nonceExchanges(), cookieFacts()) {
		out = append(out, x.name)
	}
	for _, x := range refusals() {
		out = append(out, x.name)
	}
	return slices.AppendSeq(out, maps.Keys(otherFacts()))
}

func testsAndHeadings(t *testing.T) (tests, headings []string) {
	t.Helper()
	find := func(file, pattern, prefix string) (out []string) {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(string(data), -1) {
			out = append(out, prefix+m[1])
		}
		return out
	}
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		tests = append(tests, find(file, `(?m)^func (Test\w+)\(`, "")...)
	}
	return tests, find("docs/differences.md", `(?m)^## (.+)$`, "# ")
}
