package report_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/merlon-sec/merlon/report"
)

// received is a take that remembers.
type received struct {
	reports []report.Report
	calls   int
	err     error
}

func (t *received) take(_ context.Context, reports []report.Report) error {
	t.calls++
	t.reports = append(t.reports, reports...)
	return t.err
}

// serve starts a real server and returns a function that sends it a request and returns the answer without a body.
func serve(t *testing.T, h http.Handler) func(method, path, body string, header http.Header) *http.Response {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return func(method, path, body string, header http.Header) *http.Response {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		for name, values := range header {
			r.Header[name] = values
		}
		r.Host = "www.example.com"
		res, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if rest, err := io.ReadAll(res.Body); err != nil || len(rest) > 0 {
			t.Errorf("%s %s: a body of %d bytes, %v", method, path, len(rest), err)
		}
		return res
	}
}

func TestHandlerTakes(t *testing.T) {
	const webkit = `{"csp-report":{"document-uri":"https://www.example.com/","effective-directive":"img-src","blocked-uri":"data"}}`
	const batch = `[{"type":"coep","url":"u","body":{"disposition":"enforce"}},7,{"type":"x","url":"u"}]`
	tests := []struct {
		name, path, body string
		want             string // type and disposition of each report
	}{
		{"enforced by the URL", "/?d=e", webkit, "csp-violation enforce"},
		{"report-only by the URL", "/r?x=1&d=r", webkit, "csp-violation report"},
		{"no word in the URL", "/", webkit, "csp-violation unknown"},
		{"another word in the URL", "/?d=enforce", webkit, "csp-violation unknown"},
		{"the report's own word counts", "/?d=e", strings.Replace(webkit, "}}", `,"disposition":"report"}}`, 1), "csp-violation report"},
		{"an element that is none is left out", "/", batch, "coep\nx"},
		{"nothing in the batch", "/", "[]", ""},
		{"only elements that are none", "/", "[1,{}]", ""},
		{"not JSON", "/", "hello", ""},
		{"nothing", "/", "", ""},
		{"too deep", "/", strings.Repeat("[", 9), ""},
		{"101 reports", "/", "[" + strings.Repeat(`{"type":"x"},`, 100) + `{"type":"x"}]`, ""},
		{"an object of more than 64 KiB", "/", `{"type":"x"}` + strings.Repeat(" ", 70<<10) + "{", ""},
		{"a batch of 100 KiB", "/", `[{"type":"x"}` + strings.Repeat(" ", 100<<10) + "]", "x"},
		{"a batch of 1 MiB", "/", `[{"type":"x"}` + strings.Repeat(" ", 1<<20-14) + "]", "x"},
		{"a batch of 1 MiB + 1", "/", `[{"type":"x"}` + strings.Repeat(" ", 1<<20-13) + "]", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var got received
			res := serve(t, report.Handler(got.take))("POST", test.path, test.body, nil)
			if res.StatusCode != http.StatusNoContent {
				t.Errorf("status %d, want 204", res.StatusCode)
			}
			var lines []string
			for _, r := range got.reports {
				line := r.Type
				if r.Violation != nil {
					line += " " + r.Violation.Disposition.String()
				}
				lines = append(lines, line)
			}
			if s := strings.Join(lines, "\n"); s != test.want {
				t.Errorf("took %q, want %q", s, test.want)
			}
			if want := min(1, len(test.want)); got.calls != want {
				t.Errorf("take was called %d times, want %d", got.calls, want)
			}
		})
	}
}

func TestHandlerAsksAgainOnlyWhenTakeFails(t *testing.T) {
	got := received{err: errors.New("disk full")}
	send := serve(t, report.Handler(got.take))
	res := send("POST", "/", `[{"type":"x"}]`, nil)
	if res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") != "60" {
		t.Errorf("take failed: status %d, Retry-After %q; want 503 and 60", res.StatusCode, res.Header.Get("Retry-After"))
	}
	if res := send("POST", "/", `nonsense`, nil); res.StatusCode != http.StatusNoContent {
		t.Errorf("nothing to take: status %d, want 204", res.StatusCode)
	}
}

