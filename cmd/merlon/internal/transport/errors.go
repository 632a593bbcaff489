package transport

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"time"
)

// A timeoutError says which wait was too long. os.IsTimeout knows it, and so does errors.Is with os.ErrDeadlineExceeded.
type timeoutError struct {
	what  string
	after time.Duration
}

func (e *timeoutError) Error() string   { return fmt.Sprintf("%s took longer than %v", e.what, e.after) }
func (e *timeoutError) Timeout() bool   { return true }
func (e *timeoutError) Temporary() bool { return true }
func (e *timeoutError) Unwrap() error   { return os.ErrDeadlineExceeded }

// A staleError is the end of a pooled connection before the first byte of an answer: the application has closed it while it
// was unused, most likely.
type staleError struct {
	error
	sent bool // some of the request was written
}

func (e *staleError) Unwrap() error { return e.error }

// malformed is an answer that is no HTTP/1.1, or one that two readers could understand differently.
func malformed(format string, args ...any) error {
	return fmt.Errorf("the application's answer is malformed: "+format, args...)
}

var (
	errSilent   = errors.New("the application closed the connection without an answer")
	errTooLarge = errors.New("the application's answer has a header that is larger than allowed")
)

func isTimeout(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }

// isLost tells the ends of a connection that the other side causes.
func isLost(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) ||
		errors.Is(err, syscall.EPIPE) || errors.Is(err, net.ErrClosed)
}
