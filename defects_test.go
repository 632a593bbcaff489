package merlon_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/merlon-sec/merlon"
	"github.com/merlon-sec/merlon/csp"
)

// Defects that were found in other libraries, and that merlon is to have none of. Each has a number, and the name of the
// library that has it.
func TestDefectsOfThePeers(t *testing.T) {
	for name, check := range peersDefects() {
		t.Run(name, check)
	}
}

func peersDefects() map[string]func(*testing.T) {
	return map[string]func(*testing.T){
		"unrolled/secure 1: a nonce in one of the two policies garbles the other":  nonceInOnePolicy,
		"unrolled/secure 2: a percent sign is read as a format":                    percentSigns,
		"unrolled/secure 3: expressions for hosts are not anchored":                hostsAreAnchored,
		"unrolled/secure 4: a host with a port is refused":                         hostWithPort,
		"unrolled/secure 5: a wrong host counts as a fault of the server":          wrongHost,
		"unrolled/secure 6: redirects keep the plain port":                         redirectPorts,
		"unrolled/secure 7: redirects lose POST":                                   redirectKeepsMethod,
		"unrolled/secure 8: redirects lead where Host says":                        hostPoisoning,
		"unrolled/secure 9: the request's URL is rewritten":                        requestStaysAsItWas,
		"unrolled/secure 10: lists of schemes loop, and anybody is believed":       schemeLists,
		"unrolled/secure 11: https in the request line counts as TLS":              absoluteForm,
		"unrolled/secure 12: development still redirects":                          developmentDoesNotRedirect,
		"unrolled/secure 13: nothing is checked":                                   everythingIsChecked,
		"unrolled/secure 14: its own answers are bare, and lines are joined":       ownAnswersAndLines,
		"gin-contrib/secure 15: preload replaces includeSubDomains":                preloadAndSubdomains,
		"gin-contrib/secure 16: responses share slices, and development is bare":   nothingIsShared,
		"go-safeweb 17: the redirect has no host":                                  redirectHasAHost,
		"go-safeweb 18: a negative age fails each request":                         negativeAge,
		"go-safeweb 19: ALLOWALL is no value":                                      allowAll,
		"go-safeweb 20: hosts by case and port, and only the old Report-To":        hostCaseAndEndpoints,
		"Flask-Talisman 21: X-Forwarded-Proto is believed from anyone":             schemeLists,
		"Flask-Talisman 22: POST becomes GET, and Host decides":                    redirectKeepsMethod,
		"Flask-Talisman 23: what the view set is overwritten":                      viewsValuesStay,
		"Flask-Talisman 24: None is sent as text":                                  noneIsNotSent,
		"Flask-Talisman 25: defaults are written into the caller's data":           configIsReusable,
		"Flask-Talisman 26: the nonce is dropped, or stands beside 'none'":         nonceInAbsentDirective,
		"Flask-Talisman 27: a host called report-uri turns reports off":            hostCalledReportURI,
		"Flask-Talisman 28: empty directives, and values that inject":              separatorsInValues,
		"django-csp 29: a sample sticks to its route":                              samplesDoNotStick,
		"django-csp 30: bytes differ from process to process":                      bytesOfProcesses,
		"django-csp 31: an update leaves 'none'":                                   updateOfNone,
		"django-csp 32: an unused nonce leaves a bare directive":                   unusedNonce,
		"django-csp 33: unknown directives vanish":                                 unknownDirectives,
		"TypeError/secure 34: a second directive is ignored":                       secondDirective,
		"TypeError/secure 35: HSTS that contradicts itself":                        contradictoryHSTS,
		"TypeError/secure 36: origins without quotes in Permissions-Policy":        permissionsQuotes,
		"TypeError/secure 37: CRLF, headers in two cases, Server left empty":       rawHeaders,
		"secure_headers 38: long hashes are broken over lines":                     longHashes,
		"secure_headers 39: a cookie named secure is thought flagged":              cookieNamedSecure,
		"secure_headers 40: sources beside * are dropped, and https:// is cut off": sourcesStay,
		"secure_headers 41: injected directives become sources":                    separatorsInValues,
		"secure_headers 42: cookies and HSTS see two schemes":                      oneSenseOfScheme,
		"secure_headers 43: its API example is refused, and order decides":         orderOfChanges,
		"helmet 44: white space and other text fail each request":                  textThatNoHeaderHas,
		"helmet 45: only the first word of a value is looked at":                   eachWord,
		"helmet 46: upgrades on localhost, and error pages are bare":               localhostAndErrors,
		"caddy 47: headers double with each informational response":                informationalResponses,
		"caddy 48: copies, controllers and silence pass by":                        waysToAnswer,
		"caddy 49: one header that is there turns off the other defaults":          defaultsAreApart,
		"caddy 50: several values are joined":                                      linesStayLines,
	}
}

func TestDefectsAreAccountedFor(t *testing.T) {
	number := regexp.MustCompile(` (\d+): `)
	var got []int
	for name := range peersDefects() {
		n, err := strconv.Atoi(number.FindStringSubmatch(name)[1])
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, n)
	}
	slices.Sort(got)
	for i, n := range got {
		if n != i+1 || len(got) != 50 {
			t.Fatalf("the defects are %v, want 1 to 50", got)
		}
	}
}

