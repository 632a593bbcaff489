package rewrite

import "bytes"

// state is where the tokenizer stands between two steps.
type state uint8

const (
	inMarkup state = iota
	inTag
	inComment
	inBogus     // a comment or DOCTYPE that ends at the next '>'
	inCDATA     // ends at "]]>"
	inForkCDATA // as a CDATA section or as a comment that ends at the next '>'
	rawText
	forkText  // as text up to the end tag of raw, or as markup
	forkCDATA // in forkText
	scriptData
	scriptEscaped
	scriptDoubleEscaped
	lost // no nonces from here on
)

// giveUp makes everything that follows pass without nonces.
func (w *Writer) giveUp() {
	w.state = lost
	w.tag.held = false
}

// read runs the tokenizer over b from w.pos on. If it stops before the end of b, it needs more to decide.
func (w *Writer) read(b []byte) {
	whole := b
	if w.checkESC && w.state != lost {
		// Without a declared charset, browsers may take a page with such an escape for ISO-2022-JP.
		if i := bytes.IndexByte(b[w.pos:], 0x1B); i >= 0 {
			b = b[:w.pos+i]
		}
	}
	for w.pos < len(b) && w.advance(b) {
	}
	if w.state == lost || len(b) < len(whole) {
		w.giveUp()
		w.pos = len(whole)
	}
}

// advance makes progress in b, or reports that it needs more.
func (w *Writer) advance(b []byte) bool {
	switch w.state {
	case inMarkup:
		return w.readMarkup(b)
	case inTag:
		w.readTag(b)
	case inComment:
		w.readComment(b)
	case inBogus:
		w.readBogus(b)
	case inCDATA, inForkCDATA, forkCDATA:
		w.readCDATA(b)
	case rawText, forkText:
		return w.readText(b)
	case scriptData:
		return w.readScript(b)
	case scriptEscaped, scriptDoubleEscaped:
		return w.readEscaped(b)
	case lost:
		w.pos = len(b)
	}
	return true
}

