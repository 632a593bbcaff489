package store_test

import (
	"context"
	"database/sql"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
	"github.com/merlon-sec/merlon/report"
)

// documents returns the counts in the file by site and route.
func documents(t *testing.T, path string) map[string]int64 {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query("SELECT site || route, sum(count) FROM documents GROUP BY 1")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	out := map[string]int64{}
	for rows.Next() {
		var route string
		var n int64
		if err := rows.Scan(&route, &n); err != nil {
			t.Fatal(err)
		}
		out[route] = n
	}
	return out
}

// A push counts once: in one transaction, in two, and after the file was opened again.
func TestPushed(t *testing.T) {
	s, path := open(t)
	first, second := store.Digest{1}, store.Digest{2}
	counts := []report.Documents{{Route: "/", Policy: "p", Count: 3}, {Route: "/cart", Policy: "p", Count: 1}}
	push := func(digests ...store.Digest) {
		var b store.Batch
		for _, d := range digests {
			b.Pushed(d, "shop", noon, counts)
		}
		b.Documents("shop", "/own", "p", noon, 1)
		if err := s.Commit(t.Context(), &b); err != nil {
			t.Fatal(err)
		}
	}
	push(first, first)
	push(first)
	push(second, first)
	s.Close()
	s, err := store.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	push(second)
	want := map[string]int64{"shop/": 6, "shop/cart": 2, "shop/own": 4}
	if diff := cmp.Diff(want, documents(t, path)); diff != "" {
		t.Error(diff)
	}
}

// Of a push in a transaction that fails nothing is remembered, so that it counts when it comes again.
func TestPushedThatFails(t *testing.T) {
	s, path := open(t)
	var b store.Batch
	b.Pushed(store.Digest{1}, "shop", noon, []report.Documents{{Route: "/", Policy: "p", Count: 3}})
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Commit(ended, &b); err == nil {
		t.Fatal("a commit succeeds after its end")
	}
	if err := s.Commit(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	if got := documents(t, path); got["shop/"] != 3 {
		t.Errorf("counted: %v", got)
	}
}

// However much programs push, sums stay numbers, and what is committed beside them is stored: a sum beyond 64 bits would be an error
// in each commit of the hour.
func TestPushedWithoutOverflow(t *testing.T) {
	s, path := open(t)
	const most = 1 << 40 // what one row of a push may say
	counts := make([]report.Documents, 1001)
	for i := range counts {
		counts[i] = report.Documents{Route: "/", Policy: "p", Count: 1 << 62}
	}
	for n := range byte(3) {
		var b store.Batch
		b.Pushed(store.Digest{n}, "shop", noon, counts)
		b.Documents("shop", "/", "p", noon, 1<<62)
		b.Add(hit("https://cdn.example"))
		if err := s.Commit(t.Context(), &b); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(map[string]int64{"shop/": most}, documents(t, path)); diff != "" {
		t.Error(diff)
	}
	if got := issues(t, s, store.Query{}); len(got) != 1 || got[0].Total() != 3 {
		t.Errorf("issues %v, want one of 3 reports", got)
	}
}
