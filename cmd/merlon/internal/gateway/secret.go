package gateway

import (
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/access"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/rewrite"
)

// refuse answers a request that contains the placeholder.
func (n Nonce) refuse(w http.ResponseWriter, r *http.Request, log *slog.Logger) {
	access.Of(r.Context()).Withhold()
	log.Warn("a request was refused", "error", rewrite.ErrPlaceholder, "method", access.Method(r), "path", n.scrub(access.Path(r)))
	errorPage(w, http.StatusBadRequest, "The request cannot be passed on.", "")
}

func (n Nonce) scrub(text string) string { return rewrite.Scrub(text, n.Placeholder) }

// mentions reports whether a request's target or headers contain the placeholder, which no client knows.
func (n Nonce) mentions(r *http.Request) bool {
	if n.Placeholder == "" {
		return false
	}
	if n.escaped(r.RequestURI) || n.in(r.Host) {
		return true
	}
	for name, values := range r.Header {
		if n.in(name) || n.escaped(strings.Join(values, "\n")) {
			return true
		}
	}
	return false
}

// escaped reports whether text contains the placeholder, percent-encoded or not.
func (n Nonce) escaped(text string) bool {
	return n.in(text) || strings.Contains(text, "%") && n.in(unescape(text))
}

// in reports whether text contains the placeholder, in upper or lower case: header names have no case of their own.
func (n Nonce) in(text string) bool {
	for i := 0; i+len(n.Placeholder) <= len(text); i++ {
		if text[i]|0x20 == n.Placeholder[0]|0x20 && strings.EqualFold(text[i:i+len(n.Placeholder)], n.Placeholder) {
			return true
		}
	}
	return false
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

// scrubHeader takes the placeholder out of values, and away the fields that it names.
func (n Nonce) scrubHeader(h http.Header) {
	if n.Placeholder == "" {
		return
	}
	for name, values := range h {
		if n.in(name) {
			delete(h, name)
		}
		for i, v := range values {
			if n.in(v) {
				values[i] = n.scrub(v)
			}
		}
	}
}

// searched is the body of a request, read through something that looks for the placeholder.
type searched struct {
	io.Reader
	io.Closer
}
