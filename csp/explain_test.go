package csp_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon/csp"
)

// agrees holds an explanation against the decision that it explains.
func agrees(t *testing.T, what string, e csp.Explanation) {
	t.Helper()
	violated := map[string]int{}
	for _, v := range e.Violations() {
		violated[v.Directive]++
	}
	blocked := false
	for _, p := range e.Policies {
		if !p.Allowed {
			violated[p.Directive]--
			blocked = blocked || p.Disposition == csp.Enforce
		}
		if !p.Allowed && p.Matched != "" {
			t.Errorf("%s, %v: %q does not allow it, but %s matched", what, e.Mode, p.Policy, p.Matched)
		}
	}
	if e.Blocked != blocked {
		t.Errorf("%s, %v: blocked %v, explained as %v: %+v", what, e.Mode, e.Blocked, blocked, e.Policies)
	}
	for directive, n := range violated {
		if n != 0 && directive != "x-frame-options" && directive != "base-uri" && directive != "script-src" {
			t.Errorf("%s, %v: the explanation of %s differs from the violations: %+v", what, e.Mode, directive, e)
		}
	}
}

// explainAll asks every kind of question about a list.
func explainAll(m csp.Mode, l *csp.List, u csp.URL) map[string]csp.Explanation {
	out := map[string]csp.Explanation{
		"wasm":   l.ExplainWasm(m),
		"webrtc": l.ExplainWebRTC(m),
		"eval":   l.ExplainEval(m, "1+1", csp.Untyped),
		"typed":  l.ExplainEval(m, "1+1", csp.PlainString),
		"sink":   l.ExplainTrustedTypesSink(m, "Element innerHTML", "<b>"),
		"policy": l.ExplainTrustedTypesPolicy(m, "app", []string{"app"}),
		"base":   l.ExplainBase(m, self, &u),
		"form":   l.ExplainSubmitForm(m, self, &u, 1),
		"frame":  l.ExplainFrame(m, mustParse("https://example.com/"), []csp.Origin{self, u.Origin()}, []string{"SAMEORIGIN"}),
	}
	for _, destination := range []string{"", "image", "script", "style", "worker", "xslt", "report"} {
		for _, element := range []csp.Request{{}, {ParserInserted: true, Nonce: "abc"}, {ParserInserted: true, Integrity: "sha256-" + csp.Hash("sha256", "x")}} {
			element.URL, element.Destination = u, destination
			out["request "+destination+element.Nonce+element.Integrity] = l.ExplainRequest(m, self, &element)
		}
	}
	for _, kind := range []csp.InlineType{csp.InlineScript, csp.InlineScriptAttribute, csp.InlineStyle, csp.InlineStyleAttribute, csp.InlineNavigation} {
		for _, nonce := range []string{"", "abc"} {
			out["inline "+string(kind)+nonce] = l.ExplainInline(m, &csp.Inline{Type: kind, Element: "script", Content: "x", Nonce: nonce, ParserInserted: true})
		}
	}
	return out
}

func mustParse(s string) csp.URL {
	u, err := csp.ParseURL(s)
	if err != nil {
		panic(err)
	}
	return u
}

func TestExplanationsAgreeWithDecisions(t *testing.T) {
	for _, policy := range []string{
		"", "default-src 'none'", "default-src 'self' *", "script-src 'nonce-abc' 'strict-dynamic' https: 'unsafe-inline'; style-src 'unsafe-inline'",
		"script-src 'sha256-" + csp.Hash("sha256", "x") + "' 'unsafe-hashes'; worker-src a.example:*/x/", "default-src 'none' a.example; img-src",
		"require-trusted-types-for 'script'; trusted-types app; script-src 'trusted-types-eval'", "trusted-types * 'allow-duplicates'; webrtc 'block'",
		"frame-ancestors 'self' https:; form-action http://*.example; base-uri 'none'", "script-src 'unsafe-eval', script-src 'wasm-unsafe-eval'",
	} {
		l := csp.NewList(csp.Delivered{Value: policy}, csp.Delivered{Value: "default-src 'none'; base-uri a.example; frame-ancestors 'none'", Disposition: csp.Report})
		for m := csp.Spec; m <= csp.Laxest; m++ {
			for _, u := range []string{"https://a.example/x/y", "http://a.example:81/", "wss://a.example/", "data:,x", "javascript:x", "https://10.1.2.3/"} {
				for what, e := range explainAll(m, l, mustParse(u)) {
					agrees(t, fmt.Sprintf("%s, %s, %s", policy, what, u), e)
				}
			}
		}
	}
}

func FuzzExplain(f *testing.F) {
	f.Add("default-src 'self'; script-src a.example 'nonce-abc'", "https://a.example:8443/x?y")
	f.Add("frame-ancestors *; base-uri http://a/b%2fc, webrtc 'allow'", "wss://10.1.2.3/%zz")
	f.Add("require-trusted-types-for 'script'; form-action javascript:, script-src 'none'", "javascript:x")
	f.Fuzz(func(t *testing.T, policy, target string) {
		u, err := csp.ParseURL(target)
		if err != nil || len(policy) > 300 {
			return
		}
		for m := csp.Spec; m <= csp.Laxest; m++ {
			for what, e := range explainAll(m, list(policy), u) {
				agrees(t, what, e)
			}
		}
	})
}

