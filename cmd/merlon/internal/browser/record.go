package browser

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// maxRecords bounds each list of a page's record. What comes later is not recorded: a page
// that writes to the console in a loop must not fill the memory.
const maxRecords = 10_000

// record is what was seen in a page so far.
type record struct {
	console   []Entry
	responses []Response
	dialogs   []Dialog
	attempts  []Attempt
}

// Entry is a line of the console: of console.log and its like (Source "console"), of the
// browser itself ("security", "network", "deprecation" and so on), or an uncaught
// exception ("exception").
type Entry struct {
	Source string
	Level  string // debug, verbose, info, log, warning, error and other names of console methods
	Text   string
	URL    string // the script or document that it is about, if the browser says
}

// Response is an answer to a request of the page or one of its frames, redirects included
// and data: URLs not; or the failure of a request, which has no status and an error.
type Response struct {
	URL    string
	Status int
	Type   string // Document, Script, Stylesheet, Image, Fetch and so on
	Header http.Header
	Frame  string // the id of the frame that asked

	ErrorText     string // net::ERR_…; net::ERR_ABORTED when the page or browser gave up; may be empty where a reason says it
	BlockedReason string // csp, mixed-content, other and so on
}

// Dialog is an alert, confirm, prompt or beforeunload dialog. All are accepted at once.
type Dialog struct {
	Type string
	Text string
	URL  string // of the document that opened it
}

// Console returns what the page and its frames, and the browser about them, wrote to the
// console so far.
func (p *Page) Console() []Entry {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.console)
}

// WaitConsole waits for a console entry that match accepts, the past ones included. It is
// bounded by ctx alone. match must not call methods of p.
func (p *Page) WaitConsole(ctx context.Context, match func(Entry) bool) error {
	if err := p.await(ctx, func() bool { return slices.ContainsFunc(p.console, match) }); err != nil {
		return fmt.Errorf("waiting for a console entry: %w", err)
	}
	return nil
}

// Responses returns the answers that the page and its frames have got so far, and
// the requests that failed.
func (p *Page) Responses() []Response {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := slices.Clone(p.responses)
	for i := range list {
		list[i].Header = list[i].Header.Clone()
	}
	return list
}

// Dialogs returns the dialogs so far.
func (p *Page) Dialogs() []Dialog {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.dialogs)
}

// Forget empties the record: console, responses, dialogs and frames.
func (p *Page) Forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.record = record{}
}

// maxTextBytes bounds each text of a record. A console line can be as long as a message.
const maxTextBytes = 16 << 10

// cut is s, or as much of it as is recorded.
func cut(s string) string {
	if len(s) <= maxTextBytes {
		return s
	}
	return strings.ToValidUTF8(s[:maxTextBytes], "")
}

func (p *Page) log(e Entry) {
	e.Text, e.URL = cut(e.Text), cut(e.URL)
	keep(&p.console, e)
}

// keep appends to a list of the record, up to its bound.
func keep[T any](list *[]T, v T) {
	if len(*list) < maxRecords {
		*list = append(*list, v)
	}
}

// header makes a http.Header of CDP's, which joins equal names with a newline.
func header(h map[string]string) http.Header {
	out := http.Header{}
	for name, values := range h {
		for v := range strings.SplitSeq(values, "\n") {
			out.Add(name, v)
		}
	}
	return out
}
