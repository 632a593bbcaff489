package rewrite

import (
	"mime"
	"strings"
)

// Rewritable reports whether a response with this Content-Type is HTML in an encoding that a Writer can read. XHTML is
// not: browsers parse it as XML. What is not rewritable belongs to a Scrubber, or goes out untouched. The charset is for
// Options.Charset.
func Rewritable(contentType string) (charset string, ok bool) {
	mediaType, params, err := mime.ParseMediaType(contentType)
	if err != nil || mediaType != "text/html" {
		return "", false
	}
	charset = strings.ToLower(strings.TrimSpace(params["charset"]))
	return charset, readable(charset)
}

// readable reports whether '<', '>', quotes and the like are single bytes in the encoding, and mean nothing else. That
// holds for every encoding of the Encoding standard except UTF-16, which is no superset of ASCII, ISO-2022-JP, where
// escape sequences turn the meaning of bytes, and those that browsers decode to a single U+FFFD.
// https://encoding.spec.whatwg.org/#names-and-labels
func readable(charset string) bool {
	for _, prefix := range []string{"utf-16", "utf16", "ucs-2", "unicode", "iso-10646", "csunicode", "iso-2022", "csiso2022",
		"hz-gb", "replacement"} {
		if strings.HasPrefix(charset, prefix) && charset != "unicode-1-1-utf-8" && charset != "unicode11utf8" {
			return false
		}
	}
	return true
}
