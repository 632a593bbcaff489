package rewrite

import (
	"cmp"
	"io"
	"strings"
)

// Scrubber makes a placeholder unreadable in what is written to it and passes the rest on unchanged: for bodies that are
// not HTML. Each character of the secret becomes an x, so the length does not change: Content-Length stays true, and
// what stood on both sides cannot join to a new secret. It also finds the secret in UTF-16. It holds back the
// letters and digits at the end of what was written, fewer than two secrets: any of them, so that nobody can tell from
// the delay what the secret begins with. It is for one response and for one goroutine.
//
// It cannot see through a content coding, and a part of a body (206) may begin or end inside the secret: whoever uses it
// must ask the upstream for whole, uncoded bodies.
type Scrubber struct {
	filter
	window
}

// NewScrubber returns a Scrubber that passes a body on to dst. If CheckPlaceholder refuses the placeholder, every Write
// fails with its error and nothing goes out.
func NewScrubber(dst io.Writer, placeholder string) *Scrubber {
	s := &Scrubber{filter: filter{dst: dst, err: CheckPlaceholder(placeholder)}}
	if s.err == nil {
		s.secrets = []secret{newSecret(placeholder)}
		s.widen()
	}
	return s
}

// Write passes p on, up to where the secret may have begun.
func (s *Scrubber) Write(p []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	s.feed(p, s.pass)
	if s.err != nil {
		return 0, s.err
	}
	return len(p), nil
}

// Flush flushes the destination if it can be flushed.
func (s *Scrubber) Flush() error { return s.flush() }

// Close passes on what was held back. It does not close the destination.
func (s *Scrubber) Close() error {
	if s.err == nil {
		s.last(s.held)
		s.held = nil
	}
	err := s.err
	s.err = cmp.Or(err, error(errClosed))
	return err
}

// Result returns what happened up to now.
func (s *Scrubber) Result() Result { return Result{Scrubbed: s.scrubbed} }

// Scrub returns text without the placeholder, in upper or lower case: for header fields.
func Scrub(text, placeholder string) string {
	n := len(placeholder)
	if n == 0 {
		return text
	}
	for i := 0; i+n <= len(text); i++ {
		if strings.EqualFold(text[i:i+n], placeholder) {
			text = text[:i] + strings.Repeat("x", n) + text[i+n:]
		}
	}
	return text
}
