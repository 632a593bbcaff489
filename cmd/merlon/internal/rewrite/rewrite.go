package rewrite

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// Mode says which elements get the nonce.
type Mode int

const (
	// Placeholder replaces Options.Placeholder where it is the whole value of the first nonce attribute of a script,
	// style or link element, and scrubs it everywhere else. The application decides what it vouches for.
	Placeholder Mode = iota
	// Inject gives the nonce to every script and style element, whoever wrote it. That switches off what the nonce
	// protects from: markup that an attacker got into the page is vouched for as well.
	Inject
)

const (
	// nonceLen is the length of 128 bits in base64url without padding, attestedLen that of 64 bits more, which attest them.
	nonceLen    = 22
	attestedLen = 32
	// minSecret is long enough that half of it, 16 hexadecimal digits, has 64 bits: with half of the secret a client could
	// find the rest (see filter.last).
	minSecret = 32
	maxSecret = 256
	// maxTag bounds what is held back: a longer tag passes without a nonce.
	maxTag = 64 << 10
)

// Options configures a Writer.
type Options struct {
	Mode Mode
	// Nonce is the nonce of this response: 22 or 32 characters of base64url.
	Nonce string
	// Placeholder is the secret that the application prints instead of a nonce: 32 to 256 random ASCII letters and digits,
	// the first a letter. Nothing else is allowed, because letters and digits are what no HTML, JSON or URL encoder rewrites: an escaped
	// secret would not be recognised. Mode Inject does not use it.
	Placeholder string
	// Charset is the charset parameter of the response's Content-Type, empty when there is none.
	Charset string
}

// Check reports every mistake in o, joined.
func (o Options) Check() error {
	var errs []error
	if o.Mode != Placeholder && o.Mode != Inject {
		errs = append(errs, fmt.Errorf("rewrite: unknown mode %d", o.Mode))
	}
	if len(o.Nonce) != nonceLen && len(o.Nonce) != attestedLen || !only(o.Nonce, "-_") {
		errs = append(errs, errors.New("rewrite: the nonce is not 22 or 32 characters of base64url"))
	}
	if o.Mode == Placeholder {
		errs = append(errs, CheckPlaceholder(o.Placeholder))
	}
	return errors.Join(errs...)
}

// CheckPlaceholder reports whether secret can serve as Options.Placeholder. The error does not contain it.
func CheckPlaceholder(secret string) error {
	if len(secret) < minSecret || len(secret) > maxSecret || !only(secret, "") || !isLetter(secret[0]) {
		return fmt.Errorf("rewrite: a placeholder is a letter and %d to %d ASCII letters and digits, so many that half of it has "+
			"at least 64 random bits, for example n and 32 random hexadecimal digits", minSecret-1, maxSecret-1)
	}
	return nil
}

func only(s, also string) bool {
	for i := range len(s) {
		if !isAlnum(s[i]) && !strings.Contains(also, s[i:i+1]) {
			return false
		}
	}
	return true
}

func isAlnum(c byte) bool { return '0' <= c && c <= '9' || isLetter(c) }

// Writer puts nonces into the HTML that is written to it and passes it on. It holds back an unfinished script, style or
// link start tag (up to 64 KiB) and otherwise a few bytes: of a word at the end, no more than the placeholder has. It is for one response and for one goroutine.
type Writer struct {
	filter
	window
	mode      Mode
	nonce     []byte // with the text around it in mode Inject
	checkESC  bool
	begun     bool
	nonced    int
	policies  int // of meta elements
	pos, sent int // in the window: what the tokenizer has read, what has gone out
	state     state
	raw       name // the element whose text is read in the states rawText, forkText and script*
	dashes    int  // in comments and escaped script data
	opening   bool
	brackets  int
	tag       tag
	tree      tree
}

// NewWriter returns a Writer that passes HTML on to dst. With Options that Check refuses, every Write fails with its
// error and nothing goes out.
func NewWriter(dst io.Writer, o Options) *Writer {
	w := &Writer{mode: o.Mode, filter: filter{dst: dst, err: o.Check()}}
	if w.err != nil {
		return w
	}
	charset := strings.ToLower(strings.TrimSpace(o.Charset))
	w.checkESC = charset == ""
	switch o.Mode {
	case Placeholder:
		w.nonce = []byte(o.Nonce)
		w.secrets = []secret{newSecret(o.Placeholder)}
	case Inject:
		w.nonce = []byte(` nonce="` + o.Nonce + `"`)
	}
	if !readable(charset) {
		w.giveUp()
		w.widen()
	}
	return w
}

// Write passes p on, with nonces, up to what cannot be decided yet.
func (w *Writer) Write(p []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	w.feed(p, w.step)
	if w.err != nil {
		return 0, w.err
	}
	return len(p), nil
}

// Flush flushes the destination if it can be flushed. Write has passed on whatever was decided.
func (w *Writer) Flush() error { return w.flush() }

// Close passes on what was held back, without a nonce: a start tag that the end of input cuts off is no element. It does
// not close the destination.
func (w *Writer) Close() error {
	if w.err == nil {
		w.last(w.held)
		w.held = nil
	}
	err := w.err
	w.err = cmp.Or(err, error(errClosed))
	return err
}

var errClosed = errors.New("rewrite: write after Close")

// Result is what a Writer or Scrubber did.
type Result struct {
	// Nonced counts the start tags that carry the nonce.
	Nonced int
	// Scrubbed counts the placeholders that were made unreadable.
	Scrubbed int
	// Policies counts the meta elements with a Content-Security-Policy. Browsers enforce it beside the header's.
	Policies int
	// GaveUp is true when the page left what can be tracked without building the tree, so that from some point on no
	// element got a nonce.
	GaveUp bool
}

// Result returns what happened up to now.
func (w *Writer) Result() Result {
	return Result{Nonced: w.nonced, Scrubbed: w.scrubbed, Policies: w.policies, GaveUp: w.state == lost}
}

// step reads b, which begins with the bytes that the last step kept, and returns how many bytes at its end to keep.
func (w *Writer) step(b []byte) int {
	w.sent = 0
	if w.begun || w.begin(b) {
		w.read(b)
	}
	from := min(w.pos, len(b))
	if w.tag.held {
		if len(b)-w.tag.start > maxTag {
			w.tag.held = false
			w.tag.oversize = true
		} else {
			from = w.tag.start
		}
	}
	if from == len(b) {
		from -= w.pass(b[w.sent:])
	} else {
		w.emit(b[w.sent:from])
	}
	w.pos -= from
	w.tag.shift(from)
	return len(b) - from
}

// begin looks at the byte order mark. That of UTF-16 overrides every declaration, and then no byte means what it seems.
func (w *Writer) begin(b []byte) bool {
	if len(b) == 0 || len(b) == 1 && b[0] >= 0xFE {
		return false
	}
	w.begun = true
	if b[0] == 0xFE && b[1] == 0xFF || b[0] == 0xFF && b[1] == 0xFE {
		w.giveUp()
		w.widen()
	}
	return true
}

// flusher is what destinations offer: http.ResponseController's form, or http.Flusher.
type flusher interface{ FlushError() error }

func (f *filter) flush() error {
	if f.err != nil {
		return f.err
	}
	switch dst := f.dst.(type) {
	case flusher:
		f.err = dst.FlushError()
	case interface{ Flush() error }:
		f.err = dst.Flush()
	case http.Flusher:
		dst.Flush()
	}
	return f.err
}
