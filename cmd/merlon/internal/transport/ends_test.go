package transport_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/transport"
)

// TestCancel cancels in each phase of an exchange. Its connection must go.
func TestCancel(t *testing.T) {
	for _, tc := range []struct {
		name   string
		before string // what the application says
		reads  bool
		upload bool
	}{
		{"before the answer", "", true, false},
		{"within its header", "HTTP/1.1 200 OK\r\nContent-", true, false},
		{"within its body", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", true, false},
		{"within a chunked body", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", true, false},
		{"within the request", "", true, true},
		{"while the application reads nothing", "", false, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			both(t, func(t *testing.T, k kind) {
				ctx, cancel := context.WithCancel(t.Context())
				started := make(chan bool)
				ended := make(chan bool, 1)
				server := serveRaw(t, func(c net.Conn, br *bufio.Reader) {
					br.Peek(1) // before, net/http keeps the connection
					io.WriteString(c, tc.before)
					close(started)
					if !tc.reads {
						<-ctx.Done()
					}
					io.Copy(io.Discard, br)
					ended <- true
				})
				go func() {
					<-started
					cancel()
				}()
				var body io.Reader
				if tc.upload {
					body = endless{}
				}
				got := fetch(k.start(t, transport.Config{}), newRequest(t, http.MethodPut, server.url, body).WithContext(ctx))
				if got.Err+got.BodyErr != "canceled" {
					t.Errorf("got %+v, want the error of the context", got)
				}
				receive(t, "the end of the connection", ended)
			})
		})
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func TestCancelledBefore(t *testing.T) {
	both(t, func(t *testing.T, k kind) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		body := &closing{Reader: strings.NewReader("body"), closed: make(chan bool, 9)}
		got := fetch(k.start(t, transport.Config{}), newRequest(t, http.MethodPost, "http://app.example", body).WithContext(ctx))
		if got.Err != "canceled" {
			t.Errorf("got %+v, want the error of the context", got)
		}
		receive(t, "Close of the request's body", body.closed)
	})
}

// A deadline of the context is a timeout like all others.
func TestContextDeadline(t *testing.T) {
	both(t, func(t *testing.T, k kind) {
		server := serveRaw(t, func(c net.Conn, br *bufio.Reader) { io.Copy(io.Discard, br) })
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		got := fetch(k.start(t, transport.Config{}), newRequest(t, http.MethodGet, server.url, nil).WithContext(ctx))
		if got.Err != "timeout" {
			t.Errorf("got %+v, want a timeout", got)
		}
	})
}

func TestTimeouts(t *testing.T) {
	const short = 50 * time.Millisecond
	waiting := func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	listening := func(c net.Conn, br *bufio.Reader, _ <-chan struct{}) { io.Copy(io.Discard, br) }
	for _, tc := range []struct {
		name   string
		config transport.Config
		scheme string
		body   io.Reader
		handle func(c net.Conn, br *bufio.Reader, done <-chan struct{})
	}{
		{"dial", transport.Config{DialTimeout: short, Dial: waiting}, "http", nil, nil},
		{"handshake", transport.Config{HandshakeTimeout: short}, "https", nil, listening},
		{"no header", transport.Config{HeaderTimeout: short}, "http", nil, listening},
		{"half a header", transport.Config{HeaderTimeout: short}, "http", nil, func(c net.Conn, br *bufio.Reader, _ <-chan struct{}) {
			readRequest(br)
			io.WriteString(c, "HTTP/1.1 200 OK\r\nX-")
			io.Copy(io.Discard, br)
		}},
		{"no header after an upload", transport.Config{HeaderTimeout: short}, "http", streaming(strings.NewReader("body")), listening},
		{"write", transport.Config{WriteTimeout: short}, "http", endless{}, func(_ net.Conn, _ *bufio.Reader, done <-chan struct{}) { <-done }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			both(t, func(t *testing.T, k kind) {
				server := serveRaw(t, func(c net.Conn, br *bufio.Reader) { tc.handle(c, br, t.Context().Done()) })
				url := tc.scheme + strings.TrimPrefix(server.url, "http")
				got := fetch(k.start(t, tc.config), newRequest(t, http.MethodPost, url, tc.body))
				if got.Err != "timeout" {
					t.Errorf("got %+v, want a timeout", got)
				}
			})
		})
	}
}

// Only what an application has to do at once has a limit: neither body has, however slow.
func TestSlowBodies(t *testing.T) {
	both(t, func(t *testing.T, k kind) {
		const short = 50 * time.Millisecond
		server := serveRaw(t, func(c net.Conn, br *bufio.Reader) {
			for readRequest(br) == nil {
				io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nsl")
				time.Sleep(3 * short)
				io.WriteString(c, "ow")
			}
		})
		rt := k.start(t, transport.Config{WriteTimeout: short, HeaderTimeout: short})
		for _, length := range []int64{0, -1, 8} {
			body, writer := io.Pipe()
			go func() {
				io.WriteString(writer, "slow")
				time.Sleep(3 * short)
				io.WriteString(writer, "body")
				writer.Close()
			}()
			req := newRequest(t, http.MethodPost, server.url, body)
			if req.ContentLength = length; length == 0 {
				req.Body = nil
				body.Close()
			}
			if got := fetch(rt, req); got.Body != "slow" || got.BodyErr != "" {
				t.Errorf("with a body of %d: got %+v, want the body", length, got)
			}
		}
	})
}

// An application that falls silent inside a body has a limit, one that is slow has none, and neither has the next answer on its
// connection.
func TestBodyTimeout(t *testing.T) {
	const silence = 300 * time.Millisecond
	for name, header := range map[string]string{
		"by length": "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nslow", "in chunks": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\nslow",
		"to the end": "HTTP/1.0 200 OK\r\n\r\nslow",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := serveRaw(t, func(c net.Conn, br *bufio.Reader) {
				readRequest(br)
				io.WriteString(c, header)
				io.Copy(io.Discard, br) // the transport closes the connection, or this test hangs
			})
			res, err := pooled.start(t, transport.Config{BodyTimeout: silence}).RoundTrip(newRequest(t, http.MethodGet, server.url, nil))
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(res.Body)
			if want := "the application sent nothing of the body for 300ms: i/o timeout"; string(got) != "slow" || !errors.Is(err, os.ErrDeadlineExceeded) || err.Error() != want {
				t.Errorf("%q, %v, want %s", got, err, want)
			}
		})
	}
	t.Run("slow", func(t *testing.T) {
		t.Parallel()
		server := serveRaw(t, func(c net.Conn, br *bufio.Reader) {
			for readRequest(br) == nil {
				io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n")
				for range 4 {
					time.Sleep(silence / 3)
					io.WriteString(c, "s")
				}
				readRequest(br)
				time.Sleep(silence * 4 / 3)
				io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
			}
		})
		rt := pooled.start(t, transport.Config{BodyTimeout: silence})
		for _, want := range []string{"ssss", "", "ssss"} {
			if got := fetch(rt, newRequest(t, http.MethodGet, server.url, nil)); got.Body != want || got.Err+got.BodyErr != "" {
				t.Errorf("got %+v, want %q", got, want)
			}
		}
	})
}

