package transport_test

import (
	"bufio"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/transport"
)

// newProxy starts a reverse proxy before target.
func newProxy(tb testing.TB, rt http.RoundTripper, target string) *httptest.Server {
	tb.Helper()
	to, err := url.Parse(target)
	if err != nil {
		tb.Fatal(err)
	}
	server := httptest.NewUnstartedServer(&httputil.ReverseProxy{
		Transport:  rt,
		BufferPool: &buffers{sync.Pool{New: func() any { return new([32 << 10]byte) }}},
		ErrorLog:   log.New(io.Discard, "", 0),
		Rewrite: func(pr *httputil.ProxyRequest) {
			pr.SetURL(to)
			pr.Out.Trailer = pr.In.Trailer // its values come with the end of the body
		},
	})
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Start()
	tb.Cleanup(server.Close)
	return server
}

// buffers is what a proxy should copy bodies with.
type buffers struct{ pool sync.Pool }

func (b *buffers) Get() []byte  { return b.pool.Get().(*[32 << 10]byte)[:] }
func (b *buffers) Put(p []byte) { b.pool.Put((*[32 << 10]byte)(p)) }

// TestProxy looks at both transports through the one user they have.
func TestProxy(t *testing.T) {
	app := func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/hints":
			w.Header().Set("Link", "</a>")
			w.WriteHeader(http.StatusEarlyHints)
			io.WriteString(w, "hinted")
		case "/trailer":
			io.Copy(io.Discard, r.Body)
			w.Header().Set(http.TrailerPrefix+"X-T", r.Trailer.Get("X-T"))
			io.WriteString(w, "trailed")
		case "/switch":
			c, brw, err := http.NewResponseController(w).Hijack()
			if err != nil {
				return
			}
			defer c.Close()
			io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
			line, _ := brw.ReadString('\n')
			io.WriteString(c, line)
		case "/abort":
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, "half")
			http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}
	}
	for _, tc := range []struct{ name, request, want string }{
		{"hints", "GET /hints HTTP/1.1\r\nConnection: close\r\n", "HTTP/1.1 103 Early Hints\nLink: </a>\n\nHTTP/1.1 200 OK\nLink: </a>\n\nhinted"},
		{"trailer", "POST /trailer HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\nConnection: close\r\n\r\n3\r\nabc\r\n0\r\nX-T: v\r\n",
			"HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n7\ntrailed\n0\nX-T: v\n\n"},
		{"switch", "GET /switch HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: echo\r\n",
			"HTTP/1.1 101 Switching Protocols\nConnection: Upgrade\nUpgrade: echo\n\nhello\n"},
		{"abort", "GET /abort HTTP/1.1\r\nConnection: close\r\n", ""}, // what the proxy had not flushed is gone with its client's connection
	} {
		t.Run(tc.name, func(t *testing.T) {
			both(t, func(t *testing.T, k kind) {
				server := serve(t, app)
				proxy := newProxy(t, k.start(t, transport.Config{}), server.URL)
				c, err := net.Dial("tcp", proxy.Listener.Addr().String())
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				line, fields, _ := strings.Cut(tc.request, "\r\n")
				c.SetDeadline(time.Now().Add(patience))
				fmt.Fprintf(c, "%s\r\nHost: app.example\r\n%s\r\n", line, fields)
				if got := talk(c); got != tc.want {
					t.Errorf("got\n%s\nwant\n%s", got, tc.want)
				}
			})
		})
	}
}

// talk reads to the end of the connection, leaves out the fields that say nothing here, and says hello after the header.
func talk(c net.Conn) string {
	var b strings.Builder
	for br := bufio.NewReader(c); ; {
		line, err := br.ReadString('\n')
		if line == "\r\n" {
			io.WriteString(c, "hello\n") // only /switch listens
		}
		if !strings.HasPrefix(line, "Date:") && !strings.HasPrefix(line, "Content-") && line != "Connection: close\r\n" {
			b.WriteString(strings.ReplaceAll(line, "\r", ""))
		}
		if err != nil {
			return b.String()
		}
	}
}
