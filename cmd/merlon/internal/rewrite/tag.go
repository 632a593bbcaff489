package rewrite

import (
	"bytes"
	"strings"
)

// part is where in a tag the tokenizer stands.
type part uint8

const (
	inName part = iota // of a tag whose name is longer than any that matters
	beforeAttr
	slash
	inAttr
	afterAttr
	beforeValue
	inDouble
	inSingle
	inUnquoted
)

// encoding is what an annotation-xml element's encoding attribute says about its content.
type encoding uint8

const (
	plain encoding = iota
	asHTML
	unclear // character references
)

// tag is the tag being read. Offsets are in the window, and hold only while the tag is held.
type tag struct {
	name     name
	class    class
	part     part
	isEnd    bool
	endsText bool // the end tag of text, which the tree has nothing to do with
	held     bool // from start on, until it can be decided
	oversize bool // no longer held, being too long

	selfClosing bool
	start       int
	attrs       // of a tag that is or was held
}

// attrs is what is known about the attributes of a tag.
type attrs struct {
	fontAttr    bool // one that makes font break out of foreign content
	hasNonce    bool
	dangling    bool // it has swallowed another tag
	hasEncoding bool
	policy      bool // http-equiv says that it is one
	encoding    encoding

	nameEnd             int // of the tag's name
	attr, attrEnd       int // the name of the current attribute
	value               int
	nonce, nonceEnd     int // the first nonce attribute, whole
	nonceVal, nonceVEnd int // its value
}

// shift takes account of n bytes that left the window.
func (g *tag) shift(n int) {
	if !g.held || n == 0 {
		return
	}
	for _, p := range []*int{&g.start, &g.nameEnd, &g.attr, &g.attrEnd, &g.value, &g.nonce, &g.nonceEnd, &g.nonceVal, &g.nonceVEnd} {
		*p -= n
	}
}

// space, and the bytes that end names and unquoted values, of the tokenizer: HTML 13.2.5.8 and 13.2.5.32 to 13.2.5.40.
const (
	isSpace = 1 << iota
	endsTagName
	endsAttrName
	endsUnquoted
)

var byteKind = [256]uint8{
	'\t': isSpace | endsTagName | endsAttrName | endsUnquoted,
	'\n': isSpace | endsTagName | endsAttrName | endsUnquoted,
	'\f': isSpace | endsTagName | endsAttrName | endsUnquoted,
	'\r': isSpace | endsTagName | endsAttrName | endsUnquoted,
	' ':  isSpace | endsTagName | endsAttrName | endsUnquoted,
	'/':  endsTagName | endsAttrName,
	'=':  endsAttrName,
	'>':  endsTagName | endsAttrName | endsUnquoted,
}

func skip(b []byte, i int, kind uint8) int {
	for i < len(b) && byteKind[b[i]]&kind == 0 {
		i++
	}
	return i
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && byteKind[b[i]]&isSpace != 0 {
		i++
	}
	return i
}

// readAttrs reads b from i on, and returns where it stopped and whether that is behind the end of the tag.
func (g *tag) readAttrs(b []byte, i int) (int, bool) {
	for i < len(b) {
		switch g.part {
		case inName:
			if i = skip(b, i, endsTagName); i < len(b) {
				g.part = beforeAttr
			}
		case beforeAttr:
			if !g.held {
				i = skipAttrs(b, i)
			}
			if i = skipSpace(b, i); i == len(b) {
				break
			}
			switch b[i] {
			case '>':
				return i + 1, true
			case '/':
				g.part = slash
			default:
				g.attr, g.part = i, inAttr // even if it is '='
			}
			i++
		case slash:
			g.selfClosing = b[i] == '>'
			g.part = beforeAttr
		case inAttr:
			if i = skip(b, i, endsAttrName); i < len(b) {
				g.attrEnd, g.part = i, afterAttr
			}
		case afterAttr:
			if i = skipSpace(b, i); i == len(b) {
				break
			}
			if b[i] == '=' {
				g.part = beforeValue
				i++
			} else {
				g.endAttr(b, g.attrEnd, g.attrEnd, g.attrEnd)
			}
		default:
			i = g.readValue(b, i)
		}
	}
	return i, false
}

// readValue is readAttrs behind an attribute's equals sign.
func (g *tag) readValue(b []byte, i int) int {
	switch g.part {
	case beforeValue:
		if i = skipSpace(b, i); i == len(b) {
			return i
		}
		switch b[i] {
		case '"':
			g.value, g.part = i+1, inDouble
			return i + 1
		case '\'':
			g.value, g.part = i+1, inSingle
			return i + 1
		case '>':
			g.endAttr(b, i, i, i)
		default:
			g.value, g.part = i, inUnquoted
		}
	case inDouble, inSingle:
		quote := byte('"')
		if g.part == inSingle {
			quote = '\''
		}
		j := bytes.IndexByte(b[i:], quote)
		if j < 0 {
			return len(b)
		}
		i += j + 1
		g.endAttr(b, g.value, i-1, i)
	case inUnquoted:
		if i = skip(b, i, endsUnquoted); i < len(b) {
			g.endAttr(b, g.value, i, i)
		}
	}
	return i
}

// endAttr takes note of the current attribute, whose value is b[from:to] and which ends at end.
func (g *tag) endAttr(b []byte, from, to, end int) {
	g.part = beforeAttr
	if !g.held {
		return
	}
	switch attr := b[g.attr:g.attrEnd]; {
	case g.class&(isScript|isStyle|isLink) != 0:
		g.dangling = g.dangling || swallows(attr) || swallows(b[from:to])
		if !g.hasNonce && len(attr) == len("nonce") && strings.EqualFold(string(attr), "nonce") {
			g.hasNonce = true
			g.nonce, g.nonceVal, g.nonceVEnd, g.nonceEnd = g.attr, from, to, end
		}
	case g.class&isFont != 0:
		switch strings.ToLower(string(attr)) {
		case "color", "face", "size":
			g.fontAttr = true
		}
	case g.class&isMeta != 0:
		g.policy = g.policy || strings.EqualFold(string(attr), "http-equiv") && strings.EqualFold(string(b[from:to]), "Content-Security-Policy")
	case !g.hasEncoding && strings.EqualFold(string(attr), "encoding"):
		g.hasEncoding = true
		g.encoding = encodingOf(b[from:to])
	}
}

// swallows reports whether an attribute's name or value holds the beginning of a tag that has nonces: markup that somebody injected
// and left open takes the nonce of the tag behind it. https://www.w3.org/TR/CSP3/#is-element-nonceable
func swallows(text []byte) bool {
	for i := bytes.IndexByte(text, '<'); i >= 0 && i < len(text); i++ {
		for _, tag := range []string{"<script", "<style", "<link"} {
			if len(text)-i >= len(tag) && strings.EqualFold(string(text[i:i+len(tag)]), tag) {
				return true
			}
		}
	}
	return false
}

func encodingOf(value []byte) encoding {
	switch {
	case bytes.IndexByte(value, '&') >= 0:
		return unclear
	case strings.EqualFold(string(value), "text/html"), strings.EqualFold(string(value), "application/xhtml+xml"):
		return asHTML
	}
	return plain
}
