package transport

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/http/httpguts"
)

// A Pool is a transport that speaks HTTP/1.1 on connections that it keeps. The goroutine that calls RoundTrip writes the
// request and reads the answer; only a body that streams to the application gets a goroutine of its own. All methods are safe
// for concurrent use. A Pool refuses answers that it calls malformed where http.Transport is lenient; docs/ARCHITECTURE.md
// says how.
type Pool struct {
	config Config
	heads  sync.Pool // of *[]byte: requests on their way
	chunks sync.Pool // of *[]byte: bodies on their way

	mu     sync.Mutex
	idle   []*conn     // the longest unused first
	timer  *time.Timer // runs while a connection is idle
	closed bool        // CloseIdleConnections was called and no request has come since
}

// Pooled returns a Pool set up by c, whose H2C has no meaning here.
func Pooled(c Config) *Pool {
	p := &Pool{config: c.withDefaults()}
	p.heads.New = func() any { return new(make([]byte, 0, headBuffer)) }
	p.chunks.New = func() any { return new(make([]byte, chunkBuffer)) }
	return p
}

// A target is where a connection leads.
type target struct{ scheme, host string }

// address returns the host, in its ASCII form, and the port, which the scheme says where the host does not.
func (t target) address() (name, port string, err error) {
	host, err := httpguts.PunycodeHostPort(t.host)
	if err != nil {
		return "", "", fmt.Errorf("the application's URL has the host %q, which is no name: %w", t.host, err)
	}
	if name, port, err := net.SplitHostPort(host); err == nil {
		return name, port, nil
	}
	port = "80"
	if t.scheme == "https" {
		port = "443"
	}
	return strings.TrimSuffix(strings.TrimPrefix(host, "["), "]"), port, nil
}

// RoundTrip sends a request and returns the answer as soon as its header is there, also when the request's body is still on its
// way. The connection is kept when the answer's body has been read to its end. Hooks of net/http/httptrace other than
// Got100Continue and Got1xxResponse are not called.
func (p *Pool) RoundTrip(req *http.Request) (*http.Response, error) {
	buf := p.heads.Get().(*[]byte)
	m, err := newMessage((*buf)[:0], req)
	defer func() {
		if cap(m.head) <= maxKeptHead {
			*buf = m.head
			p.heads.Put(buf)
		}
	}()
	if err == nil {
		err = context.Cause(req.Context())
	}
	if err != nil {
		m.closeBody()
		return nil, err
	}
	return p.send(m)
}

// send tries a kept connection first, and a new one if that turns out to be closed.
func (p *Pool) send(m *message) (*http.Response, error) {
	to := target{m.req.URL.Scheme, m.req.URL.Host}
	if c := p.take(to); c != nil {
		res, err := p.exchange(c, m)
		if err == nil {
			return res, nil
		}
		var stale *staleError
		if !errors.As(err, &stale) {
			return nil, err
		}
		if !m.repeat(stale.sent) {
			return nil, stale.error
		}
	}
	c, err := p.connect(m.req.Context(), to)
	if err != nil {
		m.closeBody()
		return nil, err
	}
	return p.exchange(c, m)
}

func (p *Pool) connect(ctx context.Context, to target) (*conn, error) {
	name, port, err := to.address()
	if err != nil {
		return nil, err
	}
	socket, err := p.config.dial(ctx, "tcp", net.JoinHostPort(name, port))
	if err != nil {
		return nil, causeOr(ctx, err)
	}
	nc := socket
	if to.scheme == "https" {
		nc, err = p.config.handshake(ctx, socket, name)
	}
	if err != nil {
		return nil, causeOr(ctx, err)
	}
	c := newConn(to, socket, nc)
	if err := c.hang(p.config.HeaderTimeout); err != nil {
		c.nc.Close()
		return nil, causeOr(ctx, err)
	}
	return c, nil
}

// causeOr returns why a context has ended, which matters more than what that broke, or err.
func causeOr(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// take returns a kept connection, the latest used first, or nil. Its reads are bounded already.
func (p *Pool) take(to target) *conn {
	for {
		c := p.pop(to)
		if c == nil {
			return nil
		}
		if c.wake(p.config.HeaderTimeout) {
			return c
		}
		c.nc.Close()
	}
}

func (p *Pool) pop(to target) *conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = false
	for i := len(p.idle) - 1; i >= 0; i-- {
		if c := p.idle[i]; c.target == to {
			copy(p.idle[i:], p.idle[i+1:])
			p.idle[len(p.idle)-1] = nil
			p.idle = p.idle[:len(p.idle)-1]
			return c
		}
	}
	return nil
}

// put keeps a connection for the next request, or closes it if there are enough.
func (p *Pool) put(c *conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || len(p.idle) >= p.config.MaxIdle {
		c.nc.Close()
		return
	}
	c.reused, c.idleAt = true, time.Now()
	p.idle = append(p.idle, c)
	if p.timer == nil {
		p.startTimer(p.config.IdleTimeout)
	}
}

// sweepInterval is how often unused connections are looked at: one that the application has closed holds a descriptor on both sides.
const sweepInterval = time.Second

// sweep closes what has been unused for too long, and what the application has closed. One timer serves all connections, and
// none runs without one.
func (p *Pool) sweep() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.timer == nil { // CloseIdleConnections was quicker
		return
	}
	now, kept := time.Now(), p.idle[:0]
	for _, c := range p.idle {
		if now.Sub(c.idleAt) >= p.config.IdleTimeout || !c.open(0) {
			c.nc.Close()
		} else {
			kept = append(kept, c)
		}
	}
	clear(p.idle[len(kept):])
	p.idle, p.timer = kept, nil
	if len(kept) > 0 {
		p.startTimer(p.config.IdleTimeout - now.Sub(kept[0].idleAt))
	}
}

// startTimer sweeps after the time, or sooner. The caller holds the lock.
func (p *Pool) startTimer(after time.Duration) {
	p.timer = time.AfterFunc(min(after, sweepInterval), p.sweep)
}

// CloseIdleConnections closes all connections that no exchange uses, and those in use when theirs ends, unless another
// request begins before.
func (p *Pool) CloseIdleConnections() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.idle {
		c.nc.Close()
	}
	p.idle, p.closed = nil, true
	if p.timer != nil {
		p.timer.Stop()
		p.timer = nil
	}
}