func TestHandlerHeaders(t *testing.T) {
	h, err := report.NewHandler(report.Receiver{
		Take:    (&received{}).take,
		Origins: []string{"https://Shop.example/", "http://127.0.0.1:8080"},
	})
	if err != nil {
		t.Fatal(err)
	}
	send := serve(t, h)
	tests := []struct {
		origin  string
		allowed bool
	}{
		{"https://www.example.com", true}, // the host of the request
		{"http://www.example.com", true},
		{"https://www.example.com:8443", false},
		{"https://shop.example", true},
		{"http://127.0.0.1:8080", true},
		{"http://shop.example", false},
		{"https://shop.example:8443", false},
		{"https://shop.example.evil.example", false},
		{"https://www.example.com.evil.example", false},
		{"https://WWW.example.com", false}, // no browser spells it so
		{"null", false},
		{"*", false},
		{"", false},
	}
	for _, test := range tests {
		for _, method := range []string{"POST", "OPTIONS"} {
			header := http.Header{}
			if test.origin != "" {
				header.Set("Origin", test.origin)
			}
			res := send(method, "/", "", header)
			want := map[string]string{
				"Cache-Control": "no-store", "Cross-Origin-Resource-Policy": "cross-origin", "Vary": "Origin",
				"Access-Control-Allow-Origin": "", "Access-Control-Allow-Methods": "", "Access-Control-Allow-Headers": "",
				"Access-Control-Max-Age": "", "Access-Control-Allow-Credentials": "",
			}
			if test.allowed {
				want["Access-Control-Allow-Origin"] = test.origin
			}
			if test.allowed && method == "OPTIONS" {
				want["Access-Control-Allow-Methods"] = "POST"
				want["Access-Control-Allow-Headers"] = "content-type"
				want["Access-Control-Max-Age"] = "86400"
			}
			if res.StatusCode != http.StatusNoContent {
				t.Errorf("%s from %q: status %d, want 204", method, test.origin, res.StatusCode)
			}
			for name, value := range want {
				if got := res.Header.Get(name); got != value {
					t.Errorf("%s from %q: %s: %q, want %q", method, test.origin, name, got, value)
				}
			}
		}
	}
}

// No body makes it fail, and none is asked for again.
func TestHandlerHostile(t *testing.T) {
	for name, body := range hostileBodies() {
		var got received
		w := httptest.NewRecorder()
		report.Handler(got.take).ServeHTTP(w, httptest.NewRequest("POST", "/?d=%zz&d=e", bytes.NewReader(body)))
		if w.Code != http.StatusNoContent || len(got.reports) > report.MaxReports {
			t.Errorf("%s: status %d, %d reports", name, w.Code, len(got.reports))
		}
	}
}

func TestHandlerMethods(t *testing.T) {
	var got received
	send := serve(t, report.Handler(got.take))
	for _, method := range []string{"GET", "HEAD", "PUT", "DELETE", "PATCH", "BREW"} {
		res := send(method, "/", "", nil)
		if res.StatusCode != http.StatusMethodNotAllowed || res.Header.Get("Allow") != "POST, OPTIONS" {
			t.Errorf("%s: status %d, Allow %q", method, res.StatusCode, res.Header.Get("Allow"))
		}
	}
	if got.calls != 0 {
		t.Errorf("take was called %d times", got.calls)
	}
}

// countedBody tells how much of it was read.
type countedBody struct {
	io.Reader
	read int
}

func (b *countedBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	b.read += n
	return n, err
}

func TestHandlerReadsNoMoreThanItTakes(t *testing.T) {
	tests := []struct {
		name, first, encoding string
		length                int64
		most                  int
	}{
		{"gzip", "[", "gzip", -1, 0},
		{"identity", "[", "identity", -1, 0},
		{"a length over the limit", "[", "", report.MaxBatchBytes + 1, 0},
		{"an endless batch", "[", "", -1, report.MaxBatchBytes + 512},
		{"an endless object", "{", "", -1, report.MaxObjectBytes + 1},
		{"endless space", "", "", -1, report.MaxObjectBytes + 1},
	}
	for _, test := range tests {
		var got received
		body := &countedBody{Reader: io.MultiReader(strings.NewReader(test.first), spaces{})}
		r := httptest.NewRequest("POST", "/", body)
		r.ContentLength = test.length
		if test.encoding != "" {
			r.Header.Set("Content-Encoding", test.encoding)
		}
		w := httptest.NewRecorder()
		report.Handler(got.take).ServeHTTP(w, r)
		if w.Code != http.StatusNoContent || body.read > test.most || got.calls != 0 {
			t.Errorf("%s: status %d after %d bytes, want 204 after at most %d; take was called %d times",
				test.name, w.Code, body.read, test.most, got.calls)
		}
	}
}

