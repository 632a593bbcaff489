package merlon

import (
	"net/url"
	"strings"
)

// canonical reports whether every server reads u's path as the same route. /widget/..%2fadmin matches ServeMux's
// pattern /widget/, and nginx or Django behind serve /admin for it; ";" begins parameters for some servers, and a
// decoded "%" is decoded once more by others. Route changes apply to canonical paths only.
func canonical(u *url.URL) bool {
	if strings.ContainsAny(u.Path, "\\;%") || strings.Contains(u.Path, "//") || dotSegment(u.Path) {
		return false
	}
	// RawPath is set only where Path's usual encoding differs from what was sent.
	return u.RawPath == "" || !encodesSeparator(u.RawPath)
}

func dotSegment(path string) bool {
	for rest := path; ; {
		i := strings.Index(rest, "/.")
		if i < 0 {
			return false
		}
		rest = rest[i+1:]
		switch segment, _, _ := strings.Cut(rest, "/"); segment {
		case ".", "..":
			return true
		}
	}
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
