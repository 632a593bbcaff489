package field

import (
	"encoding/base64"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	maxDigits      = 15 // of an integer
	maxWholeDigits = 12 // of a decimal, in front of its point
)

// bare reads a value without parameters. Its first byte tells the type. https://www.rfc-editor.org/rfc/rfc9651#section-4.2.3.1
func (p *parser) bare() (any, error) {
	switch c := p.peek(); {
	case c == '"':
		return p.quoted()
	case isAlpha(c) || c == '*':
		return Token(p.while(isToken)), nil
	case isDigit(c) || c == '-':
		return p.number()
	case c == '?':
		return p.boolean()
	case c == ':':
		return p.bytes()
	case c == '@':
		return p.date()
	case c == '%':
		return p.display()
	case !p.more():
		return nil, p.wrong("a value is missing")
	case c == '\'':
		return nil, p.wrong(`a string stands in double quotes, and words such as none or self without quotes`)
	default:
		return nil, p.wrong("no value begins like this; a string stands in double quotes")
	}
}

func (p *parser) number() (any, error) {
	start, sign := p.pos, ""
	if p.take('-') {
		sign = "-"
	}
	whole := p.while(isDigit)
	if whole == "" {
		return nil, p.wrong("a number must have a digit here")
	}
	if !p.take('.') {
		if len(whole) > maxDigits {
			p.pos = start
			return nil, p.wrong("an integer has at most 15 digits")
		}
		return strconv.ParseInt(sign+whole, 10, 64)
	}
	if len(whole) > maxWholeDigits {
		p.pos = start
		return nil, p.wrong("a decimal has at most 12 digits in front of its point")
	}
	fraction := p.while(isDigit)
	if fraction == "" || len(fraction) > 3 {
		p.pos -= len(fraction)
		return nil, p.wrong("a decimal has one to three digits after its point")
	}
	n, err := strconv.ParseInt(sign+whole+(fraction + "00")[:3], 10, 64)
	return Decimal(n), err
}

func (p *parser) date() (any, error) {
	p.take('@')
	start := p.pos
	n, err := p.number()
	if err != nil {
		return nil, err
	}
	seconds, ok := n.(int64)
	if !ok {
		p.pos = start
		return nil, p.wrong("a date is a whole number of seconds")
	}
	return Date(seconds), nil
}

func (p *parser) boolean() (any, error) {
	p.take('?')
	switch {
	case p.take('0'):
		return false, nil
	case p.take('1'):
		return true, nil
	default:
		return nil, p.wrong("?0 and ?1 are the only booleans")
	}
}

func (p *parser) quoted() (any, error) {
	var text strings.Builder
	p.take('"')
	for !p.take('"') {
		text.WriteString(p.while(func(c byte) bool { return isPrintable(c) && c != '"' && c != '\\' }))
		if p.take('\\') {
			if c := p.peek(); c != '"' && c != '\\' {
				return nil, p.wrong(`only \" and \\ may follow a backslash in a string`)
			}
			text.WriteByte(p.peek())
			p.pos++
		} else if err := p.unquotable("string"); err != nil {
			return nil, err
		}
	}
	return text.String(), nil
}

// display reads a string that has the bytes of its UTF-8 in hexadecimal. https://www.rfc-editor.org/rfc/rfc9651#section-4.2.10
func (p *parser) display() (any, error) {
	var text strings.Builder
	if p.take('%'); !p.take('"') {
		return nil, p.wrong("a double quote must follow the percent sign")
	}
	start := p.pos
	for !p.take('"') {
		text.WriteString(p.while(func(c byte) bool { return isPrintable(c) && c != '"' && c != '%' }))
		if p.take('%') {
			octet := p.in[p.pos:min(p.pos+2, len(p.in))]
			n, err := strconv.ParseUint(octet, 16, 8)
			if err != nil || len(octet) < 2 || strings.ToLower(octet) != octet {
				return nil, p.wrong("two lower-case hexadecimal digits must follow a percent sign")
			}
			text.WriteByte(byte(n))
			p.pos += 2
		} else if err := p.unquotable("display string"); err != nil {
			return nil, err
		}
	}
	if !utf8.ValidString(text.String()) {
		p.pos = start
		return nil, p.wrong("this display string is not UTF-8")
	}
	return Display(text.String()), nil
}

// unquotable returns an error if what comes next cannot stand between quotes.
func (p *parser) unquotable(where string) error {
	switch {
	case !p.more():
		return p.wrong("the " + where + " has no closing quote")
	case !isPrintable(p.peek()):
		return p.wrong("a " + where + " holds printable ASCII only")
	default:
		return nil
	}
}

// bytes reads base64. Padding that is absent is no mistake, nor are pad bits that are set (RFC 9651 §4.2.7).
func (p *parser) bytes() (any, error) {
	p.take(':')
	start := p.pos
	text := p.while(isBase64)
	if !p.more() {
		return nil, p.wrong("the byte sequence has no closing colon")
	}
	if !p.take(':') {
		return nil, p.wrong("a byte sequence is base64 and ends in a colon")
	}
	encoding := base64.RawStdEncoding
	if strings.HasSuffix(text, "=") {
		encoding = base64.StdEncoding
	}
	b, err := encoding.DecodeString(text)
	if err != nil {
		p.pos = start
		return nil, p.wrong("this byte sequence is no base64")
	}
	return b, nil
}

func isDigit(c byte) bool     { return '0' <= c && c <= '9' }
func isLower(c byte) bool     { return 'a' <= c && c <= 'z' }
func isAlpha(c byte) bool     { return isLower(c) || 'A' <= c && c <= 'Z' }
func isPrintable(c byte) bool { return ' ' <= c && c <= '~' }
func isKey(c byte) bool       { return isLower(c) || isDigit(c) || strings.IndexByte("_-.*", c) >= 0 }
func isBase64(c byte) bool    { return isAlpha(c) || isDigit(c) || strings.IndexByte("+/=", c) >= 0 }
func isToken(c byte) bool {
	return isAlpha(c) || isDigit(c) || strings.IndexByte("!#$%&'*+-.^_`|~:/", c) >= 0
}
