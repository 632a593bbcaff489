package csp_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon/csp"
)

// Two hashes of the same text.
var (
	hash256 = csp.HashOf("sha256", "x")
	hash384 = csp.HashOf("sha384", "x")
)

// Several policies may be passed by several means at once: one element has a nonce, a hash and a script that made it.
func TestContainsKnowsSeveralMeans(t *testing.T) {
	no, doubt, yes := csp.No, csp.CannotTell, csp.Yes
	for _, c := range []struct {
		outer string
		inner []string
		want  csp.Answer
	}{
		{"script-src 'none'", []string{"script-src 'nonce-a'", "script-src " + hash256}, no},
		{"style-src 'none'", []string{"style-src 'nonce-a'", "style-src " + hash256}, no},
		{"script-src 'none'", []string{"script-src 'nonce-a'", "script-src 'strict-dynamic'"}, no},
		{"script-src 'none'", []string{"script-src " + hash256, "script-src 'strict-dynamic'"}, no},
		{"script-src 'none'", []string{"script-src 'nonce-a'", "script-src " + hash256, "script-src 'strict-dynamic'"}, no},
		{"script-src 'none'", []string{"script-src 'nonce-a'", "script-src 'nonce-b'"}, yes},
		{"style-src 'none'", []string{"style-src " + hash256, "style-src " + hash384}, doubt},
		{"script-src 'none'", []string{"script-src " + hash256, "script-src " + hash384}, doubt},
		{"script-src-elem 'none'", []string{"script-src-elem " + hash256 + " 'nonce-a'", "script-src-elem " + hash384}, no},
		{"script-src 'none'", []string{"script-src " + hash256 + " " + hash384}, no},
		{"style-src " + hash384, []string{"style-src " + hash256}, doubt},
		{"style-src 'none'", []string{"style-src 'sha256-AAAA'"}, yes}, // no text has such a hash
		{"script-src 'none'", []string{"script-src 'unsafe-hashes' " + hash256 + "; script-src-elem 'none'"}, no},
		{"form-action 'none'; script-src 'unsafe-hashes' " + hash256, []string{"script-src 'unsafe-hashes' " + hash256}, no},
		{"form-action 'none'; script-src-elem 'unsafe-hashes' " + hash256, []string{"form-action javascript:; script-src-elem 'unsafe-hashes' " + hash256}, no},
		{"require-trusted-types-for 'script'", []string{"script-src 'unsafe-inline'"}, no},
	} {
		checkContains(t, csp.Spec, c.outer, c.inner, c.want)
	}
}

// Probes are URLs that no source of the lists means, and that a URL parser makes.
func TestContainsProbesWithURLs(t *testing.T) {
	for _, c := range []struct {
		m            csp.Mode
		outer, inner string
		want         csp.Answer
	}{
		{csp.Spec, "img-src https://a.com:59999 https://a.com https://a.com:80", "img-src https://a.com:*", csp.No},
		{csp.Spec, "img-src 'none'", "img-src a.com:0", csp.No},
		{csp.Spec, "img-src 'none'", "img-src a.com:99999", csp.Yes},
		{csp.Spec, "img-src 'none'", "img-src a.com:99999999999999999999", csp.Yes},
		{csp.Spec, "base-uri 'none'", "base-uri a.com/../x", csp.Yes},
		{csp.Spec, "img-src 'none'", "img-src custom://a.com", csp.Yes},
		{csp.Spec, "img-src fresh.a.com *.fresh.a.com", "img-src *.a.com", csp.No},
		{csp.Spec, "img-src *.invalid invalid *.self.example self.example", "img-src https://*", csp.No},
		{csp.Spec, "img-src fresh:", "img-src fresh: other:", csp.No},
		{csp.Spec, "img-src 'none'", "img-src file:", csp.No},
		{csp.Spec, "img-src a.com/x/fresh", "img-src a.com/x/", csp.No},
		{csp.Chromium, "img-src 'none'", "img-src 0.1", csp.Yes},
		{csp.Chromium, "img-src 'none'", "img-src 0x7f.1", csp.Yes},
		{csp.Chromium, "img-src 'none'", "img-src *.2.3", csp.No},
		{csp.Chromium, "img-src 1.1.2.3", "img-src *.2.3", csp.No},
		{csp.Chromium, "img-src *.1.2.3", "img-src *.2.3", csp.No},
		{csp.Chromium, "img-src *.2.3", "img-src 1.1.2.3", csp.Yes},
		{csp.Spec, "img-src 'none'", "img-src *.2.3", csp.Yes},
	} {
		got := checkContains(t, c.m, c.outer, []string{c.inner}, c.want)
		if text, _, _ := strings.Cut(got.Witness, " "); got.Witness != "" {
			if u, err := csp.ParseURL(strings.TrimSuffix(text, ",")); err != nil || !strings.HasPrefix(text, u.String()) {
				t.Errorf("%v: %q, %q: the witness %s is no URL: %v", c.m, c.outer, c.inner, got.Witness, err)
			}
		}
	}
}

