//go:build linux || darwin

package collect_test

import (
	"bytes"
	"fmt"
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
	l := &ledger{sent: map[int]bool{}, acked: map[int]bool{}}
	send := func(id int) int {
		l.sent[id] = true
		w := f.post(shop, "https://shop.example/r", legacy(fmt.Sprintf(`,"blocked-uri":"https://r%d.example/"`, id)))
		if w.Code == 204 {
			l.acked[id] = true
		} else if w.Code != 503 || w.Header().Get("Retry-After") == "" {
			t.Errorf("status %d %v, want 503 with Retry-After", w.Code, w.Header())
		}
		return w.Code
	}
	restore := limitFileSize(t, 200<<10)
	full, id := 0, 0
	for ; full < 5 && id < 2000; id++ {
		if send(id) == 503 {
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
		t.Fatalf("%d of %d acknowledged before the disk was full", len(l.acked), id)
	}
	if code := send(id); code != 204 {
		t.Errorf("with room again: status %d", code)
	}
	if got := f.drops(); got["not-json"] != 1 {
		t.Errorf("drops %v, want the one made while the disk was full", got)
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
