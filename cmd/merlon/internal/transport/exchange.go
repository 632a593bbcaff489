package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/http/httputil"
	"net/textproto"

	"golang.org/x/net/http/httpguts"
)

// maxInformational bounds the 1xx answers before the final one.
const maxInformational = 100

// An exchange is one request and its answer on one connection. It ends when the answer's body does.
type exchange struct {
	pool   *Pool
	conn   *conn
	msg    *message // nil once the answer is delivered
	ctx    context.Context
	stop   func() bool // ends the watch on ctx; nil if there is none
	upload *upload     // nil if no body streams to the application
	heard  bool        // something of an answer has come
	close  bool        // the connection ends with the exchange

	res  http.Response
	body body
	te   [1]string
}

// exchange sends m on c, and owns c from here on. An error that is a *staleError leaves m to be sent again.
func (p *Pool) exchange(c *conn, m *message) (*http.Response, error) {
	x := &exchange{pool: p, conn: c, msg: m, ctx: m.req.Context(), close: m.close}
	if x.ctx.Done() != nil {
		x.stop = context.AfterFunc(x.ctx, c.close)
	}
	if err := x.run(); err != nil {
		return nil, x.fail(err)
	}
	return &x.res, nil
}

func (x *exchange) run() error {
	if n, err := x.conn.nc.Write(x.msg.head); err != nil {
		return x.writeError(n, err)
	}
	if x.msg.body != nil && !x.msg.expects {
		if err := x.startUpload(); err != nil {
			return err
		}
	}
	h, err := x.answer()
	if err != nil {
		return err
	}
	return x.deliver(h)
}

// writeError is the end of a request whose head did not get through. An application that refuses early and closes may have answered
// all the same, but with so little sent that is not worth another wait.
func (x *exchange) writeError(n int, err error) error {
	if isTimeout(err) {
		return &timeoutError{"sending a request to the application", x.pool.config.WriteTimeout}
	}
	if x.conn.reused && isLost(err) {
		return &staleError{err, n > 0}
	}
	return fmt.Errorf("sending a request to the application: %w", err)
}

// startUpload lets the body go out while the answer is waited for, from now on without a limit, which upload sets when it is done.
func (x *exchange) startUpload() error {
	if err := x.conn.hang(0); err != nil {
		return err
	}
	x.upload = newUpload(x)
	x.msg.body = nil
	go x.upload.run()
	return nil
}

// answer reads up to the header of the final answer, and passes on those before it.
func (x *exchange) answer() (head, error) {
	for range maxInformational + 1 {
		if err := x.await(); err != nil {
			return head{}, err
		}
		block, err := readBlock(x.conn.br, x.pool.config.MaxHeaderBytes)
		if err != nil {
			return head{}, err
		}
		h, err := parseHead(block)
		if err != nil || h.code >= 200 || h.code == http.StatusSwitchingProtocols {
			return h, err
		}
		if err := x.inform(h); err != nil {
			return h, err
		}
	}
	return head{}, malformed("more than %d informational answers", maxInformational)
}

// await waits for the first byte of an answer. A body that waits for 100 Continue is sent when that takes too long.
func (x *exchange) await() error {
	if x.msg.body == nil {
		_, err := x.conn.br.Peek(1)
		x.heard = x.heard || err == nil
		return err
	}
	if err := x.conn.hang(x.pool.config.ContinueTimeout); err != nil {
		return err
	}
	_, err := x.conn.br.Peek(1)
	if isTimeout(err) && x.ctx.Err() == nil {
		if err := x.startUpload(); err != nil {
			return err
		}
		return x.await()
	}
	if err != nil {
		return err
	}
	x.heard = true
	return x.conn.hang(x.pool.config.HeaderTimeout)
}

// inform passes an informational answer on to who asked for it, and sends the body that waited for it.
func (x *exchange) inform(h head) error {
	f, err := frame(h, x.msg.req.Method)
	if err == nil && (f.coded || f.stated > 0) {
		err = malformed("a %d has a body", h.code)
	}
	if err != nil {
		return err
	}
	x.close = x.close || f.close
	trace := httptrace.ContextClientTrace(x.ctx)
	if h.code == http.StatusContinue && trace != nil && trace.Got100Continue != nil {
		trace.Got100Continue()
	}
	if trace != nil && trace.Got1xxResponse != nil {
		if err := trace.Got1xxResponse(h.code, textproto.MIMEHeader(h.header)); err != nil {
			return err
		}
	}
	if h.code == http.StatusContinue && x.msg.body != nil {
		return x.startUpload()
	}
	return nil
}

