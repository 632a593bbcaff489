package store_test

import (
	"crypto/sha256"
	"fmt"
	"testing"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
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
