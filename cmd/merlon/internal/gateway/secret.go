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
	log.Warn("a request was refused", "error", rewrite.ErrPlaceholder, "method", r.Method, "path", n.scrub(r.URL.Path))
	errorPage(w, http.StatusBadRequest, "The request cannot be passed on.", "")
}

func (n Nonce) scrub(text string) string { return rewrite.Scrub(text, n.Placeholder) }

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
	return len(text) >= len(n.Placeholder) && strings.Contains(strings.ToLower(text), strings.ToLower(n.Placeholder))
}

// unescape decodes every percent sign with two hexadecimal digits. Unlike net/url it leaves the others in their place: one
// that is wrong must not hide the rest.
func unescape(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
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

// body is a request's, read through something that looks for the placeholder.
type body struct {
	io.Reader
	io.Closer
}
