package access

import (
	"errors"
	"net"
	"strings"
	"sync"
	"sync/atomic"
)

// tunnels are the connections that were handed over and whose handlers still run.
type tunnels struct {
	mu   sync.Mutex
	open map[*Record]net.Conn

	leaving sync.WaitGroup // of those who tell clients: one who does not read holds up nobody else
}

// add keeps the connection until its handler ends, and returns the one to hand over.
func (t *tunnels) add(rec *Record, c net.Conn) net.Conn {
	if strings.EqualFold(rec.request.Header.Get("Upgrade"), "websocket") {
		c = &webSocket{Conn: c}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.open == nil {
		t.open = map[*Record]net.Conn{}
	}
	t.open[rec] = c
	return c
}

func (t *tunnels) remove(rec *Record) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.open, rec)
}

// each calls f for every connection that is open.
func (t *tunnels) each(f func(net.Conn)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range t.open {
		f(c)
	}
}

// goingAway is a whole Close frame with the status 1001: the endpoint goes away.
// https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1
var goingAway = [...]byte{0x88, 2, 1001 >> 8, 1001 & 0xff}

// webSocket is the client's end of a WebSocket. It follows the frames that go to the client, so that it can end the
// conversation between two of them.
type webSocket struct {
	net.Conn

	mu      sync.Mutex
	header  [14]byte // of the frame that has begun, as far as it is there
	n       int
	payload uint64 // what is still to come of the frame
	leaving bool   // the client is to hear of the end as soon as no frame is open
	left    bool   // it has heard: nothing more goes out
	closed  atomic.Bool
}

// Close closes the connection, also while a Write waits for a client that does not read.
func (w *webSocket) Close() error {
	w.closed.Store(true)
	return w.Conn.Close()
}

// Write passes frames on.
func (w *webSocket) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.closed.Load():
		return 0, net.ErrClosed
	case w.left:
		return len(b), nil
	}
	if !w.leaving {
		for rest := b; len(rest) > 0; {
			rest = rest[w.follow(rest):]
		}
		return w.Conn.Write(b)
	}
	end := 0
	for end < len(b) && !w.between() {
		end += w.follow(b[end:])
	}
	if n, err := w.Conn.Write(b[:end]); err != nil {
		return n, err
	}
	return len(b), w.leave()
}

// leaveSoon tells the client that the server goes away: now, or after the frame that has begun. What the application says after
// that is dropped, and the client's answer goes to it, so that both close.
func (w *webSocket) leaveSoon() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.leaving = true
	_ = w.leave() // who does not hear is gone
}

func (w *webSocket) leave() error {
	if w.left || !w.between() {
		return nil
	}
	w.left = true
	_, err := w.Conn.Write(goingAway[:])
	return err
}

func (w *webSocket) between() bool { return w.n == 0 && w.payload == 0 }

// follow takes what b has of one header or of one payload, at least a byte, and returns how much that is.
// https://www.rfc-editor.org/rfc/rfc6455#section-5.2
func (w *webSocket) follow(b []byte) int {
	if w.payload > 0 {
		n := min(w.payload, uint64(len(b)))
		w.payload -= n
		return int(n)
	}
	w.header[w.n] = b[0]
	w.n++
	if w.n < 2 {
		return 1
	}
	size := uint64(w.header[1] & 0x7f)
	extended := 0
	switch size {
	case 126:
		extended = 2
	case 127:
		extended = 8
	}
	masked := 0
	if w.header[1]&0x80 != 0 { // servers do not mask, but whoever does counts right
		masked = 4
	}
	if w.n < 2+extended+masked {
		return 1
	}
	if extended > 0 {
		size = 0
		for _, c := range w.header[2 : 2+extended] {
			size = size<<8 | uint64(c)
		}
	}
	w.n, w.payload = 0, size
	return 1
}

// CloseWrite ends one direction, as connections of net/http can.
func (w *webSocket) CloseWrite() error {
	if c, ok := w.Conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return errors.ErrUnsupported
}

// Leave tells the clients of WebSockets that the server goes away, and does not wait until they hear. CutOff must follow.
func (h *Handler) Leave() {
	h.tunnels.each(func(c net.Conn) {
		if w, ok := c.(*webSocket); ok {
			h.tunnels.leaving.Go(w.leaveSoon)
		}
	})
}

// CutOff closes the connections that were handed over, which http.Server.Close does not know.
func (h *Handler) CutOff() {
	h.tunnels.each(func(c net.Conn) { c.Close() })
	h.tunnels.leaving.Wait()
}