const shop = "https://shop.example/"

func policy(t *testing.T, c merlon.Config, edit ...func(*http.Request)) string {
	t.Helper()
	return strings.Join(ask(newGuard(t, c).Handler(text("x")), "GET", shop, edit...).Header["Content-Security-Policy"], " AND ")
}

func nonceInOnePolicy(t *testing.T) {
	for _, c := range []merlon.Config{{CSP: "script-src 'nonce'", Trial: "default-src 'self'"}, {CSP: "default-src 'self'", Trial: "script-src 'nonce'"}} {
		h := ask(newGuard(t, c).Handler(text("x")), "GET", shop).Header
		got := []string{h.Get("Content-Security-Policy"), h.Get("Content-Security-Policy-Report-Only")}
		want := []string{c.CSP + "; frame-ancestors 'none'", c.Trial}
		if !slices.Equal([]string{stripNonces(got[0]), stripNonces(got[1])}, want) {
			t.Errorf("sends %q, want %q", got, want)
		}
	}
}

func percentSigns(t *testing.T) {
	c := merlon.Config{CSP: "script-src 'nonce' https://a.example/100%25/%s", Reports: "/csp?x=%20y"}
	if got, want := stripNonces(policy(t, c)), c.CSP+"; frame-ancestors 'none'; report-uri /csp?x=%20y&d=e"; got != want {
		t.Errorf("sends %q, want %q", got, want)
	}
}

func status(t *testing.T, c merlon.Config, target string, edit ...func(*http.Request)) int {
	t.Helper()
	return ask(newGuard(t, c).Handler(text("x")), "GET", target, edit...).StatusCode
}

func hostsAreAnchored(t *testing.T) {
	if _, err := merlon.New(merlon.Config{Hosts: []string{"example.com|foo.com"}}); err == nil {
		t.Error("New takes an expression for a host")
	}
	c := merlon.Config{Hosts: []string{"example.com", "*.foo.com"}}
	for host, want := range map[string]int{"example.com": 200, "a.foo.com": 200, "example.com.evil.net": 421, "evilfoo.com": 421, "foo.com": 421, "a.foo.com.evil.net": 421, "exampleXcom": 421, "aexample.com": 421} {
		if got := status(t, c, "https://"+host+"/"); got != want {
			t.Errorf("%s: %d, want %d", host, got, want)
		}
	}
}

func hostWithPort(t *testing.T) {
	for host, want := range map[string]int{"example.com:8080": 200, "EXAMPLE.com:443": 200, "example.com:": 200, "example.com:8080.evil.net": 421, "evil.net:80": 421} {
		got := status(t, merlon.Config{Hosts: []string{"example.com"}}, shop, func(r *http.Request) { r.Host = host })
		if got != want {
			t.Errorf("%s: %d, want %d", host, got, want)
		}
	}
}

func wrongHost(t *testing.T) {
	if got := status(t, merlon.Config{Hosts: []string{"example.com"}}, shop); got != http.StatusMisdirectedRequest {
		t.Errorf("a wrong host gives %d", got)
	}
}

func redirecting(hosts ...string) merlon.Config {
	return merlon.Config{Hosts: hosts, HTTPS: merlon.HTTPS{Redirect: true}}
}

func location(t *testing.T, c merlon.Config, method, target string, edit ...func(*http.Request)) string {
	t.Helper()
	res := ask(newGuard(t, c).Handler(text("x")), method, target, edit...)
	return fmt.Sprint(res.StatusCode, " ", res.Header.Get("Location"))
}

func redirectPorts(t *testing.T) {
	mapped := redirecting("example.com")
	mapped.HTTPS.Ports = map[string]int{"8080": 8443}
	for _, c := range []struct {
		config     merlon.Config
		host, want string
	}{
		{redirecting("example.com"), "example.com:80", "301 https://example.com/x"},
		{redirecting("example.com"), "example.com:8080", "301 https://example.com/x"},
		{mapped, "example.com:8080", "301 https://example.com:8443/x"},
	} {
		if got := location(t, c.config, "GET", "http://"+c.host+"/x"); got != c.want {
			t.Errorf("%s leads to %s, want %s", c.host, got, c.want)
		}
	}
}

// A POST through a real client arrives with its method and body.
func redirectKeepsMethod(t *testing.T) {
	var got string
	secure := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = r.Method + " " + r.URL.Path + " " + string(body)
	}))
	defer secure.Close()
	c := merlon.Config{HTTPS: merlon.HTTPS{Redirect: true, Host: secure.Listener.Addr().String()}}
	plain := httptest.NewServer(newGuard(t, c).Handler(text("x")))
	defer plain.Close()
	res, err := secure.Client().Post(plain.URL+"/order", "text/plain", strings.NewReader("two"))
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if got != "POST /order two" {
		t.Errorf("behind the redirect arrives %q", got)
	}
}

