package csp

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"
)

// URL is a parsed URL, as far as policies look at it. The zero URL has no scheme and matches nothing.
type URL struct {
	Scheme   string // lower case, without the colon
	Host     string // lower case; IPv6 addresses in brackets; "" for URLs without a host
	Port     int    // -1 where it is the scheme's default or absent
	Path     string // percent-encoded; for opaque paths (data:, blob:, about:) all of it
	Query    string // without the question mark
	HasQuery bool
	opaque   bool // the path is opaque: the URL has no host
	hosted   bool // the URL has a host, which may be empty
}

// MaxURLBytes bounds what ParseURL reads. Browsers cut off longer ones themselves.
const MaxURLBytes = 2 << 20

var (
	errURL     = errors.New("not an absolute URL")
	errURLHost = errors.New("no valid host")
	errURLPort = errors.New("no valid port")
	errURLLong = errors.New("the URL is too long")
)

// specialPorts are the special schemes with their default ports. https://url.spec.whatwg.org/#special-scheme
var specialPorts = map[string]int{"http": 80, "https": 443, "ws": 80, "wss": 443, "ftp": 21, "file": -1}

// ParseURL parses an absolute URL as browsers do (the WHATWG URL Standard), for hosts in ASCII: international names are
// converted by the caller. User names, passwords and fragments are dropped.
func ParseURL(s string) (URL, error) { return URL{}.Resolve(s) }

// Resolve parses s against the base u, which may be the zero URL where only absolute URLs are expected.
func (u URL) Resolve(s string) (URL, error) {
	if len(s) > MaxURLBytes {
		return URL{}, errURLLong
	}
	s = clean(s)
	s, _, _ = strings.Cut(s, "#")
	scheme, rest, ok := cutScheme(s)
	switch {
	case !ok:
		return u.relative(s)
	case scheme == u.Scheme && special(scheme) && !strings.HasPrefix(slashes(scheme, rest), "//") && scheme != "file":
		return u.relative(rest) // "https:path" is relative to an https base
	}
	out := URL{Scheme: scheme, Port: -1}
	rest, out.Query, out.HasQuery = strings.Cut(rest, "?")
	out.Query = encode(out.Query, queryEscapes)
	if !special(scheme) && !strings.HasPrefix(rest, "/") {
		out.opaque = true
		out.Path = encode(rest, controlEscapes)
		return out, nil
	}
	rest = slashes(scheme, rest)
	if special(scheme) && scheme != "file" {
		rest = "//" + strings.TrimLeft(rest, "/")
	}
	if authority, ok := strings.CutPrefix(rest, "//"); ok {
		path := ""
		if i := strings.IndexByte(authority, '/'); i >= 0 {
			authority, path = authority[:i], authority[i:]
		}
		if err := out.setAuthority(authority); err != nil {
			return URL{}, err
		}
		rest = path
	}
	out.Path = normalPath(scheme, rest)
	return out, nil
}

// clean strips what the parser ignores: control characters and spaces at the ends, tabs and line ends anywhere.
func clean(s string) string {
	s = strings.TrimFunc(s, func(r rune) bool { return r <= ' ' })
	if strings.ContainsAny(s, "\t\n\r") {
		s = strings.NewReplacer("\t", "", "\n", "", "\r", "").Replace(s)
	}
	return s
}

func cutScheme(s string) (scheme, rest string, ok bool) {
	scheme, rest, ok = strings.Cut(s, ":")
	if !ok || !validScheme(scheme) {
		return "", "", false
	}
	return lower(scheme), rest, true
}

func special(scheme string) bool {
	_, ok := specialPorts[scheme]
	return ok
}

