package merlon_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon"
)

// Every mistake of a text is told with its field, code and value, and no other.
func TestMistakesOfAConfig(t *testing.T) {
	for text, want := range map[string][]string{
		``:             lines(" syntax "),
		`{"csp":`:      lines(" syntax "),
		`{} x`:         lines(" syntax "),
		`{"":1}`:       lines(" unknown-key "),
		`{"csp":null}`: lines("csp wrong-type "),
		`{"https":[]}`: lines("https wrong-type []"), `{"hosts":{}}`: lines("hosts wrong-type {}"), `{"headers":[]}`: lines("headers wrong-type []"), `{"routes":[[]]}`: lines("routes[0] wrong-type []"), `{"frame":[]}`: lines("frame wrong-type []"),
		`{"csp":"img-src *","csp":"img-src a.example"}`: lines("csp duplicate-key "), `{"headers":{"X-A":"1","X-A":"2"}}`: lines("headers.X-A duplicate-key "),
		`{"trial":1,"trial-sample":"x"}`:           lines("trial wrong-type 1", "trial-sample invalid-value x"),
		`{"https":{"hsts":365,"redirect":true}}`:   lines("https.hsts wrong-type 365", "https.redirect missing "),
		`{"routes":[{"match":1}]}`:                 lines("routes[0].match wrong-type 1"),
		`{"preset":"x","referrer-policy":"never"}`: lines("preset invalid-value x", "referrer-policy invalid-value never"),

		`{"frame":{"by":["deny","https://a.example"]}}`: lines("frame.by[0] invalid-value deny"), `{"frame":{"by":["https://a.example","off"]}}`: lines("frame.by[1] invalid-value off"), `{"frame":{"by":[]}}`: lines("frame missing "),
		`{"frame":{"by":["https://a.example","x"]}}`: lines("frame.by[1] invalid-value x"), `{"frame":{"by":["x"]}}`: lines("frame invalid-value x"), `{"frame":{"by":["http://[::1]:80"]}}`: lines("frame invalid-value http://[::1]:80"),

		`{"https":{"include-subdomains":true,"hsts":"off"}}`: lines("https.include-subdomains conflict "), `{"https":{"preload":true}}`: lines("https.preload conflict "), `{"https":{"exempt":["/a"]}}`: lines("https.exempt conflict "),
		`{"https":{"redirect":true,"host":"a.example","ports":{"80":0,"81":70000}}}`: lines("https.ports.80 invalid-value 0", "https.ports.81 invalid-value 70000"),
		`{"hosts":["a.example"],"https":{"redirect":true,"host":"b.example"}}`:       lines("https.host conflict b.example"),
		`{"health":["regexp:^x"]}`:                               lines("health[0] syntax regexp:^x"),
		`{"https":{"proxies":{"cidr":["::ffff:10.0.0.0/104"]}}}`: lines("https.proxies.cidr[0] invalid-value ::ffff:10.0.0.0/104"),
		`{"https":{"proxies":{"cidr":["unix"],"hops":17}}}`:      lines("https.proxies.hops invalid-value 17"), `{"https":{"proxies":{"hops":1}}}`: lines("https.proxies.cidr missing "),
		`{"https":{"proxies":{"value":"on"}}}`: lines("https.proxies.cidr missing "), `{"https":{"proxies":{"host-header":"X-Forwarded-Host"}}}`: lines("https.proxies.cidr missing "),
		`{"https":{"proxies":{"cidr":["unix"],"value":"é"}}}`: lines("https.proxies.value invalid-value é"), `{"https":{"proxies":{"cidr":["unix"],"value":"a,b"}}}`: lines("https.proxies.value invalid-value a,b"),

		`{"permissions-policy":"camera=("}`: lines("permissions-policy invalid-value camera=("), `{"permissions-policy":"camera=(), camera=()"}`: lines("permissions-policy duplicate-key camera"), `{"permissions-policy":" "}`: lines("permissions-policy missing  "),
		`{"permissions-policy":"camera=();x=1"}`: lines("permissions-policy invalid-value x"), `{"permissions-policy":"camera=();report-to=main"}`: lines("permissions-policy invalid-value main"), `{"permissions-policy":"camera=();report-to=1"}`: lines("permissions-policy invalid-value report-to"),
		`{"permissions-policy":"camera=();report-to=\"nowhere\""}`: lines("permissions-policy missing nowhere"), `{"permissions-policy":"camera=1"}`: lines("permissions-policy invalid-value camera"), `{"permissions-policy":"camera=(1 2)"}`: lines("permissions-policy invalid-value camera"),
		`{"cross-origin-opener-policy":"same-origin)"}`: lines("cross-origin-opener-policy invalid-value same-origin)"),
		`{"integrity-policy":")"}`:                      lines("integrity-policy invalid-value )"), `{"integrity-policy":"blocked-destinations=script"}`: lines("integrity-policy invalid-value blocked-destinations", "integrity-policy missing blocked-destinations=script"),
		`{"integrity-policy":"other=(x), blocked-destinations=(script)"}`: lines("integrity-policy invalid-value other"), `{"integrity-policy":"blocked-destinations=()"}`: lines("integrity-policy missing blocked-destinations=()"),
		`{"integrity-policy":"sources=(inline)"}`: lines("integrity-policy missing sources=(inline)"), `{"integrity-policy":"blocked-destinations=(script), endpoints=(nowhere)"}`: lines("integrity-policy missing nowhere"),
		`{"integrity-policy":"blocked-destinations=(script), sources=(else)"}`: lines("integrity-policy invalid-value sources"), `{"document-policy":"x;report-to=\"nowhere\""}`: lines("document-policy missing nowhere"), `{"document-policy":")"}`: lines("document-policy invalid-value )"),
		`{"reporting-endpoints":{"main":"off"}}`: lines("reporting-endpoints.main missing "), `{"reporting-endpoints":{"main=1":"/r"}}`: lines("reporting-endpoints.main=1 syntax "), `{"reporting-endpoints":{"a, b":"/r"}}`: lines("reporting-endpoints.a, b syntax "),
		`{"routes":[{"match":"/x","headers":{"Clear-Site-Data":"x"}}]}`: lines("routes[0].headers.Clear-Site-Data invalid-value x"), `{"routes":[{"match":"/x","trial":"bogus-src x"}]}`: lines("routes[0].trial.bogus-src unknown-directive bogus-src"),
		`{"cookies":{"partitioned":true}}`: lines("cookies.partitioned conflict "), `{"cookies":{"secure":true,"only":["a"],"except":["b"]}}`: lines("cookies.except conflict "), `{"cookies":{"except":["a"]}}`: lines("cookies.except missing "),
		`{"csp":";"}`: lines("csp missing ;"), `{"csp":"img-src 'nonce'"}`: lines("csp.img-src invalid-source 'nonce'"), `{"reporting-endpoints":{"":"/r"}}`: lines("reporting-endpoints. syntax "),
		`{"headers":{"X-A":" a"}}`: lines("headers.X-A invalid-value  a"), `{"headers":{"X-A":""}}`: lines("headers.X-A missing "), `{"headers":{"X A":"1"}}`: lines("headers.X A syntax "),
	} {
		c, err := merlon.ParseConfig([]byte(text))
		if got := mistakes(err); !slices.Equal(got, want) || c.CSP+c.Preset != "" {
			t.Errorf("%s\n got %q\nwant %q", text, got, want)
		}
	}
	for _, name := range lines("Content-Security-Policy", "Content-Security-Policy-Report-Only", "X-Frame-Options", "Strict-Transport-Security", "Reporting-Endpoints", "Report-To", "Nel", "Clear-Site-Data", "Set-Cookie", "Referrer-Policy",
		"Connection", "Content-Length", "Transfer-Encoding", "Trailer", "Upgrade", "Content-Encoding", "Content-Type", "Content-Range", "Location", "Date") {
		if _, err := merlon.New(merlon.Config{Headers: map[string]string{name: "1"}}); len(mistakes(err)) != 1 || !strings.HasSuffix(mistakes(err)[0], " ") {
			t.Errorf("headers take %s: %v", name, err)
		}
	}
	for host, good := range map[string]bool{"shop.example:18443": true, "[::1]:8443": true, "a-b_c.9": true, strings.Repeat("a.", 126) + "a": true, strings.Repeat("a.", 126) + "aa": false, "shop.example:70000": false, "shop.example:0443": false, "shop.example:0": false,
		"shop.example:1a": false, "shop.example:": false, "[::1": false, "[::1:80": false, "[::1]x": false, "[zz]": false, "a..example": false, ".example": false, "a b": false} {
		if _, err := merlon.New(merlon.Config{HTTPS: merlon.HTTPS{Redirect: true, Host: host}}); (err == nil) != good {
			t.Errorf("redirects to %s: %v", host, err)
		}
	}
}