func hostPoisoning(t *testing.T) {
	if _, err := merlon.New(merlon.Config{HTTPS: merlon.HTTPS{Redirect: true}}); err == nil {
		t.Error("New takes a redirect to whatever host a request names")
	}
	fixed := merlon.Config{HTTPS: merlon.HTTPS{Redirect: true, Host: "example.com"}}
	proxied := redirecting("example.com")
	proxied.HTTPS.Proxies = merlon.Proxies{CIDR: []string{"10.0.0.0/8"}, HostHeader: "X-Forwarded-Host"}
	for _, c := range []struct {
		name   string
		config merlon.Config
		want   string
		edit   func(*http.Request)
	}{
		{"Host", redirecting("example.com"), "421 ", func(r *http.Request) { r.Host = "evil.com" }},
		{"Host, one target", fixed, "301 https://example.com/x", func(r *http.Request) { r.Host = "evil.com" }},
		{"a path in Host", redirecting("example.com"), "421 ", func(r *http.Request) { r.Host = "evil.com/example.com" }},
		{"a user in Host", redirecting("example.com"), "421 ", func(r *http.Request) { r.Host = "example.com@evil.com" }},
		{"a backslash in Host", redirecting("*.example.com"), "421 ", func(r *http.Request) { r.Host = `evil.com\.example.com` }},
		{"X-Forwarded-Host of a stranger", proxied, "301 https://example.com/x", from("192.0.2.1:1", "X-Forwarded-Host", "evil.com")},
		{"X-Forwarded-Host with a path", proxied, "421 ", from("10.0.0.1:1", "X-Forwarded-Host", "evil.com/path?")},
		{"the path", redirecting("example.com"), "301 https://example.com//evil.com/x", func(r *http.Request) { r.RequestURI = "//evil.com/x" }},
	} {
		if got := location(t, c.config, "GET", "http://example.com/x", c.edit); got != c.want {
			t.Errorf("%s leads to %q, want %q", c.name, got, c.want)
		}
	}
}

func requestStaysAsItWas(t *testing.T) {
	for _, c := range []merlon.Config{redirecting("shop.example"), {Hosts: []string{"other.example"}}, merlon.Strict()} {
		r := httptest.NewRequest("GET", "http://shop.example/a%2fb?c", nil)
		address, host, header := *r.URL, r.Host, r.Header.Clone()
		newGuard(t, c).Handler(text("x")).ServeHTTP(httptest.NewRecorder(), r)
		if *r.URL != address || r.Host != host || !reflect.DeepEqual(r.Header, header) {
			t.Errorf("the request became %v %s %v", r.URL, r.Host, r.Header)
		}
	}
}

func schemeLists(t *testing.T) {
	c := redirecting("shop.example")
	c.HTTPS.Proxies.CIDR = []string{"10.0.0.0/8"}
	for proto, want := range map[string][2]int{ // of a proxy, of a stranger
		"https": {200, 301}, "HTTPS": {200, 301}, "https,https": {200, 301}, "http, https": {200, 301}, "https, http": {301, 301}, "": {301, 301}, "https ": {200, 301}, "xhttps": {301, 301},
	} {
		for i, peer := range []string{"10.0.0.1:1", "192.0.2.1:1"} {
			res := ask(newGuard(t, c).Handler(text("x")), "GET", "http://shop.example/", from(peer, "X-Forwarded-Proto", proto))
			if res.StatusCode != want[i] || (res.Header.Get("Strict-Transport-Security") != "") != (want[i] == 200) {
				t.Errorf("%q from %s: %d %v, want %d", proto, peer, res.StatusCode, res.Header, want[i])
			}
		}
	}
}

// raw sends a request as it is to a real server, and reads the answer.
func raw(t *testing.T, h http.Handler, request string) *http.Response {
	t.Helper()
	srv := httptest.NewServer(h)
	defer srv.Close()
	conn, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, request+" HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n")
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	return res
}

func absoluteForm(t *testing.T) {
	res := raw(t, newGuard(t, merlon.Strict()).Handler(text("x")), "GET https://shop.example/x")
	if got := res.Header.Get("Strict-Transport-Security"); res.StatusCode != 200 || got != "" {
		t.Errorf("plain HTTP with https in its request line has HSTS %q", got)
	}
	res = raw(t, newGuard(t, redirecting("shop.example")).Handler(text("x")), "GET https://shop.example/x")
	if got := res.Header.Get("Location"); res.StatusCode != 301 || got != "https://shop.example/x" {
		t.Errorf("it is answered by %s %q", res.Status, got)
	}
}

func developmentDoesNotRedirect(t *testing.T) {
	c := but(merlon.Strict(), func(c *merlon.Config) { c.HTTPS.Redirect, c.HTTPS.Host = true, "shop.example" })
	if got := status(t, c.Dev(), "http://localhost:8080/"); got != 200 {
		t.Errorf("in development localhost gives %d", got)
	}
}

func refused(t *testing.T, configs map[string]merlon.Config) {
	t.Helper()
	for name, c := range configs {
		if _, err := merlon.New(c); err == nil {
			t.Errorf("New takes %s", name)
		}
	}
}

