// Package notify sends messages to people: by webhook, in the form of Slack that Mattermost and Discord take too, and by e-mail. It makes
// text of hostile origin safe to show there.
package notify

import (
	"fmt"
	"strings"
	"unicode"
)

// MaxName is how long text of hostile origin usually may get within a message, in bytes.
const MaxName = 120

// Defang makes text that came from a report safe to show: no chat or mail client makes a link, markup, an emoji or a mention of it, and
// no terminal obeys it. Control characters and what is invisible are gone; a dot is [.], a colon [:], http is hxxp; letters, digits and
// a few marks stay, and all else is percent-encoded, so that nothing is lost. Of what is longer than most bytes the end is cut off.
func Defang(s string, most int) string {
	s = strings.Map(visible, strings.ToValidUTF8(s, ""))
	var b strings.Builder
	for s != "" {
		safe, n := token(s)
		if b.Len()+len(safe) > most {
			b.WriteString("...")
			break
		}
		b.WriteString(safe)
		s = s[n:]
	}
	return b.String()
}

// visible removes what has no shape of its own: controls, the marks that turn the direction of text, zero-width characters, spaces
// other than the plain one.
func visible(r rune) rune {
	if !unicode.IsPrint(r) || r == unicode.ReplacementChar {
		return -1
	}
	return r
}

// marks are the punctuation that no client gives a meaning within a line.
const marks = " -/[]{},=+%?"

// token returns the safe form of the first token of s, and the length of the token in s.
func token(s string) (safe string, n int) {
	for _, scheme := range []string{"https://", "http://", "http"} {
		if len(s) >= len(scheme) && strings.EqualFold(s[:len(scheme)], scheme) {
			return "hxxp" + scheme[len("http"):], len(scheme)
		}
	}
	switch c := s[0]; {
	case c == '.' || c == ':':
		return "[" + s[:1] + "]", 1
	case 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte(marks, c) >= 0:
		return s[:1], 1
	default: // a byte of a longer character as well
		return fmt.Sprintf("%%%02X", c), 1
	}
}
