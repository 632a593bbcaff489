//go:build linux

package faults_test

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/wait"
)

// A listening application that answers as the test says, byte by byte.
type rawApp struct {
	net.Listener
	mu    sync.Mutex
	conns map[net.Conn]bool
	wait  sync.WaitGroup
}

// serveRaw calls answer for each connection to addr, which may end in :0, and closes it when answer returns.
func serveRaw(t *testing.T, addr string, answer func(net.Conn, *bufio.Reader)) *rawApp {
	t.Helper()
	var l net.Listener
	wait.Until(t, "listen on "+addr, func() (ok bool) {
		var err error
		l, err = net.Listen("tcp", addr)
		return err == nil
	})
	a := &rawApp{Listener: l, conns: map[net.Conn]bool{}}
	a.wait.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			a.mu.Lock()
			a.conns[c] = true
			a.mu.Unlock()
			a.wait.Go(func() {
				answer(c, bufio.NewReader(c))
				a.mu.Lock()
				delete(a.conns, c)
				a.mu.Unlock()
				c.Close()
			})
		}
	})
	t.Cleanup(a.kill)
	return a
}

func (a *rawApp) url() string { return "http://" + a.Addr().String() }

// hangUp closes the connections and stays.
func (a *rawApp) hangUp() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for c := range a.conns {
		c.Close()
	}
}

// kill does what the kernel does for a process that was killed.
func (a *rawApp) kill() {
	a.Close()
	a.hangUp()
	a.wait.Wait()
}

// requests calls answer for each request that comes on a connection until it returns false.
func requests(answer func(c net.Conn, r *http.Request) bool) func(net.Conn, *bufio.Reader) {
	return func(c net.Conn, in *bufio.Reader) {
		for {
			r, err := http.ReadRequest(in)
			if err != nil {
				return
			}
			io.Copy(io.Discard, r.Body)
			if !answer(c, r) {
				return
			}
		}
	}
}

// answers splits what came on a connection into final responses, and says what was wrong with the last one.
func answers(raw []byte) (list []*http.Response, bodies []string, err error) {
	in := bufio.NewReader(bytes.NewReader(raw))
	for {
		if _, err := in.Peek(1); err != nil {
			return list, bodies, nil
		}
		res, err := http.ReadResponse(in, nil)
		if err != nil {
			return list, bodies, err
		}
		if res.StatusCode < 200 {
			continue
		}
		body, err := io.ReadAll(res.Body)
		list, bodies = append(list, res), append(bodies, string(body))
		if err != nil {
			return list, bodies, err
		}
	}
}
