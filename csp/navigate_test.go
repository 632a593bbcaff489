package csp_test

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/merlon-sec/merlon/csp"
)

// violated gives a decision in short.
func violated(d csp.Decision) []string {
	out := []string{}
	for _, v := range d.Violations() {
		out = append(out, fmt.Sprint(v.Policy, " ", v.Directive, " ", v.Disposition, " ", v.Resource, " ", v.Sample))
	}
	return out
}

// Words that are no policy names allow no policy, whatever stands in the directive.
func TestTrustedTypesNames(t *testing.T) {
	for _, c := range []struct {
		value, name string
		blocked     bool
	}{
		{"one", "one", false}, {"one", "two", true}, {"*", "a!b", false}, {"-#=_/@.%9", "-#=_/@.%9", false},
		{"'allow-duplicates' one", "'allow-duplicates'", true}, {"'none' one", "'none'", true}, {"'none'", "'none'", true},
		{"a!b", "a!b", true}, {"one", "One", true}, {"", "", true},
	} {
		l := list("trusted-types " + c.value)
		if d := l.TrustedTypesPolicy(csp.Spec, c.name, nil); d.Blocked != c.blocked {
			t.Errorf("trusted-types %s: the policy %s is blocked %v, want %v", c.value, c.name, d.Blocked, c.blocked)
		}
		agrees(t, c.value, l.ExplainTrustedTypesPolicy(csp.Spec, c.name, nil))
	}
}

// A javascript: URL passes form-action and Trusted Types of all policies, and then, if none blocked it, as inline code.
func TestSubmitToJavaScript(t *testing.T) {
	target := mustURL(t, "javascript:x()")
	for _, c := range []struct {
		enforced, reported string
		blocked            bool
		want               []string
	}{
		{"", "", false, []string{}},
		{"script-src 'none'", "", true, []string{"0 script-src-elem enforce inline "}},
		{"script-src 'none'", "form-action 'none'", true, []string{"1 form-action report  ", "0 script-src-elem enforce inline "}},
		{"script-src 'none'; form-action 'none'", "", true, []string{"0 form-action enforce  "}},
		{"require-trusted-types-for 'script'; script-src 'none'", "", true, []string{"0 require-trusted-types-for enforce trusted-types-sink Location href|x()"}},
		{"require-trusted-types-for 'script'; form-action 'none'", "", true,
			[]string{"0 form-action enforce  ", "0 require-trusted-types-for enforce trusted-types-sink Location href|x()"}},
		{"script-src 'none'", "require-trusted-types-for 'script'", true,
			[]string{"1 require-trusted-types-for report trusted-types-sink Location href|x()", "0 script-src-elem enforce inline "}},
	} {
		var delivered []csp.Delivered
		for disposition, text := range []string{c.enforced, c.reported} {
			delivered = append(delivered, csp.Delivered{Value: text, Disposition: csp.Disposition(disposition)})
		}
		l := csp.NewList(delivered...)
		d := l.SubmitForm(csp.Spec, self, &target, 0)
		if got := violated(d); d.Blocked != c.blocked || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%q, reported %q: blocked %v, %q; want %v, %q", c.enforced, c.reported, d.Blocked, got, c.blocked, c.want)
		}
		agrees(t, c.enforced, l.ExplainSubmitForm(csp.Spec, self, &target, 0))
	}
}

func TestTrustedTypesGovernJavaScriptURLs(t *testing.T) {
	in := &csp.Inline{Type: csp.InlineNavigation, Content: "javascript:x()"}
	for policy, want := range map[string][]string{
		"require-trusted-types-for 'script'":                    {"0 require-trusted-types-for enforce trusted-types-sink Location href|x()"},
		"require-trusted-types-for 'script'; script-src 'none'": {"0 require-trusted-types-for enforce trusted-types-sink Location href|x()"},
		"script-src 'unsafe-inline'":                            {},
	} {
		if got := violated(list(policy).Inline(csp.Spec, in)); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %q, want %q", policy, got, want)
		}
		agrees(t, policy, list(policy).ExplainInline(csp.Spec, in))
	}
}

// Only addresses and localhost are loopback, not domains that look like one.
func TestUpgradeLeavesLoopback(t *testing.T) {
	l := list("upgrade-insecure-requests")
	for in, want := range map[string]string{
		"http://127.0.0.1/": "http://127.0.0.1/", "http://127.9.8.7:8080/": "http://127.9.8.7:8080/", "http://[::1]/": "http://[::1]/",
		"http://localhost/": "http://localhost/", "http://a.localhost./": "http://a.localhost./", "http://127.evil.example/": "https://127.evil.example/",
		"http://10.9.8.7/": "https://10.9.8.7/", "ws://a.example:443/": "wss://a.example/", "ftp://a.example:443/": "ftp://a.example:443/",
	} {
		if got := l.Upgrade(csp.Chromium, mustURL(t, in)).String(); got != want {
			t.Errorf("%s becomes %s, want %s", in, got, want)
		}
	}
}