// What waits for a body can be told to stop, from elsewhere.
func TestCloseWhileReading(t *testing.T) {
	both(t, func(t *testing.T, k kind) {
		server := serveRaw(t, func(c net.Conn, br *bufio.Reader) {
			if readRequest(br) == nil {
				io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nha")
				io.Copy(io.Discard, br)
			}
		})
		res, err := k.start(t, transport.Config{}).RoundTrip(newRequest(t, http.MethodGet, server.url, nil))
		if err != nil {
			t.Fatal(err)
		}
		readBytes(res.Body, 2)
		read := make(chan error, 1)
		go func() {
			_, err := res.Body.Read(make([]byte, 1))
			read <- err
		}()
		res.Body.Close()
		if err := receive(t, "the end of Read", read); err == nil || err == io.EOF {
			t.Errorf("Read = %v after Close, want an error", err)
		}
	})
}

// dropping closes each connection in the middle of its second request, having said nothing of it before.
func dropping(requests chan<- string) func(c net.Conn, br *bufio.Reader) {
	return func(c net.Conn, br *bufio.Reader) {
		for i := range 2 {
			req, err := http.ReadRequest(br)
			if err != nil {
				return
			}
			io.Copy(io.Discard, req.Body)
			requests <- req.Method
			if i == 0 {
				io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
			}
		}
	}
}