func everythingIsChecked(t *testing.T) {
	refused(t, map[string]merlon.Config{
		"a negative age":               {HTTPS: merlon.HTTPS{HSTS: "-5s"}},
		"preload without subdomains":   {HTTPS: merlon.HTTPS{HSTS: "365d", Preload: true, Redirect: true, Host: "a.example"}},
		"preload without a redirect":   {HTTPS: merlon.HTTPS{HSTS: "365d", IncludeSubDomains: true, Preload: true}},
		"preload for a short time":     {HTTPS: merlon.HTTPS{HSTS: "30d", IncludeSubDomains: true, Preload: true, Redirect: true, Host: "a.example"}},
		"a line end in a value":        {ReferrerPolicy: "origin\r\nX: y"},
		"a line end in another header": {Headers: map[string]string{"X-A": "a\nb"}},
	})
	h := newGuard(t, merlon.Strict()).Handler(text("x"))
	for _, host := range []string{"127.0.0.1", "127.0.0.1:8443", "[::1]", "localhost", "a.localhost:8443"} {
		if got := ask(h, "GET", "https://"+host+"/").Header.Get("Strict-Transport-Security"); got != "" {
			t.Errorf("%s has HSTS %q", host, got)
		}
	}
}

func ownAnswersAndLines(t *testing.T) {
	for name, c := range map[string]merlon.Config{"redirect": redirecting("shop.example"), "421": {Hosts: []string{"other.example"}}} {
		h := ask(newGuard(t, c).Handler(text("x")), "GET", "http://shop.example/").Header
		if h.Get("X-Frame-Options") != "DENY" || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Content-Security-Policy") == "" {
			t.Errorf("its own %s goes out with %v", name, h)
		}
	}
	if got := policy(t, policyOf("sandbox allow-forms allow-scripts")); !strings.HasPrefix(got, "sandbox allow-forms allow-scripts;") {
		t.Errorf("sandbox became %q", got)
	}
	lines := []string{"a.example", "b.example"}
	upstream := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Header()["X-Site"] = slices.Clone(lines) })
	c := merlon.Config{Headers: map[string]string{"X-Site": "shop"}}
	if got := ask(newGuard(t, c).Proxy(upstream), "GET", shop).Header["X-Site"]; !slices.Equal(got, lines) {
		t.Errorf("another server's lines became %q", got)
	}
}

func preloadAndSubdomains(t *testing.T) {
	c := merlon.Config{HTTPS: merlon.HTTPS{HSTS: "365d", IncludeSubDomains: true, Preload: true, Redirect: true, Host: "shop.example"}}
	if got := ask(newGuard(t, c).Handler(text("x")), "GET", shop).Header.Get("Strict-Transport-Security"); got != "max-age=31536000; includeSubDomains; preload" {
		t.Errorf("HSTS is %q", got)
	}
}

// The handler writes over, appends to and sorts every value, in many responses at once.
func nothingIsShared(t *testing.T) {
	c := but(merlon.Strict(), func(c *merlon.Config) {
		c.Headers, c.Cookies.Secure = map[string]string{"X-A": "1"}, true
	})
	h := newGuard(t, c).Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Set-Cookie", "a=b")
		w.WriteHeader(200)
		for name, values := range w.Header() {
			values[0] = "corrupt"
			w.Header()[name] = append(values[:0], "corrupt", "more")
		}
	}))
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			h := ask(h, "GET", shop).Header // a recorder keeps what was there when the response began
			if h.Get("X-Frame-Options") != "DENY" || h.Get("X-A") != "1" || h.Get("Set-Cookie") != "a=b; Secure" || len(h["Content-Security-Policy"]) != 1 {
				t.Errorf("sends %v", h)
			}
		})
	}
	wg.Wait()
	if got := ask(newGuard(t, merlon.Strict().Dev()).Handler(text("x")), "GET", "http://localhost/").Header; got.Get("X-Frame-Options") != "DENY" ||
		got.Get("Content-Security-Policy") == "" || got.Get("Strict-Transport-Security") != "" {
		t.Errorf("development sends %v", got)
	}
}

func redirectHasAHost(t *testing.T) {
	res := raw(t, newGuard(t, redirecting("shop.example")).Handler(text("x")), "GET /x?y=1")
	if got := res.Header.Get("Location"); got != "https://shop.example/x?y=1" {
		t.Errorf("a real request leads to %q", got)
	}
}

func negativeAge(t *testing.T) {
	refused(t, map[string]merlon.Config{"a negative age": {HTTPS: merlon.HTTPS{HSTS: "-1h"}}, "no age": {HTTPS: merlon.HTTPS{HSTS: "0s"}}, "a long age": {HTTPS: merlon.HTTPS{HSTS: "99999999d"}}})
	c := merlon.Config{HTTPS: merlon.HTTPS{Proxies: merlon.Proxies{CIDR: []string{"10.0.0.0/8"}}}}
	if got := ask(newGuard(t, c).Handler(text("x")), "GET", "http://shop.example/", from("10.0.0.1:1")).Header.Get("Strict-Transport-Security"); got != "" {
		t.Errorf("behind a proxy that says nothing there is HSTS %q", got)
	}
}

// own answers with these headers.
func own(pairs ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { eachPair(pairs, w.Header().Add) })
}

func allowAll(t *testing.T) {
	h := ask(newGuard(t, merlon.Config{Frame: merlon.Frame{"off"}, CSP: "off"}).Handler(text("x")), "GET", shop).Header
	if h["X-Frame-Options"] != nil || h["Content-Security-Policy"] != nil {
		t.Errorf("framing by everybody sends %v", h)
	}
	h = ask(newGuard(t, merlon.Config{}).Handler(own("X-Frame-Options", "ALLOWALL")), "GET", shop).Header
	if got := h.Values("X-Frame-Options"); !slices.Equal(got, []string{"DENY"}) {
		t.Errorf("the handler's ALLOWALL becomes %q", got)
	}
}