type spaces struct{}

func (spaces) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

// A client that sends half a body and waits would hold the connection for ever.
func TestHandlerStalledBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got received
		listener := newPipeListener()
		server := &http.Server{Handler: report.Handler(got.take)}
		done := make(chan error, 1)
		go func() { done <- server.Serve(listener) }()

		conn := listener.dial()
		start := time.Now()
		fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 100\r\n\r\n[{\"type\"")
		answer, err := io.ReadAll(conn)
		if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 204 ") {
			t.Errorf("answer %q, %v; want a 204 and the end of the connection", answer, err)
		}
		if waited := time.Since(start); waited < 10*time.Second || waited > 11*time.Second {
			t.Errorf("answered after %v, want 10 s", waited)
		}
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		<-done
	})
}

// A take that is slower than the deadline of the body keeps its context.
func TestHandlerSlowTake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		listener := newPipeListener()
		server := &http.Server{Handler: report.Handler(func(ctx context.Context, _ []report.Report) error {
			select {
			case <-ctx.Done():
			case <-time.After(time.Minute):
			}
			return ctx.Err()
		})}
		done := make(chan error, 1)
		go func() { done <- server.Serve(listener) }()

		conn := listener.dial()
		fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\nContent-Length: 14\r\n\r\n[{\"type\":\"x\"}]")
		if answer, err := io.ReadAll(conn); err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 204 ") {
			t.Errorf("answer %q, %v; want a 204", answer, err)
		}
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		<-done
	})
}

// pipeListener is a network without sockets, whose time a test can bend.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
}

func newPipeListener() *pipeListener {
	return &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
}

func (l *pipeListener) dial() net.Conn {
	client, server := net.Pipe()
	l.conns <- server
	return client
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error   { close(l.closed); return nil }
func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{} }

func TestNewHandlerMistakes(t *testing.T) {
	origins := []string{"https://a.example", "shop.example", "https://*.a.example", "https://a.example/path", "null"}
	h, err := report.NewHandler(report.Receiver{Origins: origins})
	if err == nil || h != nil {
		t.Fatalf("NewHandler = %v, %v; want an error", h, err)
	}
	for _, want := range []string{"Take", "Origins[1]", "Origins[2]", "Origins[3]", "Origins[4]"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q does not name %s", err, want)
		}
	}
	if strings.Contains(err.Error(), "Origins[0]") {
		t.Errorf("error %q names an origin without a mistake", err)
	}
	defer func() {
		if recover() == nil {
			t.Error("Handler(nil) did not panic")
		}
	}()
	report.Handler(nil)
}

func TestNewHandlerKeepsNothingOfTheReceiver(t *testing.T) {
	c := report.Receiver{Take: (&received{}).take, Origins: []string{"https://a.example"}}
	h, err := report.NewHandler(c)
	if err != nil {
		t.Fatal(err)
	}
	c.Origins[0] = "https://b.example"
	r := httptest.NewRequest("OPTIONS", "/", nil)
	r.Header.Set("Origin", "https://b.example")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if got := w.Header().Get("Access-Control-Allow-Origin"); got != "" {
		t.Errorf("Access-Control-Allow-Origin: %q after the Receiver was changed", got)
	}
}

// A report endpoint on the site's own host receives its cookies. Nothing here may look at them.
func TestPackageReadsNoCredentials(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	reads := regexp.MustCompile(`\.Header(?:\.\w+\("([\w-]+)"\)|\[)|\.Cookies?\w*\(|\.BasicAuth\(|\.RemoteAddr`)
	known := []string{`.Header.Get("Origin")`, `.Header.Get("Content-Encoding")`}
	found := 0
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") || name == "counter.go" || name == "route.go" {
			continue
		}
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, read := range reads.FindAllString(string(source), -1) {
			if found++; !slices.Contains(known, read) {
				t.Errorf("%s: %s", name, read)
			}
		}
	}
	if found == 0 {
		t.Error("no header is read at all: the test looks for the wrong thing")
	}
}
