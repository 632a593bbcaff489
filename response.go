package merlon

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"sync"
)

// response is one response on its way out. It stands between the handler and the server's ResponseWriter and is, to
// save an allocation, also the request's context. Contexts may outlive their handlers, so it is never pooled.
type response struct {
	context.Context // set only where the handlers need to find the response
	w               http.ResponseWriter
	guard           *Guard
	host            string
	trust           trust
	secure          int // 1 over https, the index of the plan's policies
	head            bool
	canonical       bool

	mu        sync.Mutex // handlers may ask for the nonce from several goroutines
	plan      *plan
	nonce     string
	committed bool

	values [maxFields]string // what the headers' slices point to; never shared between responses
	n      int
}

const maxFields = 16

type responseKey struct{}

// Value gives the response itself to [responseOf].
func (s *response) Value(key any) any {
	if key == (responseKey{}) {
		return s
	}
	return s.Context.Value(key)
}

func responseOf(ctx context.Context) *response {
	s, _ := ctx.Value(responseKey{}).(*response)
	return s
}

// change makes route count for this response. A Route of another Guard is misuse and changes nothing, and so is a
// path that other servers may read as another route.
func (s *response) change(rt *Route) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if rt.guard == s.guard && s.canonical && !s.committed {
		s.plan = rt.on(s.plan)
	}
}

func (s *response) Header() http.Header { return s.w.Header() }

// Unwrap lets http.ResponseController reach deadlines and full duplex.
func (s *response) Unwrap() http.ResponseWriter { return s.w }

// WriteHeader commits at the final status. 1xx are not final, except 101 (Switching Protocols).
func (s *response) WriteHeader(status int) {
	if status >= 200 || status == http.StatusSwitchingProtocols {
		s.commit(status)
	}
	s.w.WriteHeader(status)
}

func (s *response) Write(b []byte) (int, error) {
	s.commit(http.StatusOK)
	return s.w.Write(b)
}

func (s *response) WriteString(text string) (int, error) {
	s.commit(http.StatusOK)
	return io.WriteString(s.w, text)
}

// FlushError commits and flushes; http.ResponseController finds it before it would unwrap to the server's writer.
func (s *response) FlushError() error {
	s.commit(http.StatusOK)
	return http.NewResponseController(s.w).Flush()
}

func (s *response) flush() { _ = s.FlushError() } // http.Flusher has no way to tell

func (s *response) hijack() (net.Conn, *bufio.ReadWriter, error) {
	return s.w.(http.Hijacker).Hijack()
}

func (s *response) readFrom(src io.Reader) (int64, error) {
	s.commit(http.StatusOK)
	return s.w.(io.ReaderFrom).ReadFrom(src)
}

// dress returns s with the optional methods that the server's writer has and no others: handlers assert http.Flusher
// to know whether they can stream.
func (s *response) dress() http.ResponseWriter {
	_, f := s.w.(http.Flusher)
	_, h := s.w.(http.Hijacker)
	_, r := s.w.(io.ReaderFrom)
	switch {
	case f && h && r:
		return writerFHR{s}
	case f && h:
		return writerFH{s}
	case f && r:
		return writerFR{s}
	case h && r:
		return writerHR{s}
	case f:
		return writerF{s}
	case h:
		return writerH{s}
	case r:
		return writerR{s}
	}
	return s
}

type (
	writerF   struct{ *response }
	writerH   struct{ *response }
	writerR   struct{ *response }
	writerFH  struct{ *response }
	writerFR  struct{ *response }
	writerHR  struct{ *response }
	writerFHR struct{ *response }
)

func (w writerF) Flush()   { w.flush() }
func (w writerFH) Flush()  { w.flush() }
func (w writerFR) Flush()  { w.flush() }
func (w writerFHR) Flush() { w.flush() }

func (w writerH) Hijack() (net.Conn, *bufio.ReadWriter, error)   { return w.hijack() }
func (w writerFH) Hijack() (net.Conn, *bufio.ReadWriter, error)  { return w.hijack() }
func (w writerHR) Hijack() (net.Conn, *bufio.ReadWriter, error)  { return w.hijack() }
func (w writerFHR) Hijack() (net.Conn, *bufio.ReadWriter, error) { return w.hijack() }

func (w writerR) ReadFrom(src io.Reader) (int64, error)   { return w.readFrom(src) }
func (w writerFR) ReadFrom(src io.Reader) (int64, error)  { return w.readFrom(src) }
func (w writerHR) ReadFrom(src io.Reader) (int64, error)  { return w.readFrom(src) }
func (w writerFHR) ReadFrom(src io.Reader) (int64, error) { return w.readFrom(src) }
