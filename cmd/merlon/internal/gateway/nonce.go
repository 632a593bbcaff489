package gateway

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"github.com/merlon-sec/merlon"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/rewrite"
)

// Nonce says how an application's pages get their nonces. The zero Nonce leaves pages and requests alone.
type Nonce struct {
	Forward     bool   // the application prints what it reads in the request header Merlon-Nonce
	Inject      bool   // every script and style element of a page gets one, an injected one too
	Placeholder string // a secret that the application prints as nonce attributes, replaced in each page; "" for none
}

func (n Nonce) rewrites() bool { return n.Inject || n.Placeholder != "" }

func (n Nonce) scrub(text string) string { return rewrite.Scrub(text, n.Placeholder) }

// prepare makes a request to the application one whose response can be rewritten: in no coding, and whole.
func (n Nonce) prepare(h http.Header) {
	if !n.rewrites() {
		return
	}
	h["Accept-Encoding"] = []string{"identity"}
	h.Del("Range") // a page of another length has other ranges, and the ranges of a secret would spell it out
	h.Del("If-Range")
}

var errReflected = errors.New("the request contains the placeholder")

// mentions reports whether a request's target or headers contain the placeholder, which no client knows.
func (n Nonce) mentions(r *http.Request) bool {
	if n.Placeholder == "" {
		return false
	}
	if n.in(r.RequestURI) || n.in(unescape(r.RequestURI)) || n.in(r.Host) {
		return true
	}
	for name, values := range r.Header {
		all := strings.Join(values, "\n")
		if n.in(name) || n.in(all) || n.in(unescape(all)) {
			return true
		}
	}
	return false
}

// in reports whether text contains the placeholder, in upper or lower case: header names have no case of their own.
func (n Nonce) in(text string) bool {
	return strings.Contains(strings.ToLower(text), strings.ToLower(n.Placeholder))
}

// unescape decodes every percent sign with two hexadecimal digits. Unlike net/url it leaves the others in their place: one
// that is wrong must not hide the rest.
func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '%' && i+2 < len(s) {
			if v, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil {
				c = byte(v)
				i += 2
			}
		}
		b.WriteByte(c)
	}
	return b.String()
}

// check refuses a response in which the placeholder could hide.
func (n Nonce) check(res *http.Response) error {
	switch {
	case n.Placeholder == "":
		return nil
	case res.StatusCode == http.StatusSwitchingProtocols:
		return errors.New("the application switches to another protocol: a placeholder in what follows could not be found")
	case coded(res.Header):
		return fmt.Errorf("the application answers in the coding %q, though it was asked for none: a placeholder in it could not be found",
			n.scrub(strings.Join(res.Header["Content-Encoding"], ", ")))
	case res.StatusCode == http.StatusPartialContent:
		return errors.New("the application answers with a part, though it was asked for the whole: a placeholder at its end could not be found")
	}
	return nil
}

// coded reports whether any line of Content-Encoding names a coding.
func coded(h http.Header) bool {
	for _, line := range h["Content-Encoding"] {
		for coding := range strings.SplitSeq(line, ",") {
			if coding = strings.TrimSpace(coding); coding != "" && !strings.EqualFold(coding, "identity") {
				return true
			}
		}
	}
	return false
}

// handler returns next with the pages of its responses rewritten.
func (n Nonce) handler(next http.Handler, log *slog.Logger) http.Handler {
	if !n.rewrites() {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n.mentions(r) {
			log.Warn("a request was refused", "error", errReflected, "method", r.Method, "path", n.scrub(r.URL.Path))
			errorPage(w, http.StatusBadRequest, "The request cannot be passed on.", "")
			return
		}
		p := &page{ResponseWriter: w, request: r, nonce: n}
		next.ServeHTTP(p, r)
		if err := p.close(); err == nil && p.result().GaveUp {
			log.Warn("a page has places where nobody can tell whether a script may have a nonce; it got none from there on", "path", r.URL.Path)
		}
	})
}

// sink is what a body goes through.
type sink interface {
	Write([]byte) (int, error)
	Flush() error
	Close() error
	Result() rewrite.Result
}

// page is a response whose body is rewritten on its way out.
type page struct {
	http.ResponseWriter
	request *http.Request
	nonce   Nonce
	begun   bool
	sink    sink // nil for bodies that go out as they come
}

func (p *page) Unwrap() http.ResponseWriter { return p.ResponseWriter }

func (p *page) WriteHeader(status int) {
	p.scrubHeader()
	if status >= 200 && !p.begun {
		p.begin()
	}
	p.ResponseWriter.WriteHeader(status)
}

// begin chooses what the body goes through. The nonce is made before the header goes out.
func (p *page) begin() {
	p.begun = true
	h := p.Header()
	nonce := merlon.Nonce(p.request.Context())
	charset, html := rewrite.Rewritable(h.Get("Content-Type"))
	switch {
	case html && nonce != "" && !coded(h):
		for _, name := range []string{"Content-Length", "Etag", "Accept-Ranges", "Content-Md5", "Digest", "Content-Digest", "Repr-Digest"} {
			h.Del(name) // of the page as the application knows it
		}
		mode := rewrite.Placeholder
		if p.nonce.Inject {
			mode = rewrite.Inject
		}
		p.sink = rewrite.NewWriter(p.ResponseWriter, rewrite.Options{Mode: mode, Nonce: nonce, Placeholder: p.nonce.Placeholder, Charset: charset})
	case p.nonce.Placeholder != "":
		p.sink = rewrite.NewScrubber(p.ResponseWriter, p.nonce.Placeholder)
	}
}

// scrubHeader takes the placeholder out of values, and away the fields that it names.
func (p *page) scrubHeader() {
	if p.nonce.Placeholder == "" {
		return
	}
	for name, values := range p.Header() {
		if p.nonce.in(name) {
			delete(p.Header(), name)
		}
		for i, v := range values {
			values[i] = p.nonce.scrub(v)
		}
	}
}

func (p *page) Write(b []byte) (int, error) {
	if !p.begun {
		p.WriteHeader(http.StatusOK)
	}
	if p.sink == nil {
		return p.ResponseWriter.Write(b)
	}
	return p.sink.Write(b)
}

// FlushError sends what is decided.
func (p *page) FlushError() error {
	if !p.begun {
		p.WriteHeader(http.StatusOK)
	}
	if p.sink != nil {
		if err := p.sink.Flush(); err != nil {
			return err
		}
	}
	return http.NewResponseController(p.ResponseWriter).Flush()
}

// close sends the rest of the body. Trailers have come meanwhile.
func (p *page) close() error {
	p.scrubHeader()
	if p.sink == nil {
		return nil
	}
	return p.sink.Close()
}

func (p *page) result() rewrite.Result {
	if p.sink == nil {
		return rewrite.Result{}
	}
	return p.sink.Result()
}
