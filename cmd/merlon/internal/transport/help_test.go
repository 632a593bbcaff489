package transport_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/transport"
)

// patience is how long a test waits for what must come.
const patience = 10 * time.Second

// A client is what both kinds of transport are.
type client interface {
	http.RoundTripper
	CloseIdleConnections()
}

// A kind is one of the two transports, which all tests run against.
type kind struct {
	name string
	make func(transport.Config) client
}

var (
	standard = kind{"Standard", func(c transport.Config) client { return transport.Standard(c) }}
	pooled   = kind{"Pooled", func(c transport.Config) client { return transport.Pooled(c) }}
)

// both runs a test against both kinds, each time with a look for what is left over.
func both(t *testing.T, test func(t *testing.T, k kind)) {
	t.Helper()
	for _, k := range []kind{standard, pooled} {
		t.Run(k.name, func(t *testing.T) {
			noLeaks(t)
			test(t, k)
		})
	}
}

// start makes a transport that is closed at the end of the test.
func (k kind) start(t *testing.T, c transport.Config) client {
	t.Helper()
	made := k.make(c)
	t.Cleanup(made.CloseIdleConnections)
	return made
}

// noLeaks compares goroutines and descriptors at the end of the test with now. It must be the first to register a clean-up.
func noLeaks(t *testing.T) {
	t.Helper()
	if l, err := net.Listen("tcp", "127.0.0.1:0"); err == nil {
		l.Close() // the runtime keeps descriptors of its own from the first socket on
	}
	goroutines, files := runtime.NumGoroutine(), openFiles()
	t.Cleanup(func() {
		if t.Failed() {
			return
		}
		eventually(t, fmt.Sprintf("goroutines and descriptors are as before, %d and %d", goroutines, files), func() bool {
			return runtime.NumGoroutine() <= goroutines && openFiles() <= files
		})
	})
}

// openFiles counts descriptors where the system lists them.
func openFiles() int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(entries)
}

// eventually polls, for what nothing signals.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			stacks := make([]byte, 64<<10)
			t.Fatalf("not after %v: %s\n%d descriptors\n%s", patience, what, openFiles(), stacks[:runtime.Stack(stacks, true)])
		}
	}
}

// A rawServer is an application that is free to break the rules.
type rawServer struct {
	url      string
	accepted atomic.Int32 // connections ever
	open     atomic.Int32 // and now
}

// serveRaw lets handle serve each connection, which ends when handle returns.
func serveRaw(t testing.TB, handle func(c net.Conn, br *bufio.Reader)) *rawServer {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &rawServer{url: "http://" + listener.Addr().String()}
	s.serve(t, listener, handle)
	return s
}

// serveUnix does the same on a Unix socket.
func serveUnix(t *testing.T, path string, handle func(c net.Conn, br *bufio.Reader)) *rawServer {
	t.Helper()
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	s := &rawServer{url: "http://app.example"}
	s.serve(t, listener, handle)
	return s
}

func (s *rawServer) serve(t testing.TB, listener net.Listener, handle func(c net.Conn, br *bufio.Reader)) {
	var all sync.WaitGroup
	var mu sync.Mutex
	conns := map[net.Conn]bool{}
	all.Go(func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns[c] = true
			mu.Unlock()
			s.accepted.Add(1)
			s.open.Add(1)
			all.Go(func() {
				defer s.open.Add(-1)
				defer c.Close()
				handle(c, bufio.NewReader(c))
			})
		}
	})
	t.Cleanup(func() {
		listener.Close()
		mu.Lock()
		for c := range conns {
			c.Close()
		}
		mu.Unlock()
		all.Wait()
	})
}

// answering serves each request with the same bytes, until the connection ends.
func answering(answer string) func(net.Conn, *bufio.Reader) {
	return func(c net.Conn, br *bufio.Reader) {
		for readRequest(br) == nil {
			io.WriteString(c, answer)
		}
	}
}

// answeringOnce serves one request, and closes.
func answeringOnce(answer string) func(net.Conn, *bufio.Reader) {
	return func(c net.Conn, br *bufio.Reader) {
		if readRequest(br) == nil {
			io.WriteString(c, answer)
		}
	}
}

// readRequest reads a request with its body.
func readRequest(br *bufio.Reader) error {
	req, err := http.ReadRequest(br)
	if err == nil {
		_, err = io.Copy(io.Discard, req.Body)
	}
	return err
}

// serve starts a real server.
func serve(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.Start()
	t.Cleanup(s.Close)
	return s
}

func newRequest(t *testing.T, method, url string, body io.Reader) *http.Request {
	t.Helper()
	req, err := http.NewRequest(method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

// A result is what a caller sees of an exchange.
type result struct {
	Status  string
	Header  http.Header
	Length  int64
	Body    string
	Trailer http.Header
	Err     string // its class
	BodyErr string
}

// fetch does an exchange to its end.
func fetch(rt http.RoundTripper, req *http.Request) result {
	res, err := rt.RoundTrip(req)
	if err != nil {
		return result{Err: class(err)}
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return result{res.Status, res.Header, res.ContentLength, string(body), res.Trailer, "", class(err)}
}

// class sorts errors as the gateway does.
func class(err error) string {
	switch {
	case err == nil:
		return ""
	case errors.Is(err, context.Canceled):
		return "canceled"
	case os.IsTimeout(err), errors.Is(err, os.ErrDeadlineExceeded):
		return "timeout"
	}
	return "broken"
}

// get fetches url and wants 200.
func get(t *testing.T, rt http.RoundTripper, url string) string {
	t.Helper()
	got := fetch(rt, newRequest(t, http.MethodGet, url, nil))
	if got.Status != "200 OK" || got.BodyErr != "" {
		t.Fatalf("GET %s = %+v, want 200 OK", url, got)
	}
	return got.Body
}

// receive waits for a value.
func receive[T any](t *testing.T, what string, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatalf("%s: nothing after %v", what, patience)
		panic("unreachable")
	}
}

// serverTLS returns a server's configuration with the certificate that httptest has, and a client's that trusts it.
func serverTLS(t *testing.T) (server, trusting *tls.Config) {
	t.Helper()
	s := httptest.NewTLSServer(nil)
	defer s.Close()
	return &tls.Config{Certificates: s.TLS.Certificates}, s.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
}

// socketPath returns a path that is short enough for a Unix socket.
func socketPath(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "merlon")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "app.sock")
}

func repeat(s string, n int) string { return strings.Repeat(s, n) }
