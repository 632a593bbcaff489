package cli_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/inline"
)

// A manifest that is larger than a policy file may be is read again too, when its end changes.
func TestReloadOfALongManifest(t *testing.T) {
	noLeaks(t)
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		io.WriteString(w, "x")
	}))
	defer app.Close()
	path := filepath.Join(t.TempDir(), "merlon.yaml")
	manifest := filepath.Join(filepath.Dir(path), "hashes.json")
	write := func(last string) {
		pages := map[string]inline.Page{"/z": inline.NewPage([]inline.Code{{Kind: inline.Script, Text: last}}, false)}
		for i := range 12_000 {
			pages[fmt.Sprintf("/page/%d", i)] = inline.NewPage([]inline.Code{{Kind: inline.Script, Text: "same()"}}, false)
		}
		if err := (inline.Manifest{Pages: pages}).Write(manifest); err != nil {
			t.Fatal(err)
		}
	}
	write("before()")
	if info, err := os.Stat(manifest); err != nil || info.Size() < 2<<19 {
		t.Fatalf("%v, %v", info, err)
	}
	writePolicy(t, path, app.URL, fmt.Sprintf("preset: strict\nnonce: {hash: %s}", manifest))
	gw := start(t, "Dashboard:", "gateway", "--config", path)
	policy := func() string {
		res, err := http.Get(strings.Fields(gw.stdout.String())[4] + "/z")
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res.Header.Get("Content-Security-Policy")
	}
	before := policy()
	write("after()")
	for deadline := time.Now().Add(limit); policy() == before; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the manifest before is still in force")
		}
	}
	http.DefaultClient.CloseIdleConnections()
	gw.end(t)
}

// What a policy file names is read again and again. A pipe in its place, which nobody writes to, holds up neither reloads nor the end.
func TestNamedPipes(t *testing.T) {
	noLeaks(t)
	app := httptest.NewServer(http.NotFoundHandler())
	defer app.Close()
	path := filepath.Join(t.TempDir(), "merlon.yaml")
	placeholder := filepath.Join(filepath.Dir(path), "placeholder")
	if err := os.WriteFile(placeholder, []byte("n0123456789abcdef0123456789abcdef\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	settings := fmt.Sprintf("frame: deny\nnonce: {placeholder_file: %s}", placeholder)
	writePolicy(t, path, app.URL, settings)
	gw := start(t, "Dashboard:", "gateway", "--config", path)
	become := func(name string) {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Mkfifo(name, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	become(placeholder)
	gw.stderr.For(t, "placeholder_file: \\\""+placeholder+"\\\": no regular file", nil)
	become(path)
	gw.stderr.For(t, "--config "+path+": no regular file", nil)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	writePolicy(t, path, app.URL, "frame: self")
	eventually(t, strings.Fields(gw.stdout.String())[4], "SAMEORIGIN")
	http.DefaultClient.CloseIdleConnections()
	gw.end(t)
}
