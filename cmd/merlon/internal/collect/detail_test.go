package collect_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/collect"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
	"github.com/merlon-sec/merlon/report"
)

func TestOtherTypes(t *testing.T) {
	tests := []struct{ kind, body, want string }{
		{report.TypeHash, `{"subresourceURL":"https://shop.example/js/app.3f9a8b7c.js?v=1","hash":"sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=","destination":"script"}`,
			"csp-hash script hash /js/app.*.js unknown"},
		{report.TypeHash, `{"subresourceURL":"https://cdn.example/x.js","destination":"audioworklet"}`, "csp-hash other hash https://cdn.example/x.js unknown"},
		{report.TypeCOOP, `{"disposition":"reporting","type":"access-from-coop-page-to-opener","property":"postMessage","openerURL":"https://partner.example/x?y"}`,
			"coop access-from-coop-page-to-opener opener postMessage https://partner.example report"},
		{report.TypeCOOP, `{"disposition":"enforce","type":"navigation-to-response","previousResponseURL":"https://shop.example/a"}`,
			"coop navigation-to-response opener self enforce"},
		{report.TypeCOEP, `{"disposition":"enforce","type":"worker initialization","blockedURL":"https://shop.example/w.js"}`, "coep worker-initialization self self enforce"},
		{report.TypeCOEP, `{"disposition":"reporting","type":"corp","blockedURL":"https://cdn.example/a.png"}`, "coep corp origin https://cdn.example report"},
		{report.TypePermissionsPolicy, `{"featureId":"geolocation","disposition":"enforce"}`, "permissions-policy-violation geolocation feature geolocation enforce"},
		{report.TypePotentialPermissionsPolicy, `{"policyId":"made-up-feature"}`, "potential-permissions-policy-violation other feature made-up-feature unknown"},
		{report.TypeDocumentPolicy, `{"policyId":"document-write","disposition":"report"}`, "document-policy-violation document-write feature document-write report"},
		{report.TypeDeprecation, `{"id":"UnloadHandler"}`, "deprecation deprecation deprecation UnloadHandler unknown"},
		{report.TypeDeprecation, `{"id":"V8SharedArrayBufferConstructedInExtensionWithoutIsolation"}`,
			"deprecation deprecation deprecation V8SharedArrayBufferConstructedInExtensionWithoutIsolation unknown"},
		{report.TypeDeprecation, `{"id":"Zm9vYmFyMTIzNDU2Nzg5"}`, "deprecation deprecation deprecation other unknown"},
		{report.TypeDeprecation, `{"id":"a<b>"}`, "deprecation deprecation deprecation other unknown"},
		{report.TypeIntervention, `{"id":"NavigatorVibrate"}`, "intervention intervention intervention NavigatorVibrate unknown"},
		{report.TypeCrash, `{"reason":"oom"}`, "crash oom crash oom unknown"},
		{report.TypeCrash, `{"crashId":"550e8400-e29b-41d4-a716-446655440000"}`, "crash other crash  unknown"},
		{report.TypeIntegrity, `{"blockedURL":"https://cdn.example/x.js","destination":"script","reportOnly":true}`, "integrity-violation script origin https://cdn.example report"},
		{report.TypeNetworkError, `{"phase":"application","type":"http.error","status_code":503}`, "network-error application network http.error 5xx https://shop.example unknown"},
		{report.TypeNetworkError, `{"phase":"dns","type":"dns.name_not_resolved"}`, "network-error dns network dns.name_not_resolved https://shop.example unknown"},
		{"made-up", `{"a":"b"}`, "other other other  unknown"},
		{"another", `{"a":"b"}`, "other other other  unknown"},
	}
	for _, test := range tests {
		h := hitOf(t, `{"type":"`+test.kind+`","url":"https://shop.example/users/42?q","body":`+test.body+`}`, nil)
		got := fmt.Sprint(h.Type, " ", h.Directive, " ", h.Class, " ", h.Blocked, " ", h.Disposition)
		if got != test.want || h.Route != "/users/*" {
			t.Errorf("%s %s:\n got %s on %s\nwant %s", test.kind, test.body, got, h.Route, test.want)
		}
	}
}

