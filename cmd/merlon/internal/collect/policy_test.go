package collect_test

import (
	"strings"
	"testing"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/collect"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

var policyTests = map[string]string{
	"":                    "",
	"img-src 'self'":      "img-src 'self'",
	" IMG-SRC  'Self' ; ": "img-src 'self'",
	"script-src 'nonce-abc' nonce-cdn.example; img-src *":                  "img-src *; script-src 'nonce-x' nonce-cdn.example",
	"script-src 'NONCE-abc' 'nonce-def' https:":                            "script-src 'nonce-x' https:",
	"script-src 'nonce-unclosed":                                           "script-src 'nonce-x'",
	"script-src 'sha256-aaaa' 'sha256-bbbb' 'sha384-cccc'":                 "script-src 'sha256-x' 'sha384-x'",
	"img-src a.example; report-uri /r?t=secret https://b; report-to token": "img-src a.example",
	"img-src a.example; img-src b.example":                                 "img-src a.example",
	"img-src HTTPS://A.example:8443/u/alice@b.example/":                    "img-src https://a.example:8443/u/*/",
	"img-src https://a.example/reset/Zm9vYmFyMTIzNDU2Nzg5":                 "img-src https://a.example/reset/*",
	"img-src a.example/u/Zm9vYmFyMTIzNDU2Nzg5/://x":                        "img-src a.example/u/*/://x",
	"img-src https://u:p@a.example/x https://a.example/?q=secret":          "img-src *",
	"script-src 'sha1-secret 'shasecret'":                                  "script-src *",
	"img-src 'madeupsecret' foo'bar":                                       "img-src *",
	"trusted-types dompurify 'allow-duplicates'; sandbox allow-scripts":    "sandbox allow-scripts; trusted-types dompurify 'allow-duplicates'",
	"require-trusted-types-for 'script'":                                   "require-trusted-types-for 'script'",
	"x/y a; 0123456789abcdef0123 b":                                        "other a",
	"upgrade-insecure-requests; made-up-directive x":                       "made-up-directive x; upgrade-insecure-requests",
}

func TestPolicy(t *testing.T) {
	s := collect.NewSorter(collect.Site{Name: "shop"})
	hashes := map[string]string{}
	for text, want := range policyTests {
		hash, got := s.Policy(text)
		if got != want {
			t.Errorf("the normal form of %q is %q, want %q", text, got, want)
		}
		if other, ok := hashes[hash]; ok && other != got {
			t.Errorf("%q and %q have one hash", other, got)
		}
		hashes[hash] = got
		if again, _ := s.Policy(text); again != hash {
			t.Errorf("%q: another hash from memory", text)
		}
	}
	a, _ := s.Policy("script-src 'nonce-abc'; img-src *; report-uri /r?1")
	b, _ := s.Policy("img-src *; script-src 'nonce-def'; report-uri /r?2")
	if a != b || len(a) != 16 {
		t.Errorf("one policy has the hashes %q and %q", a, b)
	}
}

// A report contradicts itself only if its policy allows what was blocked whatever is not known of it.
func TestContradictions(t *testing.T) {
	tests := []struct {
		policy, directive, blocked string
		want                       bool
	}{
		{"img-src 'self' https://cdn.example", "img-src", "https://cdn.example/a.png", true},
		{"img-src 'self' https://cdn.example", "img-src", "https://other.example/a.png", false},
		{"default-src https://cdn.example", "img-src", "https://cdn.example/a.png", true},
		{"img-src https://cdn.example/img/", "img-src", "https://cdn.example/a.png", false},
		{"img-src https://cdn.example/img/", "img-src", "https://cdn.example/img/a.png?q", true},
		{"frame-src https://cdn.example/widget/", "frame-src", "https://cdn.example", false}, // browsers cut it to the origin
		{"frame-src https://cdn.example", "frame-src", "https://cdn.example", true},
		{"child-src https://cdn.example", "frame-src", "https://cdn.example", true},
		{"img-src *.example", "img-src", "https://cdn.example/a.png", true},
		{"img-src data:", "img-src", "data", true},
		{"img-src *", "img-src", "data", false},
		{"img-src *", "img-src", "blob", false},
		{"img-src 'self'", "img-src", "https://shop.example/redirects", true},
		{"img-src 'none'", "img-src", "https://shop.example/a.png", false},
		{"script-src 'nonce-abc' 'strict-dynamic' https:", "script-src-elem", "https://cdn.example/x.js", false},
		{"script-src 'nonce-abc' https:", "script-src-elem", "https://cdn.example/x.js", true},
		{"script-src 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=' 'self'", "script-src-elem", "https://cdn.example/x.js", false},
		{"style-src https://cdn.example", "style-src-elem", "https://cdn.example/x.css", true},
		{"connect-src wss://ws.example", "connect-src", "wss://ws.example/s", true},
		{"connect-src https://ws.example", "connect-src", "wss://ws.example/s", false}, // browsers differ
		{"worker-src 'self'", "worker-src", "https://shop.example/w.js", true},
		{"form-action 'self'", "form-action", "https://shop.example/pay", true}, // it led elsewhere from there
		{"form-action 'self'", "form-action", "https://evil.example/", false},
		{"base-uri 'self'", "base-uri", "https://shop.example/", true},
		{"base-uri 'none'", "base-uri", "https://shop.example/", false},

		{"script-src 'unsafe-inline'", "script-src-elem", "inline", true},
		{"script-src 'unsafe-inline'", "script-src", "inline", true},
		{"script-src 'unsafe-inline' 'nonce-abc'", "script-src-elem", "inline", false},
		{"script-src 'unsafe-inline' 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='", "script-src-elem", "inline", false},
		{"script-src 'unsafe-inline' 'strict-dynamic'", "script-src-attr", "inline", false},
		{"script-src 'self'; script-src-attr 'unsafe-inline'", "script-src", "inline", false},
		{"style-src 'unsafe-inline'", "style-src-attr", "inline", true},
		{"style-src 'self'", "style-src-attr", "inline", false},
		{"script-src 'unsafe-eval'", "script-src", "eval", true},
		{"script-src 'self'", "script-src", "eval", false},
		{"script-src 'wasm-unsafe-eval'", "script-src", "wasm-eval", true},
		{"script-src 'wasm-unsafe-eval'", "script-src", "eval", false},

		{"", "img-src", "https://cdn.example/a.png", false},                                      // not told
		{"font-src 'self'", "img-src", "https://cdn.example/a.png", true},                        // the policy says nothing of images
		{"default-src https://cdn.example", "default-src", "https://cdn.example/", false},        // not told what it was
		{"frame-ancestors *", "frame-ancestors", "https://cdn.example/", false},                  // not told by whom
		{"img-src a.example, img-src 'none'", "img-src", "https://a.example/x", false},           // two in one
		{"img-src *; x " + strings.Repeat("y", 17_000), "img-src", "https://a.example/x", false}, // cut off
		{"require-trusted-types-for 'script'", "require-trusted-types-for", "trusted-types-sink", false},
	}
	for _, test := range tests {
		h := hitOf(t, violationOf(test.directive, `"blocked-uri":"`+test.blocked+`","original-policy":"`+test.policy+`"`), nil)
		if got := h.Verdict == store.SelfContradicting; got != test.want {
			t.Errorf("%.80q, %s of %q: %s, want a contradiction: %t", test.policy, test.directive, test.blocked, h.Verdict, test.want)
		}
	}
}

// What is possible and what is not never share an issue, with whatever label.
func TestContradictionsStayApart(t *testing.T) {
	report := func(policy, source string) store.Hit {
		return hitOf(t, violationOf("img-src", `"blocked-uri":"https://cdn.example/a.png","original-policy":"`+policy+`","source-file":"`+source+`"`), nil)
	}
	possible, not := report("img-src 'self'", ""), report("img-src *", "")
	if possible.Fingerprint == not.Fingerprint {
		t.Error("a report that contradicts itself is of the same issue as one that does not")
	}
	labelled := report("img-src *", "chrome-extension")
	if labelled.Verdict != store.Noise || labelled.Fingerprint != not.Fingerprint {
		t.Errorf("a contradiction that a rule knows: %s, the same issue: %t", labelled.Verdict, labelled.Fingerprint == not.Fingerprint)
	}
	labels := collect.NewLabels(collect.Site{})
	for _, class := range []string{"origin", "self", "scheme", "inline", "eval"} {
		if words := labels.Reason(store.SelfContradicting, "", class); !strings.Contains(words, "forged") || !strings.Contains(words, "extension") {
			t.Errorf("%s: %s", class, words)
		}
	}
	if words := labels.Reason(store.SelfContradicting, "", "origin"); !strings.Contains(words, "redirect") || !strings.Contains(words, "path") {
		t.Errorf("origin: %s", words)
	}
}

// Where the policy names paths, which path it was is part of the issue.
func TestSelfWithPaths(t *testing.T) {
	for policy, want := range map[string]string{
		"script-src https://shop.example/static/":                      "self /admin/x.js",
		"default-src https://shop.example/static/; img-src 'self'":     "self /admin/x.js",
		"script-src 'none'; img-src https://shop.example/static/":      "self",
		"script-src https://shop.example/":                             "self",
		"script-src-elem 'none'; script-src https://shop.example/stat": "self",
	} {
		h := hitOf(t, violationOf("script-src-elem", `"blocked-uri":"https://shop.example/admin/x.js","original-policy":"`+policy+`"`), nil)
		if h.Class != "self" || h.Blocked != want {
			t.Errorf("%s: %s %q, want %q", policy, h.Class, h.Blocked, want)
		}
	}
}