// readMarkup reads text up to a tag or comment, and the beginning of that: HTML 13.2.5.1, 13.2.5.6, 13.2.5.7, 13.2.5.42.
func (w *Writer) readMarkup(b []byte) bool {
	if w.skim(b); w.pos == len(b) {
		return true
	}
	i := bytes.IndexByte(b[w.pos:], '<')
	if i < 0 {
		w.pos = len(b)
		return true
	}
	w.pos += i
	rest := b[w.pos:]
	if len(rest) < 2 {
		return false
	}
	switch c := rest[1]; {
	case isLetter(c):
		return w.beginTag(b, 1)
	case c == '/' && len(rest) < 3:
		return false
	case c == '/' && isLetter(rest[2]):
		return w.beginTag(b, 2)
	case c == '/' && rest[2] == '>':
		w.pos += 3
	case c == '/' || c == '?':
		w.pos += 2
		w.state = inBogus
	case c == '!':
		return w.readDeclaration(rest)
	default:
		w.pos++
	}
	return true
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// readDeclaration reads "<!" and what decides about its kind. A DOCTYPE ends at the next '>', as a bogus comment does.
func (w *Writer) readDeclaration(rest []byte) bool {
	switch {
	case bytes.HasPrefix(rest, []byte("<!--")):
		w.pos += len("<!--")
		w.state, w.dashes, w.opening = inComment, 0, true
	case bytes.HasPrefix(rest, []byte("<![CDATA[")):
		w.pos += len("<![CDATA[")
		w.brackets = 0
		switch foreign, certain := w.tree.foreign(); {
		case !certain:
			w.state = inForkCDATA
		case foreign:
			w.state = inCDATA
		default:
			w.state = inBogus
		}
	case beginningOf("<!--", rest), beginningOf("<![CDATA[", rest):
		return false
	default:
		w.pos += len("<!")
		w.state = inBogus
	}
	return true
}

// bang is the value of dashes behind "--!" in a comment.
const bang = -1

// readComment follows HTML 13.2.5.43 to 13.2.5.52.
func (w *Writer) readComment(b []byte) {
	for i, c := range b[w.pos:] {
		switch {
		case c == '>' && (w.dashes >= 2 || w.dashes == bang || w.opening):
			w.pos += i + 1
			w.state = inMarkup
			return
		case c == '-':
			w.dashes = max(w.dashes, 0) + 1
			continue // "<!--->" is still opening
		case c == '!' && w.dashes >= 2:
			w.dashes = bang
		default:
			w.dashes = 0
		}
		w.opening = false
	}
	w.pos = len(b)
}

func (w *Writer) readBogus(b []byte) {
	i := bytes.IndexByte(b[w.pos:], '>')
	if i < 0 {
		w.pos = len(b)
		return
	}
	w.pos += i + 1
	w.state = inMarkup
}

// readCDATA follows HTML 13.2.5.69 to 13.2.5.71. Where it is not known whether this is a CDATA section, it gives up
// unless both readings end in the same place.
func (w *Writer) readCDATA(b []byte) {
	for i, c := range b[w.pos:] {
		switch {
		case c == ']':
			w.brackets++
			continue
		case c == '>' && w.brackets >= 2:
			w.pos += i + 1
			if w.state == forkCDATA {
				w.state = forkText
			} else {
				w.state = inMarkup
			}
			return
		case c == '>' && w.state == inForkCDATA, c == '<' && w.state == forkCDATA:
			w.giveUp()
			return
		}
		w.brackets = 0
	}
	w.pos = len(b)
}

// beginTag reads the name of a tag, which stands skip bytes behind w.pos. From the state of an element's text, it is
// known to be that element's end tag.
func (w *Writer) beginTag(b []byte, behind int) bool {
	from := w.pos + behind
	end := skip(b[:min(len(b), from+longest+1)], from, endsTagName)
	if end == len(b) && end-from <= longest {
		return false
	}
	g := &w.tag
	g.isEnd, g.endsText = behind == 2, w.state != inMarkup
	g.part, g.selfClosing, g.oversize, g.class = beforeAttr, false, false, 0
	if end-from > longest {
		g.part = inName
	}
	if g.isEnd && (g.endsText || w.tree.ignoresEnd(b[from])) || !g.isEnd && w.tree.ignoresStart(b[from], b[min(from+1, len(b)-1)], end-from) {
		g.name.n = 0
	} else {
		g.name.set(b[from:end])
		g.class = classOf(&g.name)
	}
	if g.held = !g.isEnd && g.class&wantsAttributes != 0; g.held {
		g.start, g.attrs = w.pos, attrs{nameEnd: end}
	}
	w.state = inTag
	w.pos = end
	w.readTag(b)
	return true
}

func (w *Writer) readTag(b []byte) {
	end, done := w.tag.readAttrs(b, w.pos)
	if w.pos = end; done {
		w.endTag(b)
	}
}

// endTag takes the tag that ends at w.pos.
func (w *Writer) endTag(b []byte) {
	g := &w.tag
	w.state = inMarkup
	if g.isEnd {
		if !g.endsText {
			w.tree.end(g)
		}
		return
	}
	g.oversize = g.oversize || g.held && w.pos-g.start > maxTag
	content, nonced := w.tree.start(g)
	if nonced && g.held && !g.oversize {
		w.putNonce(b)
	}
	if g.class&isMeta != 0 && g.policy {
		w.policies++
	}
	g.held = false
	if content == markup {
		return
	}
	w.raw = g.name
	switch {
	case content == unknown:
		w.giveUp()
	case content == fork:
		w.state = forkText
	case content == text && g.class&isScript != 0:
		w.state = scriptData
	case content == text:
		w.state = rawText
	}
}

// putNonce passes on b with the nonce in the current tag, if the mode wants it there.
func (w *Writer) putNonce(b []byte) {
	g := &w.tag
	switch {
	case g.dangling:
		return
	case w.mode == Placeholder:
		if !g.hasNonce || !bytes.Equal(b[g.nonceVal:g.nonceVEnd], w.secrets[0].text) {
			return
		}
		w.emit(b[w.sent:g.nonceVal])
		w.write(w.nonce)
		w.sent = g.nonceVEnd
	case g.class&isLink != 0:
		return
	case g.hasNonce:
		w.emit(b[w.sent:g.nonce])
		w.write(w.nonce[1:])
		w.sent = g.nonceEnd
	default:
		w.emit(b[w.sent:g.nameEnd])
		w.write(w.nonce)
		w.sent = g.nameEnd
	}
	w.nonced++
}
