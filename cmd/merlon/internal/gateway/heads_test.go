package gateway_test

import (
	"bufio"
	"bytes"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/gateway"
)

// watching starts a gateway that sees the headers of requests before net/http mends them.
func watching(t testing.TB, app http.HandlerFunc) string {
	t.Helper()
	upstream := httptest.NewServer(app)
	t.Cleanup(upstream.Close)
	guard, err := merlon.New(merlon.Strict())
	if err != nil {
		t.Fatal(err)
	}
	g, err := gateway.New(gateway.Config{Sites: []gateway.Site{{App: gateway.App{Upstream: mustParse(t, upstream.URL)}, Guard: guard}}, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	srv := httptest.NewUnstartedServer(gateway.InOrder(g))
	srv.Listener = gateway.Watch(srv.Listener)
	srv.Config.ConnContext = gateway.Watched
	srv.Start()
	t.Cleanup(srv.Close)
	return strings.TrimPrefix(srv.URL, "http://")
}

// What net/http would mend is refused, with all headers, and what follows on the connection is never read. What only looks like it,
// in a body, passes.
func TestMendedHeadersAreRefused(t *testing.T) {
	addr := watching(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		w.Write(body)
	})
	for _, c := range []struct {
		requests string
		statuses []int
	}{
		{"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", []int{400}},
		{"POST / HTTP/1.1\r\nHost: a\r\nTRANSFER-encoding: chunked\r\ncontent-LENGTH:3\r\n\r\n0\r\n\r\n", []int{400}},
		{"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx", []int{400}},
		{"GET / HTTP/1.1\r\nHost: a\r\nX-A: b\r\n c\r\n\r\n", []int{400}},
		{"GET / HTTP/1.1\r\nHost: a\r\nX-A: b\r\n\tc\r\n\r\n", []int{400}},
		{"GET / HTTP/1.1\nHost: a\nX-A: b\n c\n\n", []int{400}},
		{"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + strings.Repeat(" ", 100) + "1\r\n\r\nx", []int{400}}, // whose value is out of sight
		{"GET / HTTP/1.1\r\nHost: a\r\nX-A: " + strings.Repeat("long ", 2000) + "\r\n c\r\n\r\n", []int{400}},

		{"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\nX-A: b\r\n c\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", []int{200, 400}},
		{"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 26\r\n\r\nX: y\r\n folded\r\n\r\nX: y\r\n z" + "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", []int{200, 200}},
		{"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\nX-A: Content-Length: 1\r\nConnection: close\r\n\r\n", []int{200, 200}},
		{"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n\n x\n\n y\n\r\n0\r\n\r\n", []int{200}},
	} {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(conn, c.requests)
		in := bufio.NewReader(conn)
		var got []int
		for {
			res, err := http.ReadResponse(in, nil)
			if err != nil {
				break
			}
			io.Copy(io.Discard, res.Body)
			if got = append(got, res.StatusCode); res.Header.Get("X-Frame-Options") != "DENY" {
				t.Errorf("%.80q: answer %d has no headers: %v", c.requests, len(got), res.Header)
			}
		}
		conn.Close()
		if !slices.Equal(got, c.statuses) {
			t.Errorf("%.120q is answered with %d, want %d", c.requests, got, c.statuses)
		}
	}
}

// FuzzHeads holds what the connection sees of headers against what net/http reads, and against the text of each header.
func FuzzHeads(f *testing.F) {
	for _, seed := range []string{
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\nX-A: b\r\n c\r\n\r\n",
		"POST / HTTP/1.1\nHost: a\nContent-Length: 5\n\n\n x\n\nPOST / HTTP/1.1\nHost: a\nContent-Length: 1\ncontent-length: 1\n\nx",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length:  002 \r\n\r\nxyGET / HTTP/1.0\r\n\r\n",
	} {
		f.Add([]byte(seed), byte(3))
		f.Add([]byte(strings.ReplaceAll(seed, "-Length:", "-Length:"+strings.Repeat(" ", 60))), byte(200))
	}
	f.Fuzz(func(t *testing.T, stream []byte, size byte) {
		var pieces [][]byte
		for piece := range slices.Chunk(stream, int(size)+1) {
			pieces = append(pieces, piece)
		}
		got := gateway.Mended(pieces...)
		for i, want := range mendedByText(stream) {
			if i >= len(got) || got[i] != want {
				t.Fatalf("%q in pieces of %d: the header of request %d is mended: %v, the connection says %v", stream, int(size)+1, i, want, got)
			}
		}
	})
}

var (
	folded     = regexp.MustCompile(`\n[ \t]`)
	lengthLine = regexp.MustCompile(`(?i)\ncontent-length:`)
	longLength = regexp.MustCompile(`(?i)\ncontent-length:[^\n]{49}[^\r\n]`)
	transfer   = regexp.MustCompile(`(?i)\ntransfer-encoding:`)
)

// mendedByText reads requests with net/http, and says of each by its text whether it was mended.
func mendedByText(stream []byte) (out []bool) {
	for len(stream) > 0 {
		source := bytes.NewReader(stream)
		in := bufio.NewReader(source)
		r, err := http.ReadRequest(in)
		if err != nil || r.Method == "PRI" {
			return out
		}
		left := in.Buffered() + source.Len()
		head := string(stream[:len(stream)-left])
		lengths := len(lengthLine.FindAllString(head, -1))
		out = append(out, folded.MatchString(head) || lengths > 1 || lengths > 0 && transfer.MatchString(head) || longLength.MatchString(head))
		if out[len(out)-1] || transfer.MatchString(head) { // the connection ends
			return out
		}
		if n, err := io.Copy(io.Discard, r.Body); err != nil || n < r.ContentLength {
			return out
		}
		stream = stream[len(stream)-in.Buffered()-source.Len():]
	}
	return out
}
