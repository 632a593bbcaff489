package gateway

import (
	"net/http"
	"time"
)

// stall bounds how long a client may keep one operation on its connection waiting: a read of what it owes, or a write of what it
// asked for. The server's own ReadTimeout and WriteTimeout are for whole requests, and a download may take a day.
type stall struct {
	conn  deadliner // the server's connection, or the stream; nil bounds nothing
	side  side
	limit time.Duration
	http1 bool
	last  time.Time
	timer *time.Timer
}

// side is what a stall bounds.
type side bool

const (
	reads  side = true
	writes side = false
)

func newStall(w http.ResponseWriter, r *http.Request, limit time.Duration, of side) stall {
	s := stall{side: of, limit: limit, http1: r.ProtoMajor == 1}
	if limit > 0 {
		s.conn = deadlinerOf(w)
	}
	return s
}

// set sets the deadline. An error shows in the operation.
func (s *stall) set(at time.Time) {
	if s.side == reads {
		_ = s.conn.SetReadDeadline(at)
	} else {
		_ = s.conn.SetWriteDeadline(at)
	}
}

// begin starts the time, which is the usual limit or less. Over HTTP/1.1 a deadline that passes between two operations harms nobody,
// and setting one costs as much as a small write; over HTTP/2 it resets the stream, so that a timer sets it only when it is due.
func (s *stall) begin(limit time.Duration) {
	switch {
	case s.conn == nil:
	case s.http1:
		if now := time.Now(); limit < s.limit || now.Sub(s.last) > s.limit/8 {
			s.last = now
			s.set(now.Add(limit))
		}
	case s.timer == nil:
		s.timer = time.AfterFunc(limit, func() { s.set(time.Unix(1, 0)) })
	default:
		s.timer.Reset(limit)
	}
}

func (s *stall) end() {
	if s.timer != nil {
		s.timer.Stop()
	}
}

// renew gives what net/http has kept back its whole time: it goes out when the handler has ended.
func (s *stall) renew() {
	if s.conn != nil && s.http1 {
		s.set(time.Now().Add(s.limit))
	}
}

// lift takes the deadline away, where something else follows on the connection.
func (s *stall) lift() {
	if s.conn != nil && s.http1 {
		s.set(time.Time{})
	}
}

// deadliner is what net/http's writers are, over HTTP/1 and HTTP/2.
type deadliner interface {
	SetWriteDeadline(time.Time) error
	SetReadDeadline(time.Time) error
}

// deadlinerOf finds the server's writer as http.ResponseController does, once for all operations of a response.
func deadlinerOf(w http.ResponseWriter) deadliner {
	for w != nil {
		if d, ok := w.(deadliner); ok {
			return d
		}
		inner, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return nil
		}
		w = inner.Unwrap()
	}
	return nil
}
