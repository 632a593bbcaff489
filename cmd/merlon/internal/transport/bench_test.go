package transport_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/transport"
)

// What the benchmarks' application answers: a small page and one of 100 KB.
var pages = []struct {
	name string
	size int
}{{"small", 600}, {"100KB", 100 << 10}}

func page(size int) string {
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n"+
		"Server: app\r\nContent-Length: %d\r\n\r\n%s", size, repeat("p", size))
}

// clients is how many run for each processor.
const clients = 16

// BenchmarkProxy measures a ReverseProxy under net/http's server with each transport, over loopback. Application and clients do as
// little as they can and are in the same process; the ratio of the two kinds is the figure that counts.
func BenchmarkProxy(b *testing.B) {
	for _, p := range pages {
		for _, k := range []kind{standard, pooled} {
			b.Run(p.name+"/"+k.name, func(b *testing.B) {
				rt := k.make(transport.Config{})
				defer rt.CloseIdleConnections()
				proxy := newProxy(b, rt, serveRaw(b, fast(page(p.size))).url)
				b.ReportAllocs()
				b.SetParallelism(clients)
				b.RunParallel(func(pb *testing.PB) { drive(b, pb, proxy, p.size) })
			})
		}
	}
}

// BenchmarkRoundTrip measures the transports alone.
func BenchmarkRoundTrip(b *testing.B) {
	for _, p := range pages {
		for _, k := range []kind{standard, pooled} {
			b.Run(p.name+"/"+k.name, func(b *testing.B) {
				rt := k.make(transport.Config{})
				defer rt.CloseIdleConnections()
				url := serveRaw(b, fast(page(p.size))).url
				b.ReportAllocs()
				b.SetParallelism(clients)
				b.RunParallel(func(pb *testing.PB) {
					buf := make([]byte, 32<<10)
					for pb.Next() {
						req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, url, nil)
						if err != nil {
							b.Error(err)
							return
						}
						res, err := rt.RoundTrip(req)
						if err != nil {
							b.Error(err)
							return
						}
						if n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, res.Body, buf); int(n) != p.size || err != nil {
							b.Errorf("read %d bytes and %v", n, err)
						}
						res.Body.Close()
					}
				})
			})
		}
	}
}

// fast answers without looking at the requests, which have no bodies.
func fast(answer string) func(net.Conn, *bufio.Reader) {
	out := []byte(answer)
	return func(c net.Conn, br *bufio.Reader) {
		for {
			line, err := br.ReadSlice('\n')
			if err != nil {
				return
			}
			if len(line) == 2 {
				c.Write(out)
			}
		}
	}
}

// drive is a client that sends the same request and counts the bytes of the answer.
func drive(b *testing.B, pb *testing.PB, proxy *httptest.Server, size int) {
	c, err := net.Dial("tcp", proxy.Listener.Addr().String())
	if err != nil {
		b.Error(err)
		return
	}
	defer c.Close()
	request := []byte("GET /page HTTP/1.1\r\nHost: app.example\r\nUser-Agent: bench\r\nAccept: text/html\r\nAccept-Encoding: gzip\r\nCookie: session=0123456789abcdef\r\n\r\n")
	br := bufio.NewReaderSize(c, 64<<10)
	for pb.Next() {
		c.Write(request)
		for {
			line, err := br.ReadSlice('\n')
			if err != nil {
				b.Error(err)
				return
			}
			if bytes.HasPrefix(line, []byte("HTTP/1.1 ")) && !bytes.HasPrefix(line[9:], []byte("200")) {
				b.Errorf("got %s", line)
				return
			}
			if len(line) == 2 {
				break
			}
		}
		if n, err := br.Discard(size); n != size || err != nil {
			b.Errorf("read %d bytes and %v", n, err)
			return
		}
	}
}
