package gateway

import (
	"context"
	"io"
	"net/http"

	"github.com/merlon-sec/merlon"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/coding"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/rewrite"
)

// treatment is what becomes of a response's body.
type treatment int

const (
	untouched treatment = iota
	rewritten           // a page, with nonces
	scrubbed            // anything else where there is a placeholder
)

// page is a response whose body may be changed on its way out. It is, to save an allocation, also the request's context, in
// which [Nonce.check] finds it.
type page struct {
	context.Context
	http.ResponseWriter
	request *http.Request // as it came
	nonce   Nonce
	pools   *pools

	chosen  bool
	how     treatment
	charset string
	from    string // the coding that the application chose
	to      string // the one that the client gets

	begun bool
	sink  sink // nil for bodies that go out as they come
	out   *outlet
}

type pageKey struct{}

// Value gives the page itself to [Nonce.check].
func (p *page) Value(key any) any {
	if key == (pageKey{}) {
		return p
	}
	return p.Context.Value(key)
}

// sink is what a body goes through.
type sink interface {
	io.WriteCloser
	Flush() error
	Result() rewrite.Result
}

func (p *page) Unwrap() http.ResponseWriter { return p.ResponseWriter }

// choose decides by the header that the application sent, before anything has changed it.
func (p *page) choose(status int, h http.Header) {
	p.chosen = true
	name, known := coding.Of(h)
	var html bool
	p.charset, html = rewrite.Rewritable(h.Get("Content-Type"))
	switch {
	case html && known && status != http.StatusPartialContent && merlon.Nonce(p.request.Context()) != "":
		p.how = rewritten
	case p.nonce.Placeholder != "":
		p.how = scrubbed
	default:
		return
	}
	p.from = name
	p.to = coding.ParseAccept(p.request.Header["Accept-Encoding"]).Choose(name)
}

func (p *page) WriteHeader(status int) {
	h := p.Header()
	p.nonce.scrubHeader(h)
	if status >= 200 && !p.begun {
		p.begin(status, h)
	}
	p.ResponseWriter.WriteHeader(status)
}

// begin chooses what the body goes through, and makes the header true of what comes out.
func (p *page) begin(status int, h http.Header) {
	p.begun = true
	if !p.chosen { // an answer of the gateway itself
		p.choose(status, h)
	}
	p.describe(status, h)
	if c := canaryOf(p.request.Context()); c != nil {
		c.rewritten = p.how == rewritten
	}
	if p.how == untouched {
		return
	}
	to := p.to
	if p.request.Method == http.MethodHead || !hasBody(status) {
		to = ""
	}
	p.out = p.pools.outlet(p.ResponseWriter, to)
	if p.how == scrubbed {
		p.sink = rewrite.NewScrubber(p.out, p.nonce.Placeholder)
		return
	}
	o := rewrite.Options{Mode: rewrite.Placeholder, Nonce: merlon.Nonce(p.request.Context()), Placeholder: p.nonce.Placeholder, Charset: p.charset}
	if p.nonce.Inject {
		o.Mode = rewrite.Inject
	}
	p.sink = rewrite.NewWriter(p.out, o)
}

func hasBody(status int) bool {
	return status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified
}

// Write passes on what can be decided of b, in one piece: a rewriter writes many small ones. Behind as much as a reverse proxy
// reads at a time more is waiting, and goes out together with it.
func (p *page) Write(b []byte) (int, error) {
	if !p.begun {
		p.WriteHeader(http.StatusOK)
	}
	if p.sink == nil {
		return p.ResponseWriter.Write(b)
	}
	n, err := p.sink.Write(b)
	if err == nil && len(b) < bufferSize {
		err = p.out.Flush()
	}
	return n, err
}

// FlushError sends what is decided.
func (p *page) FlushError() error {
	if !p.begun {
		p.WriteHeader(http.StatusOK)
	}
	if p.sink != nil {
		return p.sink.Flush()
	}
	return http.NewResponseController(p.ResponseWriter).Flush()
}

// close sends the rest of the body. Trailers have come meanwhile.
func (p *page) close() error {
	p.nonce.scrubHeader(p.Header())
	if p.sink == nil {
		return nil
	}
	if p.how == rewritten || p.from != "" || p.to != "" {
		deleteDigests(p.Header())
	}
	if err := p.sink.Close(); err != nil {
		return err
	}
	if c := canaryOf(p.request.Context()); c != nil && c.element && !p.result().GaveUp {
		if _, err := p.out.WriteString(canaryElement); err != nil {
			return err
		}
	}
	return p.out.close()
}

func (p *page) result() rewrite.Result {
	if p.sink == nil {
		return rewrite.Result{}
	}
	return p.sink.Result()
}
