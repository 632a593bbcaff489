package collect

import (
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/merlon-sec/merlon/report"
)

// The lengths of what is stored, in bytes.
const (
	maxBlocked = 512
	maxSample  = 128
)

// wildcard stands for what was taken out.
const wildcard = "*"

// private finds in a piece of page source what may be somebody's: URLs, addresses, long words with digits, hex, numbers.
var private = regexp.MustCompile(`(?i)[a-z][a-z0-9+.-]{1,15}://[^\s"'<>()` + "`" + `]+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+|[\w+/=-]{16,}|[0-9a-f]{6,}|[0-9]{3,}`)

// sample masks a sample and takes out what differs between two reports of the same script.
func sample(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	return cut(private.ReplaceAllStringFunc(s, mask), maxSample)
}

func mask(s string) string {
	switch {
	case strings.Contains(s, "://"):
		if u := parseHTTP(s); u != nil {
			return origin(u) + report.Route(u)
		}
		return wildcard
	case strings.ContainsAny(s, "0123456789@"):
		return wildcard
	}
	return s // a long word
}

// origin returns scheme://host[:port] in lower case and without a default port.
func origin(u *url.URL) string {
	host := strings.ToLower(u.Host)
	if port := u.Port(); port == "" || port == defaultPort(u.Scheme) {
		host = strings.TrimSuffix(host, ":"+port)
	}
	return u.Scheme + "://" + host
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
