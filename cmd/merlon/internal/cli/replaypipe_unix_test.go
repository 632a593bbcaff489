//go:build unix

package cli_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
)

// A named pipe, as a shell's <(zcat F) gives one, is read once. A line that is too long is left out as other bad ones are.
func TestReplayFromPipe(t *testing.T) {
	var sent atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		sent.Add(1)
		w.WriteHeader(http.StatusNoContent)
	}))
	defer server.Close()
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	const good = `{"csp-report":{"document-uri":"https://shop.example/"}}`
	wrote := make(chan error, 1)
	go func() {
		wrote <- os.WriteFile(path, []byte(good+"\n\n\""+strings.Repeat("a", 5<<20)+"\"\n"+good), 0o600)
	}()
	code, stdout, stderr := run(t, "reports", "replay", path, "--to", server.URL, "--format", "json")
	if err := <-wrote; err != nil {
		t.Fatal(err)
	}
	var sum struct {
		Sent int64
		Bad  int64 `json:"bad_lines"`
	}
	if err := json.Unmarshal([]byte(stdout), &sum); err != nil || code != 0 || sum.Sent != 2 || sum.Bad != 1 || sent.Load() != 2 {
		t.Errorf("exit code %d, %d arrived, %v\n%s", code, sent.Load(), err, stdout)
	}
	if want := path + ":3: longer than 4194304 bytes"; !strings.Contains(stderr, want) {
		t.Errorf("no %q in %s", want, stderr)
	}
}
