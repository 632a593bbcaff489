package collect_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/collect"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
	"github.com/merlon-sec/merlon/report"
)

// showable reports whether a text can be stored: nothing in it hides, breaks a line or turns what stands around it.
func showable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(c rune) bool {
		return c < ' ' || 0x7f <= c && c < 0xa0 || 0x200b <= c && c <= 0x200f || 0x2028 <= c && c <= 0x202e || 0x2060 <= c && c <= 0x206f || c == 0xfeff
	})
}

// FuzzHit makes hits of any body and looks for what must not be stored.
func FuzzHit(f *testing.F) {
	f.Add(violationOf("img-src", `"blocked-uri":"https://u:p@cdn.example/a?b#c","original-policy":"img-src 'nonce-abc' https://x.example/?q; report-uri /r?t=1"`), chrome)
	f.Add(violationOf("script-src-elem", `"blocked-uri":"inline","script-sample":"t('alice@mail.example',5551234)","source-file":"moz-extension://x/y.js"`), firefox)
	for _, browser := range browsers {
		for i, r := range readRecorded(f, browser) {
			if i%20 == 0 {
				f.Add(strings.NewReplacer("localhost:9201", "shop.example", "localhost:9243", "shop.example").Replace(r.Body), r.Headers["User-Agent"])
			}
		}
	}
	site := collect.Site{Name: "shop", Hosts: []string{"shop.example"}, Noise: []collect.Rule{{ID: "a", Blocked: []string{"*.e/*?*"}}, {ID: "b", Sources: []string{"/s/*"}, Pages: []string{"/*/x"}},
		{ID: "c", Samples: []string{"t(123", "var ", "a..."}}}}
	labels := collect.NewLabels(site)
	f.Fuzz(func(t *testing.T, body, agent string) {
		reports, err := report.Decode([]byte(body))
		if err != nil {
			return
		}
		hits, refused := collect.NewSorter(site).Hits(postRequest("https://shop.example/r?d=e", "User-Agent", agent), reports, noon)
		if len(hits)+len(refused) != len(reports) {
			t.Errorf("%d reports made %d hits and %d refusals", len(reports), len(hits), len(refused))
		}
		for _, h := range hits {
			checkHit(t, h)
			if verdict, _ := labels.Relabel(store.Issue{Type: h.Type, Directive: h.Directive, Class: h.Class, Blocked: h.Blocked, Sample: h.Sample}, h.Fingerprint); verdict == store.Noise && h.Verdict != store.Noise {
				t.Errorf("an issue gets the label noise which its report did not have: %+v", h)
			}
		}
	})
}

func checkHit(t *testing.T, h store.Hit) {
	t.Helper()
	body := h.Body()
	for what, text := range map[string]struct {
		text string
		most int
	}{
		"type": {h.Type, 64}, "directive": {h.Directive, 64}, "class": {h.Class, 64}, "blocked": {h.Blocked, 512}, "sample": {h.Sample, 128}, "rule": {h.Rule, 64},
		"route": {h.Route, 2048}, "browser": {h.Browser, 64}, "source": {h.Source, 4096}, "app": {h.App, 32}, "policy": {h.Policy, 16}, "policy text": {h.PolicyText, 32 << 10},
		"body": {body, 4 << 10},
	} {
		if len(text.text) > text.most || !showable(text.text) {
			t.Errorf("%s of %d bytes: %q", what, len(text.text), text.text)
		}
	}
	for what, text := range map[string]string{"blocked": h.Blocked, "source": h.Source, "route": h.Route} {
		if strings.ContainsAny(text, "?#") {
			t.Errorf("%s has a query or fragment: %q", what, text)
		}
	}
	if h.Type == "" || h.Directive == "" || h.Class == "" || h.Route == "" || h.Verdict == "" || h.Weight < 1 || h.Fingerprint == (store.Fingerprint{}) {
		t.Errorf("incomplete: %+v", h)
	}
}