// What distinguishes two issues of one type, and what does not.
func TestOtherTypesGroup(t *testing.T) {
	of := func(kind, body, url string) store.Fingerprint {
		return hitOf(t, `{"type":"`+kind+`","url":"`+url+`","body":`+body+`}`, nil).Fingerprint
	}
	const here, there = "https://shop.example/a", "https://shop.example/b"
	for _, test := range []struct {
		kind, a, b string
		same       bool
	}{
		{report.TypeDeprecation, `{"id":"A"}`, `{"id":"A","message":"x","lineNumber":7,"sourceFile":"https://shop.example/x.js"}`, true},
		{report.TypeDeprecation, `{"id":"A"}`, `{"id":"B"}`, false},
		{report.TypeCOEP, `{"type":"corp","blockedURL":"https://c.example/1"}`, `{"type":"corp","blockedURL":"https://c.example/2?x"}`, true},
		{report.TypeCOEP, `{"type":"corp","blockedURL":"https://c.example/1"}`, `{"type":"navigation","blockedURL":"https://c.example/1"}`, false},
		{report.TypeNetworkError, `{"type":"http.error","status_code":500}`, `{"type":"http.error","status_code":503}`, true},
		{report.TypeNetworkError, `{"type":"http.error","status_code":404}`, `{"type":"http.error","status_code":503}`, false},
	} {
		if same := of(test.kind, test.a, here) == of(test.kind, test.b, there); same != test.same {
			t.Errorf("%s: %s and %s are one issue: %t", test.kind, test.a, test.b, same)
		}
	}
}

