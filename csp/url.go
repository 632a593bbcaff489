package csp

import (
	"cmp"
	"errors"
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
	opaque   bool   // the path is opaque: the URL has no host
	hosted   bool   // the URL has a host, which may be empty
	user     string // name and password with the @ behind them, or ""
	fragment string // with the # before it, or ""
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

// defaultPort returns -1 for schemes that have none.
func defaultPort(scheme string) int {
	if port, ok := specialPorts[scheme]; ok {
		return port
	}
	return -1
}

// ParseURL parses an absolute URL as browsers do (the WHATWG URL Standard), for hosts in ASCII: international names are
// converted by the caller. User name, password and fragment are kept for [URL.String] alone: no policy looks at them.
func ParseURL(s string) (URL, error) { return URL{}.Resolve(s) }

// Resolve parses s against the base u, which may be the zero URL where only absolute URLs are expected.
func (u URL) Resolve(s string) (URL, error) {
	if len(s) > MaxURLBytes {
		return URL{}, errURLLong
	}
	s, fragment, hasFragment := strings.Cut(clean(s), "#")
	out, err := u.resolve(s)
	if err == nil && hasFragment {
		out.fragment = "#" + encode(fragment, fragmentEscapes)
	}
	return out, err
}

func (u URL) resolve(s string) (URL, error) {
	scheme, rest, ok := cutScheme(s)
	switch {
	case !ok:
		return u.relative(s)
	case scheme == u.Scheme && special(scheme) && !strings.HasPrefix(slashes(scheme, rest), "//"):
		return u.relative(rest) // "https:path" is relative to an https base
	}
	out := URL{Scheme: scheme, Port: -1}
	rest, out.Query, out.HasQuery = strings.Cut(rest, "?")
	out.Query = encodeQuery(scheme, out.Query)
	if !special(scheme) && !strings.HasPrefix(rest, "/") {
		out.opaque = true
		out.Path = encode(rest, controlEscapes)
		return out, nil
	}
	rest = slashes(scheme, rest)
	switch {
	case scheme == "file" && !strings.HasPrefix(rest, "/"):
		rest = "/" + rest
	case special(scheme) && scheme != "file":
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
	out.fragment = ""
	switch {
	case strings.HasPrefix(path, "//"):
		return URL{}.resolve(u.Scheme + ":" + path + s[len(path):])
	case strings.HasPrefix(path, "/"):
		out.Path = normalPath(u.Scheme, path)
	case path != "":
		out.Path = normalPath(u.Scheme, cmp.Or(u.Path[:strings.LastIndexByte(u.Path, '/')+1], "/")+path)
	case !hasQuery:
		return out, nil
	}
	out.Query, out.HasQuery = encodeQuery(u.Scheme, query), hasQuery
	return out, nil
}

func encodeQuery(scheme, s string) string {
	if special(scheme) {
		return encode(s, specialQueryEscapes)
	}
	return encode(s, queryEscapes)
}

func (u *URL) setAuthority(s string) error {
	host, port := s, ""
	if u.Scheme != "file" { // whose hosts have neither user nor port
		host = u.cutUser(host)
		if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
			host, port = host[:i], host[i+1:]
		}
	}
	if port != "" {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil {
			return errURLPort
		}
		if u.Port = int(n); u.Port == defaultPort(u.Scheme) {
			u.Port = -1
		}
	}
	h, ok := normalHost(host, special(u.Scheme))
	if !ok || h == "" && (s != "" || special(u.Scheme) && u.Scheme != "file") {
		return errURLHost
	}
	if u.Scheme == "file" && h == "localhost" {
		h = ""
	}
	u.Host, u.hosted = h, true
	return nil
}

// cutUser keeps what stands before the last @ and returns what stands behind it.
func (u *URL) cutUser(authority string) (host string) {
	i := strings.LastIndexByte(authority, '@')
	if i < 0 {
		return authority
	}
	name, password, _ := strings.Cut(authority[:i], ":")
	if name = encode(name, userinfoEscapes); password != "" {
		name += ":" + encode(password, userinfoEscapes)
	}
	if name != "" {
		u.user = name + "@"
	}
	return authority[i+1:]
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

// String gives the URL back, user name, password and fragment included; [URL.Strip] is for what others may read.
func (u URL) String() string {
	if u.Scheme == "" {
		return ""
	}
	var b strings.Builder
	b.WriteString(u.Scheme + ":")
	switch {
	case u.hosted || u.Host != "" || special(u.Scheme) && !u.opaque:
		b.WriteString("//" + u.user + u.Host)
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
	b.WriteString(u.fragment)
	return b.String()
}
