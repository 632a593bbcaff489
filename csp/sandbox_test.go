package csp_test

import (
	"testing"

	"github.com/merlon-sec/merlon/csp"
)

// Some tokens lift what others lift as well, in one sandbox or in several that restrict together.
func TestSandboxTokensThatImplyOthers(t *testing.T) {
	const user, custom = "allow-top-navigation-by-user-activation", "allow-top-navigation-to-custom-protocols"
	for _, c := range []struct {
		policies []string
		token    string
		want     bool
	}{
		{[]string{"sandbox allow-top-navigation"}, user, true},
		{[]string{"sandbox allow-top-navigation"}, custom, true},
		{[]string{"sandbox allow-popups"}, custom, true},
		{[]string{"sandbox Allow-Popups"}, custom, true},
		{[]string{"sandbox allow-popups"}, user, false},
		{[]string{"sandbox " + user}, "allow-top-navigation", false},
		{[]string{"sandbox " + custom}, "allow-popups", false},
		{[]string{"sandbox allow-popups", "sandbox " + custom}, custom, true},
		{[]string{"sandbox allow-popups", "sandbox " + user}, custom, false},
	} {
		if got := list(c.policies...).Sandbox(csp.Chromium).Allows(c.token); got != c.want {
			t.Errorf("%q allows %s: %v, want %v", c.policies, c.token, got, c.want)
		}
	}
}

// A sandbox without allow-same-origin gives the response an opaque origin, which SAMEORIGIN then compares with.
func TestSandboxAndSameOrigin(t *testing.T) {
	for policy, want := range map[string]bool{
		"": false, "sandbox": true, "sandbox allow-scripts": true, "sandbox allow-same-origin": false, "sandbox; frame-ancestors 'self'": false,
	} {
		v := list(policy).Frame(csp.Spec, mustURL(t, "https://self.example/"), []csp.Origin{self}, []string{"SAMEORIGIN"})
		if v.Blocked != want {
			t.Errorf("%q and SAMEORIGIN: blocked %v, want %v", policy, v.Blocked, want)
		}
		e := list(policy).ExplainFrame(csp.Spec, mustURL(t, "https://self.example/"), []csp.Origin{self}, []string{"SAMEORIGIN"})
		if explained := e.Policies[len(e.Policies)-1]; explained.Allowed == want {
			t.Errorf("%q and SAMEORIGIN: explained as %+v, want blocked %v", policy, explained, want)
		}
	}
}

func TestReportOnlySandboxKeepsTheOrigin(t *testing.T) {
	l := csp.NewList(csp.Delivered{Value: "sandbox", Disposition: csp.Report})
	if v := l.Frame(csp.Spec, mustURL(t, "https://self.example/"), []csp.Origin{self}, []string{"SAMEORIGIN"}); v.Blocked {
		t.Error("a sandbox that is only reported about makes the origin opaque")
	}
}
