package store_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

func maintain(t *testing.T, s *store.Store, now time.Time, keep store.Retention) store.Maintained {
	t.Helper()
	report, err := s.Maintain(t.Context(), now, keep)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// An issue that is seen every hour for ten days, or three years, has its hours for a week and then days.
func TestMaintainFoldsHours(t *testing.T) {
	s, path := open(t)
	now := noon.Add(3 * 365 * 24 * time.Hour)
	var b store.Batch
	add := func(at time.Time) {
		h := hit("https://a.example")
		h.At = at
		b.Add(h)
		b.Drop("shop", "type", at, 1)
		b.Documents("shop", "/", "p", at, 2)
		b.Canaries("shop", "Firefox", at, 2, 1)
	}
	for n := range 240 {
		add(now.Add(-time.Duration(n) * time.Hour))
	}
	for n := range 50 { // in one hour of long ago, and in the next
		add(noon.Add(time.Duration(n%2) * time.Hour))
	}
	if err := s.Commit(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	report := maintain(t, s, now, store.Retention{Hours: 8 * 24 * time.Hour})
	if report.Hours == 0 || report.Old == 0 || report.Issues != 0 {
		t.Errorf("%+v", report)
	}
	for table, want := range map[string]int{"timeline": 7*24 + 13 + 3, "counters": 8*24 + 13 + 2 + 1, "drops": 8*24 + 13 + 2 + 1, "documents": 8*24 + 13 + 2, "canaries": 8*24 + 13 + 2} {
		if got := query[int](t, path, "SELECT count(*) FROM "+table); got != want {
			t.Errorf("%d rows in %s, want %d", got, table, want)
		}
	}
	totals, err := s.Totals(t.Context(), "shop")
	if want := (store.Totals{Enforced: 290, Dropped: 290}); totals != want || err != nil {
		t.Errorf("Totals = %+v, %v; want %+v", totals, err, want)
	}
	for table, sum := range map[string]string{"documents": "count", "canaries": "received * 2"} {
		if got := query[int](t, path, "SELECT sum("+sum+") FROM "+table); got != 480 {
			t.Errorf("%s sum to %d, want 480 without those of long ago", table, got)
		}
	}
	points, err := s.SiteTimeline(t.Context(), "shop", store.Span{})
	if len(points) != 11 || points[1].Enforced != 24 || err != nil {
		t.Errorf("SiteTimeline: %d points, %+v, %v", len(points), points, err)
	}
	if again := maintain(t, s, now, store.Retention{Hours: 8 * 24 * time.Hour}); again.Hours != 0 || again.Old != 0 {
		t.Errorf("once more: %+v", again)
	}
}

func TestMaintainFoldsIssues(t *testing.T) {
	s, path := open(t)
	for i := range 30 {
		h := hit(fmt.Sprintf("https://%d.example", i))
		h.Network, h.Route, h.Body = uint64(i+1), fmt.Sprintf("/%d", i), func() string { return "{}" }
		commit(t, s, h, h)
	}
	for i, d := range []store.Decision{{State: store.Accepted, At: noon}, {State: store.Ignored, Until: noon.Add(time.Hour), At: noon}} {
		id := issues(t, s, store.Query{Text: fmt.Sprintf("//%d.example", i)})[0].ID
		if err := s.SetState(t.Context(), id, d); err != nil {
			t.Fatal(err)
		}
	}
	late := hit("https://29.example")
	late.At = noon.Add(401 * 24 * time.Hour)
	commit(t, s, late)
	report := maintain(t, s, late.At, store.Retention{Samples: 500 * 24 * time.Hour})
	if report.Issues != 28 || report.Samples != 0 {
		t.Errorf("%+v, want 28 issues: all but the accepted one and the one seen again", report)
	}
	checkSums(t, path)
	all := issues(t, s, store.Query{Sort: store.ByCount})
	if len(all) != 3 || all[0].Blocked != store.FoldedBlocked || all[0].Total() != 56 || all[0].Networks != 28 {
		t.Errorf("after folding: %+v", all)
	}
	if n := query[int](t, path, "SELECT count(*) FROM samples"); n != 2 {
		t.Errorf("%d samples, want those of the two that stayed", n)
	}
	commit(t, s, hit("https://3.example")) // comes again
	if got := issues(t, s, store.Query{Text: "//3.example"}); len(got) != 1 || got[0].Total() != 1 {
		t.Errorf("an issue that comes again: %+v", got)
	}
	if again := maintain(t, s, late.At, store.Retention{}); again.Issues != 1 {
		t.Errorf("once more: %+v, want the one that came again, in the same row of others", again)
	}
	checkSums(t, path)
}

// Where room is short, samples go first, then facets, then issues; counts never do, and the file gets smaller.
func TestMaintainBySize(t *testing.T) {
	s, path := open(t)
	var b store.Batch
	for i := range 400 {
		h := hit(fmt.Sprintf("https://%d.example", i))
		h.At = noon.Add(time.Duration(i) * time.Second)
		h.Body = func() string { return strings.Repeat("x", 8000) }
		for n := range 20 {
			h.Source, h.Route = fmt.Sprintf("/a/rather/long/path/of/a/script/%d.js", n), fmt.Sprintf("/%d", n)
			b.Add(h)
		}
	}
	if err := s.Commit(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	count := func(text string) int { return query[int](t, path, "SELECT count(*) FROM "+text) }
	var sizes []int64
	for i, step := range []struct {
		limit                   int64
		samples, facets, issues func(int) bool
	}{
		{3 << 20, less(400), same(400 * 41), same(400)},
		{800 << 10, same(0), less(400 * 41), same(400)},
		{200 << 10, same(0), same(0), less(400)},
	} {
		report := maintain(t, s, noon.Add(time.Hour), store.Retention{MaxBytes: step.limit})
		samples, facets, issues := count("samples"), count("facets WHERE value <> ''"), count("issues WHERE NOT folded")
		t.Logf("%d KiB: %d samples, %d facets, %d issues; %+v", step.limit>>10, samples, facets, issues, report)
		if !step.samples(samples) || !step.facets(facets) || !step.issues(issues) || report.Bytes > step.limit || report.OverCap {
			t.Errorf("step %d: not what should go first", i)
		}
		checkSums(t, path)
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, info.Size())
	}
	if sizes[0] > 5<<20 || sizes[1] > sizes[0]*2/3 || sizes[2] > 200<<10+257*4096 {
		t.Errorf("sizes of the file: %d", sizes)
	}
	if report := maintain(t, s, noon, store.Retention{MaxBytes: 1}); !report.OverCap {
		t.Errorf("with a byte: %+v", report)
	}
	checkSums(t, path)
}

func less(than int) func(int) bool { return func(n int) bool { return n < than && n > 0 } }
func same(as int) func(int) bool   { return func(n int) bool { return n == as } }

// Commits go on while much is folded.
func TestCommitDuringMaintain(t *testing.T) {
	s, path := open(t)
	for day := range 20 {
		var b store.Batch
		for i := range 100 {
			for n := range 24 {
				h := hit(fmt.Sprintf("https://%d.example", i))
				h.At, h.Source = noon.Add(time.Duration(24*day+n)*time.Hour), fmt.Sprintf("/%d.js", n)
				b.Add(h)
			}
		}
		if err := s.Commit(t.Context(), &b); err != nil {
			t.Fatal(err)
		}
	}
	now := noon.Add(500 * 24 * time.Hour)
	done := make(chan error, 1)
	var report store.Maintained
	go func() {
		var err error
		report, err = s.Maintain(t.Context(), now, store.Retention{})
		done <- err
	}()
	var slowest time.Duration
	commits, running := 0, true
	for running {
		start := time.Now()
		h := hit("https://new.example")
		h.At = now
		commit(t, s, h)
		slowest = max(slowest, time.Since(start))
		commits++
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
			running = false
		default:
		}
	}
	checkSums(t, path)
	got := issues(t, s, store.Query{Text: "new.example"})
	if diff := cmp.Diff(int64(commits), got[0].Total()); diff != "" {
		t.Errorf("reports meanwhile (-sent +stored):\n%s", diff)
	}
	t.Logf("%+v; %d commits meanwhile, the slowest took %v", report, commits, slowest)
}

// A site has room for so many policies; those that nothing names make room.
func TestMaintainPolicies(t *testing.T) {
	s, _ := open(t)
	h := hit("https://a.example")
	h.Policy = "named"
	var b store.Batch
	b.Add(h)
	b.Documents("shop", "/", "sent", noon, 1)
	for _, hash := range []string{"named", "sent", "gone"} {
		b.Policy("shop", hash, "img-src 'self'", noon)
	}
	b.Policy("shop", "young", "img-src 'self'", noon.Add(20*24*time.Hour))
	if err := s.Commit(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	maintain(t, s, noon.Add(31*24*time.Hour), store.Retention{})
	for hash, want := range map[string]error{"named": nil, "sent": nil, "young": nil, "gone": store.ErrNotFound} {
		if _, err := s.Policy(t.Context(), "shop", hash); !errors.Is(err, want) {
			t.Errorf("policy %s: %v, want %v", hash, err, want)
		}
	}
}

func TestMaintainReader(t *testing.T) {
	s, path := open(t)
	commit(t, s, hit("https://a.example"))
	r, err := store.OpenReader(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := r.Maintain(t.Context(), noon, store.Retention{}); err == nil || errors.Is(err, store.ErrNotFound) {
		t.Errorf("a reader maintained: %v", err)
	}
}