func hostCaseAndEndpoints(t *testing.T) {
	c := merlon.Config{Hosts: []string{"Shop.Example"}, Endpoints: map[string]string{"default": "https://r.example/r"}}
	for _, host := range []string{"shop.example", "SHOP.EXAMPLE:8443", "shop.example."} {
		res := ask(newGuard(t, c).Handler(text("x")), "GET", "https://"+host+"/")
		if res.StatusCode != 200 || res.Header.Get("Reporting-Endpoints") != `default="https://r.example/r"` {
			t.Errorf("%s: %d %v", host, res.StatusCode, res.Header)
		}
	}
}

func viewsValuesStay(t *testing.T) {
	pairs := []string{"Referrer-Policy", "unsafe-url", "Permissions-Policy", "usb=*", "Strict-Transport-Security", "max-age=7", "Cross-Origin-Opener-Policy", "unsafe-none",
		"X-Frame-Options", "SAMEORIGIN", "Content-Security-Policy-Report-Only", "img-src 'self'"}
	h := ask(newGuard(t, merlon.Strict()).Handler(own(pairs...)), "GET", shop).Header
	eachPair(pairs, func(name, want string) {
		if got := h.Values(name); !slices.Equal(got, []string{want}) {
			t.Errorf("%s became %q, want %q", name, got, want)
		}
	})
}

func noneIsNotSent(t *testing.T) {
	if got := ask(newGuard(t, merlon.Config{ReferrerPolicy: merlon.Remove}).Handler(text("x")), "GET", shop).Header["Referrer-Policy"]; got != nil {
		t.Errorf("taken out it is %q", got)
	}
	refused(t, map[string]merlon.Config{"None": {ReferrerPolicy: "None"}})
}

// One Config makes many Guards at the same time, and stays what it was.
func configIsReusable(t *testing.T) {
	c := merlon.Config{Headers: map[string]string{"x-a": "1"}, Endpoints: map[string]string{"default": "/r"}, Frame: merlon.Frame{"HTTPS://Partner.Example"}, Hosts: []string{"Shop.Example"},
		HTTPS:  merlon.HTTPS{Ports: map[string]int{"8080": 8443}, Redirect: true, Proxies: merlon.Proxies{CIDR: []string{"10.0.0.0/8"}}},
		Routes: []merlon.RouteConfig{{Match: "/x", Reason: "x", Frame: merlon.Frame{"https://A.example"}, Headers: map[string]string{"x-b": "2"}}}}
	before := fmt.Sprintf("%+v", c)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			g := newGuard(t, c)
			g.With("y", merlon.Header("X-A", "2"), merlon.Allow("img-src https://y.example"))
			if got := ask(g.Handler(text("x")), "GET", shop).Header.Get("X-A"); got != "1" {
				t.Errorf("X-A is %q", got)
			}
		})
	}
	wg.Wait()
	if after := fmt.Sprintf("%+v", c); after != before {
		t.Errorf("the Config became\n%s, it was\n%s", after, before)
	}
	c.CSP = "img-src 'self'" // a later change counts in the next Guard, and only there
	if got := policy(t, c); !strings.HasPrefix(got, "img-src 'self';") {
		t.Errorf("the next Guard sends %q", got)
	}
}

func nonceInAbsentDirective(t *testing.T) {
	g := newGuard(t, policyOf("default-src 'self'; style-src 'none'"))
	h := g.Handler(g.With("own scripts", merlon.Allow("script-src 'nonce'; style-src 'nonce'")).Handler(text("x")))
	want := "default-src 'self'; style-src 'nonce'; script-src 'self' 'nonce'; frame-ancestors 'none'"
	if got := stripNonces(ask(h, "GET", shop).Header.Get("Content-Security-Policy")); got != want {
		t.Errorf("sends %q, want %q", got, want)
	}
	refused(t, map[string]merlon.Config{"a nonce beside 'none'": policyOf("script-src 'none' 'nonce'"), "a nonce for images": policyOf("img-src 'nonce'")})
}

func hostCalledReportURI(t *testing.T) {
	c := merlon.Config{CSP: "img-src report-uri.example report-to", Reports: "/r"}
	if got := policy(t, c); got != c.CSP+"; frame-ancestors 'none'; report-uri /r?d=e" {
		t.Errorf("sends %q", got)
	}
}

func separatorsInValues(t *testing.T) {
	if got := policy(t, policyOf(" default-src 'self' ; ; img-src *; ")); got != "default-src 'self'; img-src *; frame-ancestors 'none'" {
		t.Errorf("sends %q", got)
	}
	g := newGuard(t, policyOf("default-src 'self'"))
	for _, ch := range []merlon.Change{merlon.Allow("img-src a.example,script-src *"), merlon.Allow("img-src google.com;script-src"), merlon.Allow("img-src a.example\r\nX: y"),
		merlon.FrameBy("https://a.example; script-src *"), merlon.FrameBy("https://a.example,https://b.example"), merlon.FrameBy("https://a.example https://b.example")} {
		if _, err := g.NewRoute("x", ch); err == nil {
			t.Errorf("NewRoute takes %+v", ch)
		}
	}
	for _, source := range []string{"google.com;script-src *", "a.example,b.example", "a.example b.example", "a.example\nb.example", ""} {
		if p, err := new(csp.Builder).Set("img-src", source).Policy(); err == nil {
			t.Errorf("the builder makes %q of the source %q", p, source)
		}
	}
	h := ask(newGuard(t, merlon.Strict()).Handler(text("x")), "GET", shop).Header
	for name, values := range h {
		if got := strings.Contains(strings.Join(values, ""), "nonce-"); got != (name == "Content-Security-Policy") {
			t.Errorf("%s is %q", name, values)
		}
	}
}

