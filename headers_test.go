package merlon_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon"
	"github.com/merlon-sec/merlon/cfgerrors"
)

// Each setting, the header that it makes over HTTPS, and a value that browsers would ignore.
func TestEachHeader(t *testing.T) {
	endpoints := map[string]string{"main": "/r", "default": "https://reports.example/r"}
	for _, c := range []struct {
		set        func(*merlon.Config, string)
		name, good string
		sent       string // what good becomes, where that is something else
		bad        string
	}{
		{func(c *merlon.Config, v string) { c.ContentTypeOptions = v }, "X-Content-Type-Options", "nosniff", "", "sniff"},
		{func(c *merlon.Config, v string) { c.ReferrerPolicy = v }, "Referrer-Policy", "no-referrer, strict-origin-when-cross-origin", "", "never"},
		{func(c *merlon.Config, v string) { c.PermissionsPolicy = v }, "Permissions-Policy", `camera=(), geolocation=(self "https://maps.example"), usb=*, fullscreen=self`, "", "camera=(https://x.example)"},
		{func(c *merlon.Config, v string) { c.OpenerPolicy = v }, "Cross-Origin-Opener-Policy", `same-origin; report-to="main"`, "", "same-site"},
		{func(c *merlon.Config, v string) { c.OpenerPolicyTrial = v }, "Cross-Origin-Opener-Policy-Report-Only", `same-origin; report-to="main"`, "", `same-origin; report-to="other"`},
		{func(c *merlon.Config, v string) { c.EmbedderPolicy = v }, "Cross-Origin-Embedder-Policy", "credentialless", "", "same-origin"},
		{func(c *merlon.Config, v string) { c.EmbedderPolicyTrial = v }, "Cross-Origin-Embedder-Policy-Report-Only", `require-corp; report-to="main"`, "", "require-corp; report-to=main"},
		{func(c *merlon.Config, v string) { c.ResourcePolicy = v }, "Cross-Origin-Resource-Policy", "same-site", "", "same"},
		{func(c *merlon.Config, v string) { c.OriginAgentCluster = v }, "Origin-Agent-Cluster", "?1", "", "1"},
		{func(c *merlon.Config, v string) { c.IntegrityPolicy = v }, "Integrity-Policy", "blocked-destinations=(script style), sources=(inline), endpoints=(main)", "", "blocked-destinations=(image)"},
		{func(c *merlon.Config, v string) { c.IntegrityPolicyTrial = v }, "Integrity-Policy-Report-Only", "blocked-destinations=(script)", "", "endpoints=(other), blocked-destinations=(script)"},
		{func(c *merlon.Config, v string) { c.DocumentPolicy = v }, "Document-Policy", "oversized-images=?0, document-write=?0", "", "document-write=?2"},
		{func(c *merlon.Config, v string) { c.XSSProtection = v }, "X-XSS-Protection", "0", "", "1; mode=block"},
		{func(c *merlon.Config, v string) { c.DNSPrefetchControl = v }, "X-DNS-Prefetch-Control", "deny", "off", "yes"},
		{func(c *merlon.Config, v string) { c.CrossDomainPolicies = v }, "X-Permitted-Cross-Domain-Policies", "none", "", "never"},
		{func(c *merlon.Config, v string) { c.CacheControl = v }, "Cache-Control", "private, max-age=60", "", "no-store\r\nX: y"},
		{func(c *merlon.Config, v string) { c.Headers = map[string]string{"X-Robots-Tag": v} }, "X-Robots-Tag", "noindex", "", "no\x00index"},
		{func(c *merlon.Config, v string) { c.Endpoints = map[string]string{"main": v} }, "Reporting-Endpoints", "/r", `main="/r"`, "ftp://x"},
		{func(c *merlon.Config, v string) { c.NetworkErrors = v }, "Nel", "1d", `{"report_to":"network-errors","max_age":86400}`, "soon"},
		{func(c *merlon.Config, v string) { c.NetworkErrors = v }, "Report-To", "1d",
			`{"group":"network-errors","max_age":86400,"endpoints":[{"url":"https://reports.example/r"}]}`, "-1d"},
	} {
		config := merlon.Off()
		if c.name != "Reporting-Endpoints" {
			config.Endpoints = endpoints
		}
		c.set(&config, c.good)
		header := ask(newGuard(t, config).Handler(text("x")), "GET", "https://shop.example/").Header
		want := c.good
		if c.sent != "" {
			want = c.sent
		}
		if got := header.Get(c.name); got != want {
			t.Errorf("%s: %q sends %q, want %q", c.name, c.good, got, want)
		}
		delete(header, c.name)
		for _, other := range []string{"Content-Type", "Reporting-Endpoints", "Nel", "Report-To"} {
			delete(header, other)
		}
		header.Del(c.name)
		if len(header) > 0 {
			t.Errorf("%s: the preset that sends nothing sends %v", c.name, header)
		}
		c.set(&config, c.bad)
		if _, err := merlon.New(config); err == nil {
			t.Errorf("%s: New takes %q", c.name, c.bad)
		}
		// The handler's own value is kept.
		c.set(&config, c.good)
		own := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Header().Set(c.name, "own") })
		if got := ask(newGuard(t, config).Handler(own), "GET", "https://shop.example/").Header.Values(c.name); !slices.Equal(got, []string{"own"}) {
			t.Errorf("%s: the handler's value became %q", c.name, got)
		}
	}
}

