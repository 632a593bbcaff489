//go:build linux

package contrib_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// maxExposure is what systemd-analyze security may find, in tenths of its points. It says OK up to 49.
const maxExposure = "15"

// systemd itself reads the units without a word, and finds the service confined.
func TestUnits(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		skip(t, "systemd-analyze is missing (Debian: apt-get install systemd)")
	}
	dir := t.TempDir()
	units, err := filepath.Glob("systemd/merlon*")
	if err != nil || len(units) != 3 {
		t.Fatalf("units: %q, %v", units, err)
	}
	program, err := os.Executable() // it looks whether what is started is there
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, unit := range units {
		text, err := os.ReadFile(unit)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(dir, filepath.Base(unit))
		if err := os.WriteFile(name, []byte(strings.ReplaceAll(string(text), "/usr/bin/merlon", program)), 0o600); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	if out, err := exec.CommandContext(t.Context(), analyze, append([]string{"verify", "--man=no"}, names...)...).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
	service := filepath.Join(dir, "merlon.service")
	out, err := exec.CommandContext(t.Context(), analyze, "security", "--offline=true", "--no-pager", "--threshold="+maxExposure, service).CombinedOutput()
	if err != nil {
		t.Errorf("systemd-analyze security: %v\n%s", err, out)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	t.Log(lines[len(lines)-1])
}