// A page that upgrades loads nothing insecure, so that only what it makes of a URL counts.
func TestContainsUpgrades(t *testing.T) {
	for _, c := range []struct {
		m            csp.Mode
		outer, inner string
		want         csp.Answer
	}{
		{csp.Spec, "img-src https://a.com", "img-src http://a.com; upgrade-insecure-requests", csp.Yes},
		{csp.Spec, "img-src https://a.com", "img-src http://a.com", csp.No},
		{csp.Spec, "base-uri https://a.com", "base-uri http://a.com; upgrade-insecure-requests", csp.No}, // a base is not loaded
		{csp.Chromium, "img-src https://localhost", "img-src http://localhost; upgrade-insecure-requests", csp.No},
		{csp.Chromium, "img-src https:", "img-src http:; upgrade-insecure-requests", csp.No},
		{csp.Spec, "img-src https:", "img-src http:; upgrade-insecure-requests", csp.Yes},
		{csp.Laxest, "img-src https://localhost", "img-src http://localhost; upgrade-insecure-requests", csp.No},
		{csp.Spec, "form-action https://a.com", "form-action http://a.com; upgrade-insecure-requests", csp.Yes},
	} {
		checkContains(t, c.m, c.outer, []string{c.inner}, c.want)
	}
}

func TestContainsOtherCapabilities(t *testing.T) {
	for _, c := range []struct {
		outer, inner string
		want         csp.Answer
	}{
		{"sandbox allow-top-navigation", "sandbox allow-top-navigation-by-user-activation", csp.Yes},
		{"sandbox allow-popups", "sandbox allow-top-navigation-to-custom-protocols", csp.Yes},
		{"sandbox allow-top-navigation", "sandbox allow-top-navigation-to-custom-protocols", csp.Yes},
		{"sandbox allow-top-navigation-to-custom-protocols", "sandbox allow-popups", csp.No},
		{"trusted-types one", "trusted-types one a!b 'allow-duplicates", csp.Yes},
		{"trusted-types one", "trusted-types one two", csp.No},
		{"trusted-types fresh", "trusted-types *", csp.No},
		{"trusted-types one", "trusted-types one 'allow-duplicates'", csp.No},
	} {
		checkContains(t, csp.Spec, c.outer, []string{c.inner}, c.want)
	}
}

// What the lists themselves show needs no probes, however long they are.
func TestContainsReadsLongLists(t *testing.T) {
	repeat := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, " "+format, i)
		}
		return b.String()
	}
	var hashes strings.Builder
	for i := range 60 {
		hashes.WriteString(" " + csp.HashOf("sha256", fmt.Sprint(i)))
	}
	for _, policy := range []string{
		"script-src 'nonce-a'" + repeat(150, "h%d.example"),
		"img-src" + repeat(600, "h%d.example"),
		"img-src" + repeat(400, "a.example/%d/"),
		"script-src" + hashes.String() + repeat(40, "h%d.example"),
		"default-src" + repeat(600, "h%d.example") + "; script-src 'none'",
		"form-action" + repeat(3000, "h%d.example") + "; frame-ancestors" + repeat(3000, "h%d.example"),
	} {
		for m := csp.Spec; m <= csp.Laxest; m++ {
			checkContains(t, m, policy, []string{policy}, csp.Yes)
		}
		checkContains(t, csp.Spec, policy, []string{policy + "; img-src 'none'; connect-src 'none'", "default-src *"}, csp.Yes)
	}
	hosts := repeat(600, "h%d.example")
	checkContains(t, csp.Spec, "img-src a.example"+hosts, []string{"img-src 'report-sample'" + hosts}, csp.Yes)
	checkContains(t, csp.Spec, "img-src"+hosts, []string{"img-src a.example" + hosts}, csp.CannotTell)
	checkContains(t, csp.Spec, "script-src 'unsafe-inline'"+hosts, []string{"script-src 'unsafe-inline' 'strict-dynamic'" + hosts}, csp.CannotTell)
	checkContains(t, csp.Spec, "script-src 'unsafe-inline' 'nonce-a'"+hosts, []string{"script-src 'unsafe-inline'" + hosts}, csp.No)
	checkContains(t, csp.Spec, "upgrade-insecure-requests; img-src"+hosts, []string{"img-src" + hosts}, csp.No)
}

// The same question has the same answer, witness and all.
func TestContainsIsDeterministic(t *testing.T) {
	for _, inner := range []string{"", "sandbox allow-forms allow-modals", "script-src 'unsafe-eval'", "trusted-types *"} {
		outer := list("sandbox; script-src 'none'; require-trusted-types-for 'script'; trusted-types one")
		first := fmt.Sprint(csp.Differences(csp.Spec, self, outer, list(inner)))
		for range 20 {
			if again := fmt.Sprint(csp.Differences(csp.Spec, self, outer, list(inner))); again != first {
				t.Fatalf("%q: %s, then %s", inner, first, again)
			}
		}
	}
}

func checkContains(t *testing.T, m csp.Mode, outer string, inner []string, want csp.Answer) csp.Difference {
	t.Helper()
	got := csp.Contains(m, self, list(outer), list(inner...))
	if got.Answer != want {
		t.Errorf("%v: %.80q allows what %.80q allow: %v (%s: %s), want %v", m, outer, inner, got.Answer, got.Witness.Directive, got.Witness.Witness, want)
	}
	return got.Witness
}
