//go:build linux

package faults_test

import (
	"bytes"
	"crypto/tls"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/wait"
)

// rawHTTP2 is a client that writes frames as the test says.
type rawHTTP2 struct {
	*http2.Framer
	conn    *tls.Conn
	block   bytes.Buffer
	encoder *hpack.Encoder
}

func dialHTTP2(t *testing.T, addr string) *rawHTTP2 {
	t.Helper()
	conn, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(wait.Limit))
	c := &rawHTTP2{Framer: http2.NewFramer(conn, conn), conn: conn}
	c.encoder = hpack.NewEncoder(&c.block)
	c.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	io.WriteString(conn, http2.ClientPreface)
	c.WriteSettings()
	return c
}

// encode makes a header block of lines "name: value", checked by nobody.
func (c *rawHTTP2) encode(lines ...string) []byte {
	c.block.Reset()
	for _, line := range lines {
		i := strings.Index(line[1:], ": ") + 1
		c.encoder.WriteField(hpack.HeaderField{Name: line[:i], Value: line[i+2:]})
	}
	return bytes.Clone(c.block.Bytes())
}

// outcome reads until stream has ended, and says how: with a status, a reset or the end of the connection. own says whether
// the answer has the site's policy.
func (c *rawHTTP2) outcome(stream uint32) (status, end string, own bool) {
	for {
		f, err := c.ReadFrame()
		if err != nil {
			return status, "closed", own
		}
		switch f := f.(type) {
		case *http2.MetaHeadersFrame:
			if f.StreamID == stream {
				status = f.PseudoValue("status")
				own = slices.ContainsFunc(f.RegularFields(), func(h hpack.HeaderField) bool { return h.Name == "content-security-policy" })
				if f.StreamEnded() {
					return status, "ended", own
				}
			}
		case *http2.DataFrame:
			if f.StreamID == stream && f.StreamEnded() {
				return status, "ended", own
			}
		case *http2.RSTStreamFrame:
			if f.StreamID == stream {
				return status, "reset " + f.ErrCode.String(), own
			}
		case *http2.GoAwayFrame:
			if f.ErrCode != http2.ErrCodeNo {
				return status, "gone " + f.ErrCode.String(), own
			}
		}
	}
}