func TestOverHTTPSOnly(t *testing.T) {
	config := merlon.Strict()
	config.Endpoints, config.NetworkErrors = map[string]string{"default": "https://reports.example/r"}, "1d"
	config.Routes = []merlon.RouteConfig{{Match: "POST /logout", Headers: map[string]string{"Clear-Site-Data": "cookies, storage"}}}
	g := newGuard(t, config)
	for _, name := range []string{"Reporting-Endpoints", "Nel", "Report-To", "Clear-Site-Data"} {
		if got := ask(g.Handler(text("x")), "POST", "https://shop.example/logout").Header.Get(name); got == "" {
			t.Errorf("%s is missing over HTTPS", name)
		}
		if got := ask(g.Handler(text("x")), "POST", "http://shop.example/logout").Header.Get(name); got != "" {
			t.Errorf("%s goes out over plain HTTP: %s", name, got)
		}
	}
	if got := ask(g.Handler(text("x")), "GET", "https://shop.example/").Header.Get("Clear-Site-Data"); got != "" {
		t.Errorf("Clear-Site-Data of a route goes out elsewhere: %s", got)
	}
	if got := ask(g.Handler(text("x")), "POST", "https://shop.example/logout").Header.Get("Clear-Site-Data"); got != `"cookies", "storage"` {
		t.Errorf("Clear-Site-Data is %s", got)
	}
}

func TestRemovedAndMandatoryHeaders(t *testing.T) {
	config := merlon.Strict()
	config.Headers = map[string]string{"Server": "off", "x-powered-by": "off", "X-Site": "shop"}
	config.Mandatory = []string{"referrer-policy", "X-Site", "X-Frame-Options"}
	h := newGuard(t, config).Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, value := range map[string]string{"Server": "Apache/1.3", "X-Powered-By": "PHP/4", "X-Site": "other", "Referrer-Policy": "unsafe-url",
			"X-Frame-Options": "SAMEORIGIN", "Cross-Origin-Opener-Policy": "unsafe-none"} {
			w.Header().Set(name, value)
		}
	}))
	header := ask(h, "GET", "https://shop.example/").Header
	for name, want := range map[string]string{"Server": "", "X-Powered-By": "", "X-Site": "shop", "Referrer-Policy": "same-origin", "X-Frame-Options": "DENY",
		"Cross-Origin-Opener-Policy": "unsafe-none"} {
		if got := header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if _, there := header["Server"]; there {
		t.Error("Server is there without a value")
	}
}

