package report

import (
	"bytes"
	"iter"
)

// The functions of this file walk JSON that wellFormed has accepted. They copy nothing, so that what a hostile body costs is
// what is kept of it.

// stringEnd returns the index of the quote that closes the string opened at i, or the length of body if none does.
func stringEnd(body []byte, i int) int {
	for i++; i < len(body); i++ {
		if i += ordinary(body[i:]); i == len(body) {
			break
		}
		switch body[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return len(body)
}

// valueEnd returns the index behind the value that begins at i.
func valueEnd(data []byte, i int) int {
	for depth := 0; i < len(data); i++ {
		switch data[i] {
		case '"':
			i = stringEnd(data, i)
		case '{', '[':
			depth++
			continue
		case '}', ']':
			depth--
		case ',', ':', ' ', '\t', '\r', '\n':
			continue
		default:
			i = scalarEnd(data, i) - 1
		}
		if depth <= 0 {
			return i + 1
		}
	}
	return len(data)
}

// scalarEnd returns the index behind the number or word that begins at i.
func scalarEnd(data []byte, i int) int {
	for i < len(data) && !isSpace(data[i]) && data[i] != ',' && data[i] != '}' && data[i] != ']' {
		i++
	}
	return i
}

// skip returns the index of the first byte from i on that is neither white space nor the separator.
func skip(data []byte, i int, separator byte) int {
	for i < len(data) && (isSpace(data[i]) || data[i] == separator) {
		i++
	}
	return i
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// elements yields the values of an array.
func elements(array []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for i := skip(array, 1, ','); i < len(array) && array[i] != ']'; i = skip(array, i, ',') {
			start := i
			i = valueEnd(array, i)
			if !yield(array[start:i]) {
				return
			}
		}
	}
}

// members yields the keys and values of an object. All spellings of a key are one: documentURL, document_url, document-url and
// document-uri are "documenturl". A key that is too long for any that we know is "".
func members(object []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(key, value []byte) bool) {
		var folded [maxKey]byte
		for i := skip(object, 1, ','); i < len(object) && object[i] != '}'; i = skip(object, i, ',') {
			start := i
			i = stringEnd(object, i) + 1
			key := foldKey(folded[:0], object[start:i])
			start = skip(object, i, ':')
			i = valueEnd(object, start)
			if !yield(key, object[start:i]) {
				return
			}
		}
	}
}

// maxKey is more than the length of every key that we know.
const maxKey = 32

// foldKey appends the key of a JSON object to dst without its case, hyphens and underscores, and as a URL if it is a URI.
func foldKey(dst, quoted []byte) []byte {
	if bytes.IndexByte(quoted, '\\') >= 0 {
		quoted = []byte(`"` + decodeText(quoted) + `"`)
	}
	for _, c := range quoted[1 : len(quoted)-1] {
		switch {
		case c == '-' || c == '_':
			continue
		case 'A' <= c && c <= 'Z':
			c |= 0x20
		}
		if len(dst) == maxKey {
			return dst[:0]
		}
		dst = append(dst, c)
	}
	if bytes.HasSuffix(dst, []byte("uri")) {
		dst[len(dst)-1] = 'l'
		dst[len(dst)-2] = 'r'
	}
	return dst
}
