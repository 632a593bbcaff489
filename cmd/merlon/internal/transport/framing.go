package transport

import (
	"net/http"
	"net/textproto"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// untilEOF is the length of a body that ends with the connection.
const untilEOF = -2

// A framing is how an answer's body ends (RFC 9112 §6.3).
type framing struct {
	length  int64 // of the body that follows: a number, chunked or untilEOF
	stated  int64 // what Content-Length says, which HEAD and 304 do without a body; -1 if nothing
	coded   bool  // Transfer-Encoding is there
	close   bool  // nothing may follow on the connection
	trailer http.Header
}

// frame reads how long the body is, and takes the fields that are of this connection only out of h.header, as net/http does.
func frame(h head, method string) (framing, error) {
	f := framing{stated: -1}
	if err := f.readLength(h.header); err != nil {
		return f, err
	}
	if err := f.readCoding(h); err != nil {
		return f, err
	}
	f.close = closes(h)
	switch {
	case method == http.MethodHead || h.code == http.StatusNotModified:
	case h.code < 200 || h.code == http.StatusNoContent:
		// Such an answer has no body, whatever it says. Who says otherwise may send one, which would be the next answer.
		f.close = f.close || f.coded || f.stated > 0
	case f.coded:
		f.length = chunked
	case f.stated >= 0:
		f.length = f.stated
	default:
		f.length, f.close = untilEOF, true
	}
	return f, nil
}

func (f *framing) readLength(h http.Header) error {
	lengths := h["Content-Length"]
	if len(lengths) == 0 {
		return nil
	}
	n, err := strconv.ParseUint(lengths[0], 10, 63)
	if err != nil || len(lengths) > 1 {
		return malformed("its Content-Length is %.80q", strings.Join(lengths, ", "))
	}
	f.stated = int64(n)
	return nil
}

// readCoding knows the one coding that everybody does. Beside Content-Length, or in HTTP/1.0, it means different bodies to different
// readers.
func (f *framing) readCoding(h head) error {
	codings, ok := h.header["Transfer-Encoding"]
	if !ok {
		return nil
	}
	if len(codings) != 1 || len(codings[0]) != len("chunked") || !strings.EqualFold(codings[0], "chunked") { // the Kelvin sign folds to k
		return malformed("its Transfer-Encoding is %.80q; chunked alone is known", strings.Join(codings, ", "))
	}
	if f.stated >= 0 || h.minor == 0 {
		return malformed("its Transfer-Encoding stands beside Content-Length or in HTTP/1.0")
	}
	delete(h.header, "Transfer-Encoding")
	f.coded = true
	return f.readTrailerNames(h.header)
}

func (f *framing) readTrailerNames(h http.Header) error {
	lines := h["Trailer"]
	delete(h, "Trailer")
	for _, line := range lines {
		for name := range strings.SplitSeq(line, ",") {
			if name = trimSpace(name); name == "" {
				continue
			}
			if !allowedTrailer(name) {
				return malformed("it announces a trailer %.80q", name)
			}
			if f.trailer == nil {
				f.trailer = http.Header{}
			}
			f.trailer[textproto.CanonicalMIMEHeaderKey(name)] = nil
		}
	}
	return nil
}

// closes tells whether the connection ends after an answer, and takes that out of the header (RFC 9112 §9.3).
func closes(h head) bool {
	values := h.header["Connection"]
	if len(values) == 0 {
		return h.minor == 0
	}
	ends := httpguts.HeaderValuesContainsToken(values, "close")
	if h.minor == 0 {
		return ends || !httpguts.HeaderValuesContainsToken(values, "keep-alive")
	}
	if ends {
		delete(h.header, "Connection")
	}
	return ends
}

// honourPragma says in today's words what an answer says in those of HTTP/1.0, as net/http does.
func honourPragma(h http.Header) {
	if pragma := h["Pragma"]; len(pragma) > 0 && pragma[0] == "no-cache" && len(h["Cache-Control"]) == 0 {
		h["Cache-Control"] = []string{"no-cache"}
	}
}
