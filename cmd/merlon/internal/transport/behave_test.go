package transport_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/transport"
)

// echo answers with the request's body and says how it came.
func echo(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Got", fmt.Sprint(r.Method, " ", r.RequestURI, " ", r.Host, " ", r.ContentLength, " ", r.TransferEncoding, " ", r.Header["X-A"]))
	w.Header().Set("Got-Trailer", r.Trailer.Get("X-T"))
	w.Write(body)
}

// streaming hides what a body is, as bodies of a proxy's requests are.
func streaming(r io.Reader) io.ReadCloser { return struct{ io.ReadCloser }{io.NopCloser(r)} }

func TestRequests(t *testing.T) {
	large := repeat("0123456789abcdef", 1<<14)
	for _, tc := range []struct {
		name, method string
		edit         func(*http.Request)
		body         string
		got          string
	}{
		{"GET", "GET", func(r *http.Request) { r.Header["X-A"] = []string{"1", " 2 "} }, "", "GET /a%2fb?c=%zz app.example 0 [] [1 2]"},
		{"empty POST", "POST", func(r *http.Request) { r.Body, r.ContentLength = http.NoBody, 0 }, "", "POST /a%2fb?c=%zz app.example 0 [] []"},
		{"small body in memory", "POST", nil, "small", "POST /a%2fb?c=%zz app.example 5 [] []"},
		{"large body in memory", "POST", nil, large, "POST /a%2fb?c=%zz app.example 262144 [] []"},
		{"length", "PUT", func(r *http.Request) { r.Body, r.GetBody = streaming(r.Body), nil }, large, "PUT /a%2fb?c=%zz app.example 262144 [] []"},
		{"chunks", "PATCH", func(r *http.Request) { r.Body, r.GetBody, r.ContentLength = streaming(r.Body), nil, -1 }, large, "PATCH /a%2fb?c=%zz app.example -1 [chunked] []"},
		{"chunks of none", "POST", func(r *http.Request) { r.Body, r.GetBody, r.ContentLength = streaming(r.Body), nil, -1 }, "", "POST /a%2fb?c=%zz app.example -1 [chunked] []"},
		{"chunks by wish", "POST", func(r *http.Request) { r.TransferEncoding = []string{"chunked"} }, "small", "POST /a%2fb?c=%zz app.example -1 [chunked] []"},
		{"DELETE with a body", "DELETE", nil, "small", "DELETE /a%2fb?c=%zz app.example 5 [] []"},
		{"zone in Host", "GET", func(r *http.Request) { r.Host = "[fe80::1%en0]:80" }, "", "GET /a%2fb?c=%zz [fe80::1]:80 0 [] []"},
		{"framing in the header", "POST", func(r *http.Request) {
			r.Header = header("Content-Length", "99", "Transfer-Encoding", "gzip", "Host", "evil.example", "Trailer", "X-A")
		}, "small", "POST /a%2fb?c=%zz app.example 5 [] []"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			both(t, func(t *testing.T, k kind) {
				server := serve(t, echo)
				rt := k.start(t, transport.Config{})
				for range 2 {
					req := newRequest(t, tc.method, server.URL+"/a%2fb?c=%zz", strings.NewReader(tc.body))
					req.Host = "app.example"
					if tc.edit != nil {
						tc.edit(req)
					}
					got := fetch(rt, req)
					if got.Status != "200 OK" || got.Body != tc.body || got.Header.Get("Got") != tc.got {
						t.Fatalf("got %q, %q and %d bytes, want 200 OK, %q and %d bytes", got.Status+got.Err, got.Header.Get("Got"), len(got.Body), tc.got, len(tc.body))
					}
				}
			})
		})
	}
}

// A request that cannot be sent as it stands must not be sent as something else.
func TestRefusedRequests(t *testing.T) {
	for _, tc := range []struct {
		name string
		edit func(*http.Request)
	}{
		{"no URL", func(r *http.Request) { r.URL = nil }},
		{"no header", func(r *http.Request) { r.Header = nil }},
		{"scheme", func(r *http.Request) { r.URL.Scheme = "ftp" }},
		{"no host", func(r *http.Request) { r.URL.Host = "" }},
		{"method", func(r *http.Request) { r.Method = "GET /x" }},
		{"target", func(r *http.Request) { r.URL.Opaque = "//a/\r\nb" }},
		{"query", func(r *http.Request) { r.URL.RawQuery = "a\nb" }},
		{"name of a header", func(r *http.Request) { r.Header["X A"] = []string{"1"} }},
		{"value of a header", func(r *http.Request) { r.Header["X-A"] = []string{"1\r\nX-B: 2"} }},
		{"trailer", func(r *http.Request) { r.ContentLength, r.Trailer = -1, header("Content-Length", "1") }},
		{"length without a body", func(r *http.Request) { r.Body = nil }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			both(t, func(t *testing.T, k kind) {
				server := serveRaw(t, answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
				body := &closing{Reader: strings.NewReader("body"), closed: make(chan bool, 9)}
				req := newRequest(t, http.MethodPost, server.url, body)
				req.ContentLength = 4
				tc.edit(req)
				if got := fetch(k.start(t, transport.Config{}), req); got.Err != "broken" {
					t.Errorf("got %+v, want an error", got)
				}
				if req.Body != nil {
					receive(t, "Close of the request's body", body.closed)
				}
			})
		})
	}
}