// Browsers pass over X-Frame-Options beside frame-ancestors, so what is mandatory of framing goes out in both.
func TestMandatoryFraming(t *testing.T) {
	for _, c := range []struct {
		mandatory string
		want      []string
	}{
		{"X-Frame-Options", []string{"frame-ancestors *", "frame-ancestors 'none'"}},
		{"Content-Security-Policy", []string{"frame-ancestors *", "default-src 'self'; frame-ancestors 'none'"}},
		{"", []string{"frame-ancestors *"}},
	} {
		config := merlon.Config{CSP: "default-src 'self'", Trial: "off"}
		if c.mandatory != "" {
			config.Mandatory = []string{c.mandatory}
		}
		h := newGuard(t, config).Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Security-Policy", "frame-ancestors *")
		}))
		if got := ask(h, "GET", "https://shop.example/").Header["Content-Security-Policy"]; !slices.Equal(got, c.want) {
			t.Errorf("with %q mandatory: %q, want %q", c.mandatory, got, c.want)
		}
	}
}

// Reports of framing arrive by report-uri alone, so that report-to is in a policy of its own.
func TestReportTo(t *testing.T) {
	config := merlon.Config{CSP: "default-src 'self'", Trial: "img-src 'none'", Reports: "/r", Endpoints: map[string]string{"csp": "https://reports.example/r"}, ReportTo: "csp"}
	header := ask(newGuard(t, config).Handler(text("x")), "GET", "https://shop.example/").Header
	want := []string{"default-src 'self'; report-uri /r?d=e; report-to csp", "frame-ancestors 'none'; report-uri /r?d=e"}
	if got := header["Content-Security-Policy"]; !slices.Equal(got, want) {
		t.Errorf("policies %q, want %q", got, want)
	}
	if got := header.Get("Content-Security-Policy-Report-Only"); got != "img-src 'none'; report-uri /r?d=r; report-to csp" {
		t.Errorf("trial %q", got)
	}
	if got := header.Get("Reporting-Endpoints"); got != `csp="https://reports.example/r"` {
		t.Errorf("Reporting-Endpoints %q", got)
	}
	config.Reports = "off"
	header = ask(newGuard(t, config).Handler(text("x")), "GET", "https://shop.example/").Header
	if got := header["Content-Security-Policy"]; !slices.Equal(got, []string{"default-src 'self'; report-to csp", "frame-ancestors 'none'"}) {
		t.Errorf("without reports: %q", got)
	}
	config.ReportTo = "other"
	if _, err := merlon.New(config); err == nil {
		t.Error("New takes a report-to without an endpoint")
	}
}

func TestSampling(t *testing.T) {
	count := func(c merlon.Config) (reported, tried, private int) {
		g := newGuard(t, c)
		for range 2000 {
			header := ask(g.Handler(text("x")), "GET", "https://shop.example/").Header
			policy := header.Get("Content-Security-Policy")
			if strings.Contains(policy, "report-uri /r?d=e") {
				reported++
			}
			if header.Get("Content-Security-Policy-Report-Only") != "" {
				tried++
			}
			if strings.Contains(header.Get("Cache-Control"), "private") {
				private++
			}
			if !strings.HasPrefix(policy, "default-src 'self'; frame-ancestors 'none'") {
				t.Fatalf("the policy is %q", policy)
			}
		}
		return reported, tried, private
	}
	for _, c := range []struct {
		reports, trial   string
		reported, tried  [2]int
		private          int
		thoroughlyShared bool
	}{
		{"", "", [2]int{2000, 2000}, [2]int{2000, 2000}, 0, true},
		{"100%", "100%", [2]int{2000, 2000}, [2]int{2000, 2000}, 0, true},
		{"50%", "", [2]int{800, 1200}, [2]int{2000, 2000}, 2000, false},
		{"", "9.9%", [2]int{2000, 2000}, [2]int{100, 320}, 2000, false},
		{"0%", "off", [2]int{0, 0}, [2]int{0, 0}, 2000, false},
	} {
		reported, tried, private := count(merlon.Config{CSP: "default-src 'self'", Trial: "img-src 'none'", Reports: "/r", ReportSample: c.reports, TrialSample: c.trial})
		if reported < c.reported[0] || reported > c.reported[1] || tried < c.tried[0] || tried > c.tried[1] || private != c.private {
			t.Errorf("samples %q and %q of 2000: %d report, %d try, %d are private", c.reports, c.trial, reported, tried, private)
		}
	}
}

