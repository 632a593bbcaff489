package rewrite

// maxFrames and maxHidden bound what is remembered of foreign content.
const (
	maxFrames = 64
	maxHidden = 32
)

// content says how the tokenizer reads what follows a start tag.
type content uint8

const (
	markup content = iota
	text           // up to its end tag
	fork           // as markup or as text: it is not known which
	unknown
)

// frame is an open SVG or MathML element.
type frame struct {
	name  name
	math  bool
	point bool // HTML may stand in it
	texts bool // a MathML text integration point
	annot bool // annotation-xml
}

// tree follows the open SVG and MathML elements, because in them title, style, script and others are not raw text and
// CDATA sections exist. HTML elements are not followed. Where that leaves several possibilities, tree keeps a superset
// of them (all of what it says holds in each):
//
//   - frames are the open foreign elements, the innermost last, above some HTML element. If the last is an integration
//     point, any HTML may be open in it.
//   - the first alt frames may instead be buried: HTML that stands in one of their integration points is still open, so
//     that their end tags were ignored. In the innermost of them, the context is foreign or HTML.
//   - hidden holds the names of elements that may be buried. Only an end tag with such a name can uncover them.
//   - unsure: the context is HTML, or a foreign element that is no integration point. frames are then all foreign
//     elements that may be open above what is hidden; flat: none of them is an integration point.
type tree struct {
	frames    []frame
	alt       int
	unsure    bool
	flat      bool
	hidden    []name
	anyHidden bool
	// hiddenLetters has a bit for each first letter of what is hidden, counted as in shortest.
	hiddenLetters uint32
	sawMath       bool
	inSelect      bool // in a select element, where parsers before 2025 ignore most tags
	keepSelect    bool
	inTemplate    bool
	colgroup      bool // the last tag was one after which a col is no surprise
	ignoring      bool // the parser may be ignoring start tags
}

// top returns the current foreign element, or nil where HTML is certain.
func (t *tree) top() *frame {
	if len(t.frames) == 0 {
		return nil
	}
	return &t.frames[len(t.frames)-1]
}

// atAlt reports whether the current context may be HTML although the last frame is foreign.
func (t *tree) atAlt() bool { return t.alt > 0 && t.alt == len(t.frames) }

// shortest is the length of the shortest tag name with a letter (its low five bits) that means something in HTML.
var shortest = [32]int{
	'c' & 31: len("col"), 'f' & 31: len("frameset"), 'i' & 31: len("iframe"), 'l' & 31: len("link"), 'm' & 31: len("math"),
	'n' & 31: len("noembed"), 'p' & 31: len("plaintext"), 's' & 31: len("svg"), 't' & 31: len("table"), 'x' & 31: len("xmp"),
}

// seconds has a bit for each second letter of those names, by the first, counted in the same way.
var seconds = [32]uint32{
	'c' & 31: bits("o"), 'f' & 31: bits("r"), 'i' & 31: bits("f"), 'l' & 31: bits("i"), 'm' & 31: bits("ae"), 'n' & 31: bits("o"),
	'p' & 31: bits("l"), 's' & 31: bits("vcet"), 't' & 31: bits("aei"), 'x' & 31: bits("m"),
}

func bits(letters string) (set uint32) {
	for i := range len(letters) {
		set |= 1 << (letters[i] & 31)
	}
	return set
}

// ignoresName reports, fast and for most tags, that a start tag whose name begins with these bytes and has this length means
// nothing in HTML.
func ignoresName(first, second byte, n int) bool {
	least := shortest[first&31]
	return least == 0 || n < least || seconds[first&31]>>(second&31)&1 == 0
}

// ignoresStart is ignoresName where SVG and MathML may be open.
func (t *tree) ignoresStart(first, second byte, n int) bool {
	return ignoresName(first, second, n) && len(t.frames) == 0 && !t.unsure
}

