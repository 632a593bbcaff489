package collect_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/collect"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
	"github.com/merlon-sec/merlon/report"
)

// hidden finds what no stored text may have: userinfo, queries, fragments, addresses of people, values of nonces. A sample has a question mark
// and a wildcard in place of a query.
var hidden = regexp.MustCompile(`://[^/\s"']*@|[?#][^\s"'*]*=|\w@\w+\.\w|'nonce-[^x]`)

// checkText holds a text that is stored against its length and what may be in it.
func checkText(t *testing.T, what, s string, longest int) {
	t.Helper()
	if len(s) > longest || !utf8.ValidString(s) {
		t.Errorf("%s of %d bytes, at most %d: %.200q", what, len(s), longest, s)
	}
	if i := strings.IndexFunc(s, func(r rune) bool { return unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) }); i >= 0 {
		t.Errorf("%s has a control character at %d: %.200q", what, i, s)
	}
}

// checkHit holds all texts of a hit against the bounds of the store, and sorts the report again: nothing may depend on what came before.
func checkHit(t *testing.T, h, again store.Hit) {
	t.Helper()
	for what, s := range map[string]string{"type": h.Type, "directive": h.Directive, "class": h.Class, "verdict": string(h.Verdict), "rule": h.Rule, "browser": h.Browser,
		"policy": h.Policy, "app": h.App} {
		checkText(t, what, s, 100)
	}
	for what, s := range map[string]string{"blocked": h.Blocked, "route": h.Route, "source": h.Source} {
		checkText(t, what, s, 600)
		if hidden.MatchString(s) {
			t.Errorf("%s shows too much: %q", what, s)
		}
	}
	checkText(t, "sample", h.Sample, 128)
	checkText(t, "the policy", h.PolicyText, 2*report.MaxFieldBytes)
	body := h.Body()
	checkText(t, "body", body, 4<<10)
	var v struct{ Document, Referrer, Blocked, Source string }
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		t.Errorf("body %q: %v", body, err)
	}
	for _, s := range []string{v.Document, v.Referrer, v.Blocked, v.Source} {
		if hidden.MatchString(s) || strings.ContainsAny(s, "?#@") {
			t.Errorf("a URL shows too much: %q", s)
		}
	}
	if h.Fingerprint != again.Fingerprint || h.Blocked != again.Blocked || h.Rule != again.Rule || body != again.Body() || h.PolicyText != again.PolicyText {
		t.Errorf("once\n%+v\nand then\n%+v", h, again)
	}
	if h.Weight < 1 || h.Weight > 10_000 {
		t.Errorf("weight %d", h.Weight)
	}
}

// FuzzHit sorts whatever anybody can post.
func FuzzHit(f *testing.F) {
	for _, browser := range browsers {
		for i, r := range readRecorded(f, browser) {
			if i%10 == 0 && len(r.Body) < 2000 {
				f.Add(strings.NewReplacer("localhost:9201", "shop.example", "localhost:9243", "shop.example").Replace(r.Body), r.Headers["User-Agent"], "d=e&v=1")
			}
		}
	}
	f.Add(violationOf("script-src", `"blocked-uri":"inline","script-sample":"t('alice@mail.example','/x?k=v')","original-policy":"script-src 'nonce-abc' https://u:p@x/?q"`), chrome, "v=<x>")
	f.Fuzz(func(t *testing.T, body, agent, query string) {
		reports, err := report.Decode([]byte(body))
		if err != nil {
			return
		}
		r := postRequest("https://shop.example/r")
		r.URL.RawQuery = query
		r.Header.Set("User-Agent", agent)
		r.Header.Set("Origin", "https://shop.example")
		s := collect.NewSorter(shop)
		hits, _ := s.Hits(r, reports, noon)
		again, _ := s.Hits(r, reports, noon)
		for i, h := range hits {
			checkHit(t, h, again[i])
		}
	})
}

// FuzzMembers puts anything into the members of a violation, where a whole body of the fuzzer's seldom is a report.
func FuzzMembers(f *testing.F) {
	f.Add("https://shop.example/a?b", "https://u:p@cdn.example/Zm9vYmFyMTIzNDU2Nzg5?t#f", "chrome-extension://abc/x.js", "t('alice@mail.example')", "script-src 'nonce-abc'", "img-src")
	f.Add("about:srcdoc", "inline", "", ";undefined", "img-src *; report-uri /r?t", "script-src-elem")
	f.Fuzz(func(t *testing.T, document, blocked, source, sample, policy, directive string) {
		body, err := report.EncodeLegacy(&report.Violation{DocumentURL: document, Referrer: source, BlockedURL: blocked, SourceFile: source, Sample: sample,
			OriginalPolicy: policy, Directive: directive, Line: len(document)})
		if err != nil {
			return
		}
		reports, err := report.Decode(body)
		if err != nil {
			t.Fatal(err)
		}
		r := postRequest("https://shop.example/r?d=e", "Origin", "https://shop.example", "Referer", document)
		s := collect.NewSorter(shop)
		hits, _ := s.Hits(r, reports, noon)
		again, _ := s.Hits(r, reports, noon)
		for i, h := range hits {
			checkHit(t, h, again[i])
		}
	})
}

var reportTo = regexp.MustCompile(`(^|; )report-(uri|to)( |;|$)`)

// FuzzPolicy looks for what must not be left of a policy, and holds the normal form to be its own.
func FuzzPolicy(f *testing.F) {
	for text := range policyTests {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		reports, err := report.Decode([]byte(violationOf("img-src", `"original-policy":`+quoted(text))))
		if err != nil {
			return
		}
		s := collect.NewSorter(shop)
		hash, normal := s.Policy(reports[0].Violation.OriginalPolicy)
		checkText(t, "the policy", normal, 2*report.MaxFieldBytes)
		if hidden.MatchString(normal) || strings.Contains(normal, "@") || reportTo.MatchString(normal) {
			t.Errorf("the normal form of %q is %q", text, normal)
		}
		if again, same := s.Policy(normal); same != normal || normal != "" && again != hash {
			t.Errorf("the normal form of %q is %q, and of that %q", text, normal, same)
		}
	})
}

func quoted(s string) string {
	data, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(data)
}
