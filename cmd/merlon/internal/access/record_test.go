package access_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/access"
)

// lines is a log that a test reads while a server writes it. more has a token for each line.
type lines struct {
	mu   sync.Mutex
	buf  bytes.Buffer
	more chan struct{}
}

func newLines() *lines { return &lines{more: make(chan struct{}, 1000)} }

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer func() { l.more <- struct{}{} }()
	return l.buf.Write(b)
}

func (l *lines) next(t *testing.T) map[string]any {
	t.Helper()
	select {
	case <-l.more:
	case <-t.Context().Done():
		t.Fatal("no line")
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	text, err := l.buf.ReadBytes('\n')
	if err != nil {
		t.Fatal(err)
	}
	var line map[string]any
	if err := json.Unmarshal(text, &line); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return line
}

// serve starts a server of the protocol whose requests to next are logged.
func serve(t *testing.T, http2 bool, o access.Options, next http.HandlerFunc) (*httptest.Server, *lines, *lines) {
	t.Helper()
	log, errors := newLines(), newLines()
	o.Format = access.JSON
	srv := httptest.NewUnstartedServer(&access.Handler{Next: next, Log: access.NewLog(log, o), Error: slog.New(slog.NewJSONHandler(errors, nil))})
	srv.EnableHTTP2 = http2
	if http2 {
		srv.StartTLS()
	} else {
		srv.Start()
	}
	t.Cleanup(srv.Close)
	return srv, log, errors
}

// However a handler answers, the line has the status and the length that the client saw.
func TestStatusAndLength(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, make([]byte, 70_000), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		method  string
		handler http.HandlerFunc
		status  int
		bytes   int
	}{
		"nothing":     {"GET", func(http.ResponseWriter, *http.Request) {}, 200, 0},
		"write":       {"GET", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("four")) }, 200, 4},
		"text":        {"GET", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "four") }, 200, 4},
		"status":      {"GET", func(w http.ResponseWriter, _ *http.Request) { http.NotFound(w, nil) }, 404, 19},
		"status once": {"GET", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404); w.WriteHeader(200) }, 404, 0},
		"early hints": {"GET", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(103)
			http.Error(w, "no", http.StatusServiceUnavailable)
		}, 503, 3},
		"no content": {"GET", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204); w.Write([]byte("four")) }, 204, 0},
		"head":       {"HEAD", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("four")) }, 200, 0},
		"flush": {"GET", func(w http.ResponseWriter, _ *http.Request) {
			if err := http.NewResponseController(w).Flush(); err != nil {
				t.Error(err)
			}
			w.(http.Flusher).Flush()
			w.Write([]byte("four"))
		}, 200, 4},
		"file": {"GET", func(w http.ResponseWriter, _ *http.Request) {
			f, err := os.Open(file)
			if err != nil {
				t.Error(err)
				return
			}
			defer f.Close()
			io.Copy(w, f)
		}, 200, 70_000},
	} {
		t.Run(name, func(t *testing.T) {
			for _, http2 := range []bool{false, true} {
				srv, log, _ := serve(t, http2, access.Options{}, tc.handler)
				req, err := http.NewRequest(tc.method, srv.URL+"/", nil)
				if err != nil {
					t.Fatal(err)
				}
				res, err := srv.Client().Do(req)
				if err != nil {
					t.Fatal(err)
				}
				body, err := io.ReadAll(res.Body)
				res.Body.Close()
				if err != nil || res.StatusCode != tc.status || len(body) != tc.bytes {
					t.Fatalf("the client got %d with %d bytes, %v: want %d with %d", res.StatusCode, len(body), err, tc.status, tc.bytes)
				}
				line := log.next(t)
				if line["status"] != float64(tc.status) || line["bytes"] != float64(tc.bytes) || line["aborted"] != nil {
					t.Errorf("over HTTP/2 %t the log has %v, want %d with %d bytes", http2, line, tc.status, tc.bytes)
				}
			}
		})
	}
}

