package transport

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"sync"
)

// maxTrailerBytes bounds the fields after a chunked body; net/http has the same bound.
const maxTrailerBytes = 4 << 10

// A body is an answer's. Close may be called while Read waits, and ends it.
type body struct {
	x      *exchange
	chunks io.Reader // nil unless chunked
	left   int64     // bytes to come, chunked or untilEOF

	mu  sync.Mutex
	err error // what Read says from now on
}

// Read reads what has come. The end is told together with the last bytes where it is known then, so that the connection is free
// when a caller that reads no further has what it wants.
func (b *body) Read(p []byte) (int, error) {
	if err := b.state(); err != nil || len(p) == 0 {
		return 0, err
	}
	n, err := b.read(p)
	if err == nil {
		return n, nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err == nil { // else it was closed meanwhile
		b.err = err
		b.x.end(err == io.EOF)
	}
	return n, b.err
}

func (b *body) state() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.err
}

func (b *body) read(p []byte) (n int, err error) {
	switch br := b.x.conn.br; {
	case b.chunks != nil:
		if n, err = b.chunks.Read(p); err == io.EOF {
			err = b.readTrailer()
		}
	case b.left == untilEOF:
		n, err = br.Read(p)
	default:
		n, err = br.Read(p[:min(int64(len(p)), b.left)])
		if b.left -= int64(n); b.left == 0 {
			return n, io.EOF
		}
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
	}
	if err != nil && err != io.EOF {
		err = causeOr(b.x.ctx, b.late(err))
	}
	return n, err
}

// late says of a read that took too long what it waited for.
func (b *body) late(err error) error {
	if limit := b.x.conn.silence; limit > 0 && isTimeout(err) {
		return fmt.Errorf("the application sent nothing of the body for %v: %w", limit, os.ErrDeadlineExceeded)
	}
	return err
}

// readTrailer reads what follows the last chunk: an empty line, and before it fields, if any. It returns io.EOF when all is well.
func (b *body) readTrailer() error {
	br := b.x.conn.br
	next, err := br.Peek(2)
	if string(next) == "\r\n" {
		br.Discard(2)
		return io.EOF
	}
	if err != nil {
		return unexpected(err)
	}
	block, err := readBlock(br, maxTrailerBytes)
	if err != nil {
		return unexpected(err)
	}
	fields, err := parseFields(block)
	if err != nil {
		return err
	}
	for name := range fields {
		if !allowedTrailer(name) {
			return malformed("it has %s in its trailer", name)
		}
	}
	if res := &b.x.res; res.Trailer == nil {
		res.Trailer = fields
	} else {
		maps.Copy(res.Trailer, fields)
	}
	return io.EOF
}

func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// Close ends the exchange. Before the end of the body that closes the connection.
func (b *body) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err == nil {
		b.x.end(false)
	}
	b.err = http.ErrBodyReadAfterClose
	return nil
}