func samplesDoNotStick(t *testing.T) {
	c := merlon.Config{CSP: "default-src 'self'", Trial: "off", Reports: "/r", ReportSample: "50%"}
	g := newGuard(t, c)
	h := g.Handler(g.With("x", merlon.Set("img-src *")).Handler(text("x")))
	const want = "default-src 'self'; img-src *; frame-ancestors 'none'"
	reported, last := 0, 0
	for i := range 1000 {
		switch got := ask(h, "GET", shop).Header.Get("Content-Security-Policy"); got {
		case want + "; report-uri /r?d=e":
			reported, last = reported+1, i
		case want:
		default:
			t.Fatalf("sends %q", got)
		}
	}
	if reported < 400 || reported > 600 || last < 900 { // 400 is more than 6 standard deviations away
		t.Errorf("%d of 1000 report, the last one is %d", reported, last)
	}
}

// bytesOfProcesses runs this test in processes of its own, where maps have another order.
func bytesOfProcesses(t *testing.T) {
	if os.Getenv("MERLON_TEST_PRINT") != "" {
		c := but(merlon.Strict(), func(c *merlon.Config) {
			c.CSP, c.Trial = "default-src 'self'; img-src a.example b.example c.example", "off"
			c.Headers = map[string]string{"X-A": "1", "X-B": "2", "X-C": "3"}
			c.Endpoints = map[string]string{"a": "/a", "b": "/b", "c": "/c", "network-errors": "https://r.example/"}
			c.NetworkErrors, c.ReportTo, c.Reports = "1d", "b", "/r"
		})
		fmt.Print("<<<")
		ask(newGuard(t, c).Handler(text("x")), "GET", shop).Header.Write(os.Stdout)
		fmt.Print(">>>")
		return
	}
	var first string
	for range 3 {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestDefectsOfThePeers$/^django-csp_30", "-test.count=1")
		cmd.Env = append(os.Environ(), "MERLON_TEST_PRINT=1", "GORACE=atexit_sleep_ms=0")
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s: %v\n%s", cmd, err, out)
		}
		_, rest, _ := bytes.Cut(out, []byte("<<<"))
		printed, _, ok := strings.Cut(string(rest), ">>>")
		if !ok || !strings.Contains(printed, "Nel: ") {
			t.Fatalf("a process printed %q", out)
		}
		if first == "" {
			first = printed
		}
		if printed != first {
			t.Errorf("one process sends\n%s, another\n%s", first, printed)
		}
	}
}

func updateOfNone(t *testing.T) {
	g := newGuard(t, policyOf("img-src 'none'; default-src 'none'"))
	h := g.Handler(g.With("cdn", merlon.Allow("img-src cdn.com; font-src cdn.com")).Handler(text("x")))
	if got := ask(h, "GET", shop).Header.Get("Content-Security-Policy"); got != "img-src cdn.com; default-src 'none'; font-src cdn.com; frame-ancestors 'none'" {
		t.Errorf("sends %q", got)
	}
}

func unusedNonce(t *testing.T) {
	c := policyOf("script-src 'nonce'; style-src 'self' 'nonce'")
	if got := policy(t, c); !strings.HasPrefix(stripNonces(got), "script-src 'nonce'; style-src 'self' 'nonce';") || got == stripNonces(got) {
		t.Errorf("a page that reads no nonce has %q", got)
	}
	got := ask(newGuard(t, c).Handler(own("Content-Type", "text/plain")), "GET", shop).Header.Get("Content-Security-Policy")
	if got != "script-src 'none'; style-src 'self'; frame-ancestors 'none'" {
		t.Errorf("what is no page has %q", got)
	}
}

func unknownDirectives(t *testing.T) {
	refused(t, map[string]merlon.Config{"a typo": policyOf("scirpt-src 'self'"), "an old name": policyOf("xhr-src 'self'"), "a comma": policyOf("img-src a.example, b.example")})
	if _, err := newGuard(t, merlon.Config{}).NewRoute("x", merlon.Set("default_src 'self'")); err == nil {
		t.Error("NewRoute takes a typo")
	}
}

func secondDirective(t *testing.T) {
	refused(t, map[string]merlon.Config{"a second script-src": policyOf("script-src 'self'; Script-Src cdn.example"), "camera twice": {PermissionsPolicy: "camera=(), camera=*"}})
	g := newGuard(t, policyOf("script-src 'self'"))
	for want, ch := range map[string]merlon.Change{"script-src 'self' cdn.example": merlon.Allow("script-src cdn.example"), "script-src cdn.example": merlon.Set("script-src cdn.example")} {
		if got := ask(g.Handler(g.With("cdn", ch).Handler(text("x"))), "GET", shop).Header.Get("Content-Security-Policy"); got != want+"; frame-ancestors 'none'" {
			t.Errorf("%+v sends %q", ch, got)
		}
	}
}

