package dash_test

import (
	"crypto/tls"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/dash"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

// clock is a clock that a test moves.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// rig is a dashboard over a real store, with the token for the first log-in.
type rig struct {
	t       testing.TB
	store   *store.Store
	handler http.Handler
	clock   *clock
	dir     string
	path    string // of the database
	token   string
}

func newRig(t testing.TB, change ...func(*dash.Config)) *rig {
	t.Helper()
	r := &rig{t: t, dir: t.TempDir(), clock: &clock{at: time.Date(2026, 3, 24, 12, 0, 0, 0, time.UTC)}}
	r.path = filepath.Join(r.dir, "merlon.db")
	r.store = openStore(t, r.path)
	tokens, token, err := dash.NewTokens(r.dir)
	if err != nil {
		t.Fatal(err)
	}
	r.token = token
	cfg := dash.Config{Store: r.store, Tokens: tokens, Now: r.clock.Now}
	for _, f := range change {
		f(&cfg)
	}
	d, err := dash.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	r.handler = d.Handler()
	return r
}

// readOnly is a dashboard over the same database, as if it could not be written any more.
func (r *rig) readOnly() *rig {
	r.t.Helper()
	st, err := store.OpenReader(r.t.Context(), r.path)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { st.Close() })
	other := newRig(r.t, func(c *dash.Config) { c.Store = st })
	other.clock = r.clock
	return other
}

func openStore(t testing.TB, path string) *store.Store {
	t.Helper()
	st, err := store.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	return st
}

// do sends a request; cookie is a session's, or nil.
func (r *rig) do(method, target string, form url.Values, cookie *http.Cookie) *http.Response {
	r.t.Helper()
	return r.send(newRequest(method, target, form), cookie)
}

func (r *rig) send(req *http.Request, cookie *http.Cookie) *http.Response {
	if cookie != nil {
		req.AddCookie(&http.Cookie{Name: cookie.Name, Value: cookie.Value})
	}
	rec := httptest.NewRecorder()
	r.handler.ServeHTTP(rec, req)
	return rec.Result()
}

func newRequest(method, target string, form url.Values) *http.Request {
	req := httptest.NewRequest(method, "http://localhost:8443"+target, strings.NewReader(form.Encode()))
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return req
}

// logIn spends the token in the file and returns the session's cookie.
func (r *rig) logIn() *http.Cookie {
	r.t.Helper()
	res := r.do("POST", "/login", url.Values{"token": {r.fileToken()}}, nil)
	if res.StatusCode != http.StatusSeeOther || len(res.Cookies()) != 1 {
		r.t.Fatalf("log-in: status %d, cookies %v, want 303 and one cookie", res.StatusCode, res.Cookies())
	}
	return res.Cookies()[0]
}

func (r *rig) fileToken() string {
	r.t.Helper()
	data, err := os.ReadFile(filepath.Join(r.dir, "login-token"))
	if err != nil {
		r.t.Fatal(err)
	}
	return strings.TrimSpace(string(data))
}

// page fetches a page that must answer with the status, and parses it.
func (r *rig) page(target string, status int, cookie *http.Cookie) *html.Node {
	r.t.Helper()
	res := r.do("GET", target, nil, cookie)
	if res.StatusCode != status {
		r.t.Fatalf("GET %s: status %d, want %d", target, res.StatusCode, status)
	}
	return parse(r.t, res)
}

func parse(t testing.TB, res *http.Response) *html.Node {
	t.Helper()
	if got := res.Header.Get("Content-Type"); got != "text/html; charset=utf-8" {
		t.Fatalf("Content-Type %q, want a page", got)
	}
	doc, err := html.Parse(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func tlsState() *tls.ConnectionState { return &tls.ConnectionState{Version: tls.VersionTLS13} }

func readCloser(s string) io.ReadCloser { return io.NopCloser(strings.NewReader(s)) }

func textLogger(w io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }
