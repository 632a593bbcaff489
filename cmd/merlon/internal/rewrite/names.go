package rewrite

// longest is the length up to which tag names are told apart. No name that matters here is longer.
const longest = 24

// name is a tag name in lower case. n is longest+1 for a name that is longer or holds a NUL (which counts as U+FFFD):
// whether two such names are equal is not known.
type name struct {
	text [longest]byte
	n    uint8
}

func (n *name) set(b []byte) {
	*n = name{n: longest + 1}
	if len(b) > longest {
		return
	}
	for i, c := range b {
		if c == 0 {
			return
		}
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		n.text[i] = c
	}
	n.n = uint8(len(b))
}

func (n *name) known() bool { return n.n <= longest }

// class is what a tag name means to the tokenizer and to the tree.
type class uint32

const (
	isScript     class = 1 << iota // script
	isStyle                        // style
	isLink                         // link
	isText                         // in HTML, its content is raw text or character references and text
	isPlaintext                    // in HTML, everything after it is text
	isSVG                          // svg
	isMath                         // math
	isPoint                        // in SVG, an HTML integration point
	isTextPoint                    // in MathML, a text integration point
	isGlyph                        // mglyph and malignmark, MathML even in a text integration point
	isAnnotation                   // annotation-xml
	breaksOut                      // its start tag ends foreign content
	isFont                         // font, which does so with some attributes
	isTable                        // in a table it can close elements across an integration point
	isSpecial                      // the tree construction of HTML does more than to push and pop it
	isSelect
	isTemplate
	isCol
	isColgroup // or table: after it, a col finds its column group
	isFrameset
	isParagraph // p and br, whose end tags leave foreign content
	isMeta

	// wantsAttributes: the whole tag must be seen before something can be decided.
	wantsAttributes = isScript | isStyle | isLink | isFont | isAnnotation | isMeta
)

// classOf follows the lists of the HTML standard, sections 13.2.6.4 (tree construction) and 13.2.6.5 (foreign content).
func classOf(n *name) class {
	if !n.known() {
		return 0
	}
	switch string(n.text[:n.n]) {
	case "script":
		return isScript | isText
	case "style":
		return isStyle | isText
	case "link":
		return isLink | isSpecial
	case "title":
		return isText | isPoint
	case "textarea", "xmp", "iframe", "noembed", "noframes", "noscript":
		return isText | isSpecial
	case "plaintext":
		return isPlaintext | isSpecial
	case "svg":
		return isSVG
	case "math":
		return isMath
	case "foreignobject", "desc":
		return isPoint
	case "mi", "mo", "mn", "ms", "mtext":
		return isTextPoint
	case "mglyph", "malignmark":
		return isGlyph
	case "annotation-xml":
		return isAnnotation
	case "p", "br":
		return breaksOut | isParagraph | isSpecial
	case "table":
		return breaksOut | isTable | isColgroup | isSpecial
	case "colgroup":
		return isTable | isColgroup | isSpecial
	case "col":
		return isTable | isCol | isSpecial
	case "caption", "tbody", "td", "tfoot", "th", "thead", "tr":
		return isTable | isSpecial
	case "font":
		return isFont | isSpecial
	case "select":
		return isSelect | isSpecial
	case "template":
		return isTemplate | isTable | isSpecial
	case "meta":
		return breaksOut | isMeta | isSpecial
	case "frameset":
		return isFrameset | isSpecial
	case "b", "big", "blockquote", "body", "center", "code", "dd", "div", "dl", "dt", "em", "embed",
		"h1", "h2", "h3", "h4", "h5", "h6", "head", "hr", "i", "img", "li", "listing", "menu", "nobr", "ol",
		"pre", "ruby", "s", "small", "span", "strong", "strike", "sub", "sup", "tt", "u", "ul", "var":
		return breaksOut | isSpecial
	case "a", "address", "applet", "area", "article", "aside", "base", "basefont", "bgsound", "button", "details",
		"dialog", "dir", "fieldset", "figcaption", "figure", "footer", "form", "frame", "header", "hgroup", "html",
		"image", "input", "keygen", "main", "marquee", "nav", "object", "optgroup", "option", "param", "rb", "rp",
		"rt", "rtc", "search", "section", "source", "summary", "track", "wbr":
		return isSpecial
	}
	return 0
}