// closing tells that it was closed.
type closing struct {
	io.Reader
	closed chan bool
}

func (c *closing) Close() error { c.closed <- true; return nil }

func TestTrailers(t *testing.T) {
	both(t, func(t *testing.T, k kind) {
		server := serve(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Trailer", "X-T")
			io.Copy(w, r.Body)
			w.Header().Set("X-T", r.Trailer.Get("X-T"))
		})
		req := newRequest(t, http.MethodPost, server.URL, nil)
		req.Trailer = http.Header{"X-T": nil}
		// The value is known when the body is at its end.
		req.Body = streaming(io.MultiReader(strings.NewReader("body"), atEnd(func() { req.Trailer.Set("X-T", "value") })))
		req.ContentLength = -1
		got := fetch(k.start(t, transport.Config{}), req)
		if diff := cmp.Diff(http.Header{"X-T": {"value"}}, got.Trailer); diff != "" || got.Body != "body" {
			t.Errorf("got the body %q and the trailer (-want +got):\n%s", got.Body, diff)
		}
	})
}

// atEnd is an empty reader that does something when it is read.
type atEnd func()

func (f atEnd) Read([]byte) (int, error) { f(); return 0, io.EOF }

func TestInformational(t *testing.T) {
	both(t, func(t *testing.T, k kind) {
		server := serve(t, func(w http.ResponseWriter, r *http.Request) {
			for i := range 3 {
				w.Header().Set("Link", fmt.Sprint(i))
				w.WriteHeader(http.StatusEarlyHints)
			}
			w.WriteHeader(http.StatusNotFound)
		})
		var heard []string
		refuse := errors.New("enough")
		trace := &httptrace.ClientTrace{Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
			heard = append(heard, fmt.Sprintf("%d%v", code, h["Link"]))
			if len(heard) > 4 {
				return refuse
			}
			return nil
		}}
		rt := k.start(t, transport.Config{})
		ctx := httptrace.WithClientTrace(t.Context(), trace)
		got := fetch(rt, newRequest(t, http.MethodGet, server.URL, nil).WithContext(ctx))
		if diff := cmp.Diff([]string{"103[0]", "103[1]", "103[2]"}, heard); diff != "" || got.Status != "404 Not Found" {
			t.Errorf("got %s after (-want +got):\n%s", got.Status, diff)
		}
		if _, err := rt.RoundTrip(newRequest(t, http.MethodGet, server.URL, nil).WithContext(ctx)); !errors.Is(err, refuse) {
			t.Errorf("after an error of the hook: %v, want that error", err)
		}
	})
}

// Pooled limits what it is told before the answer, however short.
func TestTooManyInformational(t *testing.T) {
	noLeaks(t)
	final := "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
	for count, want := range map[int]string{100: "", 101: "broken"} {
		server := serveRaw(t, answering(repeat("HTTP/1.1 102 Processing\r\n\r\n", count)+final))
		if got := fetch(pooled.start(t, transport.Config{}), newRequest(t, http.MethodGet, server.url, nil)); got.Err != want {
			t.Errorf("after %d informational answers: %+v, want the error %q", count, got, want)
		}
	}
}

