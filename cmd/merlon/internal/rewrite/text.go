package rewrite

import "bytes"

// readText reads the text of w.raw up to its end tag: HTML 13.2.5.2, 13.2.5.3 and 13.2.5.9 to 13.2.5.14.
func (w *Writer) readText(b []byte) bool {
	for w.pos < len(b) {
		i := bytes.IndexByte(b[w.pos:], '<')
		if i < 0 {
			w.pos = len(b)
			return true
		}
		w.pos += i
		switch found, ok := matchTag(b[w.pos:], "</", &w.raw); {
		case !ok:
			return false
		case found:
			return w.beginTag(b, 2)
		case w.state == forkText && !w.readFork(b[w.pos:]):
			return w.state == lost
		case w.state == forkCDATA:
			return true
		}
		w.pos++
	}
	return true
}

// readFork looks at rest, which begins with '<', in text that may be markup. It gives up where that makes a difference,
// and reports whether the '<' is text in both readings.
func (w *Writer) readFork(rest []byte) bool {
	const open = "<![CDATA["
	switch {
	case len(rest) < 2:
		return false
	case bytes.HasPrefix(rest, []byte(open)):
		w.pos += len(open) - 1
		w.state, w.brackets = forkCDATA, 0
	case beginningOf(open, rest):
		return false
	case isLetter(rest[1]), rest[1] == '/', rest[1] == '!', rest[1] == '?':
		w.giveUp()
		return false
	}
	return true
}

// beginningOf reports whether rest is too short to be s, but may become it.
func beginningOf(s string, rest []byte) bool {
	return len(rest) < len(s) && s[:len(rest)] == string(rest)
}

// matchTag reports whether rest, which begins with '<', is prefix and the name n and a byte that ends names; ok is false
// if rest is too short to tell.
func matchTag(rest []byte, prefix string, n *name) (found, ok bool) {
	want := n.text[:n.n]
	for i, c := range rest {
		switch {
		case i < len(prefix):
			if c != prefix[i] {
				return false, true
			}
		case i < len(prefix)+len(want):
			if c|0x20 != want[i-len(prefix)] {
				return false, true
			}
		default:
			return byteKind[c]&endsTagName != 0, true
		}
	}
	return false, false
}

// readScript reads script data: HTML 13.2.5.4 and 13.2.5.15 to 13.2.5.19.
func (w *Writer) readScript(b []byte) bool {
	i := bytes.IndexByte(b[w.pos:], '<')
	if i < 0 {
		w.pos = len(b)
		return true
	}
	w.pos += i
	rest := b[w.pos:]
	switch found, ok := matchTag(rest, "</", &w.raw); {
	case found:
		return w.beginTag(b, 2)
	case !ok, beginningOf("<!--", rest):
		return false
	case bytes.HasPrefix(rest, []byte("<!--")):
		w.pos += 4
		w.state, w.dashes = scriptEscaped, 2
	default:
		w.pos++
	}
	return true
}

// readEscaped reads escaped and double escaped script data: HTML 13.2.5.20 to 13.2.5.31.
func (w *Writer) readEscaped(b []byte) bool {
	for w.pos < len(b) {
		switch c := b[w.pos]; {
		case c == '-':
			w.dashes++
			w.pos++
			continue
		case c == '>' && w.dashes >= 2:
			w.pos++
			w.state = scriptData
			return true
		case c == '<':
			found, ok := matchTag(b[w.pos:], "</", &w.raw)
			switch {
			case !ok:
				return false
			case found && w.state == scriptEscaped:
				return w.beginTag(b, 2)
			case found:
				w.state = scriptEscaped
				w.pos += len("</script")
			case w.state == scriptEscaped:
				if found, ok = matchTag(b[w.pos:], "<", &w.raw); !ok {
					return false
				}
				if found {
					w.state = scriptDoubleEscaped
					w.pos += len("<script")
				}
			}
		}
		w.dashes = 0
		w.pos++
	}
	return true
}
