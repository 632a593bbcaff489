package dash

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// maxInline is how many characters of a reported value stand in the page itself. The rest is behind a fold.
const maxInline = 90

const brailleBlank = '\u2800' // a symbol by its category, and empty to the eye

// visible spells out what a reader would not see or what would reorder the text around it: control and format characters
// (bidi overrides, zero width), unusual spaces, fillers, variation selectors, and bytes that are not UTF-8.
func visible(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case unicode.IsPrint(r) && !hidden(r):
			b.WriteRune(r)
		case r > 0xffff:
			fmt.Fprintf(&b, `\U%08x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
		i += size
	}
	return b.String()
}

// hidden names the printable characters that show nothing.
func hidden(r rune) bool {
	return r == brailleBlank || unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// value is reported text, ready to show.
type value struct {
	Short string // all of it, or the beginning
	Full  string // "" when Short is all
}

// cut makes text visible, and splits off a beginning when it is long.
func cut(s string) value {
	s = visible(s)
	n := 0
	for i := range s {
		if n == maxInline {
			return value{Short: s[:i] + "…", Full: s}
		}
		n++
	}
	return value{Short: s}
}

// span is a piece of our own text; Code marks what stood between backticks.
type span struct {
	Text string
	Code bool
}

// prose splits our own text at backticks. Reported text does not go through it.
func prose(s string) []span {
	var spans []span
	for i, part := range strings.Split(s, "`") {
		if part != "" {
			spans = append(spans, span{part, i%2 == 1})
		}
	}
	return spans
}

// number groups digits by thousands with a thin space that does not break.
func number(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "\u202f" + s[i:]
	}
	return s
}

func plural(n int64, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// instant is a moment as pages show it, in UTC.
type instant struct{ At, now time.Time }

// Machine is the value of a time element's datetime attribute.
func (i instant) Machine() string { return i.At.UTC().Format(time.RFC3339) }

// Absolute is the moment to the minute.
func (i instant) Absolute() string { return i.At.UTC().Format("2006-01-02 15:04") }

// Day is the moment's day.
func (i instant) Day() string { return i.At.UTC().Format(time.DateOnly) }

// Ago is the distance to now. A moment in the future, after the clock was set back, is "just now".
func (i instant) Ago() string {
	switch age := i.now.Sub(i.At); {
	case age < time.Minute:
		return "just now"
	case age < time.Hour:
		return fmt.Sprintf("%d min ago", age/time.Minute)
	case age < 48*time.Hour:
		return fmt.Sprintf("%d h ago", age/time.Hour)
	default:
		return fmt.Sprintf("%d days ago", age/(24*time.Hour))
	}
}