// deliver makes the response of a final head.
func (x *exchange) deliver(h head) error {
	req := x.msg.req
	f, err := frame(h, req.Method)
	if err != nil {
		return err
	}
	honourPragma(h.header)
	if x.msg.body != nil { // the application wants no body, and the connection is where it would be
		x.msg.closeBody()
		x.close = true
	}
	x.close = x.close || f.close
	x.fill(h, f, req)
	x.msg = nil
	if h.code == http.StatusSwitchingProtocols {
		return x.switchProtocols(h)
	}
	return x.openBody(f)
}

func (x *exchange) fill(h head, f framing, req *http.Request) {
	x.res = http.Response{
		Status: h.status, StatusCode: h.code, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: h.minor,
		Header: h.header, ContentLength: f.length, Close: f.close, Trailer: f.trailer, Request: req, TLS: x.conn.tls,
	}
	if h.minor == 0 {
		x.res.Proto = "HTTP/1.0"
	}
	if req.Method == http.MethodHead {
		x.res.ContentLength = f.stated
	} else if f.length < 0 {
		x.res.ContentLength = -1
	}
	if f.coded {
		x.te[0] = "chunked"
		x.res.TransferEncoding = x.te[:]
	}
}

func (x *exchange) openBody(f framing) error {
	if x.upload != nil {
		x.upload.answered()
	}
	if f.length == 0 {
		x.res.Body = http.NoBody
		x.end(true)
		return nil
	}
	x.body.x, x.body.left = x, f.length
	if f.length == chunked {
		x.body.chunks = httputil.NewChunkedReader(x.conn.br)
	}
	x.res.Body = &x.body
	if x.conn.silence = x.pool.config.BodyTimeout; x.conn.silence > 0 {
		return nil // the reads bound themselves
	}
	if f.length > 0 && int64(x.conn.br.Buffered()) >= f.length {
		return nil // it is here, and nothing needs to wait
	}
	return x.conn.hang(0)
}

// switchProtocols hands the connection over to the caller. Who did not ask for a switch would not know what to do with it.
func (x *exchange) switchProtocols(h head) error {
	asked := x.res.Request.Header["Upgrade"]
	if len(asked) == 0 || !httpguts.HeaderValuesContainsToken(h.header["Connection"], "upgrade") {
		return malformed("it switches protocols, which the request did not ask for")
	}
	if !x.upload.complete() {
		return malformed("it switches protocols in the middle of the request's body")
	}
	if err := x.conn.hang(0); err != nil {
		return err
	}
	if x.stop != nil && !x.stop() {
		return net.ErrClosed
	}
	x.res.Body = &switched{x.conn}
	return nil
}

// end gives the connection back if nothing speaks against it: the answer was read to its end, nothing came after it, the request was
// sent to its end, and both sides want to go on.
func (x *exchange) end(clean bool) {
	clean = clean && !x.close && x.conn.br.Buffered() == 0 && x.upload.complete()
	if x.stop != nil && !x.stop() {
		clean = false // the watch closes it, now or soon
	}
	if clean {
		x.conn.silence = 0
		x.pool.put(x.conn)
	} else {
		x.conn.nc.Close()
	}
}

// fail ends an exchange without an answer, and says why.
func (x *exchange) fail(err error) error {
	err = x.reason(err)
	x.end(false)
	if x.msg != nil {
		x.msg.closeBody()
	}
	return err
}

func (x *exchange) reason(err error) error {
	var (
		stale *staleError
		late  *timeoutError
	)
	switch failed := x.upload.failure(); {
	case x.ctx.Err() != nil:
		return context.Cause(x.ctx)
	case failed != nil:
		return failed
	case errors.As(err, &stale), errors.As(err, &late):
		return err
	case isTimeout(err):
		return &timeoutError{"waiting for the application's answer", x.pool.config.HeaderTimeout}
	case x.conn.reused && !x.heard && isLost(err):
		return &staleError{errSilent, true}
	case err == io.EOF:
		return errSilent
	}
	return err
}
