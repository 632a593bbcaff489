package collect_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/collect"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

// ours attests nonces that begin with "ours".
func ours(nonce string) bool { return strings.HasPrefix(nonce, "ours") }

func TestAttestedReports(t *testing.T) {
	for _, c := range []struct {
		name            string
		policies        []string
		attested, views int64
	}{
		{"no policy", []string{""}, 0, 0},
		{"no nonce", []string{"img-src 'self'"}, 0, 0},
		{"a nonce of ours", []string{"script-src 'nonce-ours1'"}, 1, 1},
		{"of somebody else", []string{"script-src 'nonce-theirs'"}, 0, 0},
		{"one page, three reports", []string{"img-src 'self'; script-src 'nonce-ours1'", "script-src 'nonce-ours1'; img-src 'self'", "style-src 'nonce-ours1'; img-src 'self'"}, 3, 1},
		{"two pages", []string{"script-src 'nonce-ours1'", "script-src 'nonce-ours2'"}, 2, 2},
		{"behind another one", []string{"script-src 'nonce-theirs' 'nonce-ours1'"}, 1, 1},
		{"behind many", []string{"script-src " + strings.Repeat("'nonce-theirs' ", 10) + "'nonce-ours1'"}, 0, 0},
		{"a host", []string{"script-src nonce-ours1.example"}, 0, 0},
		{"open at its end", []string{"script-src 'nonce-ours1"}, 0, 0},
	} {
		f := start(t, collect.Config{})
		h := f.collector.Handler(collect.Site{Name: "shop", Hosts: []string{"shop.example"}, Attests: ours})
		for _, policy := range c.policies {
			h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/r", strings.NewReader(legacy(`,"original-policy":"`+policy+`"`))))
		}
		issues, err := f.store.Issues(context.Background(), store.Query{})
		if err != nil || len(issues) != 1 {
			t.Fatalf("%s: %v, %v", c.name, issues, err)
		}
		if i := issues[0]; i.Attested != c.attested || i.Views != c.views || i.Enforced != int64(len(c.policies)) {
			t.Errorf("%s: %d reports, %d attested, %d views; want %d and %d", c.name, i.Enforced, i.Attested, i.Views, c.attested, c.views)
		}
	}
}

// A nonce that is sent again and again makes neither views nor attested reports.
func TestReplayedNonce(t *testing.T) {
	view := collect.View(ours)
	first := view("script-src 'nonce-ours'")
	for i := 2; i <= 300; i++ {
		want := first
		if i > 200 {
			want = 0
		}
		if got := view("script-src 'nonce-ours'"); got != want {
			t.Fatalf("report %d of a page view counts for %d, want %d", i, got, want)
		}
	}
	if other := view("script-src 'nonce-ours2'"); other == 0 || other == first {
		t.Errorf("another page view is %d beside %d", other, first)
	}
	// It stays known while others come in, and is forgotten in the end: memory is bounded.
	for i := range 10_000 {
		view(fmt.Sprintf("script-src 'nonce-ours-%d'", i))
	}
	if got := view("script-src 'nonce-ours'"); got != 0 {
		t.Errorf("after 10,000 other views it counts again, for %d", got)
	}
}

func TestNobodyAttests(t *testing.T) {
	if got := collect.View(nil)("script-src 'nonce-ours'"); got != 0 {
		t.Errorf("without a verifier: %d", got)
	}
}

func FuzzView(f *testing.F) {
	for _, policy := range []string{"script-src 'nonce-ours'", "'nonce-", "'nonce-'", "'nonce-'nonce-ours'", "'nonce-ours''nonce-ours'", "'NONCE-ours'"} {
		f.Add(policy)
	}
	f.Fuzz(func(t *testing.T, policy string) {
		if got := collect.View(ours)(policy); got != 0 && !strings.Contains(policy, "'nonce-ours") {
			t.Errorf("%q is attested, and has no nonce of ours", policy)
		}
	})
}