// smuggled2 are requests over HTTP/2: a header, a body if it is not "-", and as what it arrives.
var smuggled2 = []struct {
	name   string
	header []string
	body   string
	want   string
}{
	{"plain", getFields(), "-", "GET / "},
	{"a body", post(), "abc", "POST / abc"},
	{"a body with its length", post("content-length: 3"), "abc", "POST / abc"},
	{"a length and no body", post("content-length: 3"), "-", "POST / "},
	{"a body longer than its length", post("content-length: 3"), "abc" + hidden, ""},
	{"a body shorter than its length", post("content-length: 300"), "abc", ""},
	{"two lengths", post("content-length: 3", "content-length: 36"), "abc", ""},
	{"the same length twice", post("content-length: 3", "content-length: 3"), "abc", ""},
	{"a length with a sign", post("content-length: +3"), "abc", ""},
	{"a request in the body", post(), hidden, "POST / " + hidden},
	{"chunks in the body", post(), "0\r\n\r\n" + hidden, "POST / 0\r\n\r\n" + hidden},

	{"transfer-encoding", post("transfer-encoding: chunked"), "0\r\n\r\n", ""},
	{"connection", getFields("connection: close"), "-", ""},
	{"keep-alive", getFields("keep-alive: timeout=5"), "-", ""},
	{"proxy-connection", getFields("proxy-connection: keep-alive"), "-", ""},
	{"upgrade", getFields("upgrade: h2c"), "-", ""},
	{"te: gzip", getFields("te: gzip"), "-", ""},
	{"te: trailers", getFields("te: trailers"), "-", "GET / "},

	{"an upper-case name", getFields("X-A: b"), "-", ""},
	{"a line end in a name", getFields("x-a\r\nx-b: c"), "-", ""},
	{"a colon in a name", getFields("x-a:b: c"), "-", ""},
	{"a space in a name", getFields("x a: c"), "-", ""},
	{"transfer-encoding with a space", post("transfer-encoding : chunked"), "0\r\n\r\n", ""},
	{"an empty name", getFields(": b"), "-", ""},
	{"a line end in a value", getFields("x-a: b\r\ncontent-length: 5"), "-", ""},
	{"LF in a value", getFields("x-a: b\ncontent-length: 5"), "-", ""},
	{"NUL in a value", getFields("x-a: b\x00c"), "-", ""},
	{"spaces around a value", getFields("x-a:  b "), "-", "GET / "},

	{"no authority", []string{":method: GET", ":scheme: https", ":path: /"}, "-", ""},
	{"host in place of an authority", []string{":method: GET", ":scheme: https", ":path: /", "host: a"}, "-", "GET / "},
	{"the same host and authority", getFields("host: a"), "-", "GET / "},
	{"another host than the authority", getFields("host: b"), "-", ""},
	{"two hosts", []string{":method: GET", ":scheme: https", ":path: /", "host: a", "host: b"}, "-", ""},
	{"two authorities", getFields(":authority: b"), "-", ""},
	{"an empty authority", []string{":method: GET", ":scheme: https", ":path: /", ":authority: "}, "-", ""},
	{"an authority with userinfo", []string{":method: GET", ":scheme: https", ":path: /", ":authority: b@a"}, "-", ""},
	{"an authority with a path", []string{":method: GET", ":scheme: https", ":path: /", ":authority: a/b"}, "-", ""},
	{"an authority with a line end", []string{":method: GET", ":scheme: https", ":path: /", ":authority: a\r\nx-a: b"}, "-", ""},

	{"a path without a slash", target("x"), "-", ""},
	{"an empty path", target(""), "-", ""},
	{"a path that is a URL", target("https://b/x"), "-", ""},
	{"*", target("*"), "-", ""},
	{"a space in the path", target("/ HTTP/1.1"), "-", ""},
	{"a line end in the path", target("/ HTTP/1.1\r\nHost: b\r\n\r\n"), "-", ""},
	{"a fragment in the path", target("/x#y"), "-", ""},
	{"NUL in the path", target("/\x00"), "-", ""},
	{"two paths", getFields(":path: /b"), "-", ""},
	{"no path", []string{":method: GET", ":scheme: https", ":authority: a"}, "-", ""},
	{"no scheme", []string{":method: GET", ":path: /", ":authority: a"}, "-", ""},
	{"another scheme", []string{":method: GET", ":scheme: ftp", ":path: /", ":authority: a"}, "-", ""},
	{"the scheme of plain HTTP", []string{":method: GET", ":scheme: http", ":path: /", ":authority: a"}, "-", "GET / "},
	{"a line in the method", []string{":method: GET / HTTP/1.1\r\nHost: b\r\n\r\nGET", ":scheme: https", ":path: /", ":authority: a"}, "-", ""},
	{"a method in another script", []string{":method: GÉT", ":scheme: https", ":path: /", ":authority: a"}, "-", ""},
	{"a space in the method", []string{":method: GET /x", ":scheme: https", ":path: /", ":authority: a"}, "-", ""},
	{"an unknown pseudo-header", getFields(":x: y"), "-", ""},
	{"a pseudo-header of responses", getFields(":status: 200"), "-", ""},
	{"a pseudo-header after others", []string{":method: GET", ":scheme: https", "x-a: b", ":path: /", ":authority: a"}, "-", ""},
	{"CONNECT", []string{":method: CONNECT", ":authority: a:80"}, "-", ""},
	{"extended CONNECT", []string{":method: CONNECT", ":protocol: websocket", ":scheme: https", ":path: /", ":authority: a"}, "-", ""},
	{"a cookie in crumbs", getFields("cookie: a=b", "cookie: c=d"), "-", "GET / "},
	{"headers of 100 KB", getFields("x-a: " + strings.Repeat("a", 100_000)), "-", ""},
	{"10 000 headers", getFields(slices.Repeat([]string{"x-a: b"}, 10_000)...), "-", ""},
}

func getFields(more ...string) []string {
	return append([]string{":method: GET", ":scheme: https", ":path: /", ":authority: a"}, more...)
}

func post(more ...string) []string {
	return append([]string{":method: POST", ":scheme: https", ":path: /", ":authority: a"}, more...)
}

func target(path string) []string {
	return []string{":method: GET", ":scheme: https", ":path: " + path, ":authority: a"}
}

