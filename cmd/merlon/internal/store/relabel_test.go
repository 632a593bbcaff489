package store_test

import (
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

// Every issue of the site is asked about once, with what it is told apart by; counts stay, and what others stand for keeps its label.
func TestRelabel(t *testing.T) {
	s, path := open(t)
	s.SetMaxIssues(600) // from 300 on, single networks get no rows
	for i := range 500 {
		commit(t, s, from(uint64(i+1), hit(fmt.Sprintf("https://c%d.example", i))))
	}
	elsewhere := hit("https://c1.example")
	elsewhere.Site = "blog"
	commit(t, s, elsewhere)
	asked := map[string]int{}
	label := func(i store.Issue, fp store.Fingerprint) (store.Verdict, string) {
		asked[i.Blocked]++
		if fp != hit(i.Blocked).Fingerprint || i.Site != "shop" || i.Type == "" || i.Directive != "img-src" || i.Class != "origin" || len(i.Pages) != 1 {
			t.Errorf("asked about %+v", i)
		}
		if i.Blocked == "https://c7.example" {
			return store.Noise, "own/seven@1234"
		}
		return i.Verdict, i.Rule
	}
	for _, want := range []int64{1, 0} {
		if n, err := s.Relabel(t.Context(), "shop", label); n != want || err != nil {
			t.Errorf("%d changed, %v; want %d", n, err, want)
		}
	}
	if len(asked) != 300 || asked["https://c7.example"] != 2 || asked[store.FoldedBlocked] != 0 {
		t.Errorf("asked about %d issues, %d times about one, %d about those without rows", len(asked), asked["https://c7.example"], asked[store.FoldedBlocked])
	}
	noise := issues(t, s, store.Query{Verdict: store.Noise})
	if len(noise) != 1 || noise[0].Blocked != "https://c7.example" || noise[0].Rule != "own/seven@1234" || noise[0].Total() != 1 {
		t.Errorf("noise: %+v", noise)
	}
	checkSums(t, path)
	// A report that is graver than the label brings it back.
	commit(t, s, from(7, hit("https://c7.example")))
	if noise := issues(t, s, store.Query{Verdict: store.Noise}); len(noise) != 0 {
		t.Errorf("noise after an actionable report: %+v", noise)
	}
}

// What is noise by the rules of today goes before what is not.
func TestRelabelledGoFirst(t *testing.T) {
	s, _ := open(t)
	s.SetMaxIssues(8)
	for i := range 8 {
		for network := range 2 {
			commit(t, s, from(uint64(10*i+network+1), hit(fmt.Sprintf("https://c%d.example", i))))
		}
	}
	_, err := s.Relabel(t.Context(), "shop", func(i store.Issue, _ store.Fingerprint) (store.Verdict, string) {
		if i.Blocked == "https://c5.example" {
			return store.Noise, "own/five@1234"
		}
		return i.Verdict, i.Rule
	})
	if err != nil {
		t.Fatal(err)
	}
	for network := range 2 {
		commit(t, s, from(uint64(1000+network), hit("https://new.example")))
	}
	if !has(t, s, "https://new.example") || has(t, s, "https://c5.example") {
		t.Errorf("new listed: %t, noise listed: %t", has(t, s, "https://new.example"), has(t, s, "https://c5.example"))
	}
}

// A report that comes between reading an issue and writing its label is not overruled.
func TestRelabelWhileReportsCome(t *testing.T) {
	s, _ := open(t)
	h := hit("https://a.example")
	h.Verdict, h.Rule = store.Noise, "gone@1"
	commit(t, s, h)
	n, err := s.Relabel(t.Context(), "shop", func(i store.Issue, _ store.Fingerprint) (store.Verdict, string) {
		commit(t, s, hit("https://a.example"))
		return store.SelfContradicting, ""
	})
	if got := issues(t, s, store.Query{}); n != 0 || err != nil || got[0].Verdict != store.Actionable {
		t.Errorf("%d changed, %v; the issue is %s", n, err, got[0].Verdict)
	}
}

func TestRelabelByReader(t *testing.T) {
	s, path := open(t)
	commit(t, s, hit("https://a.example"))
	r, err := store.OpenReader(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	_, err = r.Relabel(t.Context(), "shop", func(store.Issue, store.Fingerprint) (store.Verdict, string) { return store.Noise, "a@1" })
	if err == nil || errors.Is(err, os.ErrNotExist) {
		t.Errorf("a store for reading labelled an issue: %v", err)
	}
	if diff := cmp.Diff(store.Actionable, issues(t, s, store.Query{})[0].Verdict); diff != "" {
		t.Error(diff)
	}
}
