//go:build linux

package faults_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/wait"
)

// small is an application that answers at once.
func small(t *testing.T) *rawApp { return serveRaw(t, "127.0.0.1:0", sayAlive) }

var sayAlive = requests(func(c net.Conn, r *http.Request) bool {
	_, err := io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5\r\n\r\nalive")
	return err == nil
})

// alive wants the gateway to serve somebody else n times, as fast as it does.
func alive(t *testing.T, client *http.Client, url string, n int) {
	t.Helper()
	for range n {
		res, body := exchange(t, client, url)
		if res.StatusCode != 200 || body != "alive" {
			t.Fatalf("others are answered %s %q", res.Status, body)
		}
		protected(t, "others", res)
	}
}

// Clients that send their header a byte at a time are cut off, and cost others nothing meanwhile.
func TestSlowHeaders(t *testing.T) {
	t.Parallel()
	rest(t)
	app := small(t)
	gw := spawn(t, app.url(), "nonce: forward")
	client := clientFor(t)
	begun := time.Now()
	var trickles sync.WaitGroup
	var open atomic.Int64
	n := upTo(100, 2000)
	for i := range n {
		c := dial(t, gw.addr)
		open.Add(1)
		trickles.Go(func() {
			defer open.Add(-1)
			defer c.Close()
			gone := make(chan struct{})
			go func() { io.Copy(io.Discard, c); close(gone) }()
			text := "GET / HTTP/1.1\r\nHost: a\r\nX-A: "
			if i%4 == 0 {
				text = "" // nothing at all
			}
			for j := 0; ; j++ {
				select {
				case <-gone:
					return
				case <-time.After(100 * time.Millisecond):
				}
				if b := byte('a'); text != "" {
					if j < len(text) {
						b = text[j]
					}
					c.Write([]byte{b})
				}
			}
		})
	}
	wait.Until(t, "all are connected", func() bool { return gw.level(t).descriptors >= gw.idle.descriptors+n })
	peak := gw.level(t)
	served := 0
	for open.Load() > 0 {
		alive(t, client, "http://"+gw.addr+"/", 10)
		served += 10
	}
	trickles.Wait()
	t.Logf("%d clients were cut off after %v, with %d requests of others served", n, time.Since(begun).Round(time.Second), served)
	app.kill()
	gw.settles(t, "slow headers", peak, client)
}

// Clients that owe a body or take nothing of a response are cut off after a minute, and cost others nothing meanwhile. What
// package gateway tests with a second, this tests with the real limit.
func TestStalledClients(t *testing.T) {
	heavy(t)
	t.Parallel()
	rest(t)
	app := serveRaw(t, "127.0.0.1:0", func(c net.Conn, in *bufio.Reader) {
		for {
			r, err := http.ReadRequest(in)
			if err != nil {
				return
			}
			if _, err := io.Copy(io.Discard, r.Body); err != nil {
				return
			}
			switch r.URL.Path {
			case "/endless":
				io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: 1000000000000\r\n\r\n")
				part := make([]byte, 32<<10)
				for err == nil {
					_, err = c.Write(part)
				}
				return
			default:
				io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nalive")
			}
		}
	})
	gw := spawn(t, app.url(), "nonce: forward")
	client := clientFor(t)
	var open atomic.Int64
	var clients sync.WaitGroup
	var status [600]atomic.Int64
	for i := range 500 {
		c := dial(t, gw.addr)
		open.Add(1)
		clients.Go(func() {
			defer open.Add(-1)
			defer c.Close()
			if i%2 == 0 { // never reads
				io.WriteString(c, "GET /endless HTTP/1.1\r\nHost: a\r\n\r\n")
				wait.Until(t, "the gateway leaves", func() bool { time.Sleep(time.Second); _, err := c.Write([]byte("x")); return err != nil })
				return
			}
			io.WriteString(c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc")
			res, err := http.ReadResponse(bufio.NewReader(c), nil)
			if err != nil {
				t.Error(err)
				return
			}
			protected(t, "a body that does not end", res)
			status[res.StatusCode].Add(1)
		})
	}
	wait.Until(t, "all are connected", func() bool { return gw.level(t).descriptors >= gw.idle.descriptors+750 })
	peak := gw.level(t)
	served := 0
	for ; open.Load() > 0; served += 100 {
		alive(t, client, "http://"+gw.addr+"/", 100)
	}
	clients.Wait()
	t.Logf("%d were answered 408, %d requests of others were served", status[408].Load(), served)
	if status[408].Load() != 250 {
		t.Errorf("%d were answered 408, want 250", status[408].Load())
	}
	app.kill()
	gw.settles(t, "stalled clients", peak, client)
}
