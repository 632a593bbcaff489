package store_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
	"github.com/merlon-sec/merlon/report"
)

// A preview counts what is removed afterwards, and removes nothing.
func TestPreview(t *testing.T) {
	s, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "merlon.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	now := time.Now()
	var b store.Batch
	for n, at := range []time.Time{now.Add(-48 * time.Hour), now} {
		b.Add(store.Hit{Site: "a.example", Type: report.TypeViolation, Directive: "img-src", Class: "origin", Blocked: []string{"https://old.example", "https://b.example"}[n],
			Route: "/account/{id}", At: at, Fingerprint: store.Fingerprint{Version: 1, Sum: [16]byte{byte(n)}}, Disposition: report.Enforce,
			Body: func() string { return `{"document":"https://a.example/account/{id}"}` }})
		b.Documents("a.example", "/account/{id}", "p", at, 3)
	}
	if err := s.Commit(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	before := now.Add(-24 * time.Hour)
	would, err := s.WouldPurge(t.Context(), "", before)
	if want := (store.Erased{Issues: 1, Samples: 1, Documents: 1, Counters: 1}); err != nil || would != want {
		t.Errorf("WouldPurge = %+v, %v, want %+v", would, err, want)
	}
	if done, err := s.Purge(t.Context(), "", before); err != nil || done.Issues != would.Issues || done.Documents != would.Documents || done.Counters != would.Counters {
		t.Errorf("Purge = %+v, %v after WouldPurge = %+v", done, err, would)
	}
	would, err = s.WouldErase(t.Context(), "a.example", "/account/*")
	if want := (store.Erased{Facets: 1, Samples: 1, Documents: 1}); err != nil || would != want {
		t.Errorf("WouldErase = %+v, %v, want %+v", would, err, want)
	}
	if done, err := s.Erase(t.Context(), "a.example", "/account/*"); err != nil || done != would {
		t.Errorf("Erase = %+v, %v after WouldErase = %+v", done, err, would)
	}
	if err := store.CheckPattern("*"); err == nil {
		t.Error("CheckPattern takes a star")
	}
	size, err := s.Size(t.Context())
	if err != nil || size.Bytes == 0 || len(size.Rows) < 10 {
		t.Errorf("Size = %+v, %v", size, err)
	}
	counters, err := s.Counters(t.Context(), "a.example", time.Time{})
	if want := (store.Counted{Type: report.TypeViolation, Directive: "img-src", Class: "origin", Disposition: "enforce", Count: 1}); err != nil || len(counters) != 1 || counters[0] != want {
		t.Errorf("Counters = %+v, %v, want %+v", counters, err, want)
	}
}
