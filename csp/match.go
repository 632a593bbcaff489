package csp

import (
	"strings"
	"unicode/utf8"
)

// Match reports whether a source list lets a URL through that was reached after so many redirects, for a document of the
// origin self. Where it matters which directive the list stands in, it is img-src. https://www.w3.org/TR/CSP3/#match-url-to-source-list
func (m Mode) Match(list []Source, u *URL, self Origin, redirects int) bool {
	l := sourceList{sources: list, none: len(list) == 0 || len(list) == 1 && list[0].Kind == None}
	switch m {
	case Strictest, Laxest:
		for i := range quirksOf {
			if l.match(u, self, redirects, &quirksOf[i]) == (m == Laxest) {
				return m == Laxest
			}
		}
		return m == Strictest
	}
	return l.match(u, self, redirects, &quirksOf[m])
}

func (l *sourceList) match(u *URL, self Origin, redirects int, q *quirks) bool {
	if l.none {
		return false
	}
	for i := range l.sources {
		if l.sources[i].match(u, self, redirects, q) {
			return true
		}
	}
	return false
}

// match is "does url match expression in origin with redirect count". https://www.w3.org/TR/CSP3/#match-url-to-source-expression
func (s *Source) match(u *URL, self Origin, redirects int, q *quirks) bool {
	switch s.Kind {
	case Keyword:
		return s.Word == "self" && matchSelf(u, self, q)
	case SchemeSource:
		return matchScheme(s.Scheme, u.Scheme, q)
	case HostSource:
		if s.Text == "*" {
			return s.matchStar(u.Scheme, self, q)
		}
		return !s.skipped(q) && s.matchHostSource(u, self, redirects, q)
	}
	return s.extra && q.queryIgnored && !s.skipped(q) && s.matchHostSource(u, self, redirects, q)
}

func (s *Source) matchStar(scheme string, self Origin, q *quirks) bool {
	switch scheme {
	case "http", "https":
		return true
	case "ws", "wss":
		return q.webSocketsAsTheyAre || scheme == self.scheme
	case "ftp":
		return q.starCoversFTP || scheme == self.scheme
	case "data":
		return q.starCoversData && (s.directive == "" || s.directive == "img-src" || s.directive == "media-src")
	case "blob":
		return q.starCoversData && s.directive == "media-src"
	}
	return scheme == self.scheme && scheme != ""
}

func matchSelf(u *URL, self Origin, q *quirks) bool {
	if self.Opaque() {
		return false
	}
	if u.Scheme == "blob" {
		return !q.selfWithoutBlob && u.Origin().Same(self)
	}
	if self.Same(Origin{u.Scheme, u.Host, u.Port}) {
		return true
	}
	if self.host != u.Host || self.port != u.Port {
		return false
	}
	return u.Scheme == "https" || u.Scheme == "wss" || self.scheme == "http" && u.Scheme == "ws"
}

// matchScheme is scheme-part match: http covers https, and WebSockets cover their secure and HTTP forms.
// https://www.w3.org/TR/CSP3/#match-schemes
func matchScheme(a, b string, q *quirks) bool {
	switch {
	case a == b:
		return true
	case a == "http":
		return b == "https"
	case a == "ws":
		return b == "wss" || !q.wsNotHTTP && (b == "http" || b == "https")
	case a == "wss":
		return !q.wsNotHTTP && b == "https"
	}
	return false
}

func (s *Source) matchHostSource(u *URL, self Origin, redirects int, q *quirks) bool {
	if u.Host == "" || !special(u.Scheme) { // other schemes have opaque hosts, which are no domains
		return false
	}
	scheme := s.Scheme
	if scheme == "" {
		scheme = self.scheme
	}
	if !matchScheme(scheme, u.Scheme, q) || !s.matchHost(u.Host, q) || !s.matchPort(u, scheme, q) {
		return false
	}
	return redirects > 0 || matchPath(s.Path[:s.pathEnd], u.Path, q)
}

// matchHost is host-part match. Only domains match, by the text. https://www.w3.org/TR/CSP3/#match-hosts
func (s *Source) matchHost(host string, q *quirks) bool {
	if isIP(host) && !(q.addressesMatch && host[0] != '[') {
		return false
	}
	if s.Host == "*" {
		return true
	}
	if suffix, ok := strings.CutPrefix(s.Host, "*"); ok {
		return strings.HasSuffix(host, suffix) // which by the text may be all of the host
	}
	return s.Host == host
}

// matchPort is port-part match. https://www.w3.org/TR/CSP3/#match-ports
func (s *Source) matchPort(u *URL, scheme string, q *quirks) bool {
	port := u.Port
	if port < 0 {
		port = defaultPort(u.Scheme)
	}
	upgraded := u.Scheme != scheme && (u.Scheme == "https" || u.Scheme == "wss")
	switch {
	case s.Port == "*":
		return true
	case s.Port == "":
		d := defaultPort(scheme)
		return u.Port < 0 || q.portOfSourceScheme && (port == d || d == 80 && port == 443)
	case q.ftpPortFails && u.Scheme == "ftp":
		return false
	case s.port == port:
		return !(q.portNotUpgraded && upgraded && port != 443)
	case s.port == 80 && port == 443:
		secure := u.Scheme == "https" || u.Scheme == "wss"
		return secure && q.port80Upgrades || !secure && q.port80Covers443
	}
	return false
}

// matchPath is path-part match: a trailing slash makes a prefix, and segments are compared percent-decoded.
// https://www.w3.org/TR/CSP3/#match-paths
func matchPath(pattern, path string, q *quirks) bool {
	if pattern == "" || pattern == "/" {
		return true
	}
	if q.slashDecodes {
		if pattern[len(pattern)-1] == '/' {
			return equalDecoded(pattern, path, true, q)
		}
		return equalDecoded(pattern, path, false, q)
	}
	prefix := pattern[len(pattern)-1] == '/'
	pattern = strings.TrimSuffix(pattern, "/")
	for {
		a, restA, moreA := strings.Cut(pattern, "/")
		b, restB, moreB := strings.Cut(path, "/")
		if !equalDecoded(a, b, false, q) {
			return false
		}
		if !moreA {
			return moreB == prefix
		}
		if !moreB {
			return false
		}
		pattern, path = restA, restB
	}
}

// equalDecoded compares a with b, or with the beginning of b, byte by byte after percent-decoding.
func equalDecoded(a, b string, prefix bool, q *quirks) bool {
	if q.latin1Paths && (!utf8.ValidString(percentDecode(a)) || !utf8.ValidString(percentDecode(b))) {
		a, b = textOf(a), textOf(b)
		return a == b || prefix && strings.HasPrefix(b, a)
	}
	for len(a) > 0 {
		if len(b) == 0 {
			return false
		}
		x, n := decodeByte(a)
		y, m := decodeByte(b)
		if x != y {
			return false
		}
		a, b = a[n:], b[m:]
	}
	return prefix || len(b) == 0
}

// textOf decodes bytes as UTF-8, or as Latin-1 where they are none.
func textOf(s string) string {
	s = percentDecode(s)
	if utf8.ValidString(s) {
		return s
	}
	runes := make([]rune, len(s))
	for i := range len(s) {
		runes[i] = rune(s[i])
	}
	return string(runes)
}
