package store_test

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
	"github.com/merlon-sec/merlon/report"
)

var noon = time.Date(2026, 5, 4, 12, 30, 0, 0, time.UTC)

// open returns a new store and the path of its file. The name has what means something in a URI.
func open(t *testing.T) (*store.Store, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "re?ports%20&#.db")
	s, err := store.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, path
}

// hit returns an enforced violation of img-src on the page /, which blocked the given thing.
func hit(blocked string) store.Hit {
	sum := sha256.Sum256([]byte(blocked))
	return store.Hit{
		Site: "shop", Fingerprint: store.Fingerprint{Version: 1, Sum: [16]byte(sum[:])}, Type: report.TypeViolation,
		Directive: "img-src", Class: "origin", Blocked: blocked, Route: "/", Disposition: report.Enforce, At: noon,
	}
}

func commit(t *testing.T, s *store.Store, hits ...store.Hit) {
	t.Helper()
	var b store.Batch
	for _, h := range hits {
		b.Add(h)
	}
	if err := s.Commit(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
}

func issues(t *testing.T, s *store.Store, q store.Query) []store.Issue {
	t.Helper()
	got, err := s.Issues(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestIssues(t *testing.T) {
	s, _ := open(t)
	a, b := hit("https://a.example"), hit("https://b.example")
	reported, unknown, elsewhere := a, a, b
	reported.Disposition, reported.Route, reported.At = report.ReportOnly, "/cart", noon.Add(2*time.Hour)
	unknown.Disposition, unknown.Sample, unknown.At = report.DispositionUnknown, "late()", noon.Add(-time.Hour)
	elsewhere.Site = "blog"
	commit(t, s, a, a, b, reported)
	commit(t, s, unknown, reported, elsewhere)

	want := []store.Issue{
		{
			ID: 1, Site: "shop", Type: "csp-violation", Directive: "img-src", Class: "origin", Blocked: "https://a.example", Sample: "late()",
			FirstSeen: noon.Add(-time.Hour), LastSeen: noon.Add(2 * time.Hour), Enforced: 2, Reported: 2, Unknown: 1, Verdict: store.Actionable, State: store.New,
			Pages: []store.Page{{Route: "/", Count: 3}, {Route: "/cart", Count: 2}},
		},
		{
			ID: 2, Site: "shop", Type: "csp-violation", Directive: "img-src", Class: "origin", Blocked: "https://b.example",
			FirstSeen: noon, LastSeen: noon, Enforced: 1, Verdict: store.Actionable, State: store.New, Pages: []store.Page{{Route: "/", Count: 1}},
		},
	}
	// The order within a batch is not kept, so neither is the order of ids.
	ignoreID := cmp.FilterPath(func(p cmp.Path) bool { return p.String() == "ID" }, cmp.Ignore())
	if diff := cmp.Diff(want, issues(t, s, store.Query{Site: "shop"}), ignoreID); diff != "" {
		t.Errorf("Issues of shop (-want +got):\n%s", diff)
	}
	if got := issues(t, s, store.Query{}); len(got) != 3 {
		t.Errorf("%d issues of all sites, want 3", len(got))
	}
	first := issues(t, s, store.Query{Limit: 1})
	if len(first) != 1 || first[0].Total() != 5 {
		t.Errorf("Limit 1: %+v, want the one seen last with 5 reports", first)
	}
	one, err := s.Issue(t.Context(), first[0].ID)
	if diff := cmp.Diff(want[0], one, ignoreID); diff != "" || err != nil {
		t.Errorf("Issue: %v (-want +got):\n%s", err, diff)
	}
	if _, err := s.Issue(t.Context(), 99); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Issue(99): %v, want ErrNotFound", err)
	}
	sites, err := s.Sites(t.Context())
	if diff := cmp.Diff([]string{"blog", "shop"}, sites); diff != "" || err != nil {
		t.Errorf("Sites: %v, %s", err, diff)
	}
}

func TestDropsAndTotals(t *testing.T) {
	s, _ := open(t)
	var failed, b store.Batch
	failed.Drop("shop", "foreign", noon, 2)
	b.Drop("shop", "foreign", noon.Add(time.Hour), 3)
	b.Drop("shop", "type", noon, 1)
	b.Drop("blog", "type", noon, 7)
	b.TakeDrops(&failed)
	b.TakeDrops(&failed) // nothing is left in it
	b.Add(hit("https://a.example"))
	if err := s.Commit(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	got, err := s.Drops(t.Context(), "shop")
	want := []store.Drop{
		{Site: "shop", Reason: "foreign", Count: 5, LastSeen: noon.Add(time.Hour)},
		{Site: "shop", Reason: "type", Count: 1, LastSeen: noon},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("Drops: %v (-want +got):\n%s", err, diff)
	}
	for site, want := range map[string]store.Totals{"shop": {Enforced: 1, Dropped: 6}, "": {Enforced: 1, Dropped: 13}, "none": {}} {
		if got, err := s.Totals(t.Context(), site); got != want || err != nil {
			t.Errorf("Totals(%q) = %+v, %v; want %+v", site, got, err, want)
		}
	}
}

func TestPageCap(t *testing.T) {
	s, _ := open(t)
	for i := range 100 {
		h := hit("https://a.example")
		h.Route = fmt.Sprintf("/%d", i)
		commit(t, s, h)
	}
	commit(t, s, hit("https://a.example"), hit("https://a.example")) // the page / takes the place of one with less
	commit(t, s, hit("https://a.example"))

	listed := issues(t, s, store.Query{})[0]
	if got, want := listed.Pages[0], (store.Page{Route: "/", Count: 3}); got != want {
		t.Errorf("first page %+v, want %+v", got, want)
	}
	if got, want := listed.Pages[len(listed.Pages)-1], (store.Page{Count: 103 - 7}); len(listed.Pages) != 6 || got != want {
		t.Errorf("%d pages, the last %+v, want 6 and %+v", len(listed.Pages), got, want)
	}
	one, err := s.Issue(t.Context(), listed.ID)
	if err != nil {
		t.Fatal(err)
	}
	if got := one.Pages[len(one.Pages)-1]; len(one.Pages) != store.MaxFacets+1 || got.Route != "" || got.Count != 69 {
		t.Errorf("%d pages, the last %+v; want %d and 69 others", len(one.Pages), got, store.MaxFacets+1)
	}
	var sum int64
	for _, p := range one.Pages {
		sum += p.Count
	}
	if sum != one.Total() {
		t.Errorf("pages sum to %d, the issue to %d", sum, one.Total())
	}
}

func TestIssueCap(t *testing.T) {
	s, path := open(t)
	const half = store.MaxIssues / 2
	var b store.Batch
	for i := range half {
		b.Add(hit(fmt.Sprintf("https://%d.example", i)))
	}
	if err := s.Commit(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	for i := range 300 { // too many for issues that nobody confirms, in two directives, over two openings
		if i == 150 {
			s.Close()
			var err error
			if s, err = store.Open(t.Context(), path); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { s.Close() })
		}
		h := hit(fmt.Sprintf("https://late%d.example", i))
		h.Directive = []string{"img-src", "font-src"}[i%2]
		h.Sample = "secret"
		commit(t, s, h)
	}
	commit(t, s, hit("https://0.example")) // a known one still counts where it belongs

	rows := query[int](t, path, "SELECT count(*) FROM issues")
	if rows != half+2 {
		t.Errorf("%d rows, want half the cap and one for each directive", rows)
	}
	folded := query[int](t, path, "SELECT sum(enforced) FROM issues WHERE blocked = 'other' AND sample = ''")
	known := query[int](t, path, "SELECT enforced FROM issues WHERE blocked = 'https://0.example'")
	if folded != 300 || known != 2 {
		t.Errorf("folded %d, known %d; want 300 and 2", folded, known)
	}
	totals, err := s.Totals(t.Context(), "shop")
	if err != nil || totals.Enforced != half+301 {
		t.Errorf("Totals: %+v, %v; want all %d", totals, err, half+301)
	}
	other := hit("https://other-site.example") // the cap is each site's own
	other.Site = "blog"
	commit(t, s, other)
	if got := issues(t, s, store.Query{Site: "blog"}); len(got) != 1 || got[0].Blocked != other.Blocked {
		t.Errorf("issues of another site: %+v", got)
	}
}

// uri names a file to SQLite.
func uri(path string) string {
	return strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace("file:" + path)
}

// query reads one value through a connection of its own.
func query[T any](t *testing.T, path, text string) (v T) {
	t.Helper()
	db, err := sql.Open("sqlite", uri(path))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRow(text).Scan(&v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

func TestCommitIsAtomic(t *testing.T) {
	s, path := open(t)
	var b store.Batch
	b.Add(hit("https://a.example"))
	b.Drop("shop", "type", noon, 1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Commit(ctx, &b); !errors.Is(err, context.Canceled) {
		t.Errorf("Commit with a cancelled context: %v", err)
	}
	if n := query[int](t, path, "SELECT (SELECT count(*) FROM issues) + (SELECT count(*) FROM counters) + (SELECT count(*) FROM drops)"); n != 0 {
		t.Errorf("%d rows after a failed commit", n)
	}
	if err := s.Commit(t.Context(), &b); err != nil {
		t.Errorf("the same batch once more: %v", err)
	}
}

func TestConcurrentUse(t *testing.T) {
	s, _ := open(t)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range 25 {
				var b store.Batch
				b.Add(hit(fmt.Sprintf("https://%d.example", i)))
				if err := s.Commit(t.Context(), &b); err != nil {
					t.Error(err)
				}
				if _, err := s.Issues(t.Context(), store.Query{}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for _, i := range issues(t, s, store.Query{}) {
		if i.Total() != 4 || i.Pages[0].Count != 4 {
			t.Errorf("%s: %d reports, pages %+v; want 4", i.Blocked, i.Total(), i.Pages)
		}
	}
}

func TestFileIsPrivate(t *testing.T) {
	s, path := open(t)
	commit(t, s, hit("https://a.example"))
	for _, name := range []string{path, path + "-wal"} {
		info, err := os.Stat(name)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v; want mode 0600", filepath.Base(name), info, err)
		}
	}
	if mode := query[string](t, path, "PRAGMA journal_mode"); mode != "wal" {
		t.Errorf("journal mode %q", mode)
	}
}