// A kept connection may end while the next request is on its way. Nobody can tell then whether it was served.
func TestRepeat(t *testing.T) {
	for _, tc := range []struct {
		name, method string
		body         string
		edit         func(*http.Request)
		err          string
	}{
		{"GET", "GET", "", nil, ""},
		{"HEAD", "HEAD", "", nil, ""},
		{"OPTIONS", "OPTIONS", "", nil, ""},
		{"GET with a body in memory", "GET", "body", nil, ""},
		{"GET with a body that is gone", "GET", "body", func(r *http.Request) { r.Body, r.GetBody = streaming(r.Body), nil }, "broken"},
		{"POST", "POST", "", nil, "broken"},
		{"POST with a body", "POST", "body", nil, "broken"},
		{"DELETE", "DELETE", "", nil, "broken"},
		{"POST with a key", "POST", "body", func(r *http.Request) { r.Header.Set("Idempotency-Key", "1") }, ""},
		{"POST of much with a key", "POST", repeat("body", 10_000), func(r *http.Request) { r.Header.Set("Idempotency-Key", "1") }, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			both(t, func(t *testing.T, k kind) {
				requests := make(chan string, 9)
				server := serveRaw(t, dropping(requests))
				rt := k.start(t, transport.Config{})
				get(t, rt, server.url)
				req := newRequest(t, tc.method, server.url, strings.NewReader(tc.body))
				if tc.edit != nil {
					tc.edit(req)
				}
				got := fetch(rt, req)
				if got.Err != tc.err {
					t.Errorf("got %+v, want the error %q", got, tc.err)
				}
				want := 3 // the first, the lost one, its repetition
				if tc.err != "" {
					want = 2
				}
				if len(requests) != want {
					t.Errorf("the application got %d requests, want %d", len(requests), want)
				}
			})
		})
	}
}

// A new connection that ends without an answer is no reason to try again.
func TestNoRepeatOnNew(t *testing.T) {
	both(t, func(t *testing.T, k kind) {
		server := serveRaw(t, answeringOnce(""))
		if got := fetch(k.start(t, transport.Config{}), newRequest(t, http.MethodGet, server.url, nil)); got.Err != "broken" {
			t.Errorf("got %+v, want an error", got)
		}
		if got := server.accepted.Load(); got != 1 {
			t.Errorf("the application got %d connections, want 1", got)
		}
	})
}

// An application that was restarted costs no request, not even one that could not be repeated. Pooled looks before it sends;
// net/http's reader notices a moment later.
func TestClosedWhileIdle(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there is no probe on Windows")
	}
	for _, scheme := range []string{"http", "https"} {
		t.Run(scheme, func(t *testing.T) {
			noLeaks(t)
			config, trusting := serverTLS(t)
			server := serveRaw(t, maybeTLS(scheme, config, answeringOnce("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")))
			rt := pooled.start(t, transport.Config{TLS: trusting})
			for range 5 {
				url := scheme + strings.TrimPrefix(server.url, "http")
				if got := fetch(rt, newRequest(t, http.MethodPost, url, nil)); got.Status != "200 OK" {
					t.Fatalf("got %+v, want 200 OK", got)
				}
				eventually(t, "the application has closed", func() bool { return server.open.Load() == 0 })
			}
		})
	}
}