// The way out stands in the mistake.
func TestMistakesTellTheWayOut(t *testing.T) {
	long := strings.Repeat("a", 60)
	for text, want := range map[string]string{
		`{"csp":`: "not JSON", `{"csp":5}`: "this key takes a text (write it in quotes)", `{"csp":{}}`: `"{}": this key takes a text$`, `{"csp":[]}`: `"[]": this key takes a text$`, `{"hosts":5}`: "takes a list", `{"headers":5}`: "takes a map of keys",
		`{"https":{"redirect":5}}`: `https.redirect: "5": this key takes true or false$`, `{"https":{"proxies":{"cidr":["unix"],"hops":"x"}}}`: "takes a whole number",
		`{"https":{"redirect":"` + long + `"}}`: `"` + long + `": this`, `{"https":{"redirect":"` + long + `a"}}`: `"` + long + `...": this`,
		`{"zzzzzzzzzzzz":1}`: "unknown key (keys here: cache-control, cookies, ", `{"referer_policy":1}`: "did you mean referrer-policy?",
		`{"https":{"hsts":"soon"}}`: "no length of time (write days as 365d or hours as 24h)", `{"https":{"hsts":"0s"}}`: "no time at all (to send nothing write off)", `{"https":{"hsts":"31536000"}}`: "or 365d if these are seconds",
		`{"routes":[{"match":"","frame":"deny"}]}`: "routes[0].match: invalid pattern",
		`{"frame":"ALLOW-FROM"}`:                   "browsers ignore ALLOW-FROM", `{"frame":"allow-from https://a.example"}`: "write frame: {by: [https://a.example]}", `{"frame":5}`: "takes deny, self, off or {by: [origins]}",
		`{"routes":[{"match":"/x","frame":"deny"},{"match":"/x","frame":"deny"}]}`: `routes[1].match: "/x": pattern "/x" conflicts with pattern "/x": /x matches the same requests as /x (keep one of the two`,
		`{"routes":[{"match":"/x/*","frame":"deny"}]}`:                             "a * in a pattern is a plain character (write /x/ with a / at its end",
	} {
		_, err := merlon.ParseConfig([]byte(text))
		want, last := strings.CutSuffix(want, "$")
		if err == nil || !strings.Contains(err.Error(), want) || last && !strings.HasSuffix(err.Error(), want) || strings.Contains(err.Error(), ".go:") {
			t.Errorf("%s\nis told as %v, want %s", text, err, want)
		}
	}
}

