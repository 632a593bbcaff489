package store_test

import (
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

// Nothing is said to be stored when the file that it goes to has no name any more.
func TestCommitIntoRemovedFile(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("an open file stays in its place there")
	}
	s, path := open(t)
	commit(t, s, hit("https://a.example"))
	var b store.Batch
	b.Add(hit("https://b.example"))
	fails := func(what string) {
		t.Helper()
		if err := s.Commit(t.Context(), &b); err == nil || !strings.Contains(err.Error(), "put it back") {
			t.Errorf("Commit with the file %s: %v, want how to go on", what, err)
		}
		if s.Writable(t.Context()) == nil {
			t.Errorf("Writable with the file %s: nil", what)
		}
	}
	if err := os.Rename(path, path+".old"); err != nil {
		t.Fatal(err)
	}
	fails("removed")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	fails("replaced")
	if err := os.Rename(path+".old", path); err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(t.Context(), &b); err != nil {
		t.Errorf("Commit with the file back: %v", err)
	}
	if n := len(issues(t, s, store.Query{})); n != 2 {
		t.Errorf("%d issues, want 2", n)
	}
}
