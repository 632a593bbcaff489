//go:build unix

package cli_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/wait"
)

// gate is an application whose downloads stop in the middle until they are released.
type gate struct {
	*httptest.Server
	arrived chan struct{}
	release chan struct{}
}

const half = 1 << 20

func newGate(t *testing.T) *gate {
	g := &gate{arrived: make(chan struct{}, 10), release: make(chan struct{})}
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/ws" {
			g.webSocket(w)
			return
		}
		if r.URL.Path != "/download" {
			io.WriteString(w, "x")
			return
		}
		w.Write(make([]byte, half))
		w.(http.Flusher).Flush()
		g.arrived <- struct{}{}
		select {
		case <-g.release:
		case <-r.Context().Done():
			return
		}
		w.Write(make([]byte, half))
	}))
	t.Cleanup(g.Close)
	return g
}

// webSocket switches and then says nothing more.
func (g *gate) webSocket(w http.ResponseWriter) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	g.arrived <- struct{}{}
	io.Copy(io.Discard, conn)
}

type download struct {
	n   int64
	err error
}

func (g *gate) download(site string) chan download {
	done := make(chan download, 1)
	go func() {
		res, err := http.Get(site + "/download")
		if err != nil {
			done <- download{0, err}
			return
		}
		defer res.Body.Close()
		n, err := io.Copy(io.Discard, res.Body)
		done <- download{n, err}
	}()
	return done
}

// SIGTERM in the middle of a download: readyz says no at once, nobody else gets in, and the download completes.
func TestTerminatedInMidDownload(t *testing.T) {
	g := newGate(t)
	c := startChild(t, "the next one:", nil, nil, gatewayArgs(t, g.URL, "--drain", "1m")...)
	if status, body := get(t, c.admin+"/readyz"); status != 200 {
		t.Fatalf("readyz: %d %q", status, body)
	}
	done := g.download(c.site)
	<-g.arrived
	c.signal(t, terminate)
	c.drains(t)
	if status, body := get(t, c.admin+"/readyz"); status != 503 || body != "draining: the gateway ends\n" {
		t.Errorf("readyz: %d %q", status, body)
	}
	if status, _ := get(t, c.admin+"/healthz"); status != 200 {
		t.Errorf("healthz: %d while the gateway ends", status)
	}
	if _, metrics := get(t, c.admin+"/metrics"); !strings.Contains(metrics, "\nmerlon_requests_in_flight 1\n") {
		t.Error("metrics do not count the request in flight")
	}
	wait.Until(t, "the public listener closes", func() bool { return refuses(strings.TrimPrefix(c.site, "http://")) })
	close(g.release)
	if got := <-done; got.err != nil || got.n != 2*half {
		t.Errorf("the download ended after %d bytes of %d: %v", got.n, 2*half, got.err)
	}
	if code := c.wait(t); code != 0 {
		t.Errorf("exit code %d:\n%s", code, c.stderr)
	}
	if strings.Contains(c.stderr.String(), "cut off") {
		t.Errorf("the log says that requests were cut off:\n%s", c.stderr)
	}
}

// What takes longer is cut off and counted, WebSockets included.
func TestCutOff(t *testing.T) {
	g := newGate(t)
	c := startChild(t, "the next one:", nil, nil, gatewayArgs(t, g.URL, "--drain", "100ms")...)
	done := g.download(c.site)
	<-g.arrived
	ws, err := net.Dial("tcp", strings.TrimPrefix(c.site, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer ws.Close()
	io.WriteString(ws, "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	<-g.arrived
	res, err := http.ReadResponse(bufio.NewReader(ws), nil)
	if err != nil || res.StatusCode != 101 {
		t.Fatalf("the WebSocket: %v, %v", res, err)
	}
	c.signal(t, terminate)
	if code := c.wait(t); code != 0 {
		t.Errorf("exit code %d:\n%s", code, c.stderr)
	}
	if got := <-done; got.err == nil {
		t.Error("a download that never ends is whole")
	}
	if !strings.Contains(c.stderr.String(), `"requests still in flight are cut off" requests=2 after=100ms`) {
		t.Errorf("the log does not count them:\n%s", c.stderr)
	}
}

// A WebSocket between a client and an application that both know the protocol hears that the server goes away, and nobody has to
// be cut off.
func TestWebSocketLeaves(t *testing.T) {
	ended := make(chan error, 1)
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, nil)
		for err == nil {
			var kind websocket.MessageType
			var text []byte
			if kind, text, err = conn.Read(r.Context()); err == nil {
				err = conn.Write(r.Context(), kind, text)
			}
		}
		ended <- err
	}))
	defer app.Close()
	c := startChild(t, "the next one:", nil, nil, gatewayArgs(t, app.URL, "--drain", "1m")...)
	conn, _, err := websocket.Dial(within(t), c.site, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	if err := conn.Write(within(t), websocket.MessageText, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	if _, text, err := conn.Read(within(t)); string(text) != "hello" {
		t.Fatalf("the application answers %q, %v", text, err)
	}
	c.signal(t, terminate)
	if _, _, err := conn.Read(within(t)); websocket.CloseStatus(err) != websocket.StatusGoingAway {
		t.Errorf("the client hears %v, want that the server goes away", err)
	}
	if err := <-ended; websocket.CloseStatus(err) != websocket.StatusGoingAway {
		t.Errorf("the application hears %v, want that the client goes away", err)
	}
	if code := c.wait(t); code != 0 || strings.Contains(c.stderr.String(), "cut off") {
		t.Errorf("exit code %d:\n%s", code, c.stderr)
	}
}

// In the delay readyz says no and everybody is still served: that is when load balancers learn of it.
func TestDrainDelay(t *testing.T) {
	g := newGate(t)
	c := startChild(t, "the next one:", nil, nil, gatewayArgs(t, g.URL, "--drain-delay", "1h")...)
	c.signal(t, terminate)
	c.drains(t)
	if status, _ := get(t, c.site); status != 200 {
		t.Errorf("in the delay: %d", status)
	}
	secondSignal(t, c)
}

// A second signal ends the process at once.
func TestSecondSignal(t *testing.T) {
	g := newGate(t)
	c := startChild(t, "the next one:", nil, nil, gatewayArgs(t, g.URL, "--drain", "1h")...)
	done := g.download(c.site)
	<-g.arrived
	c.signal(t, terminate)
	c.drains(t)
	secondSignal(t, c)
	if got := <-done; got.err == nil {
		t.Error("the download is whole")
	}
}

func secondSignal(t *testing.T, c *child) {
	t.Helper()
	// The signal's own effect returns right after the first one, on another goroutine: so more than one may be needed.
	for deadline := time.Now().Add(limit); ; {
		_ = c.Process.Signal(terminate)
		select {
		case <-c.done:
			if status, ok := c.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGTERM {
				t.Errorf("ended by %v, want SIGTERM", c.ProcessState)
			}
			return
		case <-time.After(50 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			t.Fatal("does not end")
		}
	}
}
