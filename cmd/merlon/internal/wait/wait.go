// Package wait is how tests wait for programs: for what they print, and for what nothing signals.
package wait

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"time"
)

// Limit turns a hang into a failure that says where; nothing takes nearly as long.
const Limit = 2 * time.Minute

// interval is how often Until asks: little work, and no longer than a person notices.
const interval = 10 * time.Millisecond

// Until asks until done says yes, for what nothing signals.
func Until(t testing.TB, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(Limit); !done(); time.Sleep(interval) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %v", what, Limit)
		}
	}
}

// Output collects what a program prints. It is safe for concurrent use.
type Output struct {
	mu   sync.Mutex
	buf  bytes.Buffer
	more chan struct{} // receives after a Write
	both *Output
}

// NewOutput returns an Output that is empty. What is written to it goes to both as well, unless that is nil: a program's standard output
// and its errors can be had apart and together.
func NewOutput(both *Output) *Output { return &Output{more: make(chan struct{}, 1), both: both} }

// Write adds what a program prints.
func (o *Output) Write(b []byte) (int, error) {
	if o.both != nil {
		defer o.both.Write(b) // behind, so that who finds it there finds it here too
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	select {
	case o.more <- struct{}{}:
	default:
	}
	return o.buf.Write(b)
}

// String is what was printed until now.
func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// For waits until text was printed. ended is closed when nothing more comes; nil for never. One goroutine at a time may wait.
func (o *Output) For(t testing.TB, text string, ended <-chan struct{}) {
	t.Helper()
	o.Match(t, text, ended, func(printed string) bool { return strings.Contains(printed, text) })
}

// Match waits as For does until what was printed matches. Failures name what.
func (o *Output) Match(t testing.TB, what string, ended <-chan struct{}, matches func(printed string) bool) {
	t.Helper()
	deadline := time.After(Limit)
	for !matches(o.String()) {
		select {
		case <-o.more:
		case <-ended:
			if matches(o.String()) { // printed with its last breath
				return
			}
			t.Fatalf("ended, and never printed %q:\n%s", what, o)
		case <-deadline:
			t.Fatalf("did not print %q within %v:\n%s", what, Limit, o)
		}
	}
}
