package transport

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// settleTime is how long an answered exchange waits for the last write of its request to return: the answer is complete, so
// the application has had the request, and its writer is about to hear so.
const settleTime = 50 * time.Millisecond

// An upload sends a request's body while the exchange waits for the answer, which may come before the body's end. It ends with the
// body or, at its next write, with the connection; a Read of the body that waits is the caller's to end.
type upload struct {
	conn    *conn
	config  *Config
	chunks  *sync.Pool
	body    io.ReadCloser
	length  int64
	trailer http.Header
	done    chan struct{} // closed when nothing more will be sent

	mu    sync.Mutex
	last  bool // the rest is going out in one write
	heard bool // the answer has begun: the deadline for reads is not ours any more
	err   error
}

func newUpload(x *exchange) *upload {
	return &upload{
		conn: x.conn, config: &x.pool.config, chunks: &x.pool.chunks,
		body: x.msg.body, length: x.msg.length, trailer: x.msg.req.Trailer, done: make(chan struct{}),
	}
}

func (u *upload) run() {
	buf := u.chunks.Get().(*[]byte)
	var err error
	if u.length == chunked {
		err = u.sendChunks(*buf)
	} else {
		err = u.sendBytes(*buf)
	}
	u.chunks.Put(buf)
	u.settle(err)
	close(u.done)
	u.body.Close()
}

// A readError is of the body, not of the connection.
type readError struct{ error }

func (e readError) Unwrap() error { return e.error }

func (u *upload) sendBytes(buf []byte) error {
	for left := u.length; left > 0; {
		n, err := u.body.Read(buf[:min(int64(len(buf)), left)])
		if left -= int64(n); left == 0 {
			u.setLast()
		}
		if n > 0 {
			if _, err := u.conn.nc.Write(buf[:n]); err != nil {
				return err
			}
		}
		if err == io.EOF && left > 0 {
			return readError{fmt.Errorf("the request's body is %d bytes shorter than its length of %d", left, u.length)}
		}
		if err != nil && left > 0 {
			return readError{err}
		}
	}
	return nil
}

// What stands around the data of a chunk of at most chunkBuffer bytes.
const (
	chunkHead = len("8000\r\n")
	chunkTail = len("\r\n")
)

// sendChunks sends what each Read returns as a chunk, in one write, so that nothing waits for more.
func (u *upload) sendChunks(buf []byte) error {
	for {
		n, err := u.body.Read(buf[chunkHead : len(buf)-chunkTail])
		if err != nil && err != io.EOF {
			return readError{err}
		}
		out := frameChunk(buf, n)
		if err == io.EOF {
			u.setLast()
			if out, err = u.appendEnd(out); err != nil {
				return err
			}
			_, err = u.conn.nc.Write(out)
			return err
		}
		if n > 0 {
			if _, err := u.conn.nc.Write(out); err != nil {
				return err
			}
		}
	}
}

// frameChunk puts the length before the n bytes that begin at chunkHead, and a line's end behind them. A chunk of none would end
// the body.
func frameChunk(buf []byte, n int) []byte {
	if n == 0 {
		return buf[:0]
	}
	var size [chunkHead]byte
	line := append(strconv.AppendInt(size[:0], int64(n), 16), "\r\n"...)
	start := chunkHead - len(line)
	copy(buf[start:], line)
	return append(buf[start:chunkHead+n], "\r\n"...)
}

func (u *upload) appendEnd(out []byte) ([]byte, error) {
	out = append(out, "0\r\n"...)
	for name, values := range u.trailer {
		for _, value := range values {
			if !allowedTrailer(name) || !validValue(value) {
				return nil, readError{fmt.Errorf("the request's trailer %q cannot be passed on", name)}
			}
			out = append(append(append(append(out, name...), ": "...), trimSpace(value)...), "\r\n"...)
		}
	}
	return append(out, "\r\n"...), nil
}

func (u *upload) setLast() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.last = true
}

// settle decides what the end of the upload means for who waits for the answer. When the application stops reading, its
// answer may be there all the same; when the body breaks off or nothing moves, there is nothing to wait for.
func (u *upload) settle(err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.err = err
	switch broken := (readError{}); {
	case errors.As(err, &broken):
		u.err = broken.error
		u.conn.close()
	case isTimeout(err):
		u.err = &timeoutError{"sending a request's body to the application", u.config.WriteTimeout}
		u.conn.close()
	default:
		if err != nil {
			u.err = fmt.Errorf("sending a request's body to the application: %w", err)
		}
		if !u.heard {
			u.conn.hang(u.config.HeaderTimeout)
		}
	}
}

// answered tells that the answer has begun, after which its reads have no deadline.
func (u *upload) answered() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.heard = true
}

// complete tells whether all of the body was sent. There is no upload where there is no body.
func (u *upload) complete() bool {
	if u == nil {
		return true
	}
	u.mu.Lock()
	last := u.last
	u.mu.Unlock()
	if !last {
		return false
	}
	timer := time.NewTimer(settleTime)
	defer timer.Stop()
	select {
	case <-u.done:
		return u.failure() == nil
	case <-timer.C:
		return false
	}
}

// failure returns why the body was not sent, if it was not.
func (u *upload) failure() error {
	if u == nil {
		return nil
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.err
}
