package store_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

// What commits remember of rows changes nothing: two databases get the same reports, and one of them is opened anew before each commit, so
// that it remembers nothing.
func TestRecalledRows(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	dir := t.TempDir()
	open := func(name string) *store.Store {
		s, err := store.Open(t.Context(), filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return s
	}
	used, fresh := open("used"), open("fresh")
	verdicts := []store.Verdict{store.Noise, store.Noise, store.SelfContradicting, store.Actionable}
	for round := range 60 {
		var hits []store.Hit
		for range 1 + rng.IntN(40) {
			h := hit(fmt.Sprintf("https://%d.example", rng.IntN(6)))
			h.At = noon.Add(time.Duration(rng.IntN(1e6)) * time.Millisecond)
			h.Verdict = verdicts[min(rng.IntN(len(verdicts)), round/15)]
			h.Rule = map[store.Verdict]string{store.Noise: fmt.Sprintf("r%d@1", round%2)}[h.Verdict]
			h.Network, h.View = rng.Uint64N(1<<(1+rng.IntN(12)))<<50, rng.Uint64N(1<<rng.IntN(8))<<52
			hits = append(hits, h)
		}
		if round%7 == 3 { // somebody else writes the rows
			for _, s := range []*store.Store{used, fresh} {
				relabelAll(t, s, fmt.Sprintf("own%d@1", round))
			}
		}
		fresh.Close()
		fresh = open("fresh")
		for _, s := range []*store.Store{used, fresh} {
			var b store.Batch
			for _, h := range hits {
				b.Add(h)
			}
			if err := s.Commit(t.Context(), &b); err != nil {
				t.Fatal(err)
			}
		}
		if got, want := issueRows(t, used), issueRows(t, fresh); got != want {
			t.Fatalf("round %d:\n got %s\nwant %s", round, got, want)
		}
	}
}

// relabelAll calls every issue noise.
func relabelAll(t *testing.T, s *store.Store, rule string) {
	t.Helper()
	if _, err := s.Relabel(t.Context(), "shop", func(store.Issue, store.Fingerprint) (store.Verdict, string) { return store.Noise, rule }); err != nil {
		t.Fatal(err)
	}
}

// issueRows is all that the rows of issues say.
func issueRows(t *testing.T, s *store.Store) string {
	t.Helper()
	list, err := s.Issues(t.Context(), store.Query{})
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for _, i := range list {
		i.ID = 0 // of new rows in one commit, the order is any
		rows = append(rows, fmt.Sprintf("%+v", i))
	}
	slices.Sort(rows)
	return strings.Join(rows, "\n")
}
