//go:build linux

package faults_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// endless is what an application sends without ever coming to the end of its header.
type endless struct{ begin, again string }

// megabytes stands for 10 MiB.
const megabytes = "(10 MiB)"

// malformed are answers of an application on the wire, with what the client may see: a status, or -1 for an answer that is
// visibly aborted after its header.
var malformed = []struct {
	name, raw string
	status    int
	body      string
}{
	{"plain", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", 200, "x"},

	{"nothing", "", 502, ""},
	{"no version", "200 OK\r\n\r\n", 502, ""},
	{"another version", "HTTP/3.7 200 OK\r\nContent-Length: 0\r\n\r\n", 502, ""},
	{"no status", "HTTP/1.1\r\n\r\n", 502, ""},
	{"a status of letters", "HTTP/1.1 abc OK\r\n\r\n", 502, ""},
	{"a status of two digits", "HTTP/1.1 20 OK\r\n\r\n", 502, ""},
	{"a status of four digits", "HTTP/1.1 2000 OK\r\n\r\n", 502, ""},
	{"a negative status", "HTTP/1.1 -20 OK\r\n\r\n", 502, ""},
	{"status 000", "HTTP/1.1 000 X\r\nContent-Length: 0\r\n\r\n", 502, ""},
	{"no reason", "HTTP/1.1 200\r\nContent-Length: 1\r\n\r\nx", 200, "x"},
	{"HTTP/0.9", "<p>hello</p>", 502, ""},
	{"another protocol", "SSH-2.0-OpenSSH_9.9\r\n", 502, ""},
	{"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 502, ""},
	{"HTTP/2 settings", "\x00\x00\x00\x04\x00\x00\x00\x00\x00", 502, ""},
	{"a TLS alert", "\x15\x03\x01\x00\x02\x02\x46", 502, ""},

	{"no colon", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nX-A\r\n\r\nx", 502, ""},
	{"an empty name", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n: b\r\n\r\nx", 502, ""},
	{"a space before the colon", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nX-A : b\r\n\r\nx", 502, ""},
	{"a space in a name", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nX A: b\r\n\r\nx", 502, ""},
	{"NUL in a name", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nX\x00A: b\r\n\r\nx", 502, ""},
	{"NUL in a value", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nX-A: b\x00c\r\n\r\nx", 502, ""},
	{"CR in a value", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nX-A: b\rSet-Cookie: c=d\r\n\r\nx", 502, ""},
	{"obs-fold", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nX-A: b\r\n c\r\n\r\nx", 502, ""},
	{"obs-fold in the framing", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nX-Frame-Options: ALLOW\r\n ALL\r\n\r\nx", 502, ""},
	{"bare LF", "HTTP/1.1 200 OK\nContent-Length: 1\n\nx", 502, ""},
	{"a header of 10 MB", "HTTP/1.1 200 OK\r\nX-A: " + megabytes + "\r\nContent-Length: 1\r\n\r\nx", 502, ""},
	{"10 000 headers", "HTTP/1.1 200 OK\r\n" + strings.Repeat("X-A: aaaaaaaaaaaaaaaaaaaaaaaa\r\n", 10_000) + "Content-Length: 1\r\n\r\nx", 502, ""},
	{"half a header", "HTTP/1.1 200 OK\r\nContent-Le", 502, ""},

	{"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxy", 502, ""},
	{"the same length twice", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx", 502, ""},
	{"two lengths in one line", "HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\nx", 502, ""},
	{"a negative length", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nx", 502, ""},
	{"a length with a sign", "HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\nx", 502, ""},
	{"a length in hexadecimal", "HTTP/1.1 200 OK\r\nContent-Length: 0x1\r\n\r\nx", 502, ""},
	{"a length beyond 64 bits", "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551617\r\n\r\nx", 502, ""},
	{"length and chunks", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nxy\r\n0\r\n\r\n", 502, ""},
	{"gzip, chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", 502, ""},
	{"gzip as transfer coding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nx", 502, ""},
	{"identity", "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\nx", 502, ""},
	{"chunked twice", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", 502, ""},
	{"chunks over HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", 502, ""},
	{"letters as chunk size", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nx\r\n0\r\n\r\n", -1, ""},
	{"a negative chunk size", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\nx\r\n0\r\n\r\n", -1, ""},
	{"a chunk size beyond 64 bits", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000001\r\nx\r\n0\r\n\r\n", -1, ""},
	{"a chunk longer than its size", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxyz\r\n0\r\n\r\n", -1, ""},
	{"a long chunk line", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;" + strings.Repeat("a", 100_000) + "\r\nx\r\n0\r\n\r\n", -1, ""},
	{"no length at all", "HTTP/1.1 200 OK\r\n\r\nx", 200, "x"},

	{"204 with a body", "HTTP/1.1 204 No Content\r\nContent-Length: 1\r\n\r\nx", 204, ""},
	{"204 with chunks", "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", 204, ""},
	{"304 with a body", "HTTP/1.1 304 Not Modified\r\nContent-Length: 1\r\n\r\nx", 304, ""},
	{"304 with a response as its body", "HTTP/1.1 304 Not Modified\r\nContent-Length: 41\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", 304, ""},
	{"101 unasked", "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nevil", 502, ""},
	{"101 to nothing", "HTTP/1.1 101 Switching Protocols\r\n\r\nevil", 502, ""},
	{"100 and then the answer", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", 200, "x"},
	{"103 and then nothing", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", 502, ""},
	{"103 that does not end", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n", 502, ""},
	{"200 times 103", strings.Repeat("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", 200) + "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", 502, ""},
	{"a name that the gateway sets", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nMerlon-Nonce: x\r\n\r\nx", 200, "x"},
	{"framing in the trailer", "HTTP/1.1 200 OK\r\nTrailer: X-Frame-Options, Content-Security-Policy\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX-Frame-Options: ALLOWALL\r\nContent-Security-Policy: frame-ancestors *\r\n\r\n", 200, "x"},
}

// lenient are those that net/http's transport, which the policy file can choose, passes on.
var lenient = map[string]string{
	"another version":          "",
	"a space before the colon": "x",
	"a space in a name":        "x",
	"obs-fold":                 "x",
	"obs-fold in the framing":  "x",
	"bare LF":                  "x",
	"the same length twice":    "x",
	"length and chunks":        "xy",
	"chunks over HTTP/1.0":     "1\r\nx\r\n0\r\n\r\n",
	"200 times 103":            "x",
}

// What an application answers that is no HTTP becomes a page of 502, or an answer that is right, with all headers, and never one
// that only looks right.
func TestMalformedResponses(t *testing.T) {
	t.Parallel()
	rest(t)
	answer := requests(func(c net.Conn, r *http.Request) bool {
		i, err := strconv.Atoi(r.URL.Path[1:])
		if err != nil {
			t.Error(err)
			return false
		}
		io.WriteString(c, strings.ReplaceAll(malformed[i].raw, megabytes, strings.Repeat("a", 10<<20)))
		return false
	})
	for mode, start := range map[string]func(*testing.T, string, string) *proxyProcess{"http": spawn, "https": spawnTLS} {
		app := serveRaw(t, "127.0.0.1:0", answer)
		transport := map[string]string{"http": "pooled", "https": "net/http"}[mode]
		gw := start(t, app.url(), "nonce: forward\ntransport: "+transport)
		client := clientFor(t)
		var peak level
		for i, c := range malformed {
			what := mode + ", " + c.name
			if body, passes := lenient[c.name]; passes && transport == "net/http" {
				c.status, c.body = 200, body
			}
			res, err := client.Get(fmt.Sprintf("%s://%s/%d", mode, gw.addr, i))
			if err == nil && res.StatusCode == http.StatusBadGateway && c.status != http.StatusBadGateway && transport == "net/http" {
				res.Body.Close() // it may take bytes behind the answer before for this one
				res, err = client.Get(fmt.Sprintf("%s://%s/%d", mode, gw.addr, i))
			}
			if err != nil {
				if c.status != -1 {
					t.Errorf("%s: %v", what, err)
				}
				continue
			}
			body, err := io.ReadAll(res.Body)
			res.Body.Close()
			if res.StatusCode == http.StatusNotModified {
				err = nil // Go's client over HTTP/2 misses the body that a 304 may give the length of (RFC 9113 §8.1.1)
			}
			protected(t, what, res)
			if got := res.Header.Get("Merlon-Nonce"); got != "" {
				t.Errorf("%s: Merlon-Nonce: %s", what, got)
			}
			switch {
			case c.status == -1 && err == nil:
				t.Errorf("%s: %s %.80q looks complete", what, res.Status, body)
			case c.status > 0 && (res.StatusCode != c.status || err != nil):
				t.Errorf("%s: %s %v, want %d: %.80q", what, res.Status, err, c.status, body)
			case c.status == 502 && !strings.Contains(string(body), "The application does not answer."), c.status > 0 && c.status != 502 && string(body) != c.body:
				t.Errorf("%s: %.80q", what, body)
			}
			peak = gw.level(t)
		}
		app.kill()
		gw.settles(t, "malformed responses over "+mode, peak, client)
	}
}

// Headers without end are cut off long before they fill the memory.
func TestEndlessHeaders(t *testing.T) {
	t.Parallel()
	rest(t)
	lines := []endless{
		{"HTTP/1.1 200 OK\r\n", "X-A: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n"},
		{"HTTP/1.1 200 OK\r\nX-A: ", strings.Repeat("a", 1000)},
		{"HTTP/1.1 ", "2"},
	}
	app := serveRaw(t, "127.0.0.1:0", requests(func(c net.Conn, r *http.Request) bool {
		i, err := strconv.Atoi(r.URL.Path[1:])
		if err != nil {
			t.Error(err)
			return false
		}
		out := bufio.NewWriter(c)
		_, err = io.WriteString(out, lines[i].begin)
		for err == nil {
			_, err = io.WriteString(out, lines[i].again)
		}
		return false
	}))
	gw := spawn(t, app.url(), "nonce: forward")
	client := clientFor(t)
	for i, line := range lines {
		res, err := client.Get(fmt.Sprintf("http://%s/%d", gw.addr, i))
		if err != nil {
			t.Errorf("%q: %v", line, err)
			continue
		}
		res.Body.Close()
		protected(t, line.again, res)
		if res.StatusCode != 502 {
			t.Errorf("%.40q: %s, want 502", line, res.Status)
		}
	}
	peak := gw.level(t)
	if peak.resident-gw.idle.resident > 64<<10 {
		t.Errorf("resident memory went from %v to %v", gw.idle, peak)
	}
	app.kill()
	gw.settles(t, "endless headers", peak, client)
}

// What an application sends beyond its answer is nobody's: its connection ends, and the next request goes over another.
func TestBytesBeyondTheBody(t *testing.T) {
	t.Parallel()
	rest(t)
	const evil = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 4\r\n\r\nevil"
	beyond := map[string]string{
		"HEAD /":      "HTTP/1.1 200 OK\r\nContent-Length: " + strconv.Itoa(len(evil)) + "\r\n\r\n", // what applications do that forget that it has no body
		"GET /204":    "HTTP/1.1 204 No Content\r\n\r\n",
		"GET /304":    "HTTP/1.1 304 Not Modified\r\n\r\n",
		"GET /long":   "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
		"GET /chunks": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
	}
	left := make(chan struct{}, 1)
	app := serveRaw(t, "127.0.0.1:0", func(c net.Conn, in *bufio.Reader) {
		for {
			r, err := http.ReadRequest(in)
			if err != nil {
				return
			}
			begin, ok := beyond[r.Method+" "+r.URL.Path]
			if !ok {
				io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
				continue
			}
			io.WriteString(c, begin+evil)
			in.ReadByte() // until the gateway leaves, as it must
			left <- struct{}{}
			return
		}
	})
	gw := spawn(t, app.url(), "nonce: forward")
	client := clientFor(t)
	for what := range beyond {
		method, path, _ := strings.Cut(what, " ")
		req, err := http.NewRequestWithContext(t.Context(), method, "http://"+gw.addr+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		protected(t, what, res)
		if err != nil || strings.Contains(string(body), "evil") {
			t.Errorf("%s: %q, %v", what, body, err)
		}
		select {
		case <-left:
		case <-req.Context().Done():
			t.Fatalf("%s: the connection stays", what)
		}
		if res, body := exchange(t, client, "http://"+gw.addr+"/"); res.StatusCode != 200 || body != "ok" {
			t.Errorf("after %s: %s %q", what, res.Status, body)
		}
	}
	peak := gw.level(t)
	app.kill()
	gw.settles(t, "bytes beyond the body", peak, client)
}

// The same with many clients at once. http.Transport may hand the connection to the next request in the microseconds before it
// looks at those bytes, and take them for its answer (golang.org/issue/31259): there one answer in a thousand is another's.
func TestBytesBeyondTheBodyUnderLoad(t *testing.T) {
	t.Parallel()
	rest(t)
	app := serveRaw(t, "127.0.0.1:0", func(c net.Conn, in *bufio.Reader) {
		for {
			r, err := http.ReadRequest(in)
			if err != nil {
				return
			}
			answer := "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
			if r.URL.Path == "/long" {
				answer += "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"
			}
			io.WriteString(c, answer)
		}
	})
	gw := spawn(t, app.url(), "nonce: forward")
	client := clientFor(t)
	var clients sync.WaitGroup
	for i := range 16 {
		clients.Go(func() {
			for n := range 128 {
				path := "/"
				if (i+n)%2 == 0 {
					path = "/long"
				}
				res, err := client.Get("http://" + gw.addr + path)
				if err != nil {
					t.Error(err)
					return
				}
				body, err := io.ReadAll(res.Body)
				res.Body.Close()
				if string(body) != "ok" {
					t.Errorf("%s: %q, %v", path, body, err)
				}
			}
		})
	}
	clients.Wait()
	peak := gw.level(t)
	app.kill()
	gw.settles(t, "bytes beyond the body, under load", peak, client)
}