func contradictoryHSTS(t *testing.T) {
	refused(t, map[string]merlon.Config{
		"two ages": {HTTPS: merlon.HTTPS{HSTS: "1s; max-age=2"}}, "preload alone": {HTTPS: merlon.HTTPS{HSTS: "off", Preload: true}},
		"preload and withdraw": {HTTPS: merlon.HTTPS{HSTS: "withdraw", IncludeSubDomains: true, Preload: true, Redirect: true, Host: "a.example"}},
	})
}

func permissionsQuotes(t *testing.T) {
	refused(t, map[string]merlon.Config{"an origin without quotes": {PermissionsPolicy: "camera=(https://x.com)"}, "the old syntax": {PermissionsPolicy: "camera 'none'"}, "self in quotes": {PermissionsPolicy: `camera=("self")`}})
	const good = `camera=(self "https://x.com")`
	if got := ask(newGuard(t, merlon.Config{PermissionsPolicy: good}).Handler(text("x")), "GET", shop).Header.Get("Permissions-Policy"); got != good {
		t.Errorf("sends %q", got)
	}
}

func rawHeaders(t *testing.T) {
	refused(t, map[string]merlon.Config{"CRLF": {Headers: map[string]string{"X-A": "a\r\nX-B: b"}}, "CRLF in a name": {Headers: map[string]string{"X-A\r\nX-B": "b"}}, "two cases": {Headers: map[string]string{"X-A": "a", "x-a": "b"}}})
	c := merlon.Config{Headers: map[string]string{"Server": "off"}}
	if got, there := ask(newGuard(t, c).Handler(own("Server", "Apache/1.3")), "GET", shop).Header["Server"]; there {
		t.Errorf("Server is %q", got)
	}
}

func longHashes(t *testing.T) {
	for _, algorithm := range []string{"sha256", "sha384", "sha512"} {
		source := csp.HashOf(algorithm, strings.Repeat("alert(1)", 50))
		if strings.ContainsAny(source, "\r\n ") {
			t.Errorf("%s: the source %q is broken", algorithm, source)
		}
		if got := policy(t, policyOf("script-src "+source)); got != "script-src "+source+"; frame-ancestors 'none'" {
			t.Errorf("sends %q", got)
		}
	}
}

func cookieNamedSecure(t *testing.T) {
	c := merlon.Config{Cookies: merlon.Cookies{Secure: true, HTTPOnly: true}}
	for line, want := range map[string]string{
		"secure=1": "secure=1; Secure; HttpOnly", "httponly=1; Secure": "httponly=1; Secure; HttpOnly", "a=secure; httponly": "a=secure; httponly; Secure",
		"a=1; Expires=Wed, 21 Oct 2099 07:28:00 GMT": "a=1; Expires=Wed, 21 Oct 2099 07:28:00 GMT; Secure; HttpOnly", "a=x, secure; Path=/": "a=x, secure; Path=/; Secure; HttpOnly",
	} {
		if got := ask(newGuard(t, c).Handler(own("Set-Cookie", line)), "GET", shop).Header["Set-Cookie"]; !slices.Equal(got, []string{want}) {
			t.Errorf("%q became %q, want %q", line, got, want)
		}
	}
}

func sourcesStay(t *testing.T) {
	const text = "script-src * 'nonce' 'strict-dynamic' wss: custom: https://a.example:443/x; script-src-elem 'nonce' https://b.example; img-src * data:"
	if got := stripNonces(policy(t, policyOf(text))); got != text+"; frame-ancestors 'none'" {
		t.Errorf("sends %q, want %q", got, text)
	}
}

// HSTS, upgrades, cookies and redirects agree on the scheme, whatever a stranger says.
func oneSenseOfScheme(t *testing.T) {
	c := merlon.Config{CSP: "upgrade-insecure-requests", Cookies: merlon.Cookies{Secure: true}, HTTPS: merlon.HTTPS{Proxies: merlon.Proxies{CIDR: []string{"10.0.0.0/8"}}}}
	for _, peer := range []string{"10.0.0.1:1", "192.0.2.1:1"} {
		for _, proto := range []string{"https", "http", "https, http", "http, https"} {
			g := newGuard(t, c)
			r := httptest.NewRequest("GET", "http://shop.example/", nil)
			from(peer, "X-Forwarded-Proto", proto)(r)
			rec := httptest.NewRecorder()
			g.Handler(own("Set-Cookie", "a=b")).ServeHTTP(rec, r)
			h := rec.Result().Header
			got := []bool{h.Get("Strict-Transport-Security") != "", strings.Contains(h.Get("Content-Security-Policy"), "upgrade"), strings.Contains(h.Get("Set-Cookie"), "Secure"), g.Scheme(r) == "https"}
			if len(slices.Compact(got)) != 1 {
				t.Errorf("%q from %s: HSTS, upgrades, cookies and Scheme are at odds: %v", proto, peer, h)
			}
		}
	}
}