// ignoresEnd is ignoresStart for end tags.
func (t *tree) ignoresEnd(letter byte) bool {
	return t.hiddenLetters>>(letter&31)&1 == 0 && len(t.frames) == 0 && !t.unsure && !t.inSelect &&
		!t.colgroup
}

// foreign reports whether CDATA sections exist here, and whether that is certain.
func (t *tree) foreign() (yes, certain bool) {
	top := t.top()
	switch {
	case t.unsure:
		return false, false
	case top == nil:
		return false, len(t.hidden) == 0 && !t.anyHidden
	}
	return true, !top.point && !t.atAlt()
}

// start takes a start tag, and says how to read what follows and whether the element is one that takes a nonce.
func (t *tree) start(g *tag) (content, bool) {
	if t.unsure || len(t.frames) > 0 {
		return t.startNear(g)
	}
	return t.startHTML(g)
}

// startNear takes a start tag where a foreign element may be open.
func (t *tree) startNear(g *tag) (content, bool) {
	switch top := t.top(); {
	case g.class&isFrameset != 0:
		return unknown, false
	case g.oversize && g.class&(isFont|isAnnotation) != 0:
		return unknown, false
	case t.unsure:
		return t.startUnsure(g)
	case top.point:
		return t.startAtPoint(g)
	case t.atAlt():
		return t.startAtAlt(g)
	default:
		return t.startForeign(g)
	}
}

// startHTML takes a start tag by the rules for HTML.
func (t *tree) startHTML(g *tag) (content, bool) {
	nonced := g.class&(isScript|isStyle|isLink) != 0
	if g.class == 0 {
		t.colgroup = false
		return markup, nonced
	}
	t.note(g)
	switch {
	case g.class&(isFrameset|isPlaintext) != 0:
		return unknown, nonced
	case g.class&isText != 0:
		// In a select element only script, and textarea (which closes it), are certainly not ignored.
		if t.ignoring || t.inSelect && g.class&isScript == 0 && string(g.name.text[:8]) != "textarea" {
			return fork, nonced
		}
		return text, nonced
	case g.class&(isSVG|isMath) != 0 && !g.selfClosing:
		if !t.push(frame{name: g.name, math: g.class&isMath != 0}) {
			return unknown, nonced
		}
		if t.ignoring || t.inSelect {
			t.doubt()
		}
	}
	return markup, nonced
}

// note keeps account of what can make a parser ignore tags: select, and col as the first thing in a template.
func (t *tree) note(g *tag) {
	switch {
	case g.class&isTemplate != 0:
		t.inTemplate = true
		t.keepSelect = t.keepSelect || t.inSelect
	case g.class&isSelect != 0:
		t.inSelect = true
	case g.class&isCol != 0 && t.inTemplate && !t.colgroup:
		t.ignoring = true
	}
	t.colgroup = g.class&(isColgroup|isCol) != 0
}

// startAtPoint takes a start tag in an integration point, or in HTML in it.
func (t *tree) startAtPoint(g *tag) (content, bool) {
	switch {
	case t.top().texts && g.class&isGlyph != 0:
		t.doubt()
		return t.startUnsure(g)
	case g.class&isTable != 0, t.atAlt() && g.class&(isSpecial|breaksOut) != 0:
		t.bury()
	}
	return t.startHTML(g)
}

// startForeign takes a start tag where the current element certainly is a foreign one.
func (t *tree) startForeign(g *tag) (content, bool) {
	if g.class&breaksOut != 0 || g.class&isFont != 0 && g.fontAttr {
		t.breakOut()
		return t.start(g)
	}
	t.colgroup = false
	top := t.top()
	f := frame{name: g.name, math: top.math && !(top.annot && g.class&isSVG != 0)}
	nonced := !top.math && g.class&(isScript|isStyle) != 0
	switch {
	case g.selfClosing:
		return markup, nonced
	case f.math:
		f.texts = g.class&isTextPoint != 0
		f.annot = g.class&isAnnotation != 0
		f.point = f.texts || f.annot && g.encoding != plain
	default:
		f.point = g.class&isPoint != 0
	}
	if !t.push(f) {
		return unknown, nonced
	}
	if f.annot && g.encoding == unclear {
		t.doubt()
	}
	return markup, nonced
}

