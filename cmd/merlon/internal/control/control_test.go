//go:build unix

package control_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/control"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
	"github.com/merlon-sec/merlon/report"
)

// serve opens a database with one issue in dir and serves it.
func serve(t *testing.T, dir string) *store.Store {
	t.Helper()
	db, err := store.Open(t.Context(), filepath.Join(dir, "merlon.db"))
	if err != nil {
		t.Fatal(err)
	}
	var b store.Batch
	b.Add(store.Hit{Site: "a.example", Type: report.TypeViolation, Directive: "img-src", Class: "origin", Blocked: "https://b.example", Route: "/", At: time.Now(),
		Fingerprint: store.Fingerprint{Version: 1}, Disposition: report.Enforce})
	if err := db.Commit(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	server, err := control.Serve(dir, db, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(server.Close(), db.Close()); err != nil {
			t.Error(err)
		}
		if _, err := os.Lstat(filepath.Join(dir, "control", "socket")); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the socket is left: %v", err)
		}
		if _, err := control.Dial(context.Background(), dir); !errors.Is(err, control.ErrNobody) {
			t.Errorf("Dial after the end: %v, want ErrNobody", err)
		}
	})
	return db
}

func dial(t *testing.T, dir string) *control.Client {
	t.Helper()
	c, err := control.Dial(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// A client changes what the server's database holds, also where the directory's name is longer than a socket's may be.
func TestControl(t *testing.T) {
	for _, name := range []string{"data", strings.Repeat("long/", 40)} {
		dir := filepath.Join(t.TempDir(), name)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		db := serve(t, dir)
		c := dial(t, dir)
		if err := c.SetState(t.Context(), control.Decision{Issue: 1, State: store.Ignored, Until: time.Now().Add(time.Hour), Note: "why"}); err != nil {
			t.Fatal(err)
		}
		if i, err := db.Issue(t.Context(), 1); err != nil || i.State != store.Ignored || i.StateNote != "why" || i.StateUntil.IsZero() || i.StateAt.IsZero() {
			t.Errorf("issue %+v, %v, want it ignored", i, err)
		}
		if err := c.SetState(t.Context(), control.Decision{Issue: 99, State: store.New}); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a state of no issue: %v, want ErrNotFound", err)
		}
		if err := c.SetState(t.Context(), control.Decision{Issue: 1, State: "odd"}); err == nil || !strings.Contains(err.Error(), "use new, acknowledged") {
			t.Errorf("an odd state: %v", err)
		}
		if e, err := c.Erase(t.Context(), control.Erase{URL: "https://b.example"}); err != nil || e.Issues != 1 {
			t.Errorf("Erase: %+v, %v, want one issue", e, err)
		}
		if _, err := c.Erase(t.Context(), control.Erase{URL: "*"}); err == nil {
			t.Error("Erase takes a star for a pattern")
		}
		if e, err := c.Purge(t.Context(), control.Purge{Site: "a.example", Before: time.Now().Add(time.Hour)}); err != nil || e.Issues != 1 {
			t.Errorf("Purge: %+v, %v, want the folded issue", e, err)
		}
	}
}

// Modes keep others out, whatever the directory's is.
func TestModes(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "control"), 0o777); err != nil {
		t.Fatal(err)
	}
	serve(t, dir)
	for name, want := range map[string]os.FileMode{"control": os.ModeDir | 0o700, "control/socket": os.ModeSocket | 0o600} {
		if info, err := os.Lstat(filepath.Join(dir, name)); err != nil || info.Mode() != want {
			t.Errorf("%s: %v, %v, want mode %v", name, info.Mode(), err, want)
		}
	}
}

// What a killed process leaves is replaced; what is no socket is not.
func TestLeftOver(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "control", "socket")
	if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	l.Close()
	if _, err := control.Dial(t.Context(), dir); !errors.Is(err, control.ErrNobody) {
		t.Errorf("Dial where nobody listens: %v, want ErrNobody", err)
	}
	serve(t, dir)
	dial(t, dir)

	other := t.TempDir()
	if err := os.MkdirAll(filepath.Join(other, "control", "socket"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := control.Serve(other, nil, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "is no socket: move it away") {
		t.Errorf("Serve over a directory: %v", err)
	}
}

// A request that is not one of the protocol is answered, and changes nothing.
func TestRequests(t *testing.T) {
	dir := t.TempDir()
	serve(t, dir)
	transport := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", filepath.Join(dir, "control", "socket"))
	}}
	client := http.Client{Transport: transport}
	for _, test := range []struct {
		method, path, body string
		status             int
	}{
		{"GET", "/v1/state", "", 404},
		{"POST", "/v2/state", "{}", 404},
		{"POST", "/v1/state", "", 400},
		{"POST", "/v1/state", `{"odd":1}`, 400},
		{"POST", "/v1/erase", `{"url":"/x"} {}`, 400},
		{"POST", "/v1/erase", `{"url":"` + strings.Repeat("x", 20<<10) + `"}`, 400},
		{"POST", "/v1/erase", `{}`, 422},
	} {
		req, err := http.NewRequestWithContext(t.Context(), test.method, "http://merlon"+test.path, strings.NewReader(test.body))
		if err != nil {
			t.Fatal(err)
		}
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != test.status {
			t.Errorf("%s %s %.40s: %s, want %d", test.method, test.path, test.body, res.Status, test.status)
		}
	}
}
