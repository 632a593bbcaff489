package rewrite

import (
	"bytes"
	"errors"
	"io"
	"strconv"
)

// ErrPlaceholder is what a Reader ends with where the placeholder stands.
var ErrPlaceholder = errors.New("the request contains the placeholder")

const (
	// escaped is the length of the longest form of a letter that a Reader knows, \u006e.
	escaped = 6
	// chunk is how much a Reader reads at a time.
	chunk = 32 << 10
)

// Reader looks for a placeholder in the body of a request, which no client can know, as it passes the body on. It finds
// it as it is, percent-encoded in whole or part (as forms send it), and with letters written as \u006e (as JSON may have
// them); not in base64, in a content coding, or in other escapes. It holds back what may be the beginning of one, that is
// the letters, digits, % and \ at the end of what came, so that whoever reads gets no whole placeholder and nobody
// can tell from the delay how one begins. It is for one body and for one goroutine.
type Reader struct {
	src    io.Reader
	secret secret
	space  []byte
	buf    []byte // what came and has not been read, in space
	ready  int    // how much of buf may go out
	err    error  // of src
}

// NewReader returns a Reader of a body. The placeholder is one that CheckPlaceholder takes.
func NewReader(src io.Reader, placeholder string) *Reader {
	return &Reader{src: src, secret: newSecret(placeholder)}
}

// Read passes on the body up to where a placeholder may have begun.
func (r *Reader) Read(p []byte) (int, error) {
	for r.ready == 0 && r.err == nil {
		r.fill()
	}
	n := copy(p, r.buf[:r.ready])
	r.buf, r.ready = r.buf[n:], r.ready-n
	if n == 0 && len(p) > 0 {
		return 0, r.err
	}
	return n, nil
}

// fill reads once more, and decides how much may go out.
func (r *Reader) fill() {
	if r.space == nil {
		r.space = make([]byte, r.longest()+chunk)
	}
	held := copy(r.space, r.buf)
	n, err := r.src.Read(r.space[held : held+chunk])
	r.buf, r.err = r.space[:held+n], err
	switch {
	case r.found():
		r.buf, r.ready, r.err = nil, 0, ErrPlaceholder
	case err == nil:
		r.ready = len(r.buf) - r.tail()
	case err == io.EOF:
		r.ready = len(r.buf)
	default: // the rest is lost, and what is held back need not be seen
		r.ready = 0
	}
}

// found reports whether the placeholder stands in what is here.
func (r *Reader) found() bool {
	return r.secret.index(r.buf) >= 0 ||
		bytes.IndexByte(r.buf, '%') >= 0 && r.secret.index(unescape(r.buf, "%", 2)) >= 0 ||
		bytes.Contains(r.buf, []byte(`\u`)) && r.secret.index(unescape(r.buf, `\u`, 4)) >= 0
}

// tail is the length of the end in which a placeholder may have begun, going by the kind of the bytes alone.
func (r *Reader) tail() int {
	most := min(len(r.buf), r.longest())
	for n := range most {
		if c := r.buf[len(r.buf)-1-n]; !isAlnum(c) && c != '%' && c != '\\' {
			return n
		}
	}
	return most
}

func (r *Reader) longest() int { return escaped * len(r.secret.text) }

// unescape replaces a prefix and so many hexadecimal digits by the letter that they stand for, and leaves all else.
func unescape(b []byte, prefix string, digits int) []byte {
	out := make([]byte, 0, len(b))
	for {
		i := bytes.Index(b, []byte(prefix))
		if i < 0 {
			return append(out, b...)
		}
		out = append(out, b[:i]...)
		b = b[i:]
		end := len(prefix) + digits
		if len(b) >= end {
			if v, err := strconv.ParseUint(string(b[len(prefix):end]), 16, 16); err == nil && v < 0x80 {
				out, b = append(out, byte(v)), b[end:]
				continue
			}
		}
		out, b = append(out, b[0]), b[1:]
	}
}