// A report of Network Error Logging stands for as many requests as its share says, and no forged one for very many.
func TestWeight(t *testing.T) {
	f := start(t, collect.Config{})
	for _, fraction := range []string{"0.1", "0.3", "1", "0.000001", "7", "-1", `"x"`} {
		f.post(shop, "https://shop.example/r", `[{"type":"network-error","url":"https://shop.example/","body":{"phase":"connection","type":"tcp.refused","sampling_fraction":`+fraction+`}}]`)
	}
	want := []string{"network-error connection network unknown 10017"} // 10, 3, 1, the 10,000 that are the most, 1, 1, 1
	if diff := cmp.Diff(want, f.counters()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got := f.lines(); len(got) != 1 || !strings.HasSuffix(got[0], " 0/0/10017") {
		t.Errorf("issues %q", got)
	}
}

func TestFacets(t *testing.T) {
	const body = `{"csp-report":{"document-uri":"https://shop.example/cart","effective-directive":"img-src","blocked-uri":"https://cdn.example/a.png",` +
		`"original-policy":"img-src 'self'","source-file":"https://shop.example/static/app.3f9a8b7c.js?x","line-number":7,"disposition":"report"}}`
	hits := func(target string) store.Hit {
		reports, err := report.Decode([]byte(body))
		if err != nil {
			t.Fatal(err)
		}
		all, _ := collect.NewSorter(shop).Hits(postRequest(target), reports, noon)
		return all[0]
	}
	h := hits("https://shop.example/r?d=e&v=2026.11-rc1_2")
	if h.Route != "/cart" || h.Browser != "Chrome 156" || h.Source != "/static/app.*.js:7" || h.App != "2026.11-rc1_2" || len(h.Policy) != 16 || h.PolicyText != "img-src 'self'" {
		t.Errorf("facets %q %q %q %q %q of %q", h.Route, h.Browser, h.Source, h.App, h.Policy, h.PolicyText)
	}
	for _, v := range []string{strings.Repeat("1", 33), "a%20b", "<x>", "a/b", ""} {
		if h := hits("https://shop.example/r?v=" + v); h.App != "" {
			t.Errorf("?v=%s is kept as %q", v, h.App)
		}
	}
}

func TestBody(t *testing.T) {
	h := hitOf(t, `[{"type":"csp-violation","age":1500,"url":"https://shop.example/cart","body":{"documentURL":"https://shop.example/users/42?q#f","referrer":"https://r.example/x?y",
		"blockedURL":"https://cdn.example:443/a/Zm9vYmFyMTIzNDU2Nzg5.png?t=1","effectiveDirective":"img-src","originalPolicy":"img-src 'self'","disposition":"report",
		"sourceFile":"https://shop.example/x.js?y","lineNumber":3,"columnNumber":4,"statusCode":200}}]`, nil)
	want := `{"schema":1,"type":"csp-violation","document":"https://shop.example/users/*","referrer":"https://r.example/x","directive":"img-src","disposition":"report",` +
		`"blocked":"https://cdn.example/a/*.png","source":"https://shop.example/x.js","line":3,"column":4,"status":200,"policy":"` + h.Policy + `",` +
		`"browser":"Chrome 156","age":1500,"verdict":"actionable"}`
	if diff := cmp.Diff(want, h.Body()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	long := strings.Repeat("ü", 8000)
	h = hitOf(t, `[{"type":"permissions-policy-violation","url":"https://shop.example/`+long+`","body":{"message":"`+long+`","allowAttribute":"`+long+`","srcAttribute":"https://x.example/`+long+
		`","sourceFile":"https://y.example/`+long+`","featureId":"camera"}}]`, nil)
	if body := h.Body(); len(body) > 4<<10 || !json.Valid([]byte(body)) {
		t.Errorf("%d bytes: %s", len(body), body)
	}
}

// A flood of texts that are never seen again costs no memory.
func TestCachesAreBounded(t *testing.T) {
	s := collect.NewSorter(shop)
	for i := range 20_000 {
		body := violationOf("img-src", fmt.Sprintf(`"blocked-uri":"https://c%d.example/a","original-policy":"img-src h%d.example"`, i, i))
		reports, err := report.Decode([]byte(body))
		if err != nil {
			t.Fatal(err)
		}
		s.Hits(postRequest("https://shop.example/r", "User-Agent", fmt.Sprint("x", i)), reports, noon)
	}
	if n := s.Cached(); n < 1000 || n > 2*(512+256+128)<<10/64 {
		t.Errorf("%d texts are remembered", n)
	}
}

func TestRelabel(t *testing.T) {
	own := collect.Rule{ID: "tags", Blocked: []string{"*.tags.example"}, Reason: "ours"}
	data := collect.Rule{ID: "data", Blocked: []string{"data"}, Reason: "ours"}
	code := collect.Rule{ID: "code", Samples: []string{"load('1234", "var ", "track\u00a0me"}, Reason: "ours"}
	l := collect.NewLabels(collect.Site{Name: "shop", Noise: []collect.Rule{own, data, code}})
	agentRule, _ := l.Relabel(store.Issue{Class: "origin", Directive: "img-src", Blocked: "https://x.example", Verdict: store.Noise, Rule: "crawler@1"}, store.Fingerprint{})
	if agentRule != store.Noise {
		t.Error("a label that came of the User-Agent is gone")
	}
	for _, test := range []struct {
		issue store.Issue
		want  string
	}{
		{store.Issue{Class: "origin", Blocked: "https://a.tags.example"}, "noise own/tags@"},
		{store.Issue{Class: "origin", Blocked: "https://a.tags.example", Verdict: store.SelfContradicting}, "noise own/tags@"},
		{store.Issue{Class: "scheme", Blocked: "chrome-extension:"}, "noise extension-scheme@1"},
		{store.Issue{Class: "eval", Blocked: "moz-extension:"}, "noise extension-scheme@1"},
		{store.Issue{Class: "inline", Blocked: "inline", Sample: collect.Sample(":root audio[data-po76pdm] { display: no")}, "noise extension-sample@1"},
		{store.Issue{Class: "network", Type: report.TypeNetworkError, Blocked: "ok 2xx https://shop.example"}, "noise network-success@1"},
		{store.Issue{Class: "hash", Type: report.TypeHash, Blocked: "/x.js"}, "noise hash-inventory@1"},
		{store.Issue{Class: "origin", Blocked: "https://cdn.example"}, "actionable"},
		{store.Issue{Class: "origin", Blocked: "https://cdn.example", Verdict: store.Noise, Rule: "own/gone@1234"}, "actionable"},
		{store.Issue{Class: "origin", Blocked: "https://cdn.example", Verdict: store.Noise, Rule: "antivirus-host@0"}, "actionable"},
		{store.Issue{Class: "origin", Blocked: "https://cdn.example", Verdict: store.SelfContradicting}, "self-contradicting"},
		// Issues of these classes do not tell what the rule goes by; all of their reports had the label.
		{store.Issue{Class: "self", Blocked: "self", Verdict: store.Noise, Rule: ownRule(t, own)}, "noise own/tags@"},
		{store.Issue{Class: "trusted-types", Blocked: "eval in /a", Verdict: store.Noise, Rule: ownRule(t, own)}, "noise own/tags@"},
		// The sample of such an issue is that of its first report, and others may have none.
		{store.Issue{Class: "eval", Blocked: "/a.js", Sample: ";undefined"}, "actionable"},
		{store.Issue{Class: "scheme", Blocked: "data:"}, "noise own/data@"},
		// What was masked may have been another number, and a beginning without its end another word.
		{store.Issue{Class: "inline", Blocked: "inline", Sample: "load('*"}, "actionable"},
		{store.Issue{Class: "inline", Blocked: "inline", Sample: "variable"}, "actionable"},
		{store.Issue{Class: "inline", Blocked: "inline", Sample: "track me"}, "noise own/code@"},
	} {
		verdict, rule := l.Relabel(test.issue, store.Fingerprint{})
		if got := strings.TrimSpace(string(verdict) + " " + rule); !strings.HasPrefix(got, test.want) || !strings.Contains(test.want, "own/") && got != test.want {
			t.Errorf("%+v: %s, want %s", test.issue, got, test.want)
		}
	}
	for rule, want := range map[string]string{"extension-scheme@1": "extension", "beside-extension@1": "together", "own/tags@1234": "ours", "gone@1": ""} {
		if got := l.Reason(store.Noise, rule, "origin"); !strings.Contains(got, want) || want == "" && got != "" {
			t.Errorf("Reason(%s) = %q, want something with %q", rule, got, want)
		}
	}
}

// ownRule is how a hit names a rule of the site's own that blocks a.tags.example.
func ownRule(t *testing.T, own collect.Rule) string {
	t.Helper()
	return hitOf(t, violationOf("img-src", `"blocked-uri":"https://a.tags.example/"`), []collect.Rule{own}).Rule
}

// The label of an issue is the same whether it comes of its reports or of what is stored, where the latter tells enough.
func TestRelabelAgrees(t *testing.T) {
	l := collect.NewLabels(recorder)
	for _, browser := range browsers {
		s := collect.NewSorter(recorder)
		for _, r := range readRecorded(t, browser) {
			for _, h := range r.hits(t, s) {
				verdict, rule := l.Relabel(store.Issue{Type: h.Type, Directive: h.Directive, Class: h.Class, Blocked: h.Blocked, Sample: h.Sample, Verdict: h.Verdict, Rule: h.Rule}, h.Fingerprint)
				forgotten, _ := l.Relabel(store.Issue{Type: h.Type, Directive: h.Directive, Class: h.Class, Blocked: h.Blocked, Sample: h.Sample, Verdict: store.Noise, Rule: "own/gone@1234"}, h.Fingerprint)
				if forgotten != h.Verdict {
					t.Errorf("%s: %s, and %s after a rule of the site was there and went", r.Name, h.Verdict, forgotten)
				}
				if verdict != h.Verdict || rule != h.Rule {
					t.Errorf("%s: %s %s, and from the issue %s %s", r.Name, h.Verdict, h.Rule, verdict, rule)
				}
			}
		}
	}
}

// What is remembered for speed is bounded for all sites together.
func TestCachesOfManySites(t *testing.T) {
	f := start(t, collect.Config{})
	for _, test := range []struct{ sites, most int }{{1, 2 << 20}, {8, 12 << 20}, {1000, 100 << 20}} {
		if n := collect.CacheBytes(f.collector, test.sites); n > test.most {
			t.Errorf("%d sites remember %d KiB, want at most %d", test.sites, n>>10, test.most>>10)
		}
	}
}
