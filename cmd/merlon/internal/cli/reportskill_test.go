//go:build unix

package cli_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// A process that was killed leaves its socket behind. Commands then do without a process, and the next one makes the socket anew.
func TestReportsAfterKill(t *testing.T) {
	data := t.TempDir()
	args := []string{"collect", "--host", "shop.example", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--data", data}
	set := func(state string) {
		t.Helper()
		if code, _, stderr := run(t, "reports", "state", "--data", data, "1", "--set", state); code != 0 {
			t.Errorf("setting %s: exit code %d: %s", state, code, stderr)
		}
	}
	c := startChild(t, "the next one:", nil, nil, args...)
	send(t, c.site, "shop.example", "application/csp-report", reports("https://shop.example/", "https://cdn.example/x.js")["application/csp-report"])
	set("acknowledged")
	c.signal(t, syscall.SIGKILL)
	c.wait(t)
	if _, err := os.Lstat(filepath.Join(data, "control", "socket")); err != nil {
		t.Errorf("no socket was left, so this test shows nothing: %v", err)
	}
	set("accepted")
	startChild(t, "the next one:", nil, nil, args...)
	set("new")
}
