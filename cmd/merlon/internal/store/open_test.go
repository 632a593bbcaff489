package store_test

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

// run runs statements on the file, which it creates.
func run(t *testing.T, path, statements string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(statements); err != nil {
		t.Fatal(err)
	}
}

func TestOpenRefuses(t *testing.T) {
	current := func(t *testing.T, path string) {
		s, err := store.Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		name           string
		prepare        func(t *testing.T, path string)
		open, openRead string // parts of the error, "" if it opens
	}{
		{"no file", func(*testing.T, string) {}, "", "start the gateway"},
		{"current", current, "", ""},
		{"a newer schema", func(t *testing.T, path string) {
			current(t, path)
			run(t, path, "PRAGMA user_version = 7")
		}, "schema 7, this program knows up to 3: written by a newer merlon", "newer merlon"},
		{"an older schema", func(t *testing.T, path string) {
			run(t, path, "PRAGMA application_id = 1836215406")
		}, "", "older merlon: start the gateway"},
		{"a database of another program", func(t *testing.T, path string) {
			run(t, path, "CREATE TABLE users (name TEXT)")
		}, "another program: choose", "another program: choose"},
		{"not a database", func(t *testing.T, path string) {
			if err := os.WriteFile(path, []byte(strings.Repeat("hello, world\n", 1000)), 0o600); err != nil {
				t.Fatal(err)
			}
		}, "not a SQLite database: move the file away", "not a SQLite database"},
		{"a damaged database", func(t *testing.T, path string) {
			current(t, path)
			if err := os.Truncate(path, 5000); err != nil {
				t.Fatal(err)
			}
		}, "damaged: restore a copy", "damaged"},
		{"a directory", func(t *testing.T, path string) {
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
		}, "is a directory", "create its directory or choose another"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "reports.db")
			test.prepare(t, path)
			before, _ := os.ReadFile(path)
			r, err := store.OpenReader(t.Context(), path)
			checkOpen(t, "OpenReader", path, r, err, test.openRead)
			if after, _ := os.ReadFile(path); string(after) != string(before) {
				t.Error("OpenReader changed the file")
			}
			s, err := store.Open(t.Context(), path)
			checkOpen(t, "Open", path, s, err, test.open)
			if after, _ := os.ReadFile(path); test.open != "" && string(after) != string(before) {
				t.Error("Open changed a file that it refused")
			}
		})
	}
	t.Run("no directory", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "none", "reports.db")
		s, err := store.Open(t.Context(), path)
		checkOpen(t, "Open", path, s, err, "create its directory")
	})
}

// checkOpen closes s and holds err against the part that it should have: one line that names the file.
func checkOpen(t *testing.T, call, path string, s *store.Store, err error, want string) {
	t.Helper()
	if s != nil {
		s.Close()
	}
	switch {
	case want == "" && err != nil:
		t.Errorf("%s: %v", call, err)
	case want == "":
	case err == nil:
		t.Errorf("%s opened, want an error with %q", call, want)
	case !strings.Contains(err.Error(), want), !strings.Contains(err.Error(), fmt.Sprintf("%q", path)), strings.Contains(err.Error(), "\n"):
		t.Errorf("%s: %v\nwant one line with the path and %q", call, err, want)
	}
}

func TestReaderBesideWriter(t *testing.T) {
	s, path := open(t)
	r, err := store.OpenReader(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	commit(t, s, hit("https://a.example"))
	if got := issues(t, r, store.Query{}); len(got) != 1 {
		t.Errorf("the reader sees %d issues, want the one just committed", len(got))
	}
	if err := r.Commit(t.Context(), &store.Batch{}); err == nil {
		t.Error("a reader committed")
	}
}

func TestWritable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "reports.db")
	s, err := store.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Writable(t.Context()); err != nil {
		t.Error(err)
	}
	r, err := store.OpenReader(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if r.Writable(t.Context()) == nil {
		t.Error("a database that was opened for reading says that it can be written")
	}
}

func TestReopenKeepsEverything(t *testing.T) {
	s, path := open(t)
	commit(t, s, hit("https://a.example"))
	want := issues(t, s, store.Query{})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	commit(t, s, hit("https://a.example"))
	got := issues(t, s, store.Query{})
	if len(got) != 1 || got[0].ID != want[0].ID || got[0].Total() != 2 {
		t.Errorf("after opening again: %+v, want two reports of issue %d", got, want[0].ID)
	}
}

func TestLockDir(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "data")
	lock, err := store.LockDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	_, err = store.LockDir(dir)
	if want := fmt.Sprintf("data directory %q is in use by process %d: stop", dir, os.Getpid()); err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("second lock: %v, want %q", err, want)
	}
	if err := lock.Release(); err != nil {
		t.Fatal(err)
	}
	again, err := store.LockDir(dir)
	if err != nil {
		t.Fatalf("after Release: %v", err)
	}
	again.Release()

	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := store.LockDir(file); err == nil || !strings.Contains(err.Error(), "not a directory") {
		t.Errorf("a file as directory: %v", err)
	}
}
