//go:build unix

package store_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

// Root may write everything, so as root the test runs again in a process of another user.
func TestOpenUnwritable(t *testing.T) {
	if os.Geteuid() == 0 {
		runAsNobody(t)
		return
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "reports.db")
	s, err := store.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	const want = "not writable by this user: change the owner"
	if err := os.Chmod(path, 0o400); err != nil {
		t.Fatal(err)
	}
	s, err = store.Open(t.Context(), path)
	checkOpen(t, "Open of a read-only file", path, s, err, want)

	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(dir, 0o700)
	fresh := filepath.Join(dir, "fresh.db")
	s, err = store.Open(t.Context(), fresh)
	checkOpen(t, "Open in a read-only directory", fresh, s, err, want)
	if _, err := store.LockDir(dir); err == nil {
		t.Error("LockDir locked a read-only directory")
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err = store.Open(t.Context(), path) // no room for the write-ahead log
	checkOpen(t, "Open of a file in a read-only directory", path, s, err, "its directory")
}

func runAsNobody(t *testing.T) {
	binary, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, d := range []string{filepath.Dir(dir), dir} {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	program := filepath.Join(dir, "store.test") // the original is where only root may look
	if err := os.WriteFile(program, binary, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, "-test.run=^TestOpenUnwritable$", "-test.v")
	cmd.Dir, cmd.Env = dir, []string{"TMPDIR=" + os.TempDir()}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("as another user: %v\n%s", err, out)
	}
	t.Logf("as another user:\n%s", out)
}
