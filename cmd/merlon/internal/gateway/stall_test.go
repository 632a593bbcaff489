package gateway_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/merlon-sec/merlon"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/gateway"
)

// moment is long enough for what does not stall.
const moment = time.Second

// hasty starts a gateway that waits a moment for clients to take something, and as long as body for them to send.
func hasty(t *testing.T, body time.Duration, app http.HandlerFunc) *httptest.Server {
	t.Helper()
	g := newGateway(t, merlon.Strict(), app, func(c *gateway.Config) { c.Timeouts = gateway.Timeouts{Response: moment, RequestBody: body} })
	srv := httptest.NewUnstartedServer(g)
	srv.EnableHTTP2 = true
	srv.StartTLS()
	t.Cleanup(srv.Close)
	plain := httptest.NewServer(g)
	t.Cleanup(plain.Close)
	srv.URL = plain.URL // HTTP/1.1 there, HTTP/2 at the listener
	return srv
}

// endless writes until the client has left, and says so.
func endless(left chan<- struct{}) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		part := make([]byte, 64<<10)
		for {
			if _, err := w.Write(part); err != nil {
				left <- struct{}{}
				return
			}
		}
	}
}

func TestClientsThatDoNotRead(t *testing.T) {
	t.Parallel()
	left := make(chan struct{}, 2)
	srv := hasty(t, moment, endless(left))
	conn, err := net.Dial("tcp", strings.TrimPrefix(srv.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	<-left // or the test times out

	// Over HTTP/2 the connection may be alive and take frames, and the stream has no window.
	c := frames(t, srv)
	c.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, EndStream: true, EndHeaders: true, BlockFragment: block("GET")})
	for {
		f, err := c.ReadFrame()
		if err != nil {
			t.Fatal(err)
		}
		if f, ok := f.(*http2.RSTStreamFrame); ok && f.StreamID == 1 {
			break
		}
	}
	<-left
}

// A client that owes the rest of its body is answered 408, with all headers.
func TestClientsThatDoNotSend(t *testing.T) {
	t.Parallel()
	srv := hasty(t, moment, func(w http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) })
	conn, err := net.Dial("tcp", strings.TrimPrefix(srv.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc")
	in := bufio.NewReader(conn)
	res, err := http.ReadResponse(in, nil)
	if err != nil || res.StatusCode != http.StatusRequestTimeout || res.Header.Get("X-Frame-Options") != "DENY" {
		t.Fatalf("%v, %v", res, err)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil || !strings.Contains(string(body), "<h1>") {
		t.Errorf("%q, %v", body, err)
	}
	if _, err := in.ReadByte(); err == nil {
		t.Error("the connection stays")
	}

	c := frames(t, srv)
	c.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, EndHeaders: true, BlockFragment: block("POST")})
	c.WriteData(1, false, []byte("abc"))
	for {
		f, err := c.ReadFrame()
		if err != nil {
			t.Fatal(err)
		}
		if f, ok := f.(*http2.MetaHeadersFrame); ok && f.StreamID == 1 {
			if status := f.PseudoValue("status"); status != "408" {
				t.Errorf("over HTTP/2: %s, want 408", status)
			}
			return
		}
	}
}

// Silence of the application is no stall, and neither is a client that takes its time.
func TestSlowIsNotStalled(t *testing.T) {
	t.Parallel()
	srv := hasty(t, 3*moment, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		for range 2 {
			w.Write(body)
			w.(http.Flusher).Flush()
			time.Sleep(moment * 5 / 4) // what is tested is that nothing happens meanwhile
		}
	})
	for name, address := range map[string]string{"HTTP/1.1": srv.URL, "HTTP/2": "https://" + srv.Listener.Addr().String()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body, in := io.Pipe()
			go func() {
				for range 5 {
					io.WriteString(in, "x")
					time.Sleep(moment / 4)
				}
				in.Close()
			}()
			res, err := srv.Client().Post(address, "text/plain", body)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(res.Body)
			res.Body.Close()
			if err != nil || string(got) != "xxxxxxxxxx" {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}

// frames opens a connection over HTTP/2 whose client writes frames itself.
func frames(t *testing.T, srv *httptest.Server) *http2.Framer {
	t.Helper()
	config := srv.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	config.NextProtos = []string{"h2"}
	conn, err := tls.Dial("tcp", srv.Listener.Addr().String(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	io.WriteString(conn, http2.ClientPreface)
	c := http2.NewFramer(conn, conn)
	c.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	c.WriteSettings()
	return c
}

// block is the header of a request.
func block(method string) []byte {
	var b bytes.Buffer
	e := hpack.NewEncoder(&b)
	for _, f := range [][2]string{{":method", method}, {":scheme", "https"}, {":authority", "a"}, {":path", "/"}} {
		e.WriteField(hpack.HeaderField{Name: f[0], Value: f[1]})
	}
	return b.Bytes()
}
