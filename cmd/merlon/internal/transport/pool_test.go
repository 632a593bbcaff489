package transport_test

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/transport"
)

// gathering answers when n requests wait, so that each has a connection of its own, and from then on at once.
func gathering(n int) func(net.Conn, *bufio.Reader) {
	arrived, all := atomic.Int32{}, make(chan bool)
	return func(c net.Conn, br *bufio.Reader) {
		for readRequest(br) == nil {
			if arrived.Add(1) == int32(n) {
				close(all)
			}
			<-all
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		}
	}
}

func TestPoolBound(t *testing.T) {
	both(t, func(t *testing.T, k kind) {
		server := serveRaw(t, gathering(8))
		rt := k.start(t, transport.Config{MaxIdle: 3})
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() { fetch(rt, newRequest(t, http.MethodGet, server.url, nil)) })
		}
		all.Wait()
		eventually(t, "3 of 8 connections are kept", func() bool { return server.open.Load() == 3 })
		for range 8 {
			get(t, rt, server.url)
		}
		if got := server.accepted.Load(); got != 8 {
			t.Errorf("the application got %d connections, want 8: those that were kept serve", got)
		}
		rt.CloseIdleConnections()
		eventually(t, "no connection is kept", func() bool { return server.open.Load() == 0 })
	})
}

func TestIdleTimeout(t *testing.T) {
	both(t, func(t *testing.T, k kind) {
		server := serveRaw(t, gathering(2))
		rt := k.start(t, transport.Config{IdleTimeout: 50 * time.Millisecond})
		var all sync.WaitGroup
		for range 2 {
			all.Go(func() { fetch(rt, newRequest(t, http.MethodGet, server.url, nil)) })
		}
		all.Wait()
		eventually(t, "the connections are closed", func() bool { return server.open.Load() == 0 })
		get(t, rt, server.url)
		eventually(t, "and the next one too", func() bool { return server.open.Load() == 0 && server.accepted.Load() == 3 })
	})
}

// What the application closes while nobody uses it is closed here too, without being wanted.
func TestClosedWhileNobodyWantsIt(t *testing.T) {
	both(t, func(t *testing.T, k kind) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		left := make(chan error, 1)
		go func() {
			c, err := l.Accept()
			if err != nil {
				left <- err
				return
			}
			defer c.Close()
			if _, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
				io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
				c.(*net.TCPConn).CloseWrite()
			}
			_, err = io.Copy(io.Discard, c) // until the other side closes
			left <- err
		}()
		get(t, k.start(t, transport.Config{}), "http://"+l.Addr().String())
		select {
		case err := <-left:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(30 * time.Second):
			t.Error("the connection stays")
		}
	})
}