func TestSampledResponsesKeepAStricterCacheControl(t *testing.T) {
	config := merlon.API()
	config.Reports, config.ReportSample = "/r", "50%"
	if got := ask(newGuard(t, config).Handler(text("x")), "GET", "/").Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control is %q", got)
	}
	own := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Cache-Control", "public, max-age=5") })
	if got := ask(newGuard(t, config).Handler(own), "GET", "/").Header.Get("Cache-Control"); got != "private, max-age=5" {
		t.Errorf("the handler's Cache-Control becomes %q", got)
	}
}

func TestCookies(t *testing.T) {
	config := merlon.Strict()
	config.Cookies = merlon.Cookies{Secure: true, HTTPOnly: true, SameSite: "Lax", Except: []string{"theme"}}
	h := newGuard(t, config).Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Set-Cookie"] = []string{"secure=1; Expires=Wed, 21 Oct 2099 07:28:00 GMT", "sid=a,b; SameSite=Strict; httponly", "theme=dark"}
	}))
	for scheme, want := range map[string][]string{
		"https": {"secure=1; Expires=Wed, 21 Oct 2099 07:28:00 GMT; Secure; HttpOnly; SameSite=Lax", "sid=a,b; SameSite=Strict; httponly; Secure", "theme=dark"},
		"http":  {"secure=1; Expires=Wed, 21 Oct 2099 07:28:00 GMT; HttpOnly; SameSite=Lax", "sid=a,b; SameSite=Strict; httponly", "theme=dark"},
	} {
		if got := ask(h, "GET", scheme+"://shop.example/").Header["Set-Cookie"]; !slices.Equal(got, want) {
			t.Errorf("over %s: %q, want %q", scheme, got, want)
		}
	}
}

