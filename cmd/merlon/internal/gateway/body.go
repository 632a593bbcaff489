package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// minBodyRate is how fast a client must send a body on the average, in bytes per second, once the time for a silence has passed: who
// sends a byte now and then holds a connection to the application.
const minBodyRate = 512

var (
	errTooLarge   = errors.New("the body of the request is larger than max-body")
	errSlowClient = errors.New("the client sends the body of its request too slowly")
	errNoBody     = errors.New("the client breaks off in the body of its request")
)

// bounded bounds the body of r in time, and in size unless that is 0. It returns the body, nil where there is none.
func bounded(w http.ResponseWriter, r *http.Request, silence time.Duration, size int64) *incoming {
	if r.Body == nil || r.Body == http.NoBody || r.ContentLength == 0 {
		return nil
	}
	b := &incoming{ReadCloser: r.Body, request: r, left: size, start: time.Now(), stall: newStall(w, r, silence, reads)}
	if size == 0 {
		b.left = -1
	}
	r.Body = b
	return b
}

// incoming is the body of a request. Its errors say that it is the client's fault.
type incoming struct {
	io.ReadCloser
	request *http.Request
	mu      sync.Mutex // held while reading
	fault   error      // of the client
	left    int64      // bytes that may come, -1 for any number
	read    int64
	start   time.Time
	stall   stall
}

func (b *incoming) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stall.begin(b.patience())
	if b.left >= 0 && int64(len(p)) > b.left+1 {
		p = p[:b.left+1] // one more tells a body of just the size from a larger one
	}
	n, err := b.ReadCloser.Read(p)
	b.stall.end()
	b.read += int64(n)
	if b.left >= 0 {
		if b.left -= int64(n); b.left < 0 {
			n, err, b.left = n-1, errTooLarge, 0
		}
	}
	switch {
	case err == nil:
		return n, nil
	case err == io.EOF:
		cleanTrailer(b.request.Trailer) // which has just been filled, also with names that were not announced
		b.stall.lift()                  // net/http goes on reading, to see whether the client leaves; of a body that was not read, it reads the rest
		return n, err
	case errors.Is(err, os.ErrDeadlineExceeded):
		err = errSlowClient
	case err != errTooLarge:
		err = fmt.Errorf("%w: %w", errNoBody, err)
	}
	b.fault = err
	return n, err
}

// cause returns what the client did wrong with the body, or err. When reading from a client fails, net/http cancels the request's
// context before the reader hears of it.
func (b *incoming) cause(err error) error {
	if b == nil || !errors.Is(err, context.Canceled) {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return cmp.Or(b.fault, err)
}

// patience is how long the client may be silent now: the usual time, if what it has sent until now came fast enough.
func (b *incoming) patience() time.Duration {
	due := b.start.Add(b.stall.limit + time.Duration(b.read/minBodyRate)*time.Second)
	return max(min(b.stall.limit, time.Until(due)), 0)
}

// watching bounds how long the bodies of responses may stand still, for net/http's transport, which cannot. transport.Pool does so
// itself, for less. Both do it below the decoder of a body, which nobody may close while another reads.
type watching struct {
	connections
	limit time.Duration // 0 for none
}

func (t watching) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := t.connections.RoundTrip(r)
	if err == nil && t.limit > 0 && res.StatusCode != http.StatusSwitchingProtocols && res.Body != http.NoBody {
		res.Body = newWatched(res.Body, t.limit)
	}
	return res, err
}

// watched is the body of a response that fails when nothing of it comes for too long.
type watched struct {
	io.ReadCloser
	limit time.Duration
	timer *time.Timer
	late  atomic.Bool
}

func newWatched(body io.ReadCloser, limit time.Duration) *watched {
	w := &watched{ReadCloser: body, limit: limit}
	w.timer = time.AfterFunc(limit, func() {
		w.late.Store(true)
		body.Close() // which ends the Read that waits
	})
	w.timer.Stop()
	return w
}

func (w *watched) Read(p []byte) (int, error) {
	w.timer.Reset(w.limit)
	n, err := w.ReadCloser.Read(p)
	w.timer.Stop()
	if err != nil && err != io.EOF && w.late.Load() {
		err = fmt.Errorf("the application sent nothing of the body for %v: %w", w.limit, os.ErrDeadlineExceeded)
	}
	return n, err
}

func (w *watched) Close() error {
	w.timer.Stop()
	return w.ReadCloser.Close()
}
