package report

import (
	"bytes"
	"encoding/binary"
	"math"
	"strconv"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// decodeText returns the text of a JSON string as it is safe to store and to print: without what no terminal, log or database
// should meet, and cut to MaxFieldBytes. Any other value is "", because a wrong member must not cost the report.
func decodeText(value []byte) string {
	if value[0] != '"' {
		return ""
	}
	return string(cleanText(value[1 : len(value)-1]))
}

// cleanText returns the text that is written as s in JSON. It is s itself or a part of it if it can.
func cleanText(s []byte) []byte {
	if plain(s) {
		s = bytes.TrimSpace(s)
		return bytes.TrimSpace(s[:min(len(s), MaxFieldBytes)])
	}
	text := make([]byte, 0, min(len(s), MaxFieldBytes)) // no escape is shorter than what it stands for
	for len(s) > 0 {
		r, size := nextRune(s)
		s = s[size:]
		if r = printable(r); r < 0 || len(text) == 0 && unicode.IsSpace(r) {
			continue
		}
		if len(text)+utf8.RuneLen(r) > MaxFieldBytes {
			break
		}
		text = utf8.AppendRune(text, r)
	}
	return bytes.TrimSpace(text)
}

// plain reports whether s is printable ASCII without escapes, as nearly all of what browsers send is. It spares them the tables
// of Unicode.
func plain(s []byte) bool {
	for ; len(s) >= 8; s = s[8:] {
		word := binary.LittleEndian.Uint64(s)
		if (word+ones)&highs|word&highs|below(word, ' ')|equal(word, '\\') != 0 {
			return false
		}
	}
	for _, c := range s {
		if c < ' ' || c > '~' || c == '\\' {
			return false
		}
	}
	return true
}

// nextRune returns the first character of the inside of a JSON string and how many bytes it takes there. Half of a pair of
// surrogates is U+FFFD, as it is for encoding/json.
func nextRune(s []byte) (rune, int) {
	if s[0] != '\\' {
		return utf8.DecodeRune(s)
	}
	switch s[1] {
	case 'u':
		r := unhex(s)
		if !utf16.IsSurrogate(r) {
			return r, 6
		}
		if len(s) >= 12 && s[6] == '\\' && s[7] == 'u' {
			if pair := utf16.DecodeRune(r, unhex(s[6:])); pair != utf8.RuneError {
				return pair, 12
			}
		}
		return utf8.RuneError, 6
	case 'b', 'f':
		return 0, 2 // control characters, which do not stay
	case 'n', 'r', 't':
		return ' ', 2
	}
	return rune(s[1]), 2
}

// unhex returns the character of an escape of four hexadecimal digits.
func unhex(s []byte) rune {
	var r rune
	for _, c := range s[2:6] {
		switch {
		case c >= 'a':
			c -= 'a' - 10
		case c >= 'A':
			c -= 'A' - 10
		default:
			c -= '0'
		}
		r = r<<4 | rune(c)
	}
	return r
}

// unprintable says what may not come out: control characters, line separators, and the invisible characters that reorder or hide
// text (bidirectional controls, zero-width ones).
func unprintable(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp)
}

// printable turns white space into a space, so that words stay apart, and other unprintable runes into -1.
func printable(r rune) rune {
	switch {
	case !unprintable(r):
		return r
	case unicode.IsSpace(r):
		return ' '
	}
	return -1
}

// decodeNumber returns a count that may come as a number, as a string of digits, as null or as nonsense; the last two are 0.
func decodeNumber(value []byte) int {
	f := decodeFloat(value)
	if !(f > 0) { // a negative number, NaN
		return 0
	}
	return int(min(f, math.MaxInt32))
}

// decodeFloat is decodeNumber for fractions; what is too large is infinite.
func decodeFloat(value []byte) float64 {
	value = bytes.Trim(value, `"`)
	if len(value) > maxNumber {
		return 0
	}
	f, _ := strconv.ParseFloat(string(value), 64) // 0 if it is none
	return f
}

// maxNumber is the length up to which a number is read; browsers need 17 digits at most.
const maxNumber = 64

// decodeBool returns whether the value is true, which some write as text.
func decodeBool(value []byte) bool { return string(bytes.Trim(value, `"`)) == "true" }

// cleanJSON returns the object with every string cleaned, keys included, without white space, and with null for numbers that
// browsers do not send: decoding 1e999 is an error.
func cleanJSON(data []byte) []byte {
	out := make([]byte, 0, len(data))
	for i := 0; i < len(data); {
		start := i
		switch c := data[i]; {
		case isSpace(c):
			i++
		case c == '"':
			i = stringEnd(data, i) + 1
			out = appendClean(out, data[start:i])
		case c == '-' || '0' <= c && c <= '9':
			i = scalarEnd(data, i)
			out = appendNumber(out, data[start:i])
		default:
			i++
			out = append(out, c)
		}
	}
	return out
}

// appendNumber needs no arithmetic to tell what is surely finite: 64 digits and an exponent of two.
func appendNumber(out, number []byte) []byte {
	digits := 0 // since the e, if there is one
	exponent := false
	for _, c := range number {
		switch {
		case c|0x20 == 'e':
			exponent, digits = true, 0
		case '0' <= c:
			digits++
		}
	}
	if len(number) > maxNumber || exponent && digits > 2 {
		return append(out, "null"...)
	}
	return append(out, number...)
}

// appendClean appends a JSON string to out. After cleanText only two characters are left that need an escape.
func appendClean(out, quoted []byte) []byte {
	out = append(out, '"')
	for _, c := range cleanText(quoted[1 : len(quoted)-1]) {
		if c == '"' || c == '\\' {
			out = append(out, '\\')
		}
		out = append(out, c)
	}
	return append(out, '"')
}
