package need

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

// pebbleVersion is the Pebble that tests run: Let's Encrypt's own small CA. It is a program beside ours, no part of it.
const pebbleVersion = "v2.10.3"

// Pebble returns the folder of the programs pebble, a CA that speaks ACME, and pebble-challtestsrv, a DNS server for it. The first call
// builds them, and later ones find them in the user's cache.
func Pebble(t testing.TB) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		Missing(t, "a folder to build Pebble in", err.Error())
	}
	dir := filepath.Join(cache, "merlon-tests", "pebble-"+pebbleVersion+"-"+runtime.Version())
	if _, err := os.Stat(dir); err == nil {
		return dir
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		t.Fatal(err)
	}
	making, err := os.MkdirTemp(filepath.Dir(dir), "making-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(making)
	const module = "github.com/letsencrypt/pebble/v2/cmd/"
	cmd := exec.CommandContext(t.Context(), "go", "install", module+"pebble@"+pebbleVersion, module+"pebble-challtestsrv@"+pebbleVersion)
	cmd.Env = append(os.Environ(), "GOBIN="+making, "GOWORK=off", "GOFLAGS=", "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		Missing(t, "Pebble", cmd.String()+": "+err.Error()+"\n"+string(out))
	}
	if err := os.Rename(making, dir); err != nil {
		if _, there := os.Stat(dir); there != nil { // or another test was faster
			t.Fatal(err)
		}
	}
	return dir
}
