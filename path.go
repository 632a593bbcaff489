package merlon

import (
	"net/url"
	"path"
	"strings"
	"unicode/utf8"
)

// canonical reports whether every server reads u's path as the same route. /widget/..%2fadmin matches ServeMux's
// pattern /widget/, and nginx or Django behind serve /admin for it; ";" begins parameters for some servers, a decoded "%"
// is decoded once more by others, and some drop control characters, or fold characters that look like dots and slashes.
// Route changes apply to canonical paths only.
func canonical(u *url.URL) bool {
	if plain(u.Path) {
		return u.RawPath == "" || !encodesSeparator(u.RawPath)
	}
	if strings.ContainsFunc(u.Path, ambiguous) || strings.Contains(u.Path, "//") || dotSegment(u.Path) || !utf8.ValidString(u.Path) {
		return false
	}
	// RawPath is set only where Path's usual encoding differs from what was sent.
	return u.RawPath == "" || !encodesSeparator(u.RawPath)
}

// plain reports quickly that a path has nothing to look at twice: no byte but those of usual segments, and neither an empty
// segment nor one that begins with a dot.
func plain(path string) bool {
	last := byte(0)
	for i := range len(path) {
		c := path[i]
		if !usual[c] || last == '/' && (c == '/' || c == '.') {
			return false
		}
		last = c
	}
	return true
}

// usual are the bytes of RFC 3986's unreserved characters, and the slash.
var usual = func() (table [256]bool) {
	for _, c := range []byte("/-._~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") {
		table[c] = true
	}
	return table
}()

// plainest reads a decoded path as the most lenient servers do: backslashes are slashes, parameters are cut off, slashes
// merge and dot segments resolve.
func plainest(p string) string {
	segments := strings.FieldsFunc(p, func(r rune) bool { return r == '/' || r == '\\' })
	for i, segment := range segments {
		segments[i], _, _ = strings.Cut(segment, ";")
	}
	clean := path.Clean("/" + strings.Join(segments, "/"))
	if clean != "/" && strings.HasSuffix(strings.ReplaceAll(p, "\\", "/"), "/") {
		clean += "/"
	}
	return clean
}

func ambiguous(r rune) bool {
	switch r {
	case '\\', ';', '%', 0x7f, '․', '‥', '…', '．', '。', '⁄', '∕', '／', '＼', '﹨', '％', '；':
		return true
	}
	return r < ' '
}

// dotSegment finds "." and "..", also with the trailing dots and spaces that Windows cuts off.
func dotSegment(path string) bool {
	if !strings.Contains(path, "/.") && !strings.Contains(path, "/ ") {
		return false
	}
	for segment := range strings.SplitSeq(path, "/") {
		if segment != "" && strings.Trim(segment, ". ") == "" {
			return true
		}
	}
	return false
}

func encodesSeparator(raw string) bool {
	for i := 0; i+2 < len(raw); i++ {
		if raw[i] != '%' {
			continue
		}
		switch strings.ToLower(raw[i+1 : i+3]) {
		case "2f", "5c", "2e", "3b":
			return true
		}
	}
	return false
}
