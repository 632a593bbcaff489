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
	"time"
)

// A slow application is waited for: for its header at most a minute, for its body as long as it takes.
func TestSlowUpstream(t *testing.T) {
	t.Parallel()
	rest(t)
	const body = "a body that comes a byte at a time"
	pause := 30 * time.Millisecond
	n := upTo(20, 500)
	var arrived atomic.Int64
	all := make(chan struct{})
	app := serveRaw(t, "127.0.0.1:0", requests(func(c net.Conn, r *http.Request) bool {
		if r.URL.Path == "/never" {
			io.Copy(io.Discard, c) // until the gateway leaves
			return false
		}
		for r.URL.Path == "/hints" {
			if _, err := io.WriteString(c, "HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"); err != nil {
				return false
			}
			time.Sleep(pause)
		}
		if arrived.Add(1) == int64(n) {
			close(all)
		}
		<-all
		time.Sleep(10 * pause)
		fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n", len(body))
		for i := range len(body) {
			c.Write([]byte{body[i]})
			time.Sleep(pause)
		}
		return true
	}))
	gw := spawn(t, app.url(), "nonce: forward")
	client := clientFor(t)
	var clients sync.WaitGroup
	for range n {
		clients.Go(func() {
			res, err := client.Get("http://" + gw.addr + "/slow")
			if err != nil {
				t.Error(err)
				return
			}
			defer res.Body.Close()
			got, err := io.ReadAll(res.Body)
			if err != nil || string(got) != body {
				t.Errorf("%q, %v", got, err)
			}
			protected(t, "a slow body", res)
		})
	}
	<-all
	peak := gw.level(t)
	clients.Wait()
	noHeader(t, gw.addr, "/hints", http.StatusBadGateway) // after a hundred of them
	if upTo(0, 1) == 1 {
		noHeader(t, gw.addr, "/never", http.StatusGatewayTimeout)
	}
	app.kill()
	gw.settles(t, "slow upstream", peak, client)
}

// An application that takes nothing of a request is given up on after a minute.
func TestDeafUpstream(t *testing.T) {
	heavy(t)
	t.Parallel()
	rest(t)
	app := serveRaw(t, "127.0.0.1:0", func(c net.Conn, in *bufio.Reader) {
		if _, err := http.ReadRequest(in); err != nil {
			t.Error(err)
		}
		<-t.Context().Done()
	})
	gw := spawn(t, app.url(), "nonce: forward")
	c := dial(t, gw.addr)
	io.WriteString(c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000000\r\n\r\n")
	go func() {
		part := make([]byte, 32<<10)
		for {
			if _, err := c.Write(part); err != nil {
				return
			}
		}
	}()
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil || res.StatusCode != http.StatusGatewayTimeout {
		t.Fatalf("%v, %v, want 504", res, err)
	}
	protected(t, "an application that does not read", res)
}

// noHeader wants the answer for an application that sends no header.
func noHeader(t *testing.T, addr, path string, status int) {
	t.Helper()
	c := dial(t, addr)
	fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", path)
	raw, err := io.ReadAll(c)
	if err != nil {
		t.Errorf("%s: %v", path, err)
		return
	}
	list, pages, err := answers(raw)
	if err != nil || len(list) != 1 || list[0].StatusCode != status || !strings.Contains(pages[0], "<h1>") {
		t.Errorf("%s: %v %q, %v", path, list, pages, err)
		return
	}
	protected(t, path, list[0])
}