// A Frame's JSON reads back as the Frame.
func TestFramesInJSON(t *testing.T) {
	for _, f := range []merlon.Frame{{"deny"}, {"self"}, {"off"}, {partner}, {"self", partner}} {
		data, err := json.Marshal(f)
		var back merlon.Frame
		if err := errors.Join(err, json.Unmarshal(data, &back)); err != nil || !slices.Equal(back, f) {
			t.Errorf("%q is %s, which is %q, %v", f, data, back, err)
		}
	}
	for _, text := range lines("null", "5", "[]", `{"by":["deny"]}`, `{"by":["off"]}`, `{"be":[]}`) {
		if err := new(merlon.Frame).UnmarshalJSON([]byte(text)); err == nil {
			t.Errorf("a Frame reads %s", text)
		}
	}
	if err := new(merlon.Frame).UnmarshalJSON(nil); err == nil {
		t.Error("a Frame reads nothing")
	}
}

func TestMistakesOfChanges(t *testing.T) {
	many := but(merlon.Config{}, func(c *merlon.Config) {
		c.Headers = map[string]string{}
		for n := range 31 {
			c.Headers[fmt.Sprint("X-", n+1)] = "1"
		}
	})
	dynamic := policyOf("default-src 'nonce' 'strict-dynamic'")
	for _, c := range []struct {
		config merlon.Config
		change []merlon.Change
		want   []string
	}{
		{merlon.Config{}, []merlon.Change{{}}, lines(" missing ")},
		{merlon.Config{}, []merlon.Change{merlon.FrameSelf().OnTrial()}, lines(" conflict FrameSelf()")},
		{merlon.Config{}, []merlon.Change{merlon.FrameExempt().OnEnforced()}, lines(" conflict FrameExempt()")},
		{merlon.Config{}, []merlon.Change{merlon.FrameBy("deny")}, lines("frame invalid-value deny")},
		{merlon.Config{}, []merlon.Change{merlon.FrameBy("off")}, lines("frame invalid-value off")},
		{merlon.Config{}, []merlon.Change{merlon.FrameBy()}, lines("frame missing ")},
		{merlon.Config{}, []merlon.Change{merlon.Set("")}, lines("set missing ")},
		{merlon.Config{}, []merlon.Change{merlon.Replace("off")}, lines("csp missing off")},
		{merlon.Config{}, []merlon.Change{merlon.Allow("sandbox allow-forms")}, lines("allow.sandbox invalid-value ")},
		{merlon.Config{}, []merlon.Change{merlon.Allow("img-src 'none'")}, lines("allow.img-src invalid-value ")},
		{merlon.Config{}, []merlon.Change{merlon.Use("mine")}, lines("preset invalid-value mine")},
		{dynamic, []merlon.Change{merlon.Allow("script-src https://a.example https://b.example")}, lines("allow.script-src conflict https://a.example https://b.example")},
		{dynamic, []merlon.Change{merlon.Allow("script-src 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='")}, nil},
		{dynamic, []merlon.Change{merlon.Allow("img-src https://a.example")}, nil},
		{merlon.Config{}, []merlon.Change{merlon.Header("Referrer-Policy", "")}, lines("headers.Referrer-Policy missing ")},
		{merlon.Config{}, []merlon.Change{merlon.Header("X A", "1")}, lines("headers.X A syntax ")},
		{merlon.Config{}, []merlon.Change{merlon.Header("Origin-Agent-Cluster", "?1")}, lines("headers.Origin-Agent-Cluster conflict ?1")},
		{many, []merlon.Change{merlon.Header("X-32", "1")}, nil},
		{many, []merlon.Change{merlon.Header("X-32", "1"), merlon.Header("X-33", "1")}, lines("headers.X-33 invalid-value 1")},
	} {
		_, err := newGuard(t, c.config).NewRoute("tested", c.change...)
		if got := mistakes(err); !slices.Equal(got, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%+v: mistakes %q, want %q", c.change, got, c.want)
		}
	}
	for n := 32; n <= 33; n++ {
		many.Headers[fmt.Sprint("X-", n)] = "1"
		if _, err := merlon.New(many); (err == nil) != (n == 32) {
			t.Errorf("%d headers: %v", n, err)
		}
	}
	for name, hint := range map[string]string{"Content-Security-Policy": "use Exempt, Set or Replace;", "Content-Security-Policy-Report-Only": "use Exempt, Set or Replace with OnTrial", "X-Frame-Options": "use FrameExempt, FrameSelf or FrameBy"} {
		if _, err := newGuard(t, merlon.Config{}).NewRoute("tested", merlon.Header(name, "x")); err == nil || !strings.Contains(err.Error(), hint) {
			t.Errorf("Header(%s): %v, want a hint that says %s", name, err, hint)
		}
	}
}

