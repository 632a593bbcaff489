//go:build linux

package faults_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/wait"
)

// Connections that idle cost memory and nothing else: new ones are served, and a shutdown ends all of them.
func TestIdleConnections(t *testing.T) {
	t.Parallel()
	rest(t)
	app := small(t)
	gw := spawnProgram(t, merlonProgram(t), app.url(), "nonce: forward")
	client := clientFor(t)
	alive(t, client, "http://"+gw.addr+"/", 100)
	before := gw.level(t)
	n := upTo(500, 10_000)
	conns := make([]net.Conn, n)
	for i := range conns {
		c := dial(t, gw.addr)
		conns[i] = c
		io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
		res, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatalf("connection %d: %v", i, err)
		}
		protected(t, "an idle connection", res)
	}
	alive(t, client, "http://"+gw.addr+"/", 100)
	peak := gw.level(t)
	t.Logf("%d idle connections: before %v, then %v: %d bytes each", n, before, peak, (peak.resident-before.resident)<<10/n)
	most := upTo(256, 32) << 10 // in the fast run the program may carry the race detector
	if each := (peak.resident - before.resident) << 10 / n; each > most {
		t.Errorf("each connection costs %d bytes, want at most %d", each, most)
	}
	if upTo(0, 1) == 1 { // the server's idle timeout is two minutes
		deadline := time.Now().Add(3 * time.Minute)
		for gw.level(t).descriptors > before.descriptors && time.Now().Before(deadline) {
			time.Sleep(time.Second)
		}
		if after := gw.level(t); after.descriptors > before.descriptors {
			t.Errorf("after the idle timeout: %v", after)
		} else {
			t.Logf("after the idle timeout: %v", after)
		}
		for i := range conns {
			conns[i].Close()
			c := dial(t, gw.addr)
			conns[i] = c
			io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
			if _, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	begun := time.Now()
	gw.terminate(t)
	<-gw.ended
	if code := gw.cmd.ProcessState.ExitCode(); code != 0 || strings.Contains(gw.stderr.String(), "cut off") {
		t.Errorf("exit code %d after %v:\n%s", code, time.Since(begun), gw.stderr)
	}
	for _, c := range conns {
		if _, err := io.Copy(io.Discard, c); err != nil {
			t.Errorf("a connection did not end well: %v", err)
			break
		}
	}
}

// A thousand clients that read slowly what is long cost little more than their sockets, rewritten or not.
func TestSlowReaders(t *testing.T) {
	t.Parallel()
	rest(t)
	const size = 100 << 20
	line := strings.Repeat("<p>Nothing here is for a rewriter to change, and all of it passes.</p>\n", 1<<9)
	app := serveRaw(t, "127.0.0.1:0", requests(func(c net.Conn, r *http.Request) bool {
		if r.URL.Path == "/small" {
			_, err := io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nalive")
			return err == nil
		}
		_, err := fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n", r.URL.Path[1:], size)
		for sent := 0; err == nil && sent < size; sent += len(line) {
			_, err = io.WriteString(c, line[:min(len(line), size-sent)])
		}
		return err == nil
	}))
	program := merlonProgram(t)
	secure := certified(t)
	kinds := []struct{ name, settings, media string }{
		{"rewritten", rewriting(t), "text/html"},
		{"passed", "nonce: forward", "application/octet-stream"},
		{"passed over TLS", "nonce: forward\n" + secure, "application/octet-stream"},
		{"scrubbed", rewriting(t), "application/octet-stream"},
	}
	for _, c := range kinds[:upTo(1, len(kinds))] {
		gw := spawnProgram(t, program, app.url(), c.settings)
		scheme := "http"
		if strings.HasSuffix(c.settings, secure) {
			scheme = "https"
		}
		client := clientFor(t)
		n := upTo(50, 1000)
		var stop atomic.Bool
		var clients sync.WaitGroup
		var connected, read atomic.Int64
		for range n {
			clients.Go(func() { slowReader(t, scheme, gw.addr, c.media, &stop, &connected, &read) })
		}
		wait.Until(t, "all are connected", func() bool { return connected.Load() == int64(n) || t.Failed() })
		// The plateau is the highest of what is seen from here on.
		peak := gw.level(t)
		seconds := upTo(1, 30)
		for end := time.Now().Add(time.Duration(seconds) * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
			if now := gw.level(t); now.resident > peak.resident {
				peak = now
			}
			alive(t, client, scheme+"://"+gw.addr+"/small", 1)
		}
		t.Logf("%d slow readers, %s: before %v, plateau %v, %d KiB each; %d MiB read", n, c.name, gw.idle, peak, (peak.resident-gw.idle.resident)/n, read.Load()>>20)
		if peak.resident >= 200<<10 {
			t.Errorf("%s: %d MiB, want less than 200", c.name, peak.resident>>10)
		}
		stop.Store(true)
		clients.Wait()
		gw.cmd.Process.Signal(syscall.SIGTERM)
		<-gw.ended
	}
	app.kill()
}

// slowReader takes a download a little at a time, through a small window.
func slowReader(t *testing.T, scheme, addr, media string, stop *atomic.Bool, connected, read *atomic.Int64) {
	d := net.Dialer{Control: func(_, _ string, raw syscall.RawConn) error {
		return raw.Control(func(fd uintptr) { syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4096) })
	}}
	c, err := d.DialContext(t.Context(), "tcp", addr)
	if err != nil {
		t.Error(err)
		return
	}
	defer c.Close()
	if scheme == "https" {
		c = tls.Client(c, &tls.Config{InsecureSkipVerify: true})
	}
	fmt.Fprintf(c, "GET /%s HTTP/1.1\r\nHost: a\r\n\r\n", media)
	in := bufio.NewReaderSize(c, 1024)
	res, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Error(err)
		return
	}
	protected(t, "a slow reader", res)
	part := make([]byte, 1024)
	io.ReadFull(res.Body, part)
	connected.Add(1)
	for !stop.Load() {
		n, err := res.Body.Read(part)
		read.Add(int64(n))
		if err != nil {
			t.Errorf("a download ended: %v", err)
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
}
