package gateway

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"sync"
)

// What net/http mends in the header of a request without telling anybody: a length beside chunks, the same length twice, a line that
// goes on in the next. A server in front may have read it in the other way (RFC 9112 §6.3 and §5.2). So the bytes of each header are
// looked at on their way to net/http, and the Gateway refuses such a request.

// Watch returns a listener like l whose connections look at the headers of requests. It is for plain HTTP alone: what TLS carries
// cannot be seen here, and comes from clients rather than from a proxy's pool of connections. The server's ConnContext must be
// [Watched], and its handler one of [InOrder].
func Watch(l net.Listener) net.Listener { return watchedListener{l} }

// Watched lets the Gateway see what the connection has seen of a request's header.
func Watched(ctx context.Context, c net.Conn) context.Context {
	if w, ok := c.(*watchedConn); ok {
		return context.WithValue(ctx, headsKey{}, &w.heads)
	}
	return ctx
}

type headsKey struct{}

// InOrder returns a handler like next, around everything that a server answers: it goes on to the next header with each request.
func InOrder(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h := headsOf(r); h != nil {
			h.next()
		}
		next.ServeHTTP(w, r)
	})
}

// mended reports whether net/http has mended the header of the request.
func mended(r *http.Request) bool {
	h := headsOf(r)
	return h != nil && h.current
}

// headsOf returns what the connection has seen, or nil. Over HTTP/2 there are no such headers, and several requests at a time.
func headsOf(r *http.Request) *heads {
	if r.ProtoMajor != 1 {
		return nil
	}
	h, _ := r.Context().Value(headsKey{}).(*heads)
	return h
}

type watchedListener struct{ net.Listener }

func (l watchedListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &watchedConn{Conn: c}, nil
}

type watchedConn struct {
	net.Conn
	heads heads
}

func (c *watchedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.heads.see(b[:n])
	return n, err
}

// CloseWrite is how net/http ends a connection whose client may still be sending.
func (c *watchedConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// heads follows the requests of one connection, as far as their lengths tell where the next begins.
type heads struct {
	current bool // whether net/http has mended the header of the request that is being answered; of its goroutine

	mu      sync.Mutex // net/http reads on while a handler runs
	verdict []bool     // the same of those that were read whole since
	lost    bool       // nobody can say where the next header begins

	body    uint64 // bytes of a body that are still to come
	line    [maxPrefix]byte
	n       int  // bytes of the line in it
	cut     bool // the line has more
	first   bool // the request line has been read
	lengths int
	length  uint64
	chunks  bool
	mends   bool // net/http mends a line, or one is too long to know
}

const (
	// maxPrefix is how much of a line is looked at: a name and a length of 64 bits with some space.
	maxPrefix = 64
	// maxVerdicts is more than the requests that fit into what net/http reads at once.
	maxVerdicts = 1024
)

func (h *heads) next() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.current = len(h.verdict) > 0 && h.verdict[0]; len(h.verdict) > 0 {
		h.verdict = append(h.verdict[:0], h.verdict[1:]...)
	}
}

func (h *heads) see(b []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for len(b) > 0 && !h.lost {
		if h.body > 0 {
			skip := min(h.body, uint64(len(b)))
			h.body -= skip
			b = b[skip:]
			continue
		}
		i := bytes.IndexByte(b, '\n')
		if i < 0 {
			h.keep(b)
			return
		}
		h.keep(b[:i])
		h.endLine(bytes.TrimSuffix(h.line[:h.n], []byte("\r")))
		h.n, h.cut, b = 0, false, b[i+1:]
	}
}

// keep adds to the line, as far as it is looked at.
func (h *heads) keep(b []byte) {
	n := copy(h.line[h.n:], b)
	h.n += n
	h.cut = h.cut || n < len(bytes.TrimSuffix(b, []byte("\r")))
}

// endLine takes note of a line, of which it has the beginning.
func (h *heads) endLine(line []byte) {
	switch {
	case !h.first:
		h.first = true
		h.lost = bytes.HasPrefix(line, []byte("PRI ")) // HTTP/2
	case len(line) == 0:
		h.endHead()
	case line[0] == ' ' || line[0] == '\t':
		h.mends = true
	default:
		name, value, _ := bytes.Cut(line, []byte(":"))
		switch {
		case bytes.EqualFold(name, []byte("content-length")):
			h.lengths++
			h.length = parseLength(bytes.Trim(value, " \t"))
			h.mends = h.mends || h.cut // nobody honest writes a length so far to the right
		case bytes.EqualFold(name, []byte("transfer-encoding")):
			h.chunks = true
		}
	}
}

func (h *heads) endHead() {
	mends := h.mends || h.lengths > 1 || h.chunks && h.lengths > 0
	h.verdict = append(h.verdict, mends)
	h.lost = mends || h.chunks || len(h.verdict) > maxVerdicts // a refusal ends the connection, and so do chunks (see isLast)
	h.body = h.length
	h.first, h.mends, h.chunks, h.lengths, h.length = false, false, false, 0, 0
}

// parseLength reads a length that net/http takes. What it refuses, it answers itself, and ends the connection.
func parseLength(text []byte) uint64 {
	var n uint64
	for _, c := range text {
		if c < '0' || c > '9' {
			return 0
		}
		n = n*10 + uint64(c-'0')
	}
	return n
}