// Taking out a header that protects wants a reason, taking out another does not.
func TestReasonsForRemovedHeaders(t *testing.T) {
	g := newGuard(t, merlon.Strict())
	for _, c := range []struct {
		change merlon.Change
		wants  bool
	}{
		{merlon.Without("Referrer-Policy"), true}, {merlon.Without("X-Content-Type-Options"), true}, {merlon.Header("Referrer-Policy", "off"), true}, {merlon.Without("X-Powered-By"), false}, {merlon.Header("X-Powered-By", "off"), false}, {merlon.Header("Referrer-Policy", "no-referrer"), false},
	} {
		_, err := g.NewRoute("114", c.change)
		if got := mistakes(err); c.wants != slices.Equal(got, lines("reason reason-missing ")) || !c.wants && err != nil {
			t.Errorf("%+v without words: %v", c.change, err)
		}
	}
	_, err := g.NewRoute("", merlon.FrameBy(partner, "https://a.example"))
	if err == nil || !strings.Contains(err.Error(), "frame lets in https://partner.example, https://a.example") {
		t.Errorf("the reason is asked for by %v", err)
	}
	if _, err := g.NewRoute("", merlon.Set("img-src https://a.example")); err == nil || !strings.Contains(err.Error(), "img-src lets in https://a.example") {
		t.Errorf("the reason is asked for by %v", err)
	}
}

