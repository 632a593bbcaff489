package csp

import (
	"strconv"
	"strings"
)

// SourceKind is what a source expression is. https://www.w3.org/TR/CSP3/#framework-directive-source-list
type SourceKind uint8

// The kinds of source expressions. None is 'none'; Invalid ones stay in their lists and match nothing.
const (
	Invalid SourceKind = iota
	None
	Keyword
	NonceSource
	HashSource
	SchemeSource
	HostSource
)

// Source is one source expression.
type Source struct {
	Kind   SourceKind
	Text   string // as it was written
	Word   string // the keyword in lower case without its quotes, the nonce, or the digest of a hash
	Scheme string // of a scheme or host source, lower case; also the algorithm of a hash
	Host   string // lower case, "*" or beginning with "*." for subdomains
	Port   string // digits, "*", or "" for the default
	Path   string // as it was written, "" for every path

	port    int  // Port as a number, or noPort
	pathEnd int  // where the path ends before a query or fragment, which browsers ignore
	extra   bool // Invalid for nothing but such a query or fragment

	directive string // that it stands in, or ""
}

// noPort is beyond all ports that a URL can have.
const noPort = 1 << 16

// ParseSource classifies one source expression by the grammar.
func ParseSource(text string) Source {
	s := Source{Text: text}
	folded := lower(text)
	switch {
	case folded == "'none'":
		s.Kind = None
	case keywords[folded]:
		s.Kind, s.Word = Keyword, strings.Trim(folded, "'")
	case strings.HasPrefix(folded, "'nonce-") && quotedBase64(text[len("'nonce-"):]):
		s.Kind, s.Word = NonceSource, text[len("'nonce-"):len(text)-1]
	case strings.HasPrefix(folded, "'sha") && len(text) > 8 && hashLengths[folded[1:7]] > 0 && text[7] == '-' && quotedBase64(text[8:]):
		s.Kind, s.Scheme, s.Word = HashSource, folded[1:7], text[8:len(text)-1]
	case isScheme(text):
		s.Kind, s.Scheme = SchemeSource, strings.TrimSuffix(folded, ":")
	default:
		s.parseHost()
	}
	return s
}

// quotedBase64 reports whether s is base64 or base64url, at most two "=", and the closing quote.
func quotedBase64(s string) bool {
	digits, ok := strings.CutSuffix(s, "'")
	digits = strings.TrimSuffix(strings.TrimSuffix(digits, "="), "=")
	return ok && digits != "" && strings.Trim(digits, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_") == ""
}

func (s *Source) parseHost() {
	rest := s.Text
	if scheme, after, ok := cutSchemePart(rest); ok {
		if !validScheme(scheme) {
			return
		}
		s.Scheme, rest = lower(scheme), after
	}
	host, path := rest, ""
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		host, path = rest[:i], rest[i:]
	}
	s.Path, s.pathEnd = path, len(path)
	if i := strings.IndexAny(path, "?#"); i >= 0 {
		s.pathEnd, s.extra = i, true
	}
	host, port, hasPort := strings.Cut(host, ":")
	s.Host, s.Port, s.port = lower(host), port, noPort
	digits := port == "*" || port != "" && strings.Trim(port, "0123456789") == ""
	if digits && port != "*" {
		if n, err := strconv.Atoi(port); err == nil {
			s.port = n
		}
	}
	if !validSourceHost(s.Host) || hasPort && !digits || !validSourcePath(path) {
		s.extra = false
		return
	}
	if !s.extra {
		s.Kind = HostSource
	}
}

// cutSchemePart cuts at the "://" behind a scheme. One behind a slash belongs to the path.
func cutSchemePart(s string) (scheme, rest string, ok bool) {
	scheme, rest, ok = strings.Cut(s, "://")
	if !ok || strings.ContainsAny(scheme, "/?#") {
		return "", s, false
	}
	return scheme, rest, true
}

func validSourceHost(s string) bool {
	if s == "*" {
		return true
	}
	s = strings.TrimSuffix(strings.TrimPrefix(s, "*."), ".")
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return false
		}
	}
	return true
}

func validSourcePath(s string) bool {
	return !strings.HasPrefix(s, "//") && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune("\"<>[\\]^`{|},;", r) })
}

// skipped reports whether a browser with these quirks passes over a host source.
func (s *Source) skipped(q *quirks) bool {
	return q.starWithPathFails && s.Host == "*" && s.Port == "" && s.Path != "" ||
		q.starPortFails && s.Host == "*" && s.Port != "" && s.Scheme == "" ||
		q.finalDotFails && strings.HasSuffix(s.Host, ".") ||
		q.leadingZeroFails && len(s.Port) > 1 && s.Port[0] == '0' ||
		q.badPercentFails && badPercent(s.Path)
}

func badPercent(s string) bool {
	for i := range len(s) {
		if s[i] == '%' {
			if _, n := decodeByte(s[i:]); n != 3 {
				return true
			}
		}
	}
	return false
}

// sourceList is a parsed source list with what decisions ask of it most.
type sourceList struct {
	sources       []Source
	none          bool // empty, or 'none' alone
	nonceOrHash   bool
	unsafeInline  bool
	unsafeHashes  bool
	strictDynamic bool
	reportSample  bool
	unsafeEval    bool
	wasmEval      bool
	trustedEval   bool
	transportHash bool
}

func parseSources(directive string, words []string) sourceList {
	if len(words) == 0 {
		return sourceList{none: true}
	}
	l := sourceList{sources: make([]Source, len(words))}
	for i, w := range words {
		s := ParseSource(w)
		s.directive = directive
		l.sources[i] = s
		switch s.Kind {
		case NonceSource, HashSource:
			l.nonceOrHash = true
		case Keyword:
			l.keyword(s.Word)
		}
	}
	l.none = len(l.sources) == 0 || len(l.sources) == 1 && l.sources[0].Kind == None
	return l
}

func (l *sourceList) keyword(word string) {
	switch word {
	case "unsafe-inline":
		l.unsafeInline = true
	case "unsafe-hashes":
		l.unsafeHashes = true
	case "strict-dynamic":
		l.strictDynamic = true
	case "report-sample":
		l.reportSample = true
	case "unsafe-eval":
		l.unsafeEval = true
	case "wasm-unsafe-eval":
		l.wasmEval = true
	case "trusted-types-eval":
		l.trustedEval = true
	case "unsafe-webtransport-hashes":
		l.transportHash = true
	}
}