func slashes(scheme, s string) string {
	if special(scheme) {
		return strings.ReplaceAll(s, `\`, "/")
	}
	return s
}

func (u URL) relative(s string) (URL, error) {
	if u.Scheme == "" || u.opaque {
		return URL{}, errURL
	}
	path, query, hasQuery := strings.Cut(s, "?")
	path = slashes(u.Scheme, path)
	out := u
	switch {
	case strings.HasPrefix(path, "//"):
		return URL{}.Resolve(u.Scheme + ":" + path + s[len(path):])
	case strings.HasPrefix(path, "/"):
		out.Path = normalPath(u.Scheme, path)
	case path != "":
		out.Path = normalPath(u.Scheme, u.Path[:strings.LastIndexByte(u.Path, '/')+1]+path)
	case !hasQuery:
		return out, nil
	}
	out.Query, out.HasQuery = encode(query, queryEscapes), hasQuery
	return out, nil
}

func (u *URL) setAuthority(s string) error {
	if i := strings.LastIndexByte(s, '@'); i >= 0 {
		s = s[i+1:]
	}
	host, port := s, ""
	if i := strings.LastIndexByte(s, ':'); i >= 0 && !strings.HasSuffix(s, "]") {
		host, port = s[:i], s[i+1:]
	}
	if port != "" {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil {
			return errURLPort
		}
		if u.Port = int(n); u.Port == specialPorts[u.Scheme] && special(u.Scheme) {
			u.Port = -1
		}
	}
	h, ok := normalHost(host, special(u.Scheme))
	if !ok || h == "" && special(u.Scheme) && u.Scheme != "file" {
		return errURLHost
	}
	u.Host, u.hosted = h, true
	return nil
}

// normalHost is the host parser for ASCII. https://url.spec.whatwg.org/#host-parsing
func normalHost(s string, special bool) (string, bool) {
	if inner, ok := strings.CutPrefix(s, "["); ok {
		addr, err := netip.ParseAddr(strings.TrimSuffix(inner, "]"))
		if err != nil || !addr.Is6() || addr.Zone() != "" || !strings.HasSuffix(s, "]") {
			return "", false
		}
		return "[" + addr.String() + "]", true
	}
	if !special {
		return encode(s, controlEscapes), !strings.ContainsAny(s, "\x00\t\n\r #/:<>?@[\\]^|")
	}
	s = lower(percentDecode(s))
	if strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune("#/:<>?@[\\]^|%", r) }) {
		return "", false
	}
	if endsInNumber(s) {
		return ipv4(s)
	}
	return s, true
}

func endsInNumber(s string) bool {
	last := strings.TrimSuffix(s, ".")
	last = last[strings.LastIndexByte(last, '.')+1:]
	if last == "" {
		return false
	}
	if strings.Trim(last, "0123456789") == "" {
		return true
	}
	return strings.HasPrefix(last, "0x") && strings.Trim(last[2:], "0123456789abcdef") == ""
}

// ipv4 reads the forms that browsers take for IPv4 addresses: fewer parts, octal and hexadecimal numbers.
func ipv4(s string) (string, bool) {
	parts := strings.Split(strings.TrimSuffix(s, "."), ".")
	if len(parts) > 4 {
		return "", false
	}
	var addr uint64
	for i, p := range parts {
		n, ok := ipv4Number(p)
		rest := uint(8 * (4 - i))
		switch last := i == len(parts)-1; {
		case !ok || last && n >= 1<<rest || !last && n > 255:
			return "", false
		case last:
			addr |= n
		default:
			addr |= n << (rest - 8)
		}
	}
	return netip.AddrFrom4([4]byte{byte(addr >> 24), byte(addr >> 16), byte(addr >> 8), byte(addr)}).String(), true
}

func ipv4Number(s string) (uint64, bool) {
	base := 10
	switch {
	case strings.HasPrefix(s, "0x"):
		s, base = s[2:], 16
		if s == "" {
			return 0, true
		}
	case len(s) > 1 && s[0] == '0':
		s, base = s[1:], 8
	}
	n, err := strconv.ParseUint(s, base, 33)
	return n, err == nil
}

// isIP reports whether a normal host is an address and not a domain.
func isIP(host string) bool {
	return strings.HasPrefix(host, "[") || host != "" && host[len(host)-1] <= '9' && host[len(host)-1] >= '0' && endsInNumber(host)
}

// normalPath resolves dot segments and encodes what a path may not hold.
func normalPath(scheme, s string) string {
	s = encode(s, pathEscapes)
	if s == "" {
		if special(scheme) {
			return "/"
		}
		return ""
	}
	if !strings.Contains(s, "/.") && !strings.Contains(s, "/%2") {
		return s
	}
	var out []string
	segments := strings.Split(strings.TrimPrefix(s, "/"), "/")
	for i, seg := range segments {
		last := i == len(segments)-1
		switch strings.ReplaceAll(lower(seg), "%2e", ".") {
		case "..":
			out = out[:max(len(out)-1, 0)]
		case ".":
		default:
			out = append(out, seg)
			continue
		}
		if last {
			out = append(out, "")
		}
	}
	return "/" + strings.Join(out, "/")
}

const (
	controlEscapes = ""
	queryEscapes   = " \"#<>'"
	pathEscapes    = " \"#<>?^`{}"
)

// encode percent-encodes control characters, bytes outside ASCII and those of set.
func encode(s, set string) string {
	must := func(b byte) bool { return b < ' ' || b >= 0x7f || strings.IndexByte(set, b) >= 0 }
	n := 0
	for i := range len(s) {
		if must(s[i]) {
			n++
		}
	}
	if n == 0 {
		return s
	}
	const hex = "0123456789ABCDEF"
	out := make([]byte, 0, len(s)+2*n)
	for i := range len(s) {
		if b := s[i]; must(b) {
			out = append(out, '%', hex[b>>4], hex[b&15])
		} else {
			out = append(out, b)
		}
	}
	return string(out)
}

func percentDecode(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); {
		b, n := decodeByte(s[i:])
		out = append(out, b)
		i += n
	}
	return string(out)
}

// decodeByte returns the first byte of s, percent-decoded where it can be, and how many bytes it took.
func decodeByte(s string) (b byte, n int) {
	if len(s) >= 3 && s[0] == '%' {
		hi, ok1 := unhex(s[1])
		lo, ok2 := unhex(s[2])
		if ok1 && ok2 {
			return hi<<4 | lo, 3
		}
	}
	return s[0], 1
}

func unhex(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10, true
	}
	return 0, false
}

// String gives the URL back, without user name, password and fragment.
func (u URL) String() string {
	if u.Scheme == "" {
		return ""
	}
	var b strings.Builder
	b.WriteString(u.Scheme + ":")
	switch {
	case u.hosted || u.Host != "" || special(u.Scheme) && !u.opaque:
		b.WriteString("//" + u.Host)
		if u.Port >= 0 {
			b.WriteString(":" + strconv.Itoa(u.Port))
		}
	case strings.HasPrefix(u.Path, "//"): // or it would read as a host
		b.WriteString("/.")
	}
	b.WriteString(u.Path)
	if u.HasQuery {
		b.WriteString("?" + u.Query)
	}
	return b.String()
}
