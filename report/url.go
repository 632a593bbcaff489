package report

import (
	"net/url"
	"strings"
)

// decodeURL reads a URL the way that browsers are told to send it: without a fragment, a name and a password, and down to the scheme
// if it is not one of the network. Old browsers send whole data: URLs, and WebKit the install-specific URLs of its extensions.
// See https://www.w3.org/TR/CSP3/#strip-url-for-use-in-reports. Words like "inline" and names of hosts stay.
func decodeURL(value []byte) string {
	s := decodeText(value)
	scheme, rest, ok := strings.Cut(s, ":")
	if !ok || !isScheme(scheme) || rest != "" && '0' <= rest[0] && rest[0] <= '9' { // localhost:8080
		return s
	}
	switch scheme = strings.ToLower(scheme); scheme {
	case "http", "https", "ws", "wss": // Chromium and Firefox keep the whole URL of a WebSocket
		rest, _, _ = strings.Cut(rest, "#")
		return strings.TrimSpace(scheme + ":" + withoutUser(rest))
	}
	return scheme
}

// isScheme reports whether s is a scheme by https://www.rfc-editor.org/rfc/rfc3986#section-3.1.
func isScheme(s string) bool {
	for i := range len(s) {
		switch c := s[i] | 0x20; {
		case 'a' <= c && c <= 'z':
		case i > 0 && ('0' <= s[i] && s[i] <= '9' || strings.IndexByte("+-.", s[i]) >= 0):
		default:
			return false
		}
	}
	return s != ""
}

// withoutUser returns what follows the scheme's colon without a name and password.
func withoutUser(rest string) string {
	authority, ok := strings.CutPrefix(rest, "//")
	if !ok {
		return rest
	}
	end := hostEnd(authority)
	return "//" + authority[strings.LastIndexByte(authority[:end], '@')+1:]
}

// hostEnd returns where the authority at the beginning of s ends.
func hostEnd(s string) int {
	if i := strings.IndexAny(s, `/\?#`); i >= 0 {
		return i
	}
	return len(s)
}

// FromURL returns what the URL of a report-uri says about the policy that names it: d=e stands for one that is enforced, d=r for a
// report-only one. WebKit does not say it in what it sends to a report-uri, so each policy better names a URL of its own, such as
// /reports?d=e. Anything else is DispositionUnknown. [Handler] looks at it by itself.
func FromURL(u *url.URL) Disposition {
	switch u.Query().Get("d") {
	case "e":
		return Enforce
	case "r":
		return ReportOnly
	}
	return DispositionUnknown
}
