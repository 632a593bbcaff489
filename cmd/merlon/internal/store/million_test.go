package store_test

import (
	"testing"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

// Rows grow with distinct problems, not with reports.
func TestMillionReportsOfOneIssue(t *testing.T) {
	s, path := open(t)
	const text = `SELECT (SELECT count(*) FROM issues) + (SELECT count(*) FROM facets) + (SELECT count(*) FROM samples) + (SELECT count(*) FROM timeline)
		+ (SELECT count(*) FROM counters)`
	h := benchHits(1)[0]
	store1000 := func() {
		var b store.Batch
		for n := range 1000 {
			h.Network = uint64(h.At.UnixNano())*0x9e3779b97f4a7c15 + uint64(n)
			b.Add(h)
		}
		if err := s.Commit(t.Context(), &b); err != nil {
			t.Fatal(err)
		}
	}
	hour := noon.Truncate(time.Hour)
	for n := range 12 { // until all samples that are kept are there
		h.At = hour.Add(time.Duration(n) * time.Minute)
		store1000()
	}
	before := query[int](t, path, text)
	for n := range 988 {
		h.At = hour.Add(12*time.Minute + time.Duration(n)*time.Second)
		store1000()
	}
	if after := query[int](t, path, text); after != before {
		t.Errorf("%d rows after a million reports, %d after twelve thousand", after, before)
	}
	if got := issues(t, s, store.Query{})[0]; got.Total() != 1_000_000 {
		t.Errorf("%d reports", got.Total())
	}
	size := query[int](t, path, "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
	t.Logf("%d rows, %d KiB", before, size>>10)
}
