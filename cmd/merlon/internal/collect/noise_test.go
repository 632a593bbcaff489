package collect_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/collect"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
	"github.com/merlon-sec/merlon/report"
)

func TestNoise(t *testing.T) {
	tests := []struct{ directive, members, agent, want string }{
		{"script-src-elem", `"blocked-uri":"chrome-extension"`, "", "extension-scheme@1"},
		{"script-src-elem", `"blocked-uri":"chrome-extension://abcdefghijklmnop/inject.js"`, "", "extension-scheme@1"},
		{"img-src", `"blocked-uri":"https://cdn.example/a.png","source-file":"moz-extension"`, "", "extension-scheme@1"},
		{"font-src", `"blocked-uri":"safari-web-extension://9F4B1C30-1111-2222-3333-444455556666/f.woff"`, "", "extension-scheme@1"},
		{"img-src", `"blocked-uri":"webkit-masked-url://hidden/"`, "", "extension-scheme@1"},
		{"script-src-elem", `"blocked-uri":"resource"`, "", "browser-internal@1"},
		{"script-src", `"blocked-uri":"inline","source-file":"view-source"`, "", "view-source@1"},
		{"frame-src", `"blocked-uri":"wvjbscheme://__WVJB_QUEUE_MESSAGE__"`, "", "in-app-scheme@1"},
		{"frame-src", `"blocked-uri":"gsa://onpageload"`, "", "in-app-scheme@1"},
		{"script-src-elem", `"blocked-uri":"com.lge.browser"`, "", "in-app-scheme@1"},
		{"frame-src", `"blocked-uri":"mxjscall"`, "", "maxthon@1"},
		{"style-src-elem", `"blocked-uri":"ms-appx-web"`, "", "windows-app@1"},
		{"script-src-elem", `"blocked-uri":"symres"`, "", "toolbar-scheme@1"},
		{"base-uri", `"blocked-uri":"about"`, "", "base-about@1"},
		{"script-src-elem", `"blocked-uri":"https://gc.kis.v2.scr.kaspersky-labs.com/1B74BD89/main.js"`, "", "antivirus-host@1"},
		{"connect-src", `"blocked-uri":"https://nikkomsgchannel/e"`, "", "rapport@1"},
		{"script-src-elem", `"blocked-uri":"https://gateway.zscaler.net:443/auT"`, "", "filtering-proxy@1"},
		{"img-src", `"blocked-uri":"http://192.168.1.1:15871/cgi-bin/blockpage.cgi"`, "", "filtering-proxy@1"},
		{"img-src", `"blocked-uri":"http://10.20.30.40:15871/x"`, "", "filtering-proxy@1"},
		{"script-src-elem", `"blocked-uri":"https://www.superfish.com/ws/sf_main.jsp"`, "", "adware-host@1"},
		{"script-src-elem", `"blocked-uri":"https://cdncache1-a.akamaihd.net/loaders/1032/l.js"`, "", "adware-host@1"},
		{"script-src-elem", `"blocked-uri":"https://aa.bb.example/optout/get?jsonp=__twb_cb_123&key=1"`, "", "adware-path@1"},
		{"script-src-elem", `"blocked-uri":"https://x.example/a.js","source-file":"https://s3.amazonaws.com/jscache/f00d.js"`, "", "adware-script@1"},
		{"style-src-elem", `"blocked-uri":"https://cdn.joinhoney.com/f.css"`, "", "extension-host@1"},
		{"img-src", `"blocked-uri":"https://www.gstatic.com/images/branding/product/2x/translate_24dp.png"`, "", "extension-host@1"},
		{"script-src-elem", `"blocked-uri":"https://connect.facebook.net/en_US/iab.autofill.js"`, "Mozilla/5.0 (iPhone) Mobile/15E148 [FBAN/FBIOS;FBAV/400]", "in-app-browser@1"},
		{"script-src-elem", `"blocked-uri":"inline","script-sample":"(function injected(eventName, injectedIn"`, "", "extension-sample@1"},
		{"script-src", `"blocked-uri":"inline","script-sample":";(function detect (win) { win.addEvent"`, "", "extension-sample@1"},
		{"style-src-elem", `"blocked-uri":"inline","script-sample":":root audio[data-po76pdm] { display: no"`, "", "extension-sample@1"},
		{"script-src", `"blocked-uri":"inline","script-sample":";undefined"`, "", "firefox-undefined@1"},
		{"img-src", `"blocked-uri":"https://cdn.example/a.png"`, "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "crawler@1"},
	}
	seen := map[string]bool{"network-success": true, "hash-inventory": true, "carrier-host": true} // tested with other types, and the last by its like
	for _, test := range tests {
		h := hitOf(t, violationOf(test.directive, test.members), nil, header(test.agent)...)
		if h.Verdict != store.Noise || h.Rule != test.want {
			t.Errorf("%s %s: %s %s, want %s", test.directive, test.members, h.Verdict, h.Rule, test.want)
		}
		id, _, _ := strings.Cut(h.Rule, "@")
		seen[id] = true
	}
	for _, r := range collect.Rules() {
		if !seen[r.ID] {
			t.Errorf("no test for the rule %s", r.ID)
		}
	}
}

func header(agent string) []string {
	if agent == "" {
		return nil
	}
	return []string{"User-Agent", agent}
}

// What looks like noise and is, on some site, the one report that counts.
func TestNotNoise(t *testing.T) {
	for _, host := range []string{
		"www.googletagmanager.com", "connect.facebook.net", "www.facebook.com", "accounts.google.com", "github.com", "mc.yandex.ru", "hm.baidu.com",
		"commondatastorage.googleapis.com", "rawgit.com", "camo.githubusercontent.com", "shop.blogspot.com", "fbstatic-a.akamaihd.net", "x.hwcdn.net",
		"i.pinterest.com", "s3.amazonaws.com", "www.gstatic.com", "fonts.gstatic.com", "xn--fresh-host.example", "1234.rsc.cdn77.org", "cdn.mathjax.org",
		"localhost", "localhost:3000", "127.0.0.1:8080", "192.168.1.1", "10.1.2.3:8080",
	} {
		for _, directive := range []string{"script-src-elem", "connect-src", "form-action", "img-src"} {
			notNoise(t, directive, `"blocked-uri":"https://`+host+`/a/b.js?c=d"`)
		}
	}
	for _, sample := range []string{
		"Object.defineProperty(window,'a',{get:fu", "/*! jQuery JavaScript Library v3.7.1", "var fake = document.createElement('a')",
		"var event_id = 7", "var BlockAdBlock = function () {", "var FuckAdBlock = function () {", "function inception() {}", "(function(){",
	} {
		notNoise(t, "script-src-elem", `"blocked-uri":"inline","script-sample":"`+sample+`"`)
	}
	for _, word := range []string{"data", "blob", "eval", "wasm-eval", "inline", "about", "about:srcdoc", "filesystem", "", "self", "localhost", "127.0.0.1"} {
		notNoise(t, "font-src", `"blocked-uri":"`+word+`"`)
		notNoise(t, "script-src", `"blocked-uri":"`+word+`"`)
	}
	// Firefox names "resource" as the script behind what its own code loads for a page: recorded with an image of the page.
	notNoise(t, "img-src", `"blocked-uri":"https://shop.example/i.gif","source-file":"resource","line-number":236`)
	// A third party's script that loads something new is the most useful report of all.
	notNoise(t, "connect-src", `"blocked-uri":"https://collect.vendor.example/v2","source-file":"https://cdn.vendor.example/tag.js","line-number":1`)
	// Normal for WebKit and old Firefox.
	notNoise(t, "img-src", `"blocked-uri":"https://cdn.example/a.png","status-code":0,"referrer":""`)
	notNoise(t, "script-src-elem", `"blocked-uri":"https://cdn.example/a.js","violated-directive":"script-src"`)
	old := hitOf(t, `{"csp-report":{"document-uri":"https://shop.example/","violated-directive":"script-src 'self'","blocked-uri":"https://cdn.example"}}`, nil, "User-Agent", "x")
	if old.Verdict != store.Actionable || old.Directive != "script-src" {
		t.Errorf("without effective-directive: %s %s of %s", old.Verdict, old.Rule, old.Directive)
	}
	// Skimmers choose pages and visitors: nothing is noise because one client alone reports it.
	h := hitOf(t, `{"csp-report":{"document-uri":"https://shop.example/checkout","effective-directive":"connect-src","blocked-uri":"https://fresh.example/x"}}`, nil)
	if h.Verdict != store.Actionable {
		t.Errorf("one client on /checkout: %s %s", h.Verdict, h.Rule)
	}
	// Old browsers and apps break too, and skimmers pick their victims by them.
	for _, agent := range []string{
		"Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1; Trident/4.0)", "Mozilla/5.0 (X11; Linux x86_64; rv:38.0) Gecko/20100101 Firefox/38.0",
		"Mozilla/5.0 (iPhone) Mobile/15E148 [FBAN/FBIOS;FBAV/400]", "Mozilla/5.0 (iPhone) Mobile/15E148 Instagram 300.0", "",
	} {
		h := hitOf(t, violationOf("script-src-elem", `"blocked-uri":"https://fresh.example/x.js"`), nil, "User-Agent", agent)
		if h.Verdict != store.Actionable {
			t.Errorf("User-Agent %q: %s %s", agent, h.Verdict, h.Rule)
		}
	}
	// Documents without a host inherit the policy of their page.
	h = hitOf(t, `{"csp-report":{"document-uri":"about:srcdoc","effective-directive":"img-src","blocked-uri":"https://cdn.example/a.png"}}`, nil,
		"Origin", "https://shop.example")
	if h.Verdict != store.Actionable {
		t.Errorf("srcdoc: %s %s", h.Verdict, h.Rule)
	}
}

func notNoise(t *testing.T, directive, members string) {
	t.Helper()
	h := hitOf(t, violationOf(directive, members), nil)
	if h.Verdict == store.Noise || h.Rule != "" {
		t.Errorf("%s %s: %s by %s", directive, members, h.Verdict, h.Rule)
	}
}

// The rules of the site come before merlon's, and each of their keys counts.
func TestOwnRules(t *testing.T) {
	script := violationOf("script-src-elem", `"blocked-uri":"https://a.tags.example/x/y.js?k=v","source-file":"https://shop.example/static/app.js","script-sample":"abc(1)"`)
	tests := []struct {
		name string
		rule collect.Rule
		want bool
	}{
		{"host", collect.Rule{Blocked: []string{"a.tags.example"}}, true},
		{"glob of hosts", collect.Rule{Blocked: []string{"nothing.example", "*.tags.example"}}, true},
		{"host and path", collect.Rule{Blocked: []string{"*.tags.example/x/*"}}, true},
		{"another path", collect.Rule{Blocked: []string{"*.tags.example/z/*"}}, false},
		{"a part of the host", collect.Rule{Blocked: []string{"tags.example"}}, false},
		{"directive", collect.Rule{Directives: []string{"script-src-elem"}}, true},
		{"glob of directives", collect.Rule{Directives: []string{"script-src*"}}, true},
		{"another directive", collect.Rule{Blocked: []string{"*.tags.example"}, Directives: []string{"img-src"}}, false},
		{"own script", collect.Rule{Sources: []string{"/static/*.js"}}, true},
		{"script by host", collect.Rule{Sources: []string{"shop.example/static/app.js"}}, true},
		{"another script", collect.Rule{Sources: []string{"/js/*.js"}}, false},
		{"sample", collect.Rule{Samples: []string{"abc("}}, true},
		{"another sample", collect.Rule{Samples: []string{"bc("}}, false},
		{"page", collect.Rule{Pages: []string{"/ca*"}}, true},
		{"another page", collect.Rule{Pages: []string{"/checkout"}}, false},
		{"browser", collect.Rule{Agents: []string{"Chrome/156"}}, true},
		{"another browser", collect.Rule{Agents: []string{"Firefox/"}}, false},
	}
	for _, test := range tests {
		test.rule.ID, test.rule.Reason = "mine", "because"
		h := hitOf(t, script, []collect.Rule{test.rule})
		if got := h.Verdict == store.Noise; got != test.want || got && !regexp.MustCompile(`^own/mine@[0-9a-f]{4}$`).MatchString(h.Rule) {
			t.Errorf("%s: %s %q, want noise: %t", test.name, h.Verdict, h.Rule, test.want)
		}
	}
	for _, sent := range []string{"data", "data:", "data:image/png"} {
		for _, glob := range []string{"data", "data:"} {
			h := hitOf(t, violationOf("img-src", `"blocked-uri":"`+sent+`"`), []collect.Rule{{ID: "mine", Reason: "because", Blocked: []string{glob}}})
			if h.Verdict != store.Noise {
				t.Errorf("blocked: %s does not fit %s", glob, sent)
			}
		}
	}
	first := collect.Rule{ID: "ext", Blocked: []string{"chrome-extension:"}, Reason: "ours"}
	if h := hitOf(t, violationOf("img-src", `"blocked-uri":"chrome-extension"`), []collect.Rule{first}); !strings.HasPrefix(h.Rule, "own/ext@") {
		t.Errorf("a rule of merlon's went before the site's: %q", h.Rule)
	}
}

func TestRulesAreData(t *testing.T) {
	ids := map[string]bool{}
	for _, r := range collect.Rules() {
		if ids[r.ID] || !regexp.MustCompile(`^[a-z0-9-]{3,40}$`).MatchString(r.ID) {
			t.Errorf("id %q is there twice or none", r.ID)
		}
		ids[r.ID] = true
		if r.Version == "" || r.From == "" || !regexp.MustCompile(`^20[0-9]{2}-[0-9]{2}$`).MatchString(r.Since) || !strings.HasSuffix(r.Reason, ".") {
			t.Errorf("%s: version %q, from %q, since %q, reason %q", r.ID, r.Version, r.From, r.Since, r.Reason)
		}
		if len(r.Types)+len(r.Blocked)+len(r.Sources)+len(r.Samples)+len(r.Schemes) == 0 {
			t.Errorf("%s matches nearly everything", r.ID)
		}
	}
}

// A verdict deletes nothing: the exact counters are the same whatever the rules are.
func TestVerdictsDeleteNothing(t *testing.T) {
	count := func(rules []collect.Rule) []string {
		f := start(t, collect.Config{})
		site := recorder
		site.Noise = rules
		h := f.collector.Handler(site)
		for _, browser := range browsers {
			for _, r := range readRecorded(t, browser)[:60] {
				r.post(h)
			}
		}
		if drops := f.drops(); len(drops) > 0 {
			t.Errorf("dropped: %v", drops)
		}
		return f.counters()
	}
	without := count(nil)
	with := count([]collect.Rule{{ID: "all", Reason: "all of it", Pages: []string{"*"}}})
	if diff := cmp.Diff(without, with); diff != "" || len(with) < 30 {
		t.Errorf("%d counters; without and with a rule for everything:\n%s", len(with), diff)
	}
}

// What an extension did in a document makes the other reports of that document suspect, in their facet alone.
func TestTaintedBatch(t *testing.T) {
	element := func(url, blocked string) string {
		return fmt.Sprintf(`{"type":"csp-violation","url":%q,"body":{"documentURL":%q,"effectiveDirective":"img-src","blockedURL":%q,"disposition":"enforce"}}`, url, url, blocked)
	}
	const page, other = "https://shop.example/a", "https://shop.example/b"
	hits := hitsOf(t, "["+element(page, "https://cdn.example/a.png")+","+element(page, "chrome-extension")+","+element(other, "https://cdn.example/a.png")+"]", nil)
	var got []string
	for _, h := range hits {
		got = append(got, strings.TrimSpace(string(h.Verdict)+" "+h.Rule))
	}
	want := []string{"actionable beside-extension@1", "noise extension-scheme@1", "actionable"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("-want +got:\n%s", diff)
	}
	if hits[0].Fingerprint != hits[2].Fingerprint {
		t.Error("the suspect report makes another issue")
	}
}

func TestOtherTypesOfNoise(t *testing.T) {
	element := func(kind, body string) string {
		return `[{"type":"` + kind + `","url":"https://shop.example/a","body":` + body + `}]`
	}
	tests := map[string]string{
		element(report.TypeNetworkError, `{"type":"ok","phase":"application","status_code":200}`):            "noise network-success@1",
		element(report.TypeNetworkError, `{"type":"tcp.refused","phase":"connection"}`):                      "actionable",
		element(report.TypeHash, `{"subresourceURL":"https://shop.example/x.js","destination":"script"}`):    "noise hash-inventory@1",
		element(report.TypeDeprecation, `{"id":"UnloadHandler","sourceFile":"chrome-extension://abc/x.js"}`): "noise extension-scheme@1",
		element(report.TypeDeprecation, `{"id":"UnloadHandler","sourceFile":"https://shop.example/x.js"}`):   "actionable",
	}
	for body, want := range tests {
		h := hitOf(t, body, nil)
		if got := strings.TrimSpace(string(h.Verdict) + " " + h.Rule); got != want {
			t.Errorf("%s: %s, want %s", body, got, want)
		}
	}
}

func TestGlob(t *testing.T) {
	tests := []struct {
		pattern, s string
		want       bool
	}{
		{"a.example", "a.example", true}, {"a.example", "b.a.example", false}, {"*.a.example", "b.a.example", true}, {"*.a.example", "a.example", false},
		{"*", "", true}, {"", "", true}, {"", "a", false}, {"a*c*e", "abcde", true}, {"a*c*e", "abcd", false}, {"**a", "bba", true},
		{strings.Repeat("a*", 50) + "b", strings.Repeat("a", 2000), false}, {"a?c", "abc", false}, {"a.c", "abc", false},
	}
	for _, test := range tests {
		if got := collect.Glob(test.pattern, test.s); got != test.want {
			t.Errorf("Glob(%.20q, %.20q) = %t", test.pattern, test.s, got)
		}
	}
}
