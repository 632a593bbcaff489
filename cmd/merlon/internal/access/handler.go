package access

import (
	"log/slog"
	"net/http"
	"runtime/debug"
	"sync/atomic"
	"time"
)

// Handler keeps a Record of each request to Next.
type Handler struct {
	Next  http.Handler
	Log   *Log          // nil writes no access log
	Ended func(*Record) // is told of each request when it is over; nil: nobody
	Error *slog.Logger  // hears of panics that got this far

	inFlight atomic.Int64
	tunnels  tunnels
}

// InFlight returns how many requests are being answered, WebSockets included.
func (h *Handler) InFlight() int64 { return h.inFlight.Load() }

func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rec := &Record{Context: r.Context(), w: w, request: r, handler: h, Start: time.Now()}
	h.inFlight.Add(1)
	complete := false
	defer func() { h.end(rec, complete, recover()) }()
	h.Next.ServeHTTP(rec.dress(), r.WithContext(rec))
	complete = true
}

// end settles what is known at the end and tells everybody. A panic ends the connection, as it does without a Handler: only
// the sender's side can still tell the client that its response is not whole.
func (h *Handler) end(rec *Record, complete bool, panicked any) {
	rec.Duration = time.Since(rec.Start)
	if rec.Status == 0 && complete {
		rec.Status = http.StatusOK // of a handler that wrote nothing
	}
	if rec.request.Method == http.MethodHead {
		rec.Bytes = 0 // net/http takes what handlers write and sends nothing
	}
	rec.Aborted = !complete
	if panicked != nil && panicked != http.ErrAbortHandler {
		rec.Panicked = true
		LogPanic(h.Error, rec.request, panicked)
	}
	if rec.Hijacked {
		h.tunnels.remove(rec)
	}
	h.inFlight.Add(-1)
	if h.Log != nil {
		h.Log.Write(rec)
	}
	if h.Ended != nil {
		h.Ended(rec)
	}
	if !complete {
		panic(http.ErrAbortHandler)
	}
}

// LogPanic tells of a panic with its stack. It is for deferred functions that have just recovered it.
func LogPanic(log *slog.Logger, r *http.Request, value any) {
	log.Error("a handler panicked", "method", Method(r), "path", Path(r), "panic", value, "stack", string(debug.Stack()))
}
