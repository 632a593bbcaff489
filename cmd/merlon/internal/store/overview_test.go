package store_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
	"github.com/merlon-sec/merlon/report"
)

func TestOverview(t *testing.T) {
	s, _ := open(t)
	broken, steady, noise, quiet, ignored := hit("https://broken.example"), hit("https://steady.example"), hit("x"), hit("https://quiet.example"), hit("https://ignored.example")
	broken.At, ignored.At, noise.At, noise.Verdict = noon, noon, noon, store.Noise
	quiet.At, quiet.Disposition = noon.Add(-48*time.Hour), report.ReportOnly
	var b store.Batch
	for range 12 {
		b.Add(broken)
		b.Add(noise)
		b.Add(ignored)
	}
	for h := range 7 * 24 {
		steady.At = noon.Add(-time.Duration(h) * time.Hour)
		for range 10 {
			b.Add(steady)
		}
	}
	b.Add(quiet)
	b.Drop("shop", "budget", noon, 4)
	b.Drop("shop", "type", noon.Add(-48*time.Hour), 3)
	if err := s.Commit(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	id := issues(t, s, store.Query{Text: "ignored"})[0].ID
	if err := s.SetState(t.Context(), id, store.Decision{State: store.Ignored, At: noon}); err != nil {
		t.Fatal(err)
	}
	for _, site := range []string{"shop", ""} {
		o, err := s.Overview(t.Context(), site, noon.Add(15*time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		checkOverview(t, site, o)
	}
	if o, err := s.Overview(t.Context(), "blog", noon); err != nil || !o.LastReport.IsZero() || o.Week.Accepted() != 0 || len(o.New)+len(o.Breaking) > 0 {
		t.Errorf("a site without reports: %+v, %v", o, err)
	}
}

func checkOverview(t *testing.T, site string, o store.Overview) {
	t.Helper()
	if !o.LastReport.Equal(noon) {
		t.Errorf("%q: last report %v, want %v", site, o.LastReport, noon)
	}
	if o.Day.Accepted() != 36+250 || o.Day.Dropped != 4 || len(o.Day.Drops) != 1 || o.Day.Other != 0 {
		t.Errorf("%q: the day: %+v", site, o.Day)
	}
	if o.Week.Accepted() != 36+7*24*10+1 || o.Week.Dropped != 7 || len(o.Week.Drops) != 2 {
		t.Errorf("%q: the week: %+v", site, o.Week)
	}
	if o.NewCount != 2 || len(o.New) != 2 {
		t.Errorf("%q: %d new: %+v; want broken and ignored, without noise and what is older", site, o.NewCount, o.New)
	}
	if len(o.Breaking) != 2 {
		t.Fatalf("%q: breaking: %+v", site, o.Breaking)
	}
	steady, broken := o.Breaking[0], o.Breaking[1]
	if steady.Issue.Blocked != "https://steady.example" || steady.Reports != 20 || steady.Jumped() || steady.Usual < 9 {
		t.Errorf("%q: %+v", site, steady)
	}
	if broken.Issue.Blocked != "https://broken.example" || broken.Reports != 12 || broken.Usual != 0 || !broken.Jumped() {
		t.Errorf("%q: %+v", site, broken)
	}
}

func TestOtherShare(t *testing.T) {
	s, path := open(t)
	commit(t, s, hit("https://a.example"), hit("https://b.example"), hit("https://b.example"), hit("https://b.example"))
	run(t, uri(path), "UPDATE issues SET folded = 1 WHERE blocked = 'https://b.example'")
	o, err := s.Overview(t.Context(), "shop", noon)
	if err != nil || o.Day.Other != 0.75 {
		t.Errorf("other is %v of the day, %v; want 3 of 4", o.Day.Other, err)
	}
}

func TestSent(t *testing.T) {
	s, _ := open(t)
	var b store.Batch
	for i := range 10 {
		h := hit("https://a.example")
		h.Route = []string{"/", "/cart"}[i%2]
		b.Add(h)
	}
	b.Documents("shop", "/", "p1", noon, 100)
	b.Documents("shop", "/", "p2", noon.Add(time.Hour), 150)
	b.Documents("shop", "/other", "p1", noon, 7)
	b.Documents("blog", "/cart", "p1", noon, 7)
	b.Canaries("shop", "Firefox", noon, 10, 9)
	b.Canaries("shop", "Firefox", noon.Add(time.Hour), 1, 0)
	b.Canaries("blog", "Safari", noon, 1, 1)
	if err := s.Commit(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	documents, err := s.Documents(t.Context(), "shop", time.Time{})
	if diff := cmp.Diff([]store.Documents{{"/", "p2", 150}, {"/", "p1", 100}, {"/other", "p1", 7}}, documents); diff != "" || err != nil {
		t.Errorf("Documents: %v (-want +got):\n%s", err, diff)
	}
	if since, err := s.Documents(t.Context(), "shop", noon.Add(time.Hour)); len(since) != 1 || err != nil {
		t.Errorf("Documents since: %+v, %v", since, err)
	}
	canaries, err := s.Canaries(t.Context(), "shop", noon)
	want := []store.Canary{{Browser: "Firefox", Sent: 11, Received: 9, Last: noon.Add(time.Hour).Truncate(time.Hour)}}
	if diff := cmp.Diff(want, canaries); diff != "" || err != nil {
		t.Errorf("Canaries: %v (-want +got):\n%s", err, diff)
	}
	rates, err := s.Rates(t.Context(), 1)
	if diff := cmp.Diff([]store.Rate{{"", 5, 250}, {"/", 5, 250}, {"/cart", 5, 0}}, rates); diff != "" || err != nil {
		t.Errorf("Rates: %v (-want +got):\n%s", err, diff)
	}
	if per, ok := rates[0].PerThousand(); per != 20 || !ok {
		t.Errorf("per thousand: %v, %v; want 20", per, ok)
	}
	if per, ok := rates[2].PerThousand(); ok {
		t.Errorf("without documents there are %v per thousand", per)
	}
	sites, err := s.Sites(t.Context())
	if diff := cmp.Diff([]string{"blog", "shop"}, sites); diff != "" || err != nil {
		t.Errorf("Sites: %v, %s", err, diff)
	}
}

// What came before documents were counted is not set against those that were counted later.
func TestRatesWhenCountingBeganLater(t *testing.T) {
	s, _ := open(t)
	var b store.Batch
	for i := range 10 {
		h := hit("https://a.example")
		h.At = noon.Add(-time.Duration(i%5) * 10 * time.Hour)
		b.Add(h)
	}
	b.Documents("shop", "/", "p1", noon.Add(-11*time.Hour), 1000)
	if err := s.Commit(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	rates, err := s.Rates(t.Context(), 1)
	if diff := cmp.Diff([]store.Rate{{"", 4, 1000}, {"/", 4, 1000}}, rates); diff != "" || err != nil {
		t.Errorf("Rates: %v (-want +got):\n%s", err, diff)
	}
}