// Bytes that nobody asked for must not become the answer to the next request, wherever they wait: in the kernel, in the TLS layer,
// or in our buffer.
func TestUnsolicited(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there is no probe on Windows")
	}
	const answer, evil = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"
	for _, scheme := range []string{"http", "https"} {
		for name, corked := range map[string]bool{"later": false, "at once": true} {
			t.Run(scheme+" "+name, func(t *testing.T) {
				noLeaks(t)
				config, trusting := serverTLS(t)
				delivered, sent := make(chan bool, 9), make(chan bool, 9)
				server := serveRaw(t, func(c net.Conn, br *bufio.Reader) {
					cork := &corkedConn{Conn: c}
					maybeTLS(scheme, config, func(c net.Conn, br *bufio.Reader) {
						for readRequest(br) == nil {
							cork.hold(corked)
							io.WriteString(c, answer)
							if !corked {
								<-delivered
							}
							io.WriteString(c, evil)
							cork.hold(false)
							sent <- true
						}
					})(cork, bufio.NewReader(cork))
				})
				rt := pooled.start(t, transport.Config{TLS: trusting})
				for range 5 {
					if got := get(t, rt, scheme+strings.TrimPrefix(server.url, "http")); got != "ok" {
						t.Fatalf("got %q, want ok", got)
					}
					delivered <- true
					receive(t, "the end of the write", sent)
				}
				if got := server.accepted.Load(); got != 5 {
					t.Errorf("5 exchanges took %d connections, want 5", got)
				}
			})
		}
	}
}

// A corkedConn collects what is written while it holds, to write it at once.
type corkedConn struct {
	net.Conn
	holds bool
	held  []byte
}

func (c *corkedConn) hold(holds bool) {
	if c.holds = holds; !holds && len(c.held) > 0 {
		c.Conn.Write(c.held)
		c.held = nil
	}
}

func (c *corkedConn) Write(p []byte) (int, error) {
	if !c.holds {
		return c.Conn.Write(p)
	}
	c.held = append(c.held, p...)
	return len(p), nil
}

// A 204 that names a length may be followed by a body, late enough to be taken for the next answer.
func TestNoContentWithLength(t *testing.T) {
	noLeaks(t)
	server := serveRaw(t, answering("HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n"))
	rt := pooled.start(t, transport.Config{})
	for range 2 {
		if got := fetch(rt, newRequest(t, http.MethodGet, server.url, nil)); got.Status != "204 No Content" {
			t.Errorf("got %+v, want 204", got)
		}
	}
	if got := server.accepted.Load(); got != 2 {
		t.Errorf("two exchanges took %d connections, want 2", got)
	}
}

// A context may end when the body has come and is not read yet. The connection is lost then, even if that shows later.
func TestCancelAtTheEnd(t *testing.T) {
	noLeaks(t)
	server := serveRaw(t, answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
	closing, release := make(chan bool), make(chan bool)
	var closed atomic.Bool
	rt := pooled.start(t, transport.Config{Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := new(net.Dialer).DialContext(ctx, network, address)
		return &gatedConn{c, func() {
			if !closed.Swap(true) {
				close(closing)
				<-release
			}
		}}, err
	}})
	ctx, cancel := context.WithCancel(t.Context())
	res, err := rt.RoundTrip(newRequest(t, http.MethodGet, server.url, nil).WithContext(ctx))
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	receive(t, "Close by the watch", closing)
	io.Copy(io.Discard, res.Body)
	res.Body.Close()
	get(t, rt, server.url)
	close(release)
	if got := server.accepted.Load(); got != 2 {
		t.Errorf("two exchanges took %d connections, want 2", got)
	}
}

// A gatedConn does something before it closes.
type gatedConn struct {
	net.Conn
	before func()
}

func (c *gatedConn) Close() error {
	c.before()
	return c.Conn.Close()
}

// maybeTLS wraps a handler of connections in TLS for https.
func maybeTLS(scheme string, config *tls.Config, handle func(net.Conn, *bufio.Reader)) func(net.Conn, *bufio.Reader) {
	if scheme != "https" {
		return handle
	}
	return func(c net.Conn, _ *bufio.Reader) {
		secure := tls.Server(c, config)
		defer secure.Close()
		handle(secure, bufio.NewReader(secure))
	}
}
