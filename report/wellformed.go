package report

import (
	"encoding/binary"
	"math/bits"
	"strings"
)

// wellFormed reports whether data is JSON within MaxDepth and MaxKeys. It looks once at what json.Valid and checkNesting look at
// one after the other, which took half of the time of Decode; what is wrong they tell.
func wellFormed(data []byte) bool {
	s := syntax{data: data}
	return s.value(0) && s.next() == 0 && s.at == len(data)
}

// syntax reads JSON as https://www.rfc-editor.org/rfc/rfc8259 has it. Its methods report whether there was what they read.
type syntax struct {
	data []byte
	at   int
}

// next returns the first byte behind white space without taking it, 0 at the end. A zero byte has no place in JSON outside of strings either.
func (s *syntax) next() byte {
	for s.at < len(s.data) && isSpace(s.data[s.at]) {
		s.at++
	}
	if s.at == len(s.data) {
		return 0
	}
	return s.data[s.at]
}

func (s *syntax) value(depth int) bool {
	switch s.next() {
	case '{':
		return depth < MaxDepth && s.object(depth+1)
	case '[':
		return depth < MaxDepth && s.array(depth+1)
	case '"':
		return s.text()
	case 't':
		return s.word("true")
	case 'f':
		return s.word("false")
	case 'n':
		return s.word("null")
	}
	return s.number()
}

func (s *syntax) object(depth int) bool {
	s.at++
	if s.next() == '}' {
		s.at++
		return true
	}
	for range MaxKeys {
		if s.next() != '"' || !s.text() || s.next() != ':' {
			return false
		}
		s.at++
		if !s.value(depth) {
			return false
		}
		end := s.next()
		s.at++
		if end != ',' {
			return end == '}'
		}
	}
	return false
}

func (s *syntax) array(depth int) bool {
	s.at++
	if s.next() == ']' {
		s.at++
		return true
	}
	for s.value(depth) {
		end := s.next()
		s.at++
		if end != ',' {
			return end == ']'
		}
	}
	return false
}

// text reads a string. Of bytes that are no UTF-8 it thinks nothing.
func (s *syntax) text() bool {
	for s.at++; s.at < len(s.data); {
		s.at += ordinary(s.data[s.at:])
		if s.at == len(s.data) {
			return false
		}
		switch s.data[s.at] {
		case '"':
			s.at++
			return true
		case '\\':
			if !s.escape() {
				return false
			}
		default:
			return false // a control character
		}
	}
	return false
}

func (s *syntax) escape() bool {
	rest := s.data[s.at+1:]
	switch {
	case len(rest) == 0:
		return false
	case strings.IndexByte(`"\/bfnrt`, rest[0]) >= 0:
		s.at += 2
		return true
	case rest[0] != 'u' || len(rest) < 5:
		return false
	}
	for _, c := range rest[1:5] {
		if !isDigit(c) && (c|0x20 < 'a' || 'f' < c|0x20) {
			return false
		}
	}
	s.at += 6
	return true
}

func (s *syntax) word(w string) bool {
	if len(s.data)-s.at < len(w) || string(s.data[s.at:s.at+len(w)]) != w {
		return false
	}
	s.at += len(w)
	return true
}

func (s *syntax) number() bool {
	s.take("-")
	if !s.take("0") && !s.digits() {
		return false
	}
	if s.take(".") && !s.digits() {
		return false
	}
	if s.take("eE") {
		s.take("+-")
		return s.digits()
	}
	return true
}

// take takes one of the characters.
func (s *syntax) take(one string) bool {
	if s.at == len(s.data) || strings.IndexByte(one, s.data[s.at]) < 0 {
		return false
	}
	s.at++
	return true
}

func (s *syntax) digits() bool {
	start := s.at
	for s.at < len(s.data) && isDigit(s.data[s.at]) {
		s.at++
	}
	return s.at > start
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// ordinary returns how many bytes there are before the first quote, backslash or control character.
func ordinary(s []byte) (n int) {
	for ; len(s)-n >= 8; n += 8 {
		word := binary.LittleEndian.Uint64(s[n:])
		if found := below(word, ' ') | equal(word, '"') | equal(word, '\\'); found != 0 {
			return n + bits.TrailingZeros64(found)/8
		}
	}
	for n < len(s) && s[n] >= ' ' && s[n] != '"' && s[n] != '\\' {
		n++
	}
	return n
}

// The next two look at the eight bytes of a word at once; the lowest bit that is set in the result is in the first byte that fits. What is
// above it may be wrong. See https://graphics.stanford.edu/~seander/bithacks.html#ZeroInWord.
const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

func below(word uint64, c byte) uint64 { return (word - ones*uint64(c)) &^ word & highs }

func equal(word uint64, c byte) uint64 { return below(word^ones*uint64(c), 1) }
