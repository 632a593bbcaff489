package store_test

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
	"github.com/merlon-sec/merlon/report"
)

// Made-up pages of an issue, however many came before, do not hide the one that visitors report it from.
func TestCrowdOfPages(t *testing.T) {
	s, path := open(t)
	page := func(route string) {
		h := hit("https://a.example")
		h.Route = route
		commit(t, s, h)
	}
	for i := range 100 {
		page(fmt.Sprintf("/made-up-%c%c", 'a'+i/26, 'a'+i%26))
	}
	for range 3 {
		page("/checkout")
	}
	for i := range 100 {
		page(fmt.Sprintf("/later-%c%c", 'a'+i/26, 'a'+i%26))
	}
	listed := issues(t, s, store.Query{})[0]
	if got, want := listed.Pages[0], (store.Page{Route: "/checkout", Count: 3}); got != want {
		t.Errorf("first page %+v, want %+v", got, want)
	}
	checkSums(t, path)
}

// A crowd of made-up policies does not keep out the text of the one that the site sends.
func TestCrowdOfPolicies(t *testing.T) {
	s, path := open(t)
	policies := func(word string, n int) {
		var b store.Batch
		for i := range n {
			b.Policy("shop", fmt.Sprintf("%x", sha256.Sum256(fmt.Append(nil, word, i)))[:16], "img-src https://a.example", noon)
		}
		if err := s.Commit(t.Context(), &b); err != nil {
			t.Fatal(err)
		}
	}
	policies("made-up", 2*store.MaxPolicies)
	var b store.Batch
	b.Policy("shop", "5ea1", "default-src 'self'", noon)
	if err := s.Commit(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	if p, err := s.Policy(t.Context(), "shop", "5ea1"); err != nil || p.Text != "default-src 'self'" {
		t.Errorf("the site's policy: %+v, %v", p, err)
	}
	policies("more", 20)
	if n := query[int](t, path, "SELECT count(*) FROM policies"); n != store.MaxPolicies {
		t.Errorf("%d policies, want %d", n, store.MaxPolicies)
	}
}

// Issues that one client makes up do not take the place of those that many see, where alerts ask for pages.
func TestAlertsAskAboutWhatManySee(t *testing.T) {
	s, _ := open(t)
	for network := range uint64(3) {
		h := from(2*network+1, hit("https://real.example"))
		h.Disposition, h.Route = report.Enforce, "/checkout"
		commit(t, s, h)
	}
	var b store.Batch
	for i := range 600 {
		h := from(99, hit(fmt.Sprintf("https://made-up-%d.example", i)))
		h.Disposition, h.At = report.Enforce, h.At.Add(time.Minute)
		b.Add(h)
	}
	if err := s.Commit(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	q := store.AlertQuery{Site: "shop", Now: noon.Add(time.Hour), Recent: noon.Add(-time.Hour), Quiet: noon, Since: noon.Add(-24 * time.Hour), Routes: true, Busy: 1}
	facts, err := s.AlertFacts(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range facts.Issues {
		if i.Blocked == "https://real.example" && (!slices.Equal(i.Routes, []string{"/checkout"}) || len(i.Hours) != 1) {
			t.Errorf("the real issue has routes %q and hours %v, want /checkout and one", i.Routes, i.Hours)
		}
	}
	if len(facts.Issues) != 601 {
		t.Errorf("%d issues, want 601", len(facts.Issues))
	}
}