// Every field refuses what it cannot mean, with a code and its path.
func TestEveryFieldHasItsMistakes(t *testing.T) {
	edit := func(f func(*merlon.Config)) merlon.Config {
		c := merlon.Strict()
		f(&c)
		return c
	}
	for want, c := range map[string]merlon.Config{
		"report-sample invalid-value":              edit(func(c *merlon.Config) { c.ReportSample = "120%" }),
		"trial-sample invalid-value":               edit(func(c *merlon.Config) { c.TrialSample = "0.1" }),
		"report-to missing":                        edit(func(c *merlon.Config) { c.ReportTo = "x" }),
		"nel missing":                              edit(func(c *merlon.Config) { c.NetworkErrors = "1d" }),
		"nel invalid-value":                        edit(func(c *merlon.Config) { c.NetworkErrors = "x" }),
		"reporting-endpoints.Main syntax":          edit(func(c *merlon.Config) { c.Endpoints = map[string]string{"Main": "/r"} }),
		"reporting-endpoints.main missing":         edit(func(c *merlon.Config) { c.Endpoints = map[string]string{"main": ""} }),
		"reporting-endpoints.main invalid-value":   edit(func(c *merlon.Config) { c.Endpoints = map[string]string{"main": "http://x"} }),
		"headers.X Y syntax":                       edit(func(c *merlon.Config) { c.Headers = map[string]string{"X Y": "1"} }),
		"headers.x-a duplicate-key":                edit(func(c *merlon.Config) { c.Headers = map[string]string{"X-A": "1", "x-a": "2"} }),
		"headers.X-A missing":                      edit(func(c *merlon.Config) { c.Headers = map[string]string{"X-A": ""} }),
		"headers.X-A invalid-value":                edit(func(c *merlon.Config) { c.Headers = map[string]string{"X-A": "a\nb"} }),
		"headers.content-security-policy conflict": edit(func(c *merlon.Config) { c.Headers = map[string]string{"content-security-policy": "x"} }),
		"headers.referrer-policy conflict":         edit(func(c *merlon.Config) { c.Headers = map[string]string{"referrer-policy": "no-referrer"} }),
		"headers.Clear-Site-Data conflict":         edit(func(c *merlon.Config) { c.Headers = map[string]string{"Clear-Site-Data": `"cookies"`} }),
		"headers.Content-Length invalid-value":     edit(func(c *merlon.Config) { c.Headers = map[string]string{"Content-Length": "5"} }),
		"headers invalid-value":                    edit(func(c *merlon.Config) { c.Headers = manyHeaders() }),
		"mandatory[0] invalid-value":               edit(func(c *merlon.Config) { c.Mandatory = []string{"X-Other"} }),
		"cookies.same-site invalid-value":          edit(func(c *merlon.Config) { c.Cookies.SameSite = "lax" }),
		"cookies.same-site conflict":               edit(func(c *merlon.Config) { c.Cookies.SameSite = "None" }),
		"cookies.partitioned conflict":             edit(func(c *merlon.Config) { c.Cookies.Partitioned = true }),
		"cookies.except conflict": edit(func(c *merlon.Config) {
			c.Cookies = merlon.Cookies{Secure: true, Only: []string{"a"}, Except: []string{"b"}}
		}),
		"cookies.only missing":              edit(func(c *merlon.Config) { c.Cookies.Only = []string{"a"} }),
		"cookies.only[0] invalid-value":     edit(func(c *merlon.Config) { c.Cookies = merlon.Cookies{Secure: true, Only: []string{"a b"}} }),
		"https.hsts invalid-value":          edit(func(c *merlon.Config) { c.HTTPS.HSTS = "soon" }),
		"https.include-subdomains conflict": edit(func(c *merlon.Config) { c.HTTPS = merlon.HTTPS{HSTS: "off", IncludeSubDomains: true} }),
		"https.preload conflict":            edit(func(c *merlon.Config) { c.HTTPS.Preload = true }),
		"https.redirect missing":            edit(func(c *merlon.Config) { c.HTTPS.Redirect = true }),
		"https.host invalid-value":          edit(func(c *merlon.Config) { c.HTTPS.Redirect, c.HTTPS.Host = true, "https://x" }),
		"https.host conflict":               edit(func(c *merlon.Config) { c.HTTPS.Host = "shop.example" }),
		"https.temporary conflict":          edit(func(c *merlon.Config) { c.HTTPS.Temporary = true }),
		"https.ports conflict":              edit(func(c *merlon.Config) { c.HTTPS.Ports = map[string]int{"80": 443} }),
		"https.ports.x invalid-value": edit(func(c *merlon.Config) {
			c.HTTPS.Redirect, c.HTTPS.Host, c.HTTPS.Ports = true, "a.example", map[string]int{"x": 1}
		}),
		"https.exempt conflict": edit(func(c *merlon.Config) { c.HTTPS.Exempt = []string{"/x"} }),
		"https.exempt[0] syntax": edit(func(c *merlon.Config) {
			c.HTTPS.Redirect, c.HTTPS.Host, c.HTTPS.Exempt = true, "a.example", []string{"regexp:("}
		}),
		"https.proxies.cidr missing":          edit(func(c *merlon.Config) { c.HTTPS.Proxies.Header = "X-Scheme" }),
		"https.proxies.cidr[0] invalid-value": edit(func(c *merlon.Config) { c.HTTPS.Proxies.CIDR = []string{"0.0.0.0/0"} }),
		"https.proxies.hops invalid-value":    edit(func(c *merlon.Config) { c.HTTPS.Proxies = merlon.Proxies{CIDR: []string{"unix"}, Hops: -1} }),
		"https.proxies.header syntax":         edit(func(c *merlon.Config) { c.HTTPS.Proxies = merlon.Proxies{CIDR: []string{"unix"}, Header: "X Y"} }),
		"https.proxies.host-header syntax":    edit(func(c *merlon.Config) { c.HTTPS.Proxies = merlon.Proxies{CIDR: []string{"unix"}, HostHeader: "X:Y"} }),
		"https.proxies.value conflict": edit(func(c *merlon.Config) {
			c.HTTPS.Proxies = merlon.Proxies{CIDR: []string{"unix"}, Header: "Forwarded", Value: "x"}
		}),
		"https.proxies.value invalid-value":                    edit(func(c *merlon.Config) { c.HTTPS.Proxies = merlon.Proxies{CIDR: []string{"unix"}, Value: "a, b"} }),
		"hosts[0] invalid-value":                               edit(func(c *merlon.Config) { c.Hosts = []string{"https://shop.example"} }),
		"health[0] invalid-value":                              edit(func(c *merlon.Config) { c.Health = []string{"healthz x y"} }),
		"routes[0].headers.X-Frame-Options conflict":           edit(func(c *merlon.Config) { c.Routes = routeWith("X-Frame-Options", "DENY") }),
		"routes[0].headers.Strict-Transport-Security conflict": edit(func(c *merlon.Config) { c.Routes = routeWith("Strict-Transport-Security", "max-age=1") }),
		"routes[0].headers.Clear-Site-Data invalid-value":      edit(func(c *merlon.Config) { c.Routes = routeWith("Clear-Site-Data", "biscuits") }),
		"routes[0].headers.Referrer-Policy invalid-value":      edit(func(c *merlon.Config) { c.Routes = routeWith("Referrer-Policy", "never") }),
		"routes[0].reports invalid-value":                      edit(func(c *merlon.Config) { c.Routes = []merlon.RouteConfig{{Match: "/x", Reports: "/other"}} }),
		"routes[0].set.scirpt-src unknown-directive":           edit(func(c *merlon.Config) { c.Routes = []merlon.RouteConfig{{Match: "/x", Set: "scirpt-src 'self'"}} }),
	} {
		_, err := merlon.New(c)
		var got []string
		for e := range cfgerrors.All(err) {
			got = append(got, fmt.Sprintf("%s %s", e.Field, e.Code))
			if e.Text == "" {
				t.Errorf("%s: no text in %+v", want, e)
			}
		}
		if !slices.Contains(got, want) {
			t.Errorf("New reports %q, want %q", got, want)
		}
	}
}