func TestSmugglingOverHTTP2(t *testing.T) {
	t.Parallel()
	rest(t)
	app := newRecorder(t)
	gw := spawnTLS(t, app.url(), "nonce: forward")
	client := clientFor(t)
	for _, c := range smuggled2 {
		conn := dialHTTP2(t, gw.addr)
		conn.headers(1, c.body == "-", conn.encode(c.header...))
		if c.body != "-" {
			conn.WriteData(1, true, []byte(c.body))
		}
		status, end, own := conn.outcome(1)
		conn.conn.Close()
		got, mistakes := app.take()
		if res, body := exchange(t, client, "https://"+gw.addr+"/after"); res.StatusCode != 200 || body != "ok" {
			t.Errorf("%s: the next request is answered %s %q", c.name, res.Status, body)
		}
		after, _ := app.take()
		t.Logf("%-35s %4s %s, policy %v, arrived %.80q", c.name, status, end, own, got)
		var want []string
		if c.want != "" {
			want = []string{c.want}
		}
		if !slices.Equal(got, want) || len(mistakes) > 0 || !slices.Equal(after, []string{"GET /after "}) {
			t.Errorf("%s: arrived %q, want %q; mistakes %q; then %q", c.name, got, want, mistakes, after)
		}
		if passed := status == "200" && end == "ended"; passed != (c.want != "") || strings.HasPrefix(status, "5") {
			t.Errorf("%s: status %s, %s", c.name, status, end)
		}
	}
	peak := gw.level(t)
	app.kill()
	gw.settles(t, "smuggling over HTTP/2", peak, client)
}

// headers sends a block in as many frames as it needs.
func (c *rawHTTP2) headers(stream uint32, end bool, block []byte) {
	first := block[:min(len(block), 16<<10)]
	rest := block[len(first):]
	c.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: first, EndStream: end, EndHeaders: len(rest) == 0})
	for len(rest) > 0 {
		part := rest[:min(len(rest), 16<<10)]
		rest = rest[len(part):]
		if c.WriteContinuation(stream, len(rest) == 0, part) != nil {
			return // refused already
		}
	}
}

// Floods that are cheap to send end the connection, and cost others nothing.
func TestFloodsOverHTTP2(t *testing.T) {
	const maxFlood = 192 << 10 // KiB, of which the race detector alone takes up to two thirds
	t.Parallel()
	rest(t)
	app := newRecorder(t)
	gw := spawnTLS(t, app.url(), "nonce: forward")
	for name, flood := range map[string]func(*rawHTTP2, uint32) error{
		"rapid reset": func(c *rawHTTP2, i uint32) error {
			c.headers(2*i+1, true, c.encode(getFields()...))
			return c.WriteRSTStream(2*i+1, http2.ErrCodeCancel)
		},
		"continuation": func(c *rawHTTP2, i uint32) error {
			if i == 0 {
				return c.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: c.encode(getFields()...)})
			}
			return c.WriteContinuation(1, false, c.encode("x-a: "+strings.Repeat("a", 1000)))
		},
		"settings": func(c *rawHTTP2, i uint32) error { return c.WriteSettings() },
		"ping":     func(c *rawHTTP2, i uint32) error { return c.WritePing(false, [8]byte{}) },
		"empty data": func(c *rawHTTP2, i uint32) error {
			if i == 0 {
				return c.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: c.encode(post()...), EndHeaders: true})
			}
			return c.WriteData(1, false, nil)
		},
		"streams that stay": func(c *rawHTTP2, i uint32) error {
			return c.WriteHeaders(http2.HeadersFrameParam{StreamID: 2*i + 1, BlockFragment: c.encode(post()...), EndHeaders: true})
		},
	} {
		before := gw.level(t)
		conn := dialHTTP2(t, gw.addr)
		var sent uint32
		for most := uint32(upTo(20_000, 1_000_000)); sent < most && flood(conn, sent) == nil; sent++ {
		}
		peak := gw.level(t)
		client := clientFor(t)
		if res, body := exchange(t, client, "https://"+gw.addr+"/after"); res.StatusCode != 200 || body != "ok" {
			t.Errorf("%s: the next request is answered %s %q", name, res.Status, body)
		}
		client.CloseIdleConnections()
		conn.conn.Close()
		got, mistakes := app.take()
		t.Logf("%s: %d sent, %d arrived: before %v, then %v", name, sent, len(got), before, peak)
		if len(mistakes) > 0 || peak.resident-before.resident > maxFlood {
			t.Errorf("%s: from %v to %v, mistakes %q", name, before, peak, mistakes)
		}
	}
	peak := gw.level(t)
	app.kill()
	gw.settles(t, "floods over HTTP/2", peak)
}
