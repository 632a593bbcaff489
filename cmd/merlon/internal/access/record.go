// Package access keeps what becomes of each request, for the access log and for metrics.
//
// A [Record] stands between net/http and the handler: it is the ResponseWriter, which knows status and length, and the
// request's context, in which the parts of the gateway find it and tell what only they know. To be both costs two
// allocations for a request; it is never pooled, because contexts and writers outlive handlers.
package access

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"time"
)

// Record is one request and what became of it. The methods that tell it something may be called on a nil Record, which
// forgets everything; all of them belong to the request's goroutine.
type Record struct {
	context.Context
	w       http.ResponseWriter
	request *http.Request
	hops    int // proxies in front whose word on the client is taken
	handler *Handler

	Start    time.Time
	Duration time.Duration

	Site  string // "" for requests that are no site's
	Route string // the pattern of the policy file that gave the response its headers; "" for the site's base

	Status int   // 101 for a connection that was handed over
	Bytes  int64 // of the body, as they went out
	Nonce  bool  // the response carries one

	Upstream       time.Duration // from asking the application to its header
	UpstreamAsked  bool
	UpstreamFailed bool // it gave no answer that could be passed on

	Page Page

	Hijacked bool // the connection was handed over, as for WebSocket
	Panicked bool
	Aborted  bool // the response was cut off: the application's body failed, or a handler panicked in the middle of it
	Withheld bool // the target holds a secret, so no log may show it
}

// Page is what was done to the HTML of a response. The zero Page was not rewritten.
type Page struct {
	Rewritten bool
	Nonced    int  // elements that carry the nonce
	Scrubbed  int  // placeholders that were made unreadable
	GaveUp    bool // from some point on nobody could tell what may have a nonce
}

type recordKey struct{}

// Value gives the record itself to [Of].
func (r *Record) Value(key any) any {
	if key == (recordKey{}) {
		return r
	}
	return r.Context.Value(key)
}

// Of returns the record of the request with the context, or nil.
func Of(ctx context.Context) *Record {
	r, _ := ctx.Value(recordKey{}).(*Record)
	return r
}

// ForSite tells whose request it is, and how many proxies in front of it are believed.
func (r *Record) ForSite(name string, hops int) {
	if r != nil {
		r.Site, r.hops = name, hops
	}
}

// Asked tells how long the application took to its header, or to fail.
func (r *Record) Asked(took time.Duration, failed bool) {
	if r != nil {
		r.Upstream, r.UpstreamAsked, r.UpstreamFailed = took, true, failed
	}
}

// Committed tells which route's headers went on, and whether a nonce is among them.
func (r *Record) Committed(route string, nonce bool) {
	if r != nil {
		r.Route, r.Nonce = route, nonce
	}
}

// RewrotePage tells what was done to a page.
func (r *Record) RewrotePage(p Page) {
	if r != nil {
		r.Page = p
	}
}

// Withhold keeps the request's target out of logs.
func (r *Record) Withhold() {
	if r != nil {
		r.Withheld = true
	}
}

// Recovered tells that a handler panicked, and returns whether the response can still be another one: nothing of it went out.
func (r *Record) Recovered() bool {
	if r == nil {
		return false
	}
	r.Panicked = true
	return r.Status == 0
}

// Request is the request as it came.
func (r *Record) Request() *http.Request { return r.request }

// Header is part of http.ResponseWriter.
func (r *Record) Header() http.Header { return r.w.Header() }

// Unwrap lets http.ResponseController reach deadlines and full duplex.
func (r *Record) Unwrap() http.ResponseWriter { return r.w }

// WriteHeader notes the final status; 1xx are not final, except 101.
func (r *Record) WriteHeader(status int) {
	if r.Status == 0 && (status >= 200 || status == http.StatusSwitchingProtocols) {
		r.Status = status
	}
	r.w.WriteHeader(status)
}

func (r *Record) began() {
	if r.Status == 0 {
		r.Status = http.StatusOK
	}
}

// Write counts what goes out.
func (r *Record) Write(b []byte) (int, error) {
	r.began()
	n, err := r.w.Write(b)
	r.Bytes += int64(n)
	return n, err
}

// WriteString counts what goes out.
func (r *Record) WriteString(s string) (int, error) {
	r.began()
	n, err := io.WriteString(r.w, s)
	r.Bytes += int64(n)
	return n, err
}

// FlushError flushes. http.ResponseController finds it before it would unwrap.
func (r *Record) FlushError() error {
	err := http.NewResponseController(r.w).Flush()
	if err == nil {
		r.began()
	}
	return err
}

// dress returns r with the optional methods that the server's writer has and no others, because handlers assert them: the
// two kinds of net/http, HTTP/1 and HTTP/2, and what wraps them and can only flush.
func (r *Record) dress() http.ResponseWriter {
	_, flushes := r.w.(http.Flusher)
	_, hijacks := r.w.(http.Hijacker)
	_, reads := r.w.(io.ReaderFrom)
	_, notifies := r.w.(closeNotifier)
	switch {
	case flushes && hijacks && reads && notifies:
		return http1{http2{flusher{r}}}
	case flushes && notifies:
		return http2{flusher{r}}
	case flushes:
		return flusher{r}
	}
	return r
}

type (
	flusher struct{ *Record }
	http2   struct{ flusher }
	http1   struct{ http2 }
)

// closeNotifier is http.CloseNotifier, which is deprecated, and which some frameworks want without asking.
type closeNotifier interface{ CloseNotify() <-chan bool }

func (w flusher) Flush() { _ = w.FlushError() } // http.Flusher has no way to tell

func (w http2) CloseNotify() <-chan bool { return w.w.(closeNotifier).CloseNotify() }

// Hijack hands the connection over. What goes out on it is not counted.
func (w http1) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := w.w.(http.Hijacker).Hijack()
	if err == nil {
		conn = w.handler.tunnels.add(w.Record, conn)
		w.Hijacked = true
		if w.Status == 0 {
			w.Status = http.StatusSwitchingProtocols
		}
	}
	return conn, buffered, err
}

// ReadFrom keeps the way from a file to the socket short.
func (w http1) ReadFrom(src io.Reader) (int64, error) {
	w.began()
	n, err := w.w.(io.ReaderFrom).ReadFrom(src)
	w.Bytes += n
	return n, err
}
