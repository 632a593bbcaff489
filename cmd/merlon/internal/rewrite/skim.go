package rewrite

import "bytes"

// Nearly all tags of a page mean nothing to a Writer: they open no element that it follows, and take no nonce. skim goes over
// those, and over the text between them, in one loop without the tokenizer's states. What it does not know at a glance it
// leaves to the tokenizer, from the tag's '<' on.

// skim moves w.pos from text to the next tag that needs to be looked at, or to the end of b.
func (w *Writer) skim(b []byte) {
	t := &w.tree
	if len(t.frames) > 0 || t.unsure {
		return
	}
	pos := w.pos
	for {
		i := bytes.IndexByte(b[pos:], '<')
		if i < 0 {
			w.pos = len(b)
			return
		}
		pos += i
		rest := b[pos:]
		if len(rest) < len("<b>") {
			break
		}
		n := 0
		if rest[1] == '/' {
			if t.ignoresEnd(rest[2]) {
				n = skimEnd(rest)
			}
		} else if n = skimStart(rest); n > 0 {
			t.colgroup = false
		}
		if n == 0 {
			break
		}
		pos += n
	}
	w.pos = pos
}

// skimEnd returns the length of the end tag that b begins with, or 0 if it is not whole, or unusual.
func skimEnd(b []byte) int {
	end := skip(b, 2, endsTagName)
	if end == len(b) || b[end] != '>' || !isLetter(b[2]) {
		return 0
	}
	return end + 1
}

// skimStart returns the length of the start tag that b begins with, or 0 if it means something, is not whole, or is unusual.
func skimStart(b []byte) int {
	end := skip(b, 1, endsTagName)
	if end == len(b) || !isLetter(b[1]) || !ignoresName(b[1], b[2], end-1) {
		return 0
	}
	if b[end] != '>' {
		end = skipAttrs(b, end)
	}
	switch rest := b[end:]; {
	case len(rest) > 0 && rest[0] == '>':
		return end + 1
	case len(rest) > 1 && rest[0] == '/' && rest[1] == '>':
		return end + 2
	case len(rest) > 2 && rest[0] == ' ' && rest[1] == '/' && rest[2] == '>':
		return end + 3
	}
	return 0
}

// skipAttrs skips whole attributes of the usual forms, each with one space before it, for speed: readAttrs would go through five
// parts for each. It returns where the first one begins that is none, or the tag goes on in another way.
func skipAttrs(b []byte, i int) int {
	for i < len(b) && b[i] == ' ' {
		eq := skip(b, i+1, endsAttrName)
		if eq == i+1 || eq+1 >= len(b) {
			return i
		}
		next := b[eq+1]
		switch {
		case b[eq] == '>', b[eq] == ' ' && next != '=' && byteKind[next]&isSpace == 0: // no value
			i = eq
		case b[eq] != '=':
			return i
		case next == '"', next == '\'':
			n := bytes.IndexByte(b[eq+2:], next)
			if n < 0 {
				return i
			}
			i = eq + 2 + n + 1
		default: // no quotes
			end := skip(b, eq+1, endsUnquoted)
			if end == eq+1 || end == len(b) {
				return i
			}
			i = end
		}
	}
	return i
}
