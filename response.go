package merlon

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"syscall"
)

// response is one response on its way out. It stands between the handler and the server's ResponseWriter and is, to
// save an allocation, also the request's context. Contexts may outlive their handlers, so it is never pooled.
type response struct {
	context.Context // set only where the handlers need to find the response
	w               http.ResponseWriter
	request         *http.Request // as the handler got it
	guard           *Guard        // as the caller has it
	host            string        // that the client asked for
	trace           *tracer       // set while Explain looks on
	trust           trust
	secure          uint8 // 1 over https, the index of what a plan has for each scheme
	head            bool
	canonical       bool

	mu        sync.Mutex // handlers may ask for the nonce from several goroutines
	plan      *plan
	nonce     string
	committed bool

	minted     *policy // the policy in whose text the nonce was made
	mintedText string

	misuses []Misuse // for the hook
	there   bit      // the headers that the handler has set

	unshared bool // what caches may do with the response is settled

	values [usualFields]string // what the headers' slices point to; never shared between responses
	n      int
}

// usualFields is how many headers a commit can set without another allocation.
const usualFields = 11

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

// outermost returns the response that a Guard further out has under way, or nil. The chain of writers leads to it without
// an allocation; the context does where somebody wrapped the writer and left out Unwrap.
func outermost(w http.ResponseWriter, r *http.Request) *response {
	for w != nil {
		if s, ok := w.(interface{ self() *response }); ok {
			return s.self()
		}
		inner, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			break
		}
		w = inner.Unwrap()
	}
	return responseOf(r.Context())
}

func (s *response) self() *response { return s }

// visible returns r with a context in which [Nonce] and [Amend] find the response.
func (s *response) visible(r *http.Request) *http.Request {
	if responseOf(r.Context()) == s {
		return r
	}
	s.Context = r.Context()
	return r.WithContext(s)
}

// change makes route count for this response. A Route of another Guard changes nothing, and on a path that other servers
// may read as another route one of this Guard may only tighten.
func (s *response) change(rt *Route) {
	s.mu.Lock()
	switch {
	case rt.guard != s.guard:
		s.misuse(ForeignRoute, "a route of another Guard")
	case !s.committed:
		if next := rt.on(s.plan); s.canonical || next.stricter {
			s.plan = next
			s.note("route", rt)
		}
	}
	s.mu.Unlock()
	s.tell()
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
	if !canFlush(s.w) {
		return http.ErrNotSupported // nothing goes out, so the handler may still change its headers
	}
	s.commit(http.StatusOK)
	return http.NewResponseController(s.w).Flush()
}

func canFlush(w http.ResponseWriter) bool {
	switch t := w.(type) {
	case interface{ FlushError() error }, http.Flusher:
		return true
	case interface{ Unwrap() http.ResponseWriter }:
		return canFlush(t.Unwrap())
	}
	return false
}

func (s *response) flush() { _ = s.FlushError() } // http.Flusher has no way to tell

// hijack hands the connection over. What goes out on it is no longer the Guard's.
func (s *response) hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buf, err := s.w.(http.Hijacker).Hijack()
	if err == nil {
		s.mu.Lock()
		s.committed = true
		s.mu.Unlock()
	}
	return conn, buf, err
}

// readFrom keeps the way from a file to the socket short. Other sources may fail before their first byte, and then the
// handler may still answer with an error, so that they go through Write.
func (s *response) readFrom(src io.Reader) (int64, error) {
	from := src
	if limited, ok := src.(*io.LimitedReader); ok {
		from = limited.R
	}
	if _, descriptor := from.(syscall.Conn); !descriptor { // io.Copy hands a file over in a wrapper of its own
		return io.Copy(struct{ io.Writer }{s}, src)
	}
	s.commit(http.StatusOK)
	return s.w.(io.ReaderFrom).ReadFrom(src)
}

// dress returns s with the optional methods that the server's writer has and no others: handlers assert http.Flusher
// to know whether they can stream.
func (s *response) dress() http.ResponseWriter {
	_, f := s.w.(http.Flusher)
	_, h := s.w.(http.Hijacker)
	_, r := s.w.(io.ReaderFrom)
	_, c := s.w.(closeNotifier)
	switch {
	case f && h && r && c:
		return writerFHRC{writerFHR{s}}
	case f && h && r:
		return writerFHR{s}
	case f && h:
		return writerFH{s}
	case f && r:
		return writerFR{s}
	case h && r:
		return writerHR{s}
	case f && c && !h:
		return writerFC{writerF{s}}
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

	// What net/http's own writers are, over HTTP/1 and HTTP/2. Some frameworks want a CloseNotify without asking.
	writerFHRC struct{ writerFHR }
	writerFC   struct{ writerF }
)

// closeNotifier is http.CloseNotifier, which is deprecated.
type closeNotifier interface{ CloseNotify() <-chan bool }

func (w writerFHRC) CloseNotify() <-chan bool { return w.w.(closeNotifier).CloseNotify() }
func (w writerFC) CloseNotify() <-chan bool   { return w.w.(closeNotifier).CloseNotify() }

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