// Handlers assert the optional interfaces to know what they can do, so those must be the server's own.
func TestOptionalInterfaces(t *testing.T) {
	offers := func(w http.ResponseWriter) (out [5]bool) {
		_, out[0] = w.(http.Flusher)
		_, out[1] = w.(http.Hijacker)
		_, out[2] = w.(io.ReaderFrom)
		_, out[3] = w.(interface{ CloseNotify() <-chan bool })
		out[4] = http.NewResponseController(w).EnableFullDuplex() == nil
		return out
	}
	for _, http2 := range []bool{false, true} {
		var bare, wrapped [5]bool
		h := &access.Handler{Next: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { wrapped = offers(w) })}
		srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			bare = offers(w)
			h.ServeHTTP(w, r)
		}))
		srv.EnableHTTP2 = http2
		srv.StartTLS()
		res, err := srv.Client().Get(srv.URL)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		srv.Close()
		if bare != wrapped {
			t.Errorf("HTTP/2 %t: Flusher, Hijacker, ReaderFrom, CloseNotifier, full duplex: the server's %v, the record's %v", http2, bare, wrapped)
		}
	}
	var plain [5]bool
	h := &access.Handler{Next: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { plain = offers(w) })}
	h.ServeHTTP(struct{ http.ResponseWriter }{httptest.NewRecorder()}, httptest.NewRequest("GET", "/", nil))
	if plain != [5]bool{} {
		t.Errorf("over a writer that can only write the record offers %v", plain)
	}
}

// A connection that was handed over is in flight until its handler ends, and CutOff ends it.
func TestHijack(t *testing.T) {
	log := newLines()
	h := &access.Handler{Log: access.NewLog(log, access.Options{Format: access.JSON})}
	h.Next = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
		io.Copy(io.Discard, conn)
	})
	srv := httptest.NewServer(h)
	defer srv.Close()
	req, err := http.NewRequest("GET", srv.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header = http.Header{"Connection": {"Upgrade"}, "Upgrade": {"x"}}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	if n := h.InFlight(); n != 1 {
		t.Errorf("%d in flight, want 1", n)
	}
	h.CutOff()
	if _, err := io.ReadAll(res.Body); err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("the connection ended with %v", err)
	}
	res.Body.Close()
	if line := log.next(t); line["status"] != 101. {
		t.Errorf("the log has %v, want 101", line)
	}
	if n := h.InFlight(); n != 0 {
		t.Errorf("%d in flight, want 0", n)
	}
}

// A panic ends the connection, is logged with where it was, and the request has its line.
func TestPanics(t *testing.T) {
	for name, tc := range map[string]struct {
		value  any
		logged bool
	}{"a mistake": {"boom\n", true}, "an aborted response": {http.ErrAbortHandler, false}} {
		t.Run(name, func(t *testing.T) {
			srv, log, errors := serve(t, false, access.Options{}, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Length", "10")
				w.Write([]byte("four"))
				panic(tc.value)
			})
			res, err := http.Get(srv.URL + "/here")
			if err == nil {
				_, err = io.ReadAll(res.Body)
				res.Body.Close()
			}
			if err == nil {
				t.Error("the client takes the response for whole")
			}
			if line := log.next(t); line["aborted"] != true || line["status"] != 200. || line["bytes"] != 4. {
				t.Errorf("the log has %v", line)
			}
			if !tc.logged {
				return
			}
			line := errors.next(t)
			if line["path"] != "/here" || line["panic"] != "boom\n" || !strings.Contains(line["stack"].(string), "TestPanics") {
				t.Errorf("the error log has %v", line)
			}
		})
	}
}

func TestRecordIsFoundInTheContext(t *testing.T) {
	var found, wrapped *access.Record
	h := &access.Handler{Next: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		found = access.Of(r.Context())
		wrapped, _ = w.(interface{ Unwrap() http.ResponseWriter }).Unwrap().(*access.Record)
	})}
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
	if found == nil || wrapped != nil {
		t.Errorf("found %v in the context, and %v below the writer", found, wrapped)
	}
	var none *access.Record // where no handler keeps one
	none.ForSite("x", 1)
	none.Asked(1, true)
	none.Committed("x", true)
	none.RewrotePage(access.Page{})
	none.Withhold()
	if access.Of(t.Context()) != nil || none.Recovered() {
		t.Error("a record where there is none")
	}
}
