package collect

import (
	"strings"
	"unicode/utf8"
)

// The lengths of what is stored, in bytes.
const (
	maxBlocked = 512
	maxWord    = 64
	maxBody    = 4 << 10
)

// address returns what is kept of a text that should be a URL: origin and template of the path, a scheme with its colon, or one of the words
// that browsers send instead. Anything else is "".
func (h *hosts) address(s string) string {
	if p := h.place(s); p != nil {
		return p.String()
	}
	switch s {
	case "", "inline", "eval", "wasm-eval", "self", "trusted-types-sink", "trusted-types-policy":
		return s
	}
	if scheme := schemeOf(s); scheme != "" {
		return maskWord(scheme) + ":"
	}
	return ""
}

// word returns a name out of a vocabulary of browsers: letters, digits and a little more. What is no such name, or may be a token, is "other".
func word(s string) string {
	if s == "" {
		return ""
	}
	if len(s) > maxWord || strings.Trim(s, wordCharacters) != "" {
		return otherWord
	}
	if masked := maskWord(s); masked != s {
		return otherWord
	}
	return s
}

const (
	wordCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_. "
	otherWord      = "other"
)

// maskWord replaces a word that is more likely an identifier than a name. Names of features have a digit at times.
func maskWord(s string) string {
	digits := 0
	for i := range len(s) {
		if '0' <= s[i] && s[i] <= '9' {
			digits++
		}
	}
	if digits >= 3 && (len(s) >= maxPlainWord || digits >= 5) || digits > 0 && len(s) >= 6 && strings.Trim(s, "0123456789abcdefABCDEF-") == "" {
		return wildcard
	}
	return s
}

// cut shortens s to at most n bytes without breaking a rune.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
