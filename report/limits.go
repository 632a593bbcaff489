package report

import (
	"errors"
	"fmt"
	"time"
)

// The bounds of what Decode reads. Browsers stay well inside of them: a keepalive request may not carry more than 64 KiB, and
// Chromium and Firefox queue at most 100 reports for an endpoint.
const (
	MaxObjectBytes = 64 << 10 // one object: the legacy shape, and WebKit's
	MaxBatchBytes  = 1 << 20  // a batch
	MaxReports     = 100      // reports in a batch
	MaxDepth       = 8        // nested arrays and objects
	MaxKeys        = 64       // members of one object
	MaxFieldBytes  = 16 << 10 // one string that comes out; longer ones are cut
)

// maxAge bounds what a wrong or malicious clock can backdate.
const maxAge = 7 * 24 * time.Hour

// The errors of [Decode], for errors.Is. A bad body is the sender's, so each means: do not ask for it again.
var (
	ErrNotJSON   = errors.New("not JSON")
	ErrNotReport = errors.New("JSON, but not a report")
	ErrTooLarge  = errors.New("body too large")
	ErrTooMany   = errors.New("too many reports")
	ErrTooDeep   = errors.New("JSON nested too deeply")
	ErrTooWide   = errors.New("JSON object with too many members")
)

// checkNesting holds a body against MaxDepth and MaxKeys. It only counts brackets and colons outside of strings, so it
// needs no JSON and costs no memory whatever the body is.
func checkNesting(body []byte) error {
	var keys [MaxDepth + 1]int
	depth := 0
	for i := 0; i < len(body); i++ {
		switch body[i] {
		case '"':
			i = stringEnd(body, i)
		case '{', '[':
			if depth++; depth > MaxDepth {
				return fmt.Errorf("%w: more than %d levels", ErrTooDeep, MaxDepth)
			}
			keys[depth] = 0
		case '}', ']':
			depth = max(depth-1, 0)
		case ':':
			if keys[depth]++; keys[depth] > MaxKeys {
				return fmt.Errorf("%w: more than %d", ErrTooWide, MaxKeys)
			}
		}
	}
	return nil
}