func TestContinue(t *testing.T) {
	final := "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
	for _, tc := range []struct {
		name   string
		handle func(c net.Conn, br *bufio.Reader) (body string)
		want   string
		status string
	}{
		{"100", func(c net.Conn, br *bufio.Reader) string {
			io.WriteString(c, "HTTP/1.1 100 Continue\r\n\r\n")
			return readBytes(br, 4)
		}, "body", "200 OK"},
		{"103 and 100", func(c net.Conn, br *bufio.Reader) string {
			io.WriteString(c, "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n")
			return readBytes(br, 4)
		}, "body", "200 OK"},
		{"nothing", func(c net.Conn, br *bufio.Reader) string { return readBytes(br, 4) }, "body", "200 OK"},
		{"refusal", func(c net.Conn, br *bufio.Reader) string {
			io.WriteString(c, "HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
			rest, _ := io.ReadAll(br)
			return string(rest)
		}, "", "417 Expectation Failed"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			both(t, func(t *testing.T, k kind) {
				bodies := make(chan string, 1)
				server := serveRaw(t, func(c net.Conn, br *bufio.Reader) {
					if _, err := http.ReadRequest(br); err == nil {
						bodies <- tc.handle(c, br)
						io.WriteString(c, final)
					}
				})
				body := &closing{Reader: strings.NewReader("body"), closed: make(chan bool, 9)}
				req := newRequest(t, http.MethodPut, server.url, body)
				req.ContentLength = 4
				req.Header.Set("Expect", "100-continue")
				got := fetch(k.start(t, transport.Config{ContinueTimeout: 50 * time.Millisecond}), req)
				if sent := receive(t, "the body", bodies); sent != tc.want || got.Status != tc.status {
					t.Errorf("got %+v after the body %q, want %s after %q", got, sent, tc.status, tc.want)
				}
				receive(t, "Close of the request's body", body.closed)
			})
		})
	}
}

// A body that was not sent is missing on the connection: Pooled closes it, net/http sends the body all the same.
func TestRefusedBody(t *testing.T) {
	noLeaks(t)
	rests := make(chan string, 2)
	server := serveRaw(t, func(c net.Conn, br *bufio.Reader) {
		if _, err := http.ReadRequest(br); err == nil {
			io.WriteString(c, "HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n")
			rest, _ := io.ReadAll(br)
			rests <- string(rest)
		}
	})
	req := newRequest(t, http.MethodPut, server.url, strings.NewReader("body"))
	req.Header.Set("Expect", "100-continue")
	got := fetch(pooled.start(t, transport.Config{}), req)
	if rest := receive(t, "the end of the connection", rests); got.Status != "417 Expectation Failed" || rest != "" {
		t.Errorf("got %+v and then %q on the connection, want 417 and its end", got, rest)
	}
}

func readBytes(r io.Reader, n int) string {
	buf := make([]byte, n)
	io.ReadFull(r, buf)
	return string(buf)
}

// An answer before the end of the request is delivered, and its connection is not used again.
func TestEarlyAnswer(t *testing.T) {
	for _, length := range []int64{-1, 1 << 30} {
		t.Run(fmt.Sprint(length), func(t *testing.T) {
			both(t, func(t *testing.T, k kind) {
				server := serveRaw(t, func(c net.Conn, br *bufio.Reader) {
					if _, err := http.ReadRequest(br); err == nil {
						io.WriteString(c, "HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")
						io.Copy(io.Discard, br)
					}
				})
				rt := k.start(t, transport.Config{})
				for range 2 {
					body, writer := io.Pipe()
					req := newRequest(t, http.MethodPost, server.url, body)
					req.ContentLength = length
					got := fetch(rt, req)
					if got.Status != "413 Too Large" || got.Body != "no" {
						t.Fatalf("got %+v, want 413 with its body", got)
					}
					writer.CloseWithError(io.ErrUnexpectedEOF)
				}
				if got := server.accepted.Load(); got != 2 {
					t.Errorf("two early answers took %d connections, want 2", got)
				}
			})
		})
	}
}

// Who refuses an upload often closes without reading it. What was said before must still be heard: Pooled does, while
// net/http's writer may end the exchange first. (A Unix socket keeps what was sent before; TCP may lose it in a reset.)
func TestEarlyAnswerAndClose(t *testing.T) {
	noLeaks(t)
	path, closed := socketPath(t), make(chan bool)
	serveUnix(t, path, func(c net.Conn, br *bufio.Reader) {
		if _, err := http.ReadRequest(br); err == nil {
			io.WriteString(c, "HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")
			c.Close()
			close(closed)
		}
	})
	body, writer := io.Pipe()
	go func() {
		<-closed
		for { // until the connection is gone
			if _, err := writer.Write(make([]byte, 1<<10)); err != nil {
				return
			}
		}
	}()
	rt := pooled.start(t, transport.Config{Dial: transport.Unix(path)})
	got := fetch(rt, newRequest(t, http.MethodPost, "http://app.example", body))
	if got.Status != "413 Too Large" || got.Body != "no" {
		t.Errorf("got %+v, want 413 with its body", got)
	}
}