// A connection that is in use when the transport is retired is closed after that use.
func TestCloseInUse(t *testing.T) {
	both(t, func(t *testing.T, k kind) {
		server := serveRaw(t, answering(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", 20_000, repeat("page", 5_000))))
		rt := k.start(t, transport.Config{})
		res, err := rt.RoundTrip(newRequest(t, http.MethodGet, server.url, nil))
		if err != nil {
			t.Fatal(err)
		}
		rt.CloseIdleConnections()
		if n, err := io.Copy(io.Discard, res.Body); n != 20_000 || err != nil {
			t.Errorf("read %d bytes and %v, want the whole body", n, err)
		}
		res.Body.Close()
		eventually(t, "the connection is closed", func() bool { return server.open.Load() == 0 })
	})
}

// A body that is left before its end takes its connection along.
func TestBodyLeft(t *testing.T) {
	both(t, func(t *testing.T, k kind) {
		server := serveRaw(t, answering("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"+repeat("a", 99)))
		res, err := k.start(t, transport.Config{}).RoundTrip(newRequest(t, http.MethodGet, server.url, nil))
		if err != nil {
			t.Fatal(err)
		}
		readBytes(res.Body, 50)
		res.Body.Close()
		if n, err := res.Body.Read(make([]byte, 1)); n != 0 || err == nil || err == io.EOF {
			t.Errorf("Read after Close = %d, %v, want an error", n, err)
		}
		eventually(t, "the connection is closed", func() bool { return server.open.Load() == 0 })
	})
}

// Two applications never share a connection.
func TestTwoHosts(t *testing.T) {
	both(t, func(t *testing.T, k kind) {
		rt := k.start(t, transport.Config{})
		var servers []*rawServer
		for i := range 3 {
			servers = append(servers, serveRaw(t, answering(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n%d", i))))
		}
		for range 4 {
			for i, server := range servers {
				if got := get(t, rt, server.url); got != fmt.Sprint(i) {
					t.Errorf("application %d answered %q", i, got)
				}
			}
		}
		for i, server := range servers {
			if got := server.accepted.Load(); got != 1 {
				t.Errorf("application %d got %d connections, want 1", i, got)
			}
		}
	})
}

func TestUnixSocket(t *testing.T) {
	both(t, func(t *testing.T, k kind) {
		path := socketPath(t)
		server := serveUnix(t, path, answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
		rt := k.start(t, transport.Config{Dial: transport.Unix(path)})
		for range 3 {
			if got := get(t, rt, server.url); got != "ok" {
				t.Errorf("got %q", got)
			}
		}
		if got := server.accepted.Load(); got != 1 {
			t.Errorf("3 exchanges took %d connections, want 1", got)
		}
	})
}

func TestTLS(t *testing.T) {
	both(t, func(t *testing.T, k kind) {
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Proto) }))
		server.EnableHTTP2 = true
		server.Config.ErrorLog = log.New(io.Discard, "", 0) // of the handshake that fails
		server.StartTLS()
		defer server.Close()
		config := server.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
		config.NextProtos = []string{"h2", "http/1.1"}
		rt := k.start(t, transport.Config{TLS: config})
		for range 3 {
			res, err := rt.RoundTrip(newRequest(t, http.MethodGet, server.URL, nil))
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(res.Body)
			res.Body.Close()
			if want := map[string]string{"Standard": "HTTP/2.0", "Pooled": "HTTP/1.1"}[k.name]; string(body) != want || res.TLS == nil {
				t.Errorf("the application got %s (TLS %v), want %s and its state", body, res.TLS != nil, want)
			}
		}
		if got := fetch(k.start(t, transport.Config{}), newRequest(t, http.MethodGet, server.URL, nil)); got.Err != "broken" {
			t.Errorf("with a certificate that nobody signed: %+v, want an error", got)
		}
	})
}

func TestH2C(t *testing.T) {
	noLeaks(t)
	server := httptest.NewUnstartedServer(http.HandlerFunc(echo))
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Start()
	defer server.Close()
	rt := standard.start(t, transport.Config{H2C: true})
	res, err := rt.RoundTrip(newRequest(t, http.MethodPost, server.URL, strings.NewReader("body")))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if body, _ := io.ReadAll(res.Body); string(body) != "body" || res.Proto != "HTTP/2.0" {
		t.Errorf("got %q by %s, want the body by HTTP/2.0", body, res.Proto)
	}
}

// TestLoad sends what is different each time from many goroutines, and compares every byte that comes back.
func TestLoad(t *testing.T) {
	both(t, func(t *testing.T, k kind) {
		server := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("X-Close") != "" {
				w.Header().Set("Connection", "close")
			}
			sum := sha256.New()
			n, _ := io.Copy(sum, r.Body)
			if r.Header.Get("X-Chunks") != "" {
				w.(http.Flusher).Flush()
			}
			fmt.Fprintf(w, "%d %x %s", n, sum.Sum(nil), repeat("page", int(n)))
		})
		rt := k.start(t, transport.Config{MaxIdle: 8})
		var all sync.WaitGroup
		for seed := range uint64(16) {
			all.Go(func() {
				random := rand.New(rand.NewPCG(seed, 0))
				for range 50 {
					if err := loadOne(rt, server.URL, random); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		all.Wait()
	})
}

func loadOne(rt http.RoundTripper, url string, random *rand.Rand) error {
	body := make([]byte, random.IntN(3)*random.IntN(20_000))
	for i := range body {
		body[i] = byte(random.Uint32())
	}
	req, err := http.NewRequest(http.MethodPost, url, strings.NewReader(string(body)))
	if err != nil {
		return err
	}
	if random.IntN(2) == 0 {
		req.Body, req.GetBody, req.ContentLength = streaming(req.Body), nil, -1
	}
	for _, name := range []string{"X-Close", "X-Chunks"} {
		if random.IntN(4) == 0 {
			req.Header.Set(name, "1")
		}
	}
	got := fetch(rt, req)
	if want := fmt.Sprintf("%d %x %s", len(body), sha256.Sum256(body), repeat("page", len(body))); got.Body != want || got.BodyErr != "" {
		return fmt.Errorf("%d bytes came back as %s%s%s and %d bytes, want %d", len(body), got.Status, got.Err, got.BodyErr, len(got.Body), len(want))
	}
	return nil
}

// What a transport allocates for each request is what the garbage collector costs a busy proxy.
func TestAllocations(t *testing.T) {
	allocations := map[string]float64{}
	both(t, func(t *testing.T, k kind) {
		server := serveRaw(t, fast("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 4\r\n\r\npage"))
		rt, buf := k.start(t, transport.Config{}), make([]byte, 64)
		req := newRequest(t, http.MethodGet, server.url, nil)
		allocations[k.name] = testing.AllocsPerRun(200, func() {
			res, err := rt.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			for err == nil {
				_, err = res.Body.Read(buf)
			}
			res.Body.Close()
		})
	})
	if got, most := allocations[pooled.name], allocations[standard.name]/2; got > most {
		t.Errorf("Pooled allocates %v times for a request, want at most half of Standard's, %v", got, most)
	}
	t.Logf("allocations for a request: %v", allocations)
}
