package transport_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/transport"
)

// FuzzAnswer compares Pooled with http.ReadResponse on the same bytes: both read the same answer, or Pooled refuses. It never reads
// what net/http refuses. TestAnswers lists what it refuses alone.
func FuzzAnswer(f *testing.F) {
	for _, a := range answers {
		f.Add([]byte(a.bytes), a.method == http.MethodHead)
	}
	f.Fuzz(func(t *testing.T, answer []byte, head bool) {
		method := http.MethodGet
		if head {
			method = http.MethodHead
		}
		req := newRequest(t, method, "http://app.example", nil)
		got := fetch(transport.Pooled(transport.Config{Dial: playing(answer)}), req)
		if got.Err != "" {
			return // stricter is fine
		}
		want, read := oracle(answer, req)
		if got.BodyErr != "" && want.BodyErr == "" {
			// Of the body, or of the trailer behind it, Pooled has refused a part. What it had handed out must be the beginning.
			if !strings.HasPrefix(want.Body, got.Body) {
				t.Errorf("the body %q breaks off as %q", want.Body, got.Body)
			}
			got.BodyErr, got.Body, got.Trailer = "", want.Body, want.Trailer
		}
		if diff := cmp.Diff(want, got); diff != "" || !read {
			t.Errorf("answer %q to %s (-net/http +Pooled):\n%s", answer, method, diff)
		}
	})
}

// oracle reads an answer as http.Transport does, past what is informational.
func oracle(answer []byte, req *http.Request) (result, bool) {
	br := bufio.NewReader(bytes.NewReader(answer))
	for {
		res, err := http.ReadResponse(br, req)
		if err != nil {
			return result{Err: "broken"}, false
		}
		if res.StatusCode < 200 && res.StatusCode != http.StatusSwitchingProtocols {
			continue
		}
		body, err := io.ReadAll(res.Body)
		return result{res.Status, res.Header, res.ContentLength, string(body), res.Trailer, "", class(err)}, true
	}
}

// playing connects to a record of an answer. It takes what is written, and ends.
func playing(answer []byte) transport.DialFunc {
	return func(context.Context, string, string) (net.Conn, error) {
		return &record{Reader: bytes.NewReader(answer)}, nil
	}
}

type record struct{ *bytes.Reader }

func (r *record) Write(p []byte) (int, error)      { return len(p), nil }
func (r *record) Close() error                     { return nil }
func (r *record) LocalAddr() net.Addr              { return &net.UnixAddr{} }
func (r *record) RemoteAddr() net.Addr             { return &net.UnixAddr{} }
func (r *record) SetDeadline(time.Time) error      { return nil }
func (r *record) SetReadDeadline(time.Time) error  { return nil }
func (r *record) SetWriteDeadline(time.Time) error { return nil }