func TestExplanationsGiveTheReason(t *testing.T) {
	image := func(u string) func(*csp.List) csp.Explanation {
		return func(l *csp.List) csp.Explanation {
			return l.ExplainRequest(csp.Spec, self, &csp.Request{URL: mustParse(u), Destination: "image"})
		}
	}
	inline := func(in csp.Inline) func(*csp.List) csp.Explanation {
		return func(l *csp.List) csp.Explanation { return l.ExplainInline(csp.Spec, &in) }
	}
	framed := func(by string, options ...string) func(*csp.List) csp.Explanation {
		return func(l *csp.List) csp.Explanation {
			return l.ExplainFrame(csp.Spec, mustParse("https://example.com/"), []csp.Origin{csp.ParseOrigin(by)}, options)
		}
	}
	for _, c := range []struct {
		policy, want string
		explain      func(*csp.List) csp.Explanation
	}{
		{"img-src http://a.example:8443", "the port is the default of https", image("https://a.example/")},
		{"img-src *.a.example", "the host a.example is not below a.example", image("https://a.example/")},
		{"img-src a.example/x", "the path is /y", image("https://a.example/y")},
		{"img-src 'none' a.example", "does not count beside other sources", image("https://b.example/")},
		{"img-src 10.1.2.3", "sources match names, not addresses", image("https://10.1.2.3/")},
		{"img-src a.example/?q", "no valid source", image("https://a.example/")},
		{"img-src http://a.example", "the URL has no host", image("data:,x")},
		{"script-src 'sha256-AAAA'", "the content's hash is sha256-" + csp.Hash("sha256", "x"), inline(csp.Inline{Type: csp.InlineScript, Element: "script", Content: "x"})},
		{"script-src 'sha256-AAAA'", "only beside 'unsafe-hashes'", inline(csp.Inline{Type: csp.InlineScriptAttribute, Content: "x"})},
		{"script-src 'nonce-abc'", "repeats an attribute", inline(csp.Inline{Type: csp.InlineScript, Element: "script", Nonce: "abc", Duplicate: true})},
		{"script-src 'nonce-abc' 'unsafe-inline'", "does not count beside a nonce", inline(csp.Inline{Type: csp.InlineScript, Element: "script"})},
		{"script-src 'strict-dynamic'", "came with the page", inline(csp.Inline{Type: csp.InlineScript, Element: "script", ParserInserted: true})},
		{"script-src 'strict-dynamic' 'report-sample'", "'report-sample' asks for a sample", inline(csp.Inline{Type: csp.InlineScript, Element: "script", ParserInserted: true})},
		{"script-src 'report-sample'", "'report-sample' asks for a sample", func(l *csp.List) csp.Explanation { return l.ExplainEval(csp.Spec, "1+1", csp.Untyped) }},
		{"frame-ancestors a.example", "for https://b.example: the host is b.example", framed("https://b.example")},
		{"frame-ancestors *", "opaque origin", framed("null")},
		{"", "contradict each other", framed("https://b.example", "DENY", "SAMEORIGIN")},
		{"", "protects nothing", framed("https://b.example", "ALLOWALL")},
		{"frame-ancestors *", "does not count beside an enforced frame-ancestors", framed("https://b.example", "DENY")},
	} {
		e := c.explain(csp.NewList(csp.Delivered{Value: c.policy}))
		if !strings.Contains(fmt.Sprint(e.Policies), c.want) {
			t.Errorf("%q: %+v, want a reason with %q", c.policy, e.Policies, c.want)
		}
	}
}

func ExampleParse() {
	p := csp.Parse("Default-Src 'self'; img-src https: HTTPS:; default-src *")
	fmt.Println(p)
	for _, odd := range p.Oddities {
		fmt.Println(odd.Kind == csp.DuplicateDirective, odd.Pos, odd.Text)
	}
	// Output:
	// default-src 'self'; img-src https: HTTPS:
	// true 43 default-src *
}

func ExampleList_ExplainRequest() {
	l := csp.NewList(csp.Delivered{Value: "default-src 'self' https://*.cdn.example"})
	target, _ := csp.ParseURL("https://cdn.example/lib.js")
	e := l.ExplainRequest(csp.Strictest, csp.ParseOrigin("https://shop.example"), &csp.Request{URL: target, Destination: "script"})
	for _, p := range e.Policies {
		fmt.Println(e.Blocked, p.By, p.Missing)
		for _, r := range p.Reasons {
			fmt.Println(r.Word, r.Why)
		}
	}
	// Output:
	// true default-src [script-src-elem script-src]
	// 'self' the page is of https://shop.example
	// https://*.cdn.example the host cdn.example is not below cdn.example
}
