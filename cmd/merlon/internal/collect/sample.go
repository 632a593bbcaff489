package collect

import (
	"strings"
	"unicode"
)

// maxSample is the length of a sample that is stored, in bytes.
const maxSample = 128

// maxRawSample is how much of one is looked at. Browsers send 40 characters, and of Trusted Types twice that.
const maxRawSample = 1024

// wildcard stands for what was taken out.
const wildcard = "*"

// sample masks a piece of page source and takes out what differs between two reports of the same script: numbers, identifiers, tokens,
// e-mail addresses, and of URLs all but origin and template of the path. White space becomes one space, and the dots that browsers
// put behind what they cut go.
func sample(s string) string {
	if s = strings.TrimSpace(shown(cut(s, maxRawSample))); s == "" {
		return ""
	}
	s = strings.TrimSuffix(strings.TrimSuffix(s, "…"), "...")
	m := masker{in: s, out: make([]byte, 0, len(s))}
	for m.at < len(s) {
		m.next()
	}
	out := strings.TrimSpace(string(m.out))
	return strings.TrimSpace(cut(out, maxSample))
}

// shown takes out what cannot be shown, before anything is looked for: without it, two numbers may be one.
func shown(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r >= 0x7f }) < 0 {
		return s
	}
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
}

// masker goes once over a text.
type masker struct {
	in    string
	at    int
	out   []byte
	quote byte // the one that the text is inside of, or 0
	plain int  // up to here no question mark begins a query
}

func (m *masker) next() {
	c := m.in[m.at]
	switch {
	case isWordByte(c):
		m.word()
	case c == '?' && m.quote != 0 && m.at >= m.plain:
		m.query()
	case c == '"' || c == '\'' || c == '`':
		if m.quote == 0 {
			m.quote = c
		} else if m.quote == c {
			m.quote = 0
		}
		m.copy(1)
	case c == ' ':
		m.space()
	default:
		m.copy(1)
	}
}

func (m *masker) copy(n int) {
	m.out = append(m.out, m.in[m.at:m.at+n]...)
	m.at += n
}

// space makes one space of several.
func (m *masker) space() {
	if len(m.out) > 0 && m.out[len(m.out)-1] != ' ' {
		m.out = append(m.out, ' ')
	}
	m.at++
}

// isWordByte says what words of source, paths and tokens consist of.
func isWordByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("_-+/=.%@", c) >= 0
}

// word masks a run of word bytes, or the URL that begins in it.
func (m *masker) word() {
	end := m.at
	for end < len(m.in) && isWordByte(m.in[end]) {
		end++
	}
	run := m.in[m.at:end]
	if strings.HasPrefix(m.in[end:], "://") {
		if start := schemeStart(run); start < len(run) {
			m.out = appendMasked(m.out, run[:start])
			m.at += start
			m.url("")
			return
		}
	}
	if m.quote != 0 && strings.HasPrefix(run, "//") && len(run) > 2 {
		m.url("https:") // an address without its scheme
		return
	}
	m.out = appendMasked(m.out, run)
	m.at = end
}

// schemeStart returns where the scheme at the end of a run begins.
func schemeStart(run string) int {
	i := len(run)
	for i > 0 {
		if c := run[i-1] | 0x20; 'a' <= c && c <= 'z' || strings.IndexByte("0123456789+-.", run[i-1]) >= 0 {
			i--
			continue
		}
		break
	}
	return i
}

// url replaces an address by its origin and the template of its path.
func (m *masker) url(scheme string) {
	end := m.at + strings.IndexFunc(m.in[m.at:], endsURL)
	if end < m.at {
		end = len(m.in)
	}
	text := m.in[m.at:end]
	m.at = end
	if p := newPlace(parseHTTP(scheme + text)); p != nil && strings.ContainsFunc(p.host, unicode.IsLetter) {
		m.out = append(m.out, strings.TrimPrefix(p.String(), scheme)...)
		return
	}
	m.out = append(m.out, wildcard...)
}

func endsURL(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune("\"'`<>()", r) }

// query takes out what follows a question mark in a quoted address.
func (m *masker) query() {
	end := m.at + strings.IndexFunc(m.in[m.at:], endsURL)
	if end < m.at {
		end = len(m.in)
	}
	if !strings.Contains(m.in[m.at:end], "=") {
		m.plain = end
		m.copy(1)
		return
	}
	m.out = append(m.out, "?"+wildcard...)
	m.at = end
}

// appendMasked appends a run of word bytes without what may be somebody's.
func appendMasked(out []byte, run string) []byte {
	if strings.Contains(run, "%40") || strings.Contains(run, "%2540") || strings.Contains(run, "@") && len(run) > 1 && !onlyLetters(run[1:]) {
		return append(out, wildcard...) // an e-mail address, escaped or not; a decorator is @ and a name
	}
	for run != "" {
		end := strings.IndexAny(run, ".%@") // between the parts of a name
		if end < 0 {
			end = len(run)
		}
		if out = appendPart(out, run[:end]); end < len(run) {
			out = append(out, run[end])
			end++
		}
		run = run[end:]
	}
	return out
}

func onlyLetters(s string) bool {
	for i := range len(s) {
		if c := s[i] | 0x20; c < 'a' || c > 'z' {
			return false
		}
	}
	return true
}

// maxPlainWord is how long a word with a digit may be: 16 characters of base64 are 96 bits.
const maxPlainWord = 16

// appendPart masks a word that has no dot: all of a long one with a digit, else what is hex or a number.
func appendPart(out []byte, part string) []byte {
	if !strings.ContainsAny(part, "0123456789") {
		return append(out, part...)
	}
	if len(part) >= maxPlainWord {
		return append(out, wildcard...)
	}
	for i := 0; i < len(part); {
		hex, digits := hexRun(part[i:])
		switch {
		case digits >= 3 || len(hex) >= 6 && digits > 0:
			out = append(out, wildcard...)
		case len(hex) > 0:
			out = append(out, hex...)
		default:
			out = append(out, part[i])
		}
		i += max(len(hex), 1)
	}
	return out
}

// hexRun returns the hexadecimal digits at the beginning of s, and the length of the longest run of decimal ones in them.
func hexRun(s string) (hex string, digits int) {
	n, run := 0, 0
	for n < len(s) {
		c := s[n]
		switch {
		case '0' <= c && c <= '9':
			run++
			digits = max(digits, run)
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			run = 0
		default:
			return s[:n], digits
		}
		n++
	}
	return s, digits
}
