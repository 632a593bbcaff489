package transport_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/transport"
)

// An answer is bytes that an application sends, and what they must become.
type answer struct {
	name   string
	method string // GET unless set
	bytes  string
	want   result
	reuse  bool // the connection serves a second request
	closes bool // the application closes it after the answer
	// strict marks what Pooled refuses and net/http reads as want says. Nothing else may differ.
	strict bool
	// races marks bytes behind an answer that net/http may see before the next exchange or take for the answer to it.
	races bool
}

func header(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h.Add(pairs[i], pairs[i+1])
	}
	return h
}

func ok(body string, length int64, pairs ...string) result {
	return result{Status: "200 OK", Header: header(pairs...), Length: length, Body: body}
}

func trailing(r result, pairs ...string) result {
	r.Trailer = header(pairs...)
	return r
}

func cut(r result) result {
	r.BodyErr = "broken"
	return r
}

var broken = result{Err: "broken"}

var answers = []answer{
	// Bodies by their length.
	{name: "length", bytes: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", want: ok("ok", 2, "Content-Length", "2"), reuse: true},
	{name: "length of none", bytes: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", want: ok("", 0, "Content-Length", "0"), reuse: true},
	{name: "length with zeros", bytes: "HTTP/1.1 200 OK\r\nContent-Length: 002\r\n\r\nok", want: ok("ok", 2, "Content-Length", "002"), reuse: true},
	{name: "names in lower case", bytes: "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx-a:  1 \t\r\nX-A: 2\r\n\r\nok",
		want: ok("ok", 2, "Content-Length", "2", "X-A", "1", "X-A", "2"), reuse: true},
	{name: "no reason", bytes: "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", want: result{Status: "200", Header: header("Content-Length", "0")}, reuse: true},
	{name: "status that nobody knows", bytes: "HTTP/1.1 999 What?\r\nContent-Length: 0\r\n\r\n",
		want: result{Status: "999 What?", Header: header("Content-Length", "0")}, reuse: true},
	{name: "body cut", closes: true, bytes: "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\nok", want: cut(ok("ok", 9, "Content-Length", "9"))},
	{name: "bytes beyond the body", bytes: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
		want: ok("ok", 2, "Content-Length", "2")},
	{name: "long header", bytes: "HTTP/1.1 200 OK\r\nX-A: " + repeat("a", 9000) + "\r\nContent-Length: 2\r\n\r\nok",
		want: ok("ok", 2, "Content-Length", "2", "X-A", repeat("a", 9000)), reuse: true},
	{name: "header too large", bytes: "HTTP/1.1 200 OK\r\nX-A: " + repeat("a", 70_000) + "\r\nContent-Length: 2\r\n\r\nok", want: broken},
	{name: "pragma", bytes: "HTTP/1.1 200 OK\r\nPragma: no-cache\r\nContent-Length: 0\r\n\r\n",
		want: ok("", 0, "Content-Length", "0", "Pragma", "no-cache", "Cache-Control", "no-cache"), reuse: true},

	// Bodies that end with the connection.
	{name: "until the end", closes: true, bytes: "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nok", want: ok("ok", -1)},
	{name: "until the end unsaid", closes: true, bytes: "HTTP/1.1 200 OK\r\nX-Close: me\r\n\r\nok", want: ok("ok", -1, "X-Close", "me")},
	{name: "close", bytes: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok", want: ok("ok", 2, "Content-Length", "2")},
	{name: "HTTP/1.0", bytes: "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", want: ok("ok", 2, "Content-Length", "2")},
	{name: "HTTP/1.0 that goes on", bytes: "HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok",
		want: ok("ok", 2, "Content-Length", "2", "Connection", "keep-alive"), reuse: true},

	// Chunks and trailers.
	{name: "chunks", bytes: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1;x=y\r\nk\r\n0\r\n\r\n", want: ok("ok", -1), reuse: true},
	{name: "trailer", bytes: "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\nTrailer: X-A, x-c\r\n\r\n2\r\nok\r\n0\r\nX-A: 1\r\nX-C: 3\r\n\r\n",
		want: trailing(ok("ok", -1), "X-A", "1", "X-C", "3"), reuse: true},
	{name: "trailer unsaid", bytes: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-A: 1\r\n\r\n",
		want: trailing(ok("ok", -1), "X-A", "1"), reuse: true},
	{name: "trailer that does not come", bytes: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-A\r\n\r\n2\r\nok\r\n0\r\n\r\n",
		want: result{Status: "200 OK", Header: header(), Length: -1, Body: "ok", Trailer: http.Header{"X-A": nil}}, reuse: true},
	{name: "chunks cut", closes: true, bytes: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n5\r\nok", want: cut(ok("ok", -1))},
	{name: "last chunk missing", closes: true, bytes: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n2\r\nok\r\n", want: cut(ok("ok", -1))},
	{name: "end of trailer missing", closes: true, bytes: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n2\r\nok\r\n0\r\n", want: cut(ok("ok", -1))},
	{name: "chunk without CR", bytes: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\nok\r\n0\r\n\r\n", want: cut(ok("", -1))},
	{name: "chunk length that is none", bytes: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-2\r\nok\r\n0\r\n\r\n", want: cut(ok("", -1))},
	{name: "chunk of too many digits", bytes: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n00000000000000002\r\nok\r\n0\r\n\r\n", want: cut(ok("", -1))},
	{name: "long trailer", bytes: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-A: " + repeat("a", 9000) + "\r\n\r\n",
		want: cut(ok("ok", -1))},
	{name: "bytes beyond the last chunk", bytes: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\nmore", want: ok("ok", -1)},
	{name: "framing in the trailer", bytes: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nContent-Length: 5\r\n\r\n",
		want: trailing(ok("ok", -1), "Content-Length", "5"), reuse: true, strict: true},

	// No bodies.
	{name: "HEAD", method: "HEAD", bytes: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", want: ok("", 5, "Content-Length", "5"), reuse: true},
	{name: "HEAD of chunks", method: "HEAD", bytes: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", want: ok("", -1), reuse: true},
	{name: "HEAD of no length", method: "HEAD", bytes: "HTTP/1.1 200 OK\r\n\r\n", want: ok("", -1), reuse: true},
	{name: "204", bytes: "HTTP/1.1 204 No Content\r\n\r\n", want: result{Status: "204 No Content", Header: header()}, reuse: true},
	{name: "204 with a body", races: true, bytes: "HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nok",
		want: result{Status: "204 No Content", Header: header("Content-Length", "2")}},
	{name: "304", bytes: "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nETag: x\r\n\r\n",
		want: result{Status: "304 Not Modified", Header: header("Content-Length", "5", "Etag", "x")}, reuse: true},

	// Answers before the answer.
	{name: "103", bytes: "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
		want: ok("ok", 2, "Content-Length", "2"), reuse: true},
	{name: "100 that nobody asked for", bytes: "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
		want: ok("ok", 2, "Content-Length", "2"), reuse: true},
	{name: "103 with a length", bytes: "HTTP/1.1 103 Early Hints\r\nContent-Length: 2\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
		want: ok("ok", 2, "Content-Length", "2"), reuse: true, strict: true},
	{name: "endless 103", bytes: repeat("HTTP/1.1 103 Early Hints\r\nX-A: "+repeat("a", 8000)+"\r\n\r\n", 200), want: broken},

	// What is no answer.
	{name: "nothing", closes: true, bytes: "", want: broken},
	{name: "not HTTP", bytes: "220 mail.example ESMTP\r\n\r\n", want: broken},
	{name: "HTTP/2", bytes: "HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nok", want: ok("ok", 2, "Content-Length", "2"), reuse: true, strict: true},
	{name: "header cut", closes: true, bytes: "HTTP/1.1 200 OK\r\nContent-Le", want: broken},
	{name: "status of two digits", bytes: "HTTP/1.1 20 OK\r\n\r\n", want: broken},
	{name: "status with a sign", bytes: "HTTP/1.1 +20 OK\r\nContent-Length: 0\r\n\r\n", want: result{Status: "+20 OK", Header: header("Content-Length", "0")}, strict: true},
	{name: "two spaces", bytes: "HTTP/1.1  200 OK\r\nContent-Length: 2\r\n\r\nok", want: ok("ok", 2, "Content-Length", "2"), reuse: true, strict: true},
	{name: "control in the reason", bytes: "HTTP/1.1 200 O\x00K\r\nContent-Length: 0\r\n\r\n",
		want: result{Status: "200 O\x00K", Header: header("Content-Length", "0")}, reuse: true, strict: true},
	{name: "lines without CR", bytes: "HTTP/1.1 200 OK\nContent-Length: 2\n\nok", want: ok("ok", 2, "Content-Length", "2"), reuse: true, strict: true},
	{name: "one line without CR", bytes: "HTTP/1.1 200 OK\r\nX-A: 1\nContent-Length: 2\r\n\r\nok", want: ok("ok", 2, "Content-Length", "2", "X-A", "1"), reuse: true, strict: true},
	{name: "CR in a value", bytes: "HTTP/1.1 200 OK\r\nX-A: 1\r2\r\n\r\n", want: broken},
	{name: "NUL in a value", bytes: "HTTP/1.1 200 OK\r\nX-A: \x00\r\n\r\n", want: broken},
	{name: "folded line", bytes: "HTTP/1.1 200 OK\r\nX-A: 1\r\n 2\r\nContent-Length: 0\r\n\r\n", want: ok("", 0, "Content-Length", "0", "X-A", "1 2"), reuse: true, strict: true},
	{name: "folded first line", bytes: "HTTP/1.1 200 OK\r\n X-A: 1\r\n\r\n", want: broken},
	{name: "space before the colon", bytes: "HTTP/1.1 200 OK\r\nX-A : 1\r\nContent-Length: 0\r\n\r\n",
		want: result{Status: "200 OK", Header: http.Header{"X-A ": {"1"}, "Content-Length": {"0"}}}, reuse: true, strict: true},
	{name: "no name", bytes: "HTTP/1.1 200 OK\r\n: 1\r\n\r\n", want: broken},
	{name: "no colon", bytes: "HTTP/1.1 200 OK\r\nX-A\r\n\r\n", want: broken},
	{name: "name that is none", bytes: "HTTP/1.1 200 OK\r\nX(A): 1\r\n\r\n", want: broken},
	{name: "too many lines", bytes: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" + repeat("A: b\r\n", 1001) + "\r\n",
		want: result{Status: "200 OK", Header: http.Header{"Content-Length": {"0"}, "A": strings.Fields(repeat("b ", 1001))}}, reuse: true, strict: true},

	// Two ways to read how long it is.
	{name: "length and chunks", bytes: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
		want: ok("ok", -1), reuse: true, strict: true},
	{name: "chunks in HTTP/1.0", bytes: "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\nok", want: ok("ok", 2, "Content-Length", "2"), strict: true},
	{name: "two lengths", bytes: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok", want: broken},
	{name: "the same length twice", bytes: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok", want: ok("ok", 2, "Content-Length", "2"), reuse: true, strict: true},
	{name: "list of lengths", bytes: "HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok", want: broken},
	{name: "length with a sign", bytes: "HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok", want: broken},
	{name: "length in hexadecimal", bytes: "HTTP/1.1 200 OK\r\nContent-Length: 0x2\r\n\r\nok", want: broken},
	{name: "length too large", bytes: "HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775808\r\n\r\nok", want: broken},
	{name: "empty length", bytes: "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\nok", want: broken},
	{name: "other coding", bytes: "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", want: broken},
	{name: "two codings", bytes: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", want: broken},
	{name: "coding with a Kelvin sign", bytes: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chun\u212aed\r\n\r\n0\r\n\r\n", want: broken},
	{name: "coding with a vertical tab", bytes: "HTTP/1.1 200 OK\r\nTransfer-Encoding: \vchunked\r\n\r\n0\r\n\r\n", want: broken},
	{name: "framing announced as trailer", bytes: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: Content-Length\r\n\r\n0\r\n\r\n", want: broken},
	{name: "trailer that is no name", bytes: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: a b\r\n\r\n0\r\n\r\n",
		want: result{Status: "200 OK", Header: header(), Length: -1, Trailer: http.Header{"a b": nil}}, reuse: true, strict: true},
	{name: "switch that nobody asked for", closes: true, bytes: "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n",
		want: result{Status: "101 Switching Protocols", Header: header("Connection", "Upgrade", "Upgrade", "x")}, strict: true},
}

// TestAnswers holds both transports to what an answer is, and to how the connection goes on.
func TestAnswers(t *testing.T) {
	for _, tc := range answers {
		t.Run(tc.name, func(t *testing.T) {
			both(t, func(t *testing.T, k kind) {
				want := tc.want
				if tc.strict && k.name == pooled.name {
					want = refused(want)
				}
				serveAll := answering(tc.bytes)
				if tc.closes {
					serveAll = answeringOnce(tc.bytes)
				}
				server := serveRaw(t, serveAll)
				rt := k.start(t, transport.Config{MaxHeaderBytes: 64 << 10})
				for i := range int32(2) {
					got := fetch(rt, newRequest(t, tc.method, server.url, nil))
					if diff := cmp.Diff(want, got); diff != "" {
						t.Fatalf("exchange %d (-want +got):\n%s", i+1, diff)
					}
					if tc.races && k.name == standard.name {
						return
					}
				}
				conns := int32(2)
				if tc.reuse && want.Err == "" && want.BodyErr == "" {
					conns = 1
				}
				if got := server.accepted.Load(); got != conns {
					t.Errorf("two exchanges took %d connections, want %d", got, conns)
				}
			})
		})
	}
}

// refused is what becomes of an answer that Pooled refuses: of its body, when its header was well.
func refused(r result) result {
	if _, ok := r.Trailer["Content-Length"]; ok {
		r.BodyErr, r.Trailer = "broken", nil
		return r
	}
	return broken
}
