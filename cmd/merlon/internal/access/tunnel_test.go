package access_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/access"
)

// frame is a WebSocket frame with so many bytes of payload.
func frame(size int, masked bool) []byte {
	var b []byte
	switch {
	case size < 126:
		b = []byte{0x82, byte(size)}
	case size < 1<<16:
		b = binary.BigEndian.AppendUint16([]byte{0x82, 126}, uint16(size))
	default:
		b = binary.BigEndian.AppendUint64([]byte{0x82, 127}, uint64(size))
	}
	if masked {
		b[1] |= 0x80
		b = append(b, 1, 2, 3, 4)
	}
	return append(b, bytes.Repeat([]byte{0x88}, size)...) // which looks like the beginning of a Close frame
}

// However the application's frames are cut, the client gets whole ones and then the Close frame, whenever Leave comes.
func TestWebSocketsAreTold(t *testing.T) {
	var frames [][]byte
	for _, size := range []int{0, 1, 125, 126, 1000, 65_535, 65_536} {
		frames = append(frames, frame(size, false), frame(size, true))
	}
	stream := slices.Concat(frames...)
	closing := []byte{0x88, 2, 0x03, 0xe9}
	for _, tc := range []struct{ piece, before int }{
		{1, 0}, {1, 1}, {1, 2}, {1, 3}, {1, 150}, {7, 10}, {1000, 2}, {1000, 70}, {len(stream), 0}, {len(stream), 1},
	} {
		h := &access.Handler{}
		h.Next = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			i := 0
			for piece := range slices.Chunk(stream, tc.piece) {
				if i == tc.before {
					h.Leave()
				}
				i++
				if n, err := conn.Write(piece); n != len(piece) || err != nil {
					t.Errorf("Write = %d, %v, want %d", n, err, len(piece))
				}
			}
			if i == tc.before {
				h.Leave()
			}
			h.CutOff() // waits until all is said
		})
		got := converse(t, h)
		got, told := bytes.CutSuffix(got, closing)
		whole := 0
		for _, f := range frames {
			if !bytes.HasPrefix(got, f) {
				break
			}
			got, whole = got[len(f):], whole+1
		}
		if len(got) > 0 || !told && whole < len(frames) {
			t.Errorf("pieces of %d, told after %d: %d whole frames, %d bytes of another, told %t", tc.piece, tc.before, whole, len(got), told)
		}
	}
}

// converse asks for a WebSocket and returns what comes until the server closes.
func converse(t *testing.T, h http.Handler) []byte {
	t.Helper()
	srv := httptest.NewServer(h)
	defer srv.Close()
	conn, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n\r\n")
	got, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// A client that does not read holds up neither the others nor the end.
func TestDeafWebSocket(t *testing.T) {
	full, done := make(chan struct{}), make(chan struct{})
	h := &access.Handler{}
	h.Next = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		close(full)
		for err == nil {
			_, err = conn.Write(frame(1<<20, false)) // until nobody takes more
		}
		close(done)
	})
	srv := httptest.NewServer(h)
	defer srv.Close()
	conn, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	<-full
	h.Leave()
	h.CutOff()
	<-done
}