// Both directions flow at the same time. The limit for the header is none for what comes after it.
func TestDuplex(t *testing.T) {
	const short = 50 * time.Millisecond
	both(t, func(t *testing.T, k kind) {
		server := serve(t, func(w http.ResponseWriter, r *http.Request) {
			rc := http.NewResponseController(w)
			rc.EnableFullDuplex()
			rc.Flush()
			for buf := make([]byte, 16); ; {
				n, err := r.Body.Read(buf)
				w.Write(bytes.ToUpper(buf[:n]))
				rc.Flush()
				if err != nil {
					break
				}
			}
			time.Sleep(3 * short)
			io.WriteString(w, "end")
		})
		rt := k.start(t, transport.Config{HeaderTimeout: short})
		body, writer := io.Pipe()
		res, err := rt.RoundTrip(newRequest(t, http.MethodPost, server.URL, body))
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		for _, word := range []string{"one", "two"} {
			io.WriteString(writer, word)
			if got := readBytes(res.Body, 3); got != strings.ToUpper(word) {
				t.Errorf("after %q came %q", word, got)
			}
		}
		writer.Close()
		if rest, err := io.ReadAll(res.Body); string(rest) != "end" || err != nil {
			t.Errorf("after the end came %q and %v", rest, err)
		}
	})
}

// A body that breaks off fails the exchange: a part must never pass for the whole.
func TestBrokenUpload(t *testing.T) {
	errBody := errors.New("the client left")
	for _, tc := range []struct {
		name   string
		length int64
		err    error
	}{
		{"chunks", -1, errBody}, {"length", 100, errBody}, {"too short", 100, io.EOF},
	} {
		t.Run(tc.name, func(t *testing.T) {
			both(t, func(t *testing.T, k kind) {
				ended := make(chan error, 1)
				server := serveRaw(t, func(c net.Conn, br *bufio.Reader) { ended <- readRequest(br) })
				body, writer := io.Pipe()
				go func() {
					io.WriteString(writer, "part")
					writer.CloseWithError(tc.err)
				}()
				req := newRequest(t, http.MethodPost, server.url, body)
				req.ContentLength = tc.length
				_, err := k.start(t, transport.Config{}).RoundTrip(req)
				if err == nil || tc.err == errBody && !errors.Is(err, errBody) {
					t.Errorf("RoundTrip = %v, want the body's error", err)
				}
				if err := receive(t, "the end of the request", ended); err == nil {
					t.Error("the application got a whole request, want one that breaks off")
				}
			})
		})
	}
}

func TestSwitch(t *testing.T) {
	both(t, func(t *testing.T, k kind) {
		server := serveRaw(t, func(c net.Conn, br *bufio.Reader) {
			if _, err := http.ReadRequest(br); err == nil {
				io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nhello ")
				io.Copy(struct{ io.Writer }{c}, br) // hidden, because splice(2) keeps descriptors
				io.WriteString(c, " bye")
			}
		})
		ctx, cancel := context.WithCancel(t.Context())
		req := newRequest(t, http.MethodGet, server.url, nil).WithContext(ctx)
		req.Header = header("Connection", "Upgrade", "Upgrade", "echo")
		res, err := k.start(t, transport.Config{HeaderTimeout: time.Second}).RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		cancel() // of no importance from here on
		both, ok := res.Body.(interface {
			io.ReadWriteCloser
			CloseWrite() error
		})
		if !ok || res.StatusCode != http.StatusSwitchingProtocols {
			t.Fatalf("got %s with a body of type %T, want 101 with one to write to", res.Status, res.Body)
		}
		defer both.Close()
		io.WriteString(both, "there")
		if got := readBytes(both, 11); got != "hello there" {
			t.Errorf("read %q", got)
		}
		both.CloseWrite()
		if got, err := io.ReadAll(both); string(got) != " bye" || err != nil {
			t.Errorf("read %q and %v after CloseWrite, want what the application says then", got, err)
		}
	})
}

// What is left of a body would be written in the middle of another protocol.
func TestSwitchWithinRequest(t *testing.T) {
	noLeaks(t)
	server := serveRaw(t, func(c net.Conn, br *bufio.Reader) {
		if _, err := http.ReadRequest(br); err == nil {
			io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
			io.Copy(io.Discard, br)
		}
	})
	body, writer := io.Pipe()
	defer writer.Close()
	req := newRequest(t, http.MethodPost, server.url, body)
	req.Header = header("Connection", "Upgrade", "Upgrade", "echo")
	if got := fetch(pooled.start(t, transport.Config{}), req); got.Err != "broken" {
		t.Errorf("got %+v, want an error", got)
	}
}
