package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// maxMessageBytes bounds one message from the browser. A screenshot in base64 is the largest
// that is expected: about 30 MB for noise at 4K. A longer message ends the connection.
const maxMessageBytes = 64 << 20

// callLimit bounds every call, also one whose context has no deadline: an evaluation in a
// context that is gone is never answered, and neither is a screenshot of a hidden window.
const callLimit = 30 * time.Second

// writeLimit bounds one write. A browser that does not read for so long is lost.
const writeLimit = 10 * time.Second

// ProtocolError is the browser's own refusal of a call.
type ProtocolError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

func (e *ProtocolError) Error() string {
	return fmt.Sprintf("%s (%d)", e.Message, e.Code)
}

// request is one call. Session is CDP's addition to JSON-RPC: it names the page that a call
// is for, or that an event comes from.
type request struct {
	ID      int64  `json:"id"`
	Session string `json:"sessionId,omitempty"`
	Method  string `json:"method"`
	Params  any    `json:"params,omitempty"`
}

// message is what the browser sends: the answer to a call, or an event, which has no ID.
type message struct {
	ID      int64           `json:"id"`
	Session string          `json:"sessionId"`
	Method  string          `json:"method"`
	Params  json.RawMessage `json:"params"`
	Result  json.RawMessage `json:"result"`
	Error   *ProtocolError  `json:"error"`
}

// conn is a JSON-RPC client on a WebSocket: calls with numbered answers, and events.
// It knows nothing about any browser. It is safe for concurrent use.
type conn struct {
	ws *websocket.Conn
	on handlers

	mu      sync.Mutex
	last    int64
	pending map[int64]chan message

	done chan struct{} // closed when the connection has ended
	err  error         // why; read it after done only
}

// handlers is what a conn calls, always from its one reading goroutine: a handler that
// waits for a call would wait for itself.
type handlers struct {
	// event is told of each event. Its error ends the connection: what cannot be read may
	// be what would have proved the opposite.
	event func(session, method string, params json.RawMessage) error
	// lost is told why reading ended, and returns the error that all further calls give.
	lost func(error) error
}

// dial connects to a WebSocket address and begins to read. The goroutine ends with the
// connection; close waits for it.
func dial(ctx context.Context, url string, on handlers) (*conn, error) {
	ws, _, err := websocket.Dial(ctx, url, nil)
	if err != nil {
		return nil, fmt.Errorf("connecting to the browser: %w", err)
	}
	ws.SetReadLimit(maxMessageBytes)
	c := &conn{ws: ws, on: on, pending: map[int64]chan message{}, done: make(chan struct{})}
	go c.read()
	return c, nil
}

// close ends the connection and waits for the reader.
func (c *conn) close() {
	c.ws.CloseNow()
	<-c.done
}

// call sends one call and decodes its result into out, unless out is nil. The error is the
// cause of ctx's end, a *ProtocolError, or the reason why the connection ended.
func (c *conn) call(ctx context.Context, session, method string, params, out any) error {
	ctx, cancel := limit(ctx)
	defer cancel()
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", method, context.Cause(ctx)) // do not do what nobody waits for
	}
	id, answer := c.expect()
	defer c.forget(id)
	if err := c.write(request{ID: id, Session: session, Method: method, Params: params}); err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	select {
	case m := <-answer:
		if err := m.decode(out); err != nil {
			return fmt.Errorf("%s: %w", method, err)
		}
		return nil
	case <-c.done:
		return fmt.Errorf("%s: %w", method, c.err)
	case <-ctx.Done():
		return fmt.Errorf("%s: %w", method, context.Cause(ctx))
	}
}

// limit is ctx, ended after callLimit at the latest.
func limit(ctx context.Context) (context.Context, context.CancelFunc) {
	cause := fmt.Errorf("no answer within %v: %w", callLimit, context.DeadlineExceeded)
	return context.WithTimeoutCause(ctx, callLimit, cause)
}

func (m message) decode(out any) error {
	switch {
	case m.Error != nil:
		return m.Error
	case out == nil:
		return nil
	}
	return json.Unmarshal(m.Result, out)
}

func (c *conn) expect() (int64, <-chan message) {
	answer := make(chan message, 1) // the reader never waits for a caller
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last++
	c.pending[c.last] = answer
	return c.last, answer
}

func (c *conn) forget(id int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.pending, id)
}

// write does not take the caller's context: the WebSocket library closes the connection
// when a context ends in the middle of a frame, and others use this connection.
func (c *conn) write(r request) error {
	data, err := json.Marshal(r)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), writeLimit)
	defer cancel()
	if err := c.ws.Write(ctx, websocket.MessageText, data); err != nil {
		c.ws.CloseNow()
		<-c.done
		return c.err
	}
	return nil
}

func (c *conn) read() {
	err := c.readAll()
	c.ws.CloseNow()
	c.err = c.on.lost(err)
	close(c.done)
}

func (c *conn) readAll() error {
	for {
		_, data, err := c.ws.Read(context.Background())
		if err != nil {
			return err
		}
		var m message
		if err := json.Unmarshal(data, &m); err != nil {
			return fmt.Errorf("reading a message of the browser: %w", err)
		}
		if m.ID == 0 {
			if err := c.on.event(m.Session, m.Method, m.Params); err != nil {
				return fmt.Errorf("reading the event %s: %w", m.Method, err)
			}
			continue
		}
		c.deliver(m)
	}
}

func (c *conn) deliver(m message) {
	c.mu.Lock()
	answer := c.pending[m.ID]
	delete(c.pending, m.ID) // an answer that comes twice is dropped
	c.mu.Unlock()
	if answer != nil {
		answer <- m
	}
}
