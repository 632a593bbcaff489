package report

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// text is a string that is safe to store and to print; null and values that are not strings are "".
type text string

// UnmarshalJSON never fails: a wrong member must not cost the report.
func (t *text) UnmarshalJSON(data []byte) error {
	*t = ""
	if data[0] != '"' {
		return nil
	}
	s := string(data[1 : len(data)-1])
	if strings.IndexByte(s, '\\') >= 0 || !plainASCII(s) {
		if json.Unmarshal(data, &s) != nil {
			return nil
		}
	}
	*t = text(cleanText(s))
	return nil
}

// plainASCII reports whether s is printable ASCII, as nearly all of what browsers send is. It spares them
// the tables of Unicode.
func plainASCII(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// cleanText removes what no terminal, log or database should meet, and cuts the rest to MaxFieldBytes. encoding/json has already
// replaced invalid UTF-8.
func cleanText(s string) string {
	if !plainASCII(s) {
		s = strings.Map(printable, s)
	}
	return strings.TrimSpace(cut(strings.TrimSpace(s), MaxFieldBytes))
}

// unprintable says what may not come out: control characters, line separators, and the invisible characters that reorder or hide
// text (bidirectional controls, zero-width ones).
func unprintable(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp)
}

// printable turns white space into a space, so that words stay apart, and removes other unprintable runes.
func printable(r rune) rune {
	switch {
	case !unprintable(r):
		return r
	case unicode.IsSpace(r):
		return ' '
	}
	return -1
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

// cleanJSON returns the object with every string cleaned, keys included: sorted, compact, nil for nil.
func cleanJSON(data object) json.RawMessage {
	if data == nil {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return nil
	}
	out, err := json.Marshal(cleanValue(v))
	if err != nil {
		return nil
	}
	return out
}

func cleanValue(v any) any {
	switch v := v.(type) {
	case string:
		return cleanText(v)
	case []any:
		for i := range v {
			v[i] = cleanValue(v[i])
		}
	case map[string]any:
		clean := make(map[string]any, len(v))
		for _, key := range slices.Sorted(maps.Keys(v)) { // sorted: two keys may become one
			clean[cleanText(key)] = cleanValue(v[key])
		}
		return clean
	}
	return v
}
