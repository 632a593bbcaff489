package upkeep_test

import (
	"encoding/binary"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/collect"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
	"github.com/merlon-sec/merlon/report"
)

// BenchmarkRelabel is what each start costs a site that has half of the issues that it may have, and a rule whose labels are there already.
func BenchmarkRelabel(b *testing.B) {
	s, err := store.Open(b.Context(), filepath.Join(b.TempDir(), "merlon.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	var batch store.Batch
	for i := range store.MaxIssues / 2 {
		h := store.Hit{Site: "shop", Type: report.TypeViolation, Directive: "img-src", Class: "origin", Blocked: fmt.Sprintf("https://c%d.example", i), At: time.Now(), Verdict: store.Actionable, Route: "/"}
		binary.BigEndian.PutUint64(h.Fingerprint.Sum[:], uint64(i))
		batch.Add(h)
	}
	if err := s.Commit(b.Context(), &batch); err != nil {
		b.Fatal(err)
	}
	labels := collect.NewLabels(collect.Site{Name: "shop", Noise: []collect.Rule{{ID: "some", Reason: "ours", Blocked: []string{"c1*.example"}}}})
	for b.Loop() {
		if _, err := s.Relabel(b.Context(), "shop", labels.Relabel); err != nil {
			b.Fatal(err)
		}
	}
}