func manyHeaders() map[string]string {
	out := map[string]string{}
	for i := range 40 {
		out[fmt.Sprintf("X-H%d", i)] = "1"
	}
	return out
}

func routeWith(name, value string) []merlon.RouteConfig {
	return []merlon.RouteConfig{{Match: "/x", Reason: "tested", Headers: map[string]string{name: value}}}
}

// What New keeps is its own.
func TestNewCopiesMapsAndLists(t *testing.T) {
	config := merlon.Strict()
	config.Headers, config.Endpoints = map[string]string{"X-A": "1"}, map[string]string{"default": "/r"}
	config.Hosts, config.Mandatory = []string{"shop.example"}, []string{"X-A"}
	g := newGuard(t, config)
	config.Headers["X-A"], config.Endpoints["default"], config.Hosts[0], config.Mandatory[0] = "2", "/x", "evil.example", "x"
	maps.Copy(g.Config().Headers, map[string]string{"X-A": "3"})
	g.Config().Hosts[0] = "evil.example"
	if got := g.Config(); got.Headers["X-A"] != "1" || got.Endpoints["default"] != "/r" || got.Hosts[0] != "shop.example" || got.Mandatory[0] != "X-A" {
		t.Errorf("the Guard has %+v", got)
	}
	if got := ask(g.Handler(text("x")), "GET", "https://shop.example/"); got.StatusCode != 200 || got.Header.Get("X-A") != "1" {
		t.Errorf("%d %v", got.StatusCode, got.Header)
	}
}