func orderOfChanges(t *testing.T) {
	newGuard(t, merlon.API())
	g := newGuard(t, policyOf("default-src 'self'"))
	a, b := merlon.Allow("img-src https://a.example"), merlon.Allow("img-src https://b.example; font-src https://b.example")
	list := func(changes ...merlon.Change) *csp.List {
		h := ask(g.Handler(g.With("x", changes...).Handler(text("x"))), "GET", shop).Header
		return csp.NewList(csp.Delivered{Value: h.Get("Content-Security-Policy")})
	}
	one, other := list(a, b), list(b, a)
	self := csp.ParseOrigin("https://shop.example")
	if csp.Contains(csp.Spec, self, one, other).Answer != csp.Yes || csp.Contains(csp.Spec, self, other, one).Answer != csp.Yes {
		t.Errorf("the order of two additions changes what is allowed")
	}
}

func textThatNoHeaderHas(t *testing.T) {
	for _, bad := range []string{"\r\n", "\x00", "\x7f", "é", "\u2028"} {
		refused(t, map[string]merlon.Config{
			fmt.Sprintf("%q in a policy", bad): policyOf("img-src a" + bad + ".example"), fmt.Sprintf("%q in Referrer-Policy", bad): {ReferrerPolicy: "origin" + bad},
			fmt.Sprintf("%q in Reports", bad): {Reports: "/r" + bad}, fmt.Sprintf("%q in Frame", bad): {Frame: merlon.Frame{"https://a" + bad + ".example"}},
			fmt.Sprintf("%q in Cache-Control", bad): {CacheControl: "private" + bad},
		})
	}
	// White space that separates is no mistake, and does not reach the wire.
	if got := policy(t, policyOf("default-src\t'self';\n  img-src *")); got != "default-src 'self'; img-src *; frame-ancestors 'none'" {
		t.Errorf("sends %q", got)
	}
}

func eachWord(t *testing.T) {
	refused(t, map[string]merlon.Config{"self behind a host": policyOf("script-src a.example self"), "'slef'": policyOf("script-src 'slef'"), "'self": policyOf("script-src 'self"), `"self"`: policyOf(`script-src "self"`)})
}

func localhostAndErrors(t *testing.T) {
	h := ask(newGuard(t, merlon.Strict()).Handler(text("x")), "GET", "http://localhost:8080/").Header
	if h.Get("Strict-Transport-Security") != "" || strings.Contains(h.Get("Content-Security-Policy"), "upgrade") {
		t.Errorf("localhost has %v", h)
	}
	failing := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.Error(w, "no", 500) })
	if h := ask(newGuard(t, merlon.Strict()).Handler(failing), "GET", shop).Header; !strings.Contains(h.Get("Content-Security-Policy"), "object-src 'none'") {
		t.Errorf("an error page has %v", h)
	}
}

func informationalResponses(t *testing.T) {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for range 3 {
			w.WriteHeader(http.StatusEarlyHints)
		}
		w.Header().Set("Content-Security-Policy", "img-src 'self'")
	}))
	defer upstream.Close()
	target, err := url.Parse(upstream.URL)
	if err != nil {
		t.Fatal(err)
	}
	res, _ := visit(t, newGuard(t, policyOf("default-src 'self'")).Proxy(httputil.NewSingleHostReverseProxy(target)), 1, "GET", shop)
	if got := res.Header["Content-Security-Policy"]; !slices.Equal(got, []string{"img-src 'self'", "default-src 'self'; frame-ancestors 'none'"}) {
		t.Errorf("sends %q", got)
	}
}

func waysToAnswer(t *testing.T) {
	for name, h := range map[string]http.HandlerFunc{
		"nothing": func(http.ResponseWriter, *http.Request) {}, "a copy": copyFile,
		"a controller": func(w http.ResponseWriter, r *http.Request) { http.NewResponseController(w).Flush() },
		"a string":     func(w http.ResponseWriter, r *http.Request) { w.(io.StringWriter).WriteString("x") },
	} {
		res, _ := visit(t, plainSite(t).Handler(h), 1, "GET", shop)
		checkSiteHeaders(t, name, res.Header)
	}
}

func defaultsAreApart(t *testing.T) {
	for name := range siteHeaders() {
		if strings.HasPrefix(name, "Content-Security-Policy") || name == "X-Frame-Options" {
			continue // these follow each other
		}
		h := ask(plainSite(t).Handler(own(name, "own")), "GET", shop).Header
		for other, want := range siteHeaders() {
			if other == name {
				want = "own"
			}
			if got := h.Values(other); !slices.Equal(got, []string{want}) {
				t.Errorf("beside the handler's %s, %s is %q, want %q", name, other, got, want)
			}
		}
	}
}

func linesStayLines(t *testing.T) {
	pairs := []string{"Set-Cookie", "a=1", "Set-Cookie", "b=2", "Content-Security-Policy", "img-src 'self'", "Content-Security-Policy", "frame-ancestors 'none'", "Referrer-Policy", "origin", "Referrer-Policy", "same-origin"}
	h := ask(newGuard(t, merlon.Strict()).Handler(own(pairs...)), "GET", shop).Header
	want := http.Header{}
	eachPair(pairs, want.Add)
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if got := h[name]; !slices.Equal(got, want[name]) {
			t.Errorf("%s became %q, want %q", name, got, want[name])
		}
	}
}
