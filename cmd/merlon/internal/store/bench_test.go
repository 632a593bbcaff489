package store_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

// BenchmarkCommit stores batches of 256 reports of this many issues that are known already.
func BenchmarkCommit(b *testing.B) {
	for _, distinct := range []int{1, 20, 256} {
		b.Run(fmt.Sprint(distinct), func(b *testing.B) {
			s, err := store.Open(b.Context(), filepath.Join(b.TempDir(), "reports.db"))
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			for b.Loop() {
				var batch store.Batch
				for i := range 256 {
					batch.Add(hit(fmt.Sprintf("https://%d.example", i%distinct)))
				}
				if err := s.Commit(b.Context(), &batch); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(256*float64(b.N)/b.Elapsed().Seconds(), "reports/s")
		})
	}
}