// Values that a setting takes, and those that it does not.
func TestValuesOfSettings(t *testing.T) {
	clearing := newGuard(t, merlon.Config{Routes: []merlon.RouteConfig{{Match: "/out", Headers: map[string]string{"Clear-Site-Data": `"cookies", storage`}}}})
	if got := ask(clearing.Handler(text("x")), "GET", shop+"out").Header.Get("Clear-Site-Data"); got != `"cookies", "storage"` {
		t.Errorf("Clear-Site-Data is %s", got)
	}
	for text, good := range map[string]bool{
		`{"origin-agent-cluster":"?0"}`: true, `{"x-dns-prefetch-control":"on"}`: true, `{"permissions-policy":"camera=src"}`: true, `{"permissions-policy":"camera=1"}`: false, `{"document-policy":"x=1;other=\"nowhere\";report-to=1"}`: true,
		`{"headers":{"X-A":"~"}}`: true, `{"report-sample":"x%"}`: false, `{"report-sample":"-5%"}`: false, `{"report-sample":"0%"}`: true, `{"https":{"hsts":"70000d"}}`: false, `{"https":{"hsts":"65535d"}}`: true,
		`{"cookies":{"same-site":"Strict"}}`: true, `{"cookies":{"except":["a"]}}`: false, `{"cookies":{"secure":true,"only":["a"]}}`: true, `{"cookies":{"http-only":true,"only":["a"]}}`: true, `{"cookies":{"same-site":"Lax","except":["a"]}}`: true,
		`{"headers":{"X-A":"off"},"mandatory":["X-A"]}`: false, `{"headers":{"X-A":"1"},"mandatory":["X-A"]}`: true, `{"https":{"proxies":{"cidr":["unix"],"hops":16}}}`: true,
		`{"csp":";"}`: false, `{"csp":"img-src *; report-to x"}`: false, `{"csp":"img-src 'nonce'"}`: false, `{"csp":"default-src 'nonce'"}`: true, `{"csp":"style-src-elem 'nonce'"}`: true,
		`{"reports":"https://u:p@x.example/r"}`: false, `{"reports":"https:///r"}`: false, `{"reports":"///r"}`: false, `{"reports":"//x.example/r"}`: false, `{"reports":"r"}`: false, `{"reports":"http://x.example/r"}`: false, `{"reports":"https://x.example/r"}`: true,
		`{"preset":"compat","frame":"x","routes":[{"match":"/a","frame":"self"}]}`: false,
	} {
		if _, err := merlon.ParseConfig([]byte(text)); (err == nil) != good || len(mistakes(err)) > 1 {
			t.Errorf("%s: %v", text, err)
		}
	}
	for _, c := range ` #;,"'\` {
		if _, err := merlon.New(merlon.Config{Reports: "/r" + string(c) + "x"}); err == nil {
			t.Errorf("reports go to a path with %q", c)
		}
	}
	for field := range strings.FieldsSeq("x-content-type-options referrer-policy permissions-policy cross-origin-opener-policy cross-origin-opener-policy-report-only cross-origin-embedder-policy cross-origin-embedder-policy-report-only cross-origin-resource-policy " +
		"origin-agent-cluster integrity-policy integrity-policy-report-only document-policy x-xss-protection x-dns-prefetch-control x-permitted-cross-domain-policies cache-control") {
		_, err := merlon.ParseConfig([]byte(`{"` + field + `":"\u0001"}`))
		if got := mistakes(err); !slices.Equal(got, lines(field+" invalid-value \x01")) {
			t.Errorf("%s: mistakes %q", field, got)
		}
	}
	for _, c := range []struct {
		k    merlon.Cookies
		want string
	}{
		{merlon.Cookies{}, "a=b"}, {merlon.Cookies{HTTPOnly: true}, "a=b; HttpOnly"}, {merlon.Cookies{SameSite: "Strict"}, "a=b; SameSite=Strict"}, {merlon.Cookies{Secure: true}, "a=b; Secure"}, {merlon.Cookies{Secure: true, Partitioned: true}, "a=b; Secure; Partitioned"},
	} {
		if got := ask(newGuard(t, merlon.Config{Cookies: c.k}).Handler(own("Set-Cookie", "a=b")), "GET", shop).Header.Get("Set-Cookie"); got != c.want {
			t.Errorf("%+v makes %q, want %q", c.k, got, c.want)
		}
	}
}
