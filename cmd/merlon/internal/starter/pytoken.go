package starter

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// pyToken is a token of Python.
type pyToken struct {
	kind string // name, number, string, op, newline (the end of a statement's line)
	text string // as written; of strings the prefix
	str  string // what a string says
	line int
	col  int  // of the first token in a line: its indentation
	open bool // a string that is no literal: bytes, and f-strings with fields
}

var (
	pyName   = regexp.MustCompile(`^[A-Za-z_\x80-\xff][A-Za-z0-9_\x80-\xff]*`)
	pyNumber = regexp.MustCompile(`^(?:0[xX][0-9a-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|(?:[0-9][0-9_]*)?\.?[0-9][0-9_]*\.?(?:[eE][+-]?[0-9]+)?[jJ]?)`)
	pyString = regexp.MustCompile(`^([A-Za-z]{0,2})("""|'''|"|')`)
	pyOps    = []string{"**=", "//=", ">>=", "<<=", "...", ":=", "->", "**", "//", "==", "!=", "<=", ">=", "<<", ">>", "+=", "-=", "*=", "/=", "|=", "&=", "^=", "%=", "@="}
)

// pyTokens takes Python's text apart. https://docs.python.org/3/reference/lexical_analysis.html
func pyTokens(data []byte) ([]pyToken, error) {
	z := &pyScanner{text: strings.TrimPrefix(strings.ReplaceAll(string(data), "\r\n", "\n"), "\ufeff"), line: 1}
	for z.pos < len(z.text) {
		if err := z.next(); err != nil {
			return nil, err
		}
	}
	z.add(pyToken{kind: "newline"})
	return z.out, nil
}

type pyScanner struct {
	text      string
	pos, line int
	lineStart int
	depth     int // of brackets: inside them a line's end is no statement's end
	out       []pyToken
}

func (z *pyScanner) add(t pyToken) {
	t.line, t.col = z.line, z.pos-z.lineStart
	z.out = append(z.out, t)
}

func (z *pyScanner) next() error {
	rest := z.text[z.pos:]
	switch c := rest[0]; {
	case c == '\n':
		if z.depth == 0 && len(z.out) > 0 && z.out[len(z.out)-1].kind != "newline" {
			z.add(pyToken{kind: "newline"})
		}
		z.pos++
		z.line++
		z.lineStart = z.pos
		return nil
	case c == ' ' || c == '\t' || c == '\f' || c == '\r':
		z.pos++
		return nil
	case c == '#':
		if i := strings.IndexByte(rest, '\n'); i >= 0 {
			z.pos += i
		} else {
			z.pos = len(z.text)
		}
		return nil
	case strings.HasPrefix(rest, "\\\n"):
		z.pos += 2
		z.line++
		return nil
	}
	if m := pyString.FindStringSubmatch(rest); m != nil {
		return z.str(strings.ToLower(m[1]), m[2], len(m[0]))
	}
	for _, form := range []struct {
		kind string
		re   *regexp.Regexp
	}{{"name", pyName}, {"number", pyNumber}} {
		if m := form.re.FindString(rest); m != "" {
			z.add(pyToken{kind: form.kind, text: m})
			z.pos += len(m)
			return nil
		}
	}
	return z.op(rest)
}

func (z *pyScanner) op(rest string) error {
	text := rest[:1]
	for _, op := range pyOps {
		if strings.HasPrefix(rest, op) {
			text = op
			break
		}
	}
	switch {
	case strings.Contains("([{", text):
		z.depth++
	case strings.Contains(")]}", text):
		z.depth = max(z.depth-1, 0)
	case !strings.Contains("+-*/%@&|^~<>=!,:.;`$?\\", text[:1]):
		r, _ := utf8.DecodeRuneInString(rest)
		return fmt.Errorf("%d: %q begins nothing in Python", z.line, r)
	}
	z.add(pyToken{kind: "op", text: text})
	z.pos += len(text)
	return nil
}

// str reads a string whose opening of this length has been seen.
func (z *pyScanner) str(prefix, quote string, opening int) error {
	t := pyToken{kind: "string", text: prefix, open: strings.ContainsAny(prefix, "bt")}
	start, raw := z.line, strings.Contains(prefix, "r")
	z.add(t)
	at := len(z.out) - 1
	var b strings.Builder
	for i := z.pos + opening; i < len(z.text); {
		rest := z.text[i:]
		switch {
		case strings.HasPrefix(rest, quote):
			z.pos = i + len(quote)
			z.out[at].str = b.String()
			z.out[at].open = z.out[at].open || strings.Contains(prefix, "f") && strings.ContainsAny(b.String(), "{}")
			return nil
		case rest[0] == '\n' && len(quote) == 1:
			return fmt.Errorf("%d: a string is not closed", start)
		case rest[0] == '\\' && len(rest) > 1:
			text, n, known := pyEscape(rest, raw)
			z.out[at].open = z.out[at].open || !known
			b.WriteString(text)
			z.lines(rest[:n], i)
			i += n
		default:
			b.WriteByte(rest[0])
			z.lines(rest[:1], i)
			i++
		}
	}
	return fmt.Errorf("%d: a string is not closed", start)
}

// lines counts the lines that end in a part of a string which begins at i.
func (z *pyScanner) lines(part string, i int) {
	if j := strings.LastIndexByte(part, '\n'); j >= 0 {
		z.line++
		z.lineStart = i + j + 1
	}
}

var pyEscapes = map[byte]string{'\n': "", '\\': "\\", '\'': "'", '"': `"`, 'a': "\a", 'b': "\b", 'f': "\f", 'n': "\n", 'r': "\r", 't': "\t", 'v': "\v"}

// pyEscape reads the escape at the beginning of text, and how long it is.
func pyEscape(text string, raw bool) (says string, length int, known bool) {
	if raw {
		return text[:2], 2, true
	}
	if s, ok := pyEscapes[text[1]]; ok {
		return s, 2, true
	}
	digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[text[1]]
	if digits > 0 && len(text) >= 2+digits {
		if n, err := strconv.ParseUint(text[2:2+digits], 16, 32); err == nil && n <= utf8.MaxRune {
			return string(rune(n)), 2 + digits, true
		}
	}
	if text[1] == 'N' || digits > 0 || text[1] >= '0' && text[1] <= '7' { // names and octal numbers: nobody writes a policy so
		return text[:2], 2, false
	}
	return text[:2], 2, true // Python keeps the backslash
}
