//go:build linux || darwin

package collect_test

import (
	"bytes"
	"log/slog"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/collect"
)

// On a disk that takes no more, nothing is acknowledged that is not stored; when there is room again, storing goes on by itself.
func TestDiskFull(t *testing.T) {
	var log bytes.Buffer
	f := start(t, collect.Config{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	l := newLedger()
	send := func() int {
		p := l.next("shop.example", 1)
		w := f.post(shop, "https://shop.example/r", p.body())
		l.settle(p, w.Code == 204)
		if w.Code != 204 && (w.Code != 503 || w.Header().Get("Retry-After") == "") {
			t.Errorf("status %d %v, want 503 with Retry-After", w.Code, w.Header())
		}
		return w.Code
	}
	restore := limitFileSize(t, 200<<10)
	full := 0
	for range 2000 {
		if full < 5 && send() == 503 { // from then on, the same batch again and again
			full++
		}
	}
	f.post(shop, "https://shop.example/r", "not JSON") // to be counted later
	none := limitFileSize(t, 1<<10)                    // a page still went into the log
	if f.store.Writable(t.Context()) == nil {
		t.Error("the store says that it can be written while the disk is full")
	}
	none()
	restore()
	if err := f.store.Writable(t.Context()); err != nil {
		t.Errorf("with room again the store says: %v", err)
	}
	if full == 0 || len(l.acked) == 0 {
		t.Fatalf("%d of %d acknowledged before the disk was full", len(l.acked), len(l.sent))
	}
	again := l.open[0]
	for range 2 {
		if code := send(); code != 204 {
			t.Errorf("with room again: status %d", code)
		}
	}
	if len(l.acked) != len(l.sent) {
		t.Errorf("%d of %d acknowledged", len(l.acked), len(l.sent))
	}
	f.post(shop, "https://shop.example/r", again.body()) // once more, as if its answer had been lost
	if got := f.drops(); got["not-json"] != 1 || got["repeated"] != 1 || len(got) != 2 {
		t.Errorf("drops %v, want the one made while the disk was full, and the batch that came once more", got)
	}
	f.stop()
	l.check(t, f.path)
	if strings.Count(log.String(), "\n") != 2 || !strings.Contains(log.String(), "not being stored") || !strings.Contains(log.String(), "stored again") {
		t.Errorf("log, want one line for the start and one for the end:\n%s", log.String())
	}
	if files, _ := filepath.Glob(f.path + "*"); len(files) != 1 {
		t.Errorf("left behind: %v", files)
	}
}

// limitFileSize makes writes beyond n bytes of a file fail in this process, as on a full disk, until restore is called.
func limitFileSize(t *testing.T, n uint64) (restore func()) {
	t.Helper()
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		t.Fatal(err)
	}
	signal.Ignore(syscall.SIGXFSZ)
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: n, Max: old.Max}); err != nil {
		t.Fatal(err)
	}
	restore = func() {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
			t.Error(err)
		}
		signal.Reset(syscall.SIGXFSZ)
	}
	t.Cleanup(restore)
	return restore
}
