package store_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

// Readers without a gap between them must not let the write-ahead log grow, and must not hold a commit up.
func TestLogStaysBounded(t *testing.T) {
	const limit = 256 << 10
	s, path := open(t)
	s.LimitLog(limit)
	commit(t, s, hit("https://a.example"))

	ticks, stop := make(chan struct{}), make(chan struct{})
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() { readUntil(t, s, ticks, stop) })
	}
	var greatest int64
	var slowest time.Duration
	for i := range 300 {
		var b store.Batch
		for _, h := range benchHits(10) {
			b.Add(h)
		}
		start := time.Now()
		if err := s.Commit(t.Context(), &b); err != nil {
			t.Fatal(err)
		}
		slowest = max(slowest, time.Since(start))
		if i%5 == 0 {
			select {
			case ticks <- struct{}{}: // one of the readers ends
			default:
			}
		}
		info, err := os.Stat(path + "-wal")
		if err != nil {
			t.Fatal(err)
		}
		greatest = max(greatest, info.Size())
	}
	close(stop)
	readers.Wait()
	if greatest > 16*limit { // without mindLog it was over 60 times as much
		t.Errorf("%d bytes of log with a limit of %d", greatest, limit)
	}
	t.Logf("at most %d KiB of log; the slowest commit took %v", greatest>>10, slowest)
}

func readUntil(t *testing.T, s *store.Store, ticks, stop <-chan struct{}) {
	for {
		err := s.Hold(t.Context(), func() {
			select {
			case <-ticks:
			case <-stop:
			}
		})
		if err != nil {
			t.Error(err)
		}
		select {
		case <-stop:
			return
		default:
		}
	}
}

// A question past ask has no end, and the log is not begun anew beside it.
func TestQuestionsAreAsked(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var askers []string
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(name, "_test.go") && (strings.Contains(string(text), "s.read.Query") || strings.Contains(string(text), "s.read.Begin")) {
			askers = append(askers, name)
		}
	}
	if !slices.Equal(askers, []string{"read.go"}) {
		t.Errorf("questions without ask in %q, want them in read.go alone", askers)
	}
}
