//go:build linux

package faults_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/wait"
)

// An application that is killed under load is answered for with 502, and found again when it is back, without a new start.
func TestUpstreamKilledAndBack(t *testing.T) {
	t.Parallel()
	rest(t)
	app := small(t)
	addr := app.Addr().String()
	gw := spawn(t, app.url(), "nonce: forward")
	client := clientFor(t)

	var count [3]atomic.Int64 // answered 200 and 502, and aborted in the middle
	var stop atomic.Bool
	var clients sync.WaitGroup
	for range 8 {
		clients.Go(func() {
			for !stop.Load() {
				res, err := client.Get("http://" + gw.addr + "/")
				if err != nil {
					count[2].Add(1) // the header had come from the application, and its body had not
					continue
				}
				body, err := io.ReadAll(res.Body)
				res.Body.Close()
				protected(t, res.Status, res)
				switch {
				case err != nil:
					count[2].Add(1)
				case res.StatusCode == 200 && string(body) == "alive":
					count[0].Add(1)
				case res.StatusCode == 502 && strings.Contains(string(body), "The application does not answer."):
					count[1].Add(1)
				default:
					t.Errorf("%s with %q", res.Status, body)
				}
			}
		})
	}
	var peak level
	more := func(i int) func() bool {
		at := count[i].Load()
		return func() bool { return count[i].Load() > at+20 }
	}
	for range upTo(3, 30) {
		wait.Until(t, "answers", more(0))
		app.kill()
		wait.Until(t, "502", more(1))
		peak = gw.level(t)
		app = serveRaw(t, addr, sayAlive)
		wait.Until(t, "answers again", more(0))
	}
	stop.Store(true)
	clients.Wait()
	t.Logf("%d answers, %d times 502, %d aborted", count[0].Load(), count[1].Load(), count[2].Load())

	// Applications close connections that they have kept for long enough. Whoever comes next must not notice.
	for i := range 200 {
		if res, _ := exchange(t, client, "http://"+gw.addr+"/"); res.StatusCode != 200 {
			t.Fatalf("request %d on a connection that the application has closed: %s", i, res.Status)
		}
		app.hangUp()
	}
	app.kill()
	gw.settles(t, "killed and back", peak, client)
}

// halves are answers that end before their end.
var halves = map[string]string{
	"length":         "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 100000\r\n\r\n" + strings.Repeat("<p>half</p>", 4000),
	"short length":   "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 100\r\n\r\n<p>half",
	"no body":        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 100\r\n\r\n",
	"in a chunk":     "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n<p>x\r\n100\r\nhalf",
	"after a chunk":  "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n<p>x\r\n",
	"in the last":    "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n<p>x\r\n0\r\n",
	"in the trailer": "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTrailer: A\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n<p>x\r\n0\r\nA: b",
	"no text":        "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n",
	"bad chunk":      "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n<p>x\r\nzz\r\nevil\r\n0\r\n\r\n",
}

// A body that breaks off reaches the client as one that breaks off, never as a complete one.
func TestUpstreamSendsHalfABody(t *testing.T) {
	t.Parallel()
	rest(t)
	for _, mode := range []string{"nonce: forward", rewriting(t)} {
		for _, secure := range []bool{false, true} {
			app := serveRaw(t, "127.0.0.1:0", requests(func(c net.Conn, r *http.Request) bool {
				name, reset := strings.CutPrefix(r.URL.Query().Get("cut"), "reset ")
				io.WriteString(c, halves[name])
				if reset {
					c.(*net.TCPConn).SetLinger(0)
				}
				return false
			}))
			start, scheme := spawn, "http://"
			if secure {
				start, scheme = spawnTLS, "https://"
			}
			gw := start(t, app.url(), mode)
			client := clientFor(t)
			visible := 0
			for name := range halves {
				for _, how := range []string{"", "reset "} {
					what := fmt.Sprintf("%s%s, %s, TLS %v", how, name, mode, secure)
					req, err := http.NewRequestWithContext(t.Context(), "GET", scheme+gw.addr+"/?cut="+strings.ReplaceAll(how+name, " ", "+"), nil)
					if err != nil {
						t.Fatal(err)
					}
					res, err := client.Do(req)
					if err != nil {
						continue // broke off before the header: not a complete answer either
					}
					if secure != (res.ProtoMajor == 2) {
						t.Errorf("%s: %s", what, res.Proto)
					}
					body, err := io.ReadAll(res.Body)
					res.Body.Close()
					if res.StatusCode == 200 && err != nil {
						visible++
					}
					if res.StatusCode < 500 && err == nil {
						t.Errorf("%s: %s and %d bytes look complete: %.60q", what, res.Status, len(body), body)
					}
					protected(t, what, res)
				}
			}
			peak := gw.level(t)
			if visible < len(halves)/2 {
				t.Errorf("%d answers began and broke off, want most of %d: the others never began", visible, 2*len(halves))
			}
			app.kill()
			gw.settles(t, fmt.Sprintf("half a body, %.12s, %s, %d broke off", mode, scheme, visible), peak, client)
		}
	}
}

// A download that is under way at SIGTERM completes if it can, and is cut off visibly if it cannot.
func TestTerminatedInADownload(t *testing.T) {
	t.Parallel()
	for _, completes := range []bool{true, false} {
		begun, release := make(chan struct{}), make(chan struct{})
		app := serveRaw(t, "127.0.0.1:0", requests(func(c net.Conn, r *http.Request) bool {
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nbegun\r\n")
			close(begun)
			<-release
			io.WriteString(c, "4\r\ndone\r\n0\r\n\r\n")
			return true
		}))
		gw := spawn(t, app.url(), "nonce: forward")
		c := dial(t, gw.addr)
		io.WriteString(c, "GET /download HTTP/1.1\r\nHost: a\r\n\r\n")
		res, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		protected(t, "the download", res)
		<-begun
		gw.terminate(t)
		wait.Until(t, "the listener closes", func() bool {
			c, err := net.Dial("tcp", gw.addr)
			if err == nil {
				c.Close()
			}
			return err != nil
		})
		if completes {
			close(release)
		}
		body, err := io.ReadAll(res.Body)
		<-gw.ended
		switch cut := strings.Contains(gw.stderr.String(), "cut off"); {
		case completes && (err != nil || string(body) != "begundone"):
			t.Errorf("the download: %q, %v", body, err)
		case !completes && err == nil:
			t.Errorf("the download was cut off and looks complete: %q", body)
		case !completes && !cut:
			t.Errorf("the log does not say that it was cut off:\n%s", gw.stderr)
		}
		if code := gw.cmd.ProcessState.ExitCode(); code != 0 {
			t.Errorf("exit code %d:\n%s", code, gw.stderr)
		}
		if !completes {
			close(release)
		}
		app.kill()
	}
}
