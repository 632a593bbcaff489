package csp

import "strings"

// The percent-encode sets, but for what all of them have. https://url.spec.whatwg.org/#percent-encoded-bytes
const (
	controlEscapes      = ""
	fragmentEscapes     = " \"<>`"
	queryEscapes        = " \"#<>"
	specialQueryEscapes = queryEscapes + "'"
	pathEscapes         = queryEscapes + "?^`{}"
	userinfoEscapes     = pathEscapes + "/:;=@[\\]|"
)

// encode percent-encodes control characters, bytes outside ASCII and those of set.
func encode(s, set string) string {
	must := func(b byte) bool { return b < ' ' || b >= 0x7f || strings.IndexByte(set, b) >= 0 }
	n := 0
	for i := range len(s) {
		if must(s[i]) {
			n++
		}
	}
	if n == 0 {
		return s
	}
	const hex = "0123456789ABCDEF"
	out := make([]byte, 0, len(s)+2*n)
	for i := range len(s) {
		if b := s[i]; must(b) {
			out = append(out, '%', hex[b>>4], hex[b&15])
		} else {
			out = append(out, b)
		}
	}
	return string(out)
}

func percentDecode(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); {
		b, n := decodeByte(s[i:])
		out = append(out, b)
		i += n
	}
	return string(out)
}

// decodeByte returns the first byte of s, percent-decoded where it can be, and how many bytes it took.
func decodeByte(s string) (b byte, n int) {
	if len(s) >= 3 && s[0] == '%' {
		hi, ok1 := unhex(s[1])
		lo, ok2 := unhex(s[2])
		if ok1 && ok2 {
			return hi<<4 | lo, 3
		}
	}
	return s[0], 1
}

func unhex(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10, true
	}
	return 0, false
}
