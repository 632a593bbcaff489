package store_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

// BenchmarkCommit stores batches of so many reports with all facets, of so many distinct issues in turn. Of 50,000 issues most have
// no row of their own.
func BenchmarkCommit(b *testing.B) {
	for _, distinct := range []int{1, 20, 50000} {
		hits := benchHits(distinct)
		for _, size := range []int{1, 50, 500} {
			b.Run(fmt.Sprintf("issues=%d/batch=%d", distinct, size), func(b *testing.B) { benchCommit(b, hits, size) })
		}
	}
}

func benchHits(distinct int) []store.Hit {
	hits := make([]store.Hit, distinct)
	for i := range hits {
		h := hit(fmt.Sprintf("https://%d.example", i))
		h.Browser, h.Policy, h.Source = fmt.Sprintf("Firefox %d", 120+i%5), "4f1c0a9be2d37586", fmt.Sprintf("/app.js:%d", i%40)
		h.Body = func() string { return `{"type":"csp-violation","body":{"blockedURL":"` + h.Blocked + `"}}` }
		hits[i] = h
	}
	return hits
}

func benchCommit(b *testing.B, hits []store.Hit, size int) {
	s, err := store.Open(b.Context(), filepath.Join(b.TempDir(), "reports.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	next := 0
	commit := func() {
		var batch store.Batch
		for range size {
			h := hits[next%len(hits)]
			h.Network, h.At = uint64(next*2654435761), noon.Add(time.Duration(next)*time.Millisecond)
			batch.Add(h)
			next++
		}
		if err := s.Commit(b.Context(), &batch); err != nil {
			b.Fatal(err)
		}
	}
	for range 20 { // what is new at first
		commit()
	}
	for b.Loop() {
		commit()
	}
	b.ReportMetric(float64(size)*float64(b.N)/b.Elapsed().Seconds(), "reports/s")
}