// FuzzPolicy holds the normal form against itself, and looks for what must not be left.
func FuzzPolicy(f *testing.F) {
	for _, text := range []string{
		"script-src 'nonce-abc' 'sha256-abc' https://nonce-cdn.example/x/?q; report-uri /r; report-to x", "default-src 'self';;img-src data: *.example:8080/a/",
		"trusted-types a b 'allow-duplicates'; require-trusted-types-for 'script'; sandbox allow-scripts; webrtc 'block'", "a, b; script-src 'NONCE-X' HTTPS://A.EXAMPLE", "0 'nonCe-;1", "0 'sha#", "0 0/://",
	} {
		f.Add(text)
	}
	for text := range policyTests {
		f.Add(text)
	}
	s := collect.NewSorter(shop)
	f.Fuzz(func(t *testing.T, text string) {
		if strings.ContainsFunc(text, func(c rune) bool { return c < ' ' || c == 0x7f }) || !utf8.ValidString(text) { // Decode lets no such thing through
			return
		}
		hash, normal := s.Policy(text)
		if text == "" {
			return
		}
		// Of two directives with names that are not kept the first counts.
		if again, twice := s.Policy(normal); normal != "" && !strings.Contains(normal, "other") && (again != hash || twice != normal) {
			t.Errorf("Policy(%q) = %q, of which it makes %q", text, normal, twice)
		}
		if other, _ := s.Policy("  " + strings.ReplaceAll(text, ";", " ; ") + ";report-uri /other"); other != hash {
			t.Errorf("Policy(%q) is another one with blanks and another report-uri", text)
		}
		for _, w := range strings.Fields(normal) {
			if lower := strings.TrimSuffix(strings.ToLower(w), ";"); strings.HasPrefix(lower, "'nonce-") && lower != "'nonce-x'" || strings.HasPrefix(lower, "'sha256-") && lower != "'sha256-x'" || strings.ContainsAny(w, "?#@") {
				t.Errorf("Policy(%q) keeps %q", text, w)
			}
		}
	})
}

// FuzzGlob holds the matcher against one that tries everything.
func FuzzGlob(f *testing.F) {
	for _, pair := range [][2]string{{"*.a.example", "b.a.example"}, {"a*c*e", "abcde"}, {"**a", "bba"}, {"", ""}, {"*", "x"}} {
		f.Add(pair[0], pair[1])
	}
	f.Fuzz(func(t *testing.T, pattern, s string) {
		if len(pattern) > 12 || len(s) > 24 { // the other one takes exponential time
			return
		}
		if got, want := collect.Glob(pattern, s), slowGlob(pattern, s); got != want {
			t.Errorf("Glob(%q, %q) = %t", pattern, s, got)
		}
	})
}

func slowGlob(pattern, s string) bool {
	switch {
	case pattern == "":
		return s == ""
	case pattern[0] != '*':
		return s != "" && s[0] == pattern[0] && slowGlob(pattern[1:], s[1:])
	case slowGlob(pattern[1:], s):
		return true
	}
	return s != "" && slowGlob(pattern, s[1:])
}

// FuzzBrowser wants a short name out of any User-Agent.
func FuzzBrowser(f *testing.F) {
	for _, agent := range []string{chrome, firefox, "", "curl/8", "Mozilla/5.0 (iPhone) Mobile/15E148 [FBAN/FBIOS;FBAV/466.0.0]"} {
		f.Add(agent)
	}
	f.Fuzz(func(t *testing.T, agent string) {
		if name := collect.Browser(agent); len(name) > 32 || !showable(name) || strings.ContainsAny(name, "<>\"'&/") {
			t.Errorf("Browser(%q) = %q", agent, name)
		}
	})
}

// FuzzWord wants nothing but names, and each as it was.
func FuzzWord(f *testing.F) {
	for _, s := range []string{"UnloadHandler", "a<b>", "Zm9vYmFyMTIzNDU2Nzg5", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if w := collect.Word(s); w != s && w != "other" || len(w) > 64 || !showable(w) {
			t.Errorf("Word(%q) = %q", s, w)
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
		for _, h := range hits {
			checkHit(t, h)
		}
	})
}