// startAtAlt takes a start tag where the current element is foreign, or else HTML.
func (t *tree) startAtAlt(g *tag) (content, bool) {
	top := *t.top()
	switch {
	case g.class&breaksOut != 0, g.class&isFont != 0 && g.fontAttr:
		t.bury()
		return t.startHTML(g)
	case g.class&isText != 0 && g.class&isSpecial == 0 && !g.selfClosing:
		t.hide(t.frames)
		t.hideName(g.name)
		return fork, !top.math && g.class&(isScript|isStyle) != 0
	case g.class&(isSVG|isMath) != 0 && top.math == (g.class&isMath != 0) && !top.annot:
		if !g.selfClosing && !t.push(frame{name: g.name, math: top.math}) {
			return unknown, false
		}
		return markup, false
	case g.class&(isSpecial|isSVG|isMath|isText) != 0:
		t.doubt()
		return t.startUnsure(g)
	}
	atAlt := len(t.frames)
	c, _ := t.startForeign(g)
	if len(t.frames) > atAlt {
		t.alt = len(t.frames)
	}
	return c, false
}

// startUnsure takes a start tag where the context is HTML or foreign.
func (t *tree) startUnsure(g *tag) (content, bool) {
	if g.class&breaksOut != 0 {
		t.settle()
		return t.startHTML(g)
	}
	t.note(g)
	if g.class&isMath != 0 {
		t.sawMath = true
	}
	if g.class&isPlaintext != 0 {
		return unknown, false
	}
	if g.class&(isPoint|isTextPoint|isAnnotation) != 0 {
		t.flat = false
	}
	if !g.selfClosing && !t.push(frame{name: g.name}) {
		return unknown, false
	}
	if g.class&isText == 0 {
		return markup, false
	}
	nonced := !t.sawMath && g.class&(isScript|isStyle) != 0
	if g.selfClosing {
		return unknown, nonced
	}
	return fork, nonced
}

// end takes an end tag.
func (t *tree) end(g *tag) {
	t.colgroup = false
	if g.class&isSelect != 0 && !t.keepSelect {
		t.inSelect = false
	}
	switch top := t.top(); {
	case t.unsure:
		if g.class&isParagraph != 0 {
			t.settle()
		}
	case top == nil:
		if t.mayUncover(g) {
			t.doubt()
		}
	case !g.name.known():
		t.doubt()
	case top.point:
		t.endAtPoint(g)
	default:
		t.endForeign(g)
	}
}

// endAtPoint takes an end tag in an integration point, or in HTML in it.
func (t *tree) endAtPoint(g *tag) {
	i, point := t.find(g.name), t.lastPoint(len(t.frames)-1)
	switch {
	case i > point: // closes the integration point, unless HTML is open in it
		t.hide(t.frames)
		t.frames = t.frames[:i]
		t.alt = len(t.frames)
	case i >= 0, t.mayUncover(g):
		t.doubt()
	case g.class&isTable != 0, t.atAlt() && g.class&(isSpecial|breaksOut) != 0:
		t.bury()
	}
}

// endForeign takes an end tag where the current element is a foreign one that is no integration point.
func (t *tree) endForeign(g *tag) {
	i, point := t.find(g.name), t.lastPoint(len(t.frames))
	switch {
	case t.atAlt() && g.class&(isSpecial|breaksOut) != 0:
		t.doubt()
		if g.class&isParagraph != 0 {
			t.settle()
		}
	case i > point:
		t.frames = t.frames[:i]
		t.alt = min(t.alt, i)
	case g.class&isParagraph != 0:
		t.breakOut()
	default:
		t.doubt()
	}
}
