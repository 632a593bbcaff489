package csp

import (
	"slices"
	"strconv"
	"strings"
)

// probeURL is one URL of each class that the sources of two lists can tell apart.
type probeURL struct {
	URL
	redirects int
}

func (u *probeURL) text(r *Request) string {
	s := u.String()
	if u.redirects > 0 {
		s += " after a redirect"
	}
	if r.Nonce != "" {
		s += " with the nonce " + r.Nonce
	}
	if r.Integrity != "" {
		s += " with the integrity " + r.Integrity
	}
	if !r.ParserInserted && scriptLike(r.Destination) {
		s += ", loaded by a script"
	}
	return s
}

// urlParts are values that stand for all others of their place in a URL.
type urlParts struct {
	self   Origin
	named  []Source        // that cover hosts
	hosts  map[string]bool // of named
	word   string          // that no source has
	suffix string          // a top-level domain that none has
	port   int             // that none names
}

// urls makes the URLs for a directive, at most limit. A source looks at scheme, host, port and path one by one, so that the
// products of the values that differ in each stand for all URLs. Of one host, only the sources that cover it tell ports and
// paths apart, which keeps the products small.
func (p *prober) urls(directive string, limit int) ([]probeURL, bool) {
	list := p.sources(directive)
	parts := newParts(p.self, list)
	schemes := []string{"http", "https", "ws", "wss", "ftp", p.self.scheme}
	hosts := []string{parts.word + "." + parts.suffix, "192.0.2.1", "[2001:db8::1]", p.self.host}
	if p.innerUpgrades() { // but not loopback, in browsers
		hosts = append(hosts, parts.word+".localhost", "127.0.0.1", "[::1]")
	}
	opaque := []string{"data", parts.word}
	for _, s := range list {
		switch {
		case s.Kind == SchemeSource && !special(s.Scheme):
			opaque = append(opaque, s.Scheme)
		case s.Kind == SchemeSource:
			schemes = append(schemes, s.Scheme)
		case (s.Kind == HostSource || s.extra) && (s.Scheme == "" || special(s.Scheme)):
			schemes = append(schemes, s.Scheme)
			hosts = append(hosts, parts.hostsOf(s.Host)...)
		}
	}
	out := []probeURL{{URL: URL{Scheme: "blob", Port: -1, Path: p.self.String() + "/id", opaque: true}}}
	for _, s := range distinct(opaque) {
		out = append(out, probeURL{URL: URL{Scheme: s, Port: -1, Path: "x", opaque: true}})
	}
	schemes, hosts = distinct(schemes), distinct(hosts)
	if len(hosts)*len(schemes) > limit {
		return nil, false
	}
	for _, h := range hosts {
		var ok bool
		if out, ok = parts.appendHost(out, h, schemes, limit); !ok {
			return nil, false
		}
	}
	return out, true
}

func newParts(self Origin, list []Source) urlParts {
	parts := urlParts{self: self, hosts: map[string]bool{}, port: 59999}
	texts, ports := []string{self.host}, map[int]bool{self.port: true}
	for _, s := range list {
		texts = append(texts, s.Text)
		if s.Kind == HostSource || s.extra {
			parts.named = append(parts.named, s)
			parts.hosts[s.Host] = true
			ports[s.port] = true
		}
	}
	words := newWords(texts)
	parts.word, parts.suffix = words.fresh("fresh"), words.fresh("invalid")
	for ports[parts.port] {
		parts.port--
	}
	return parts
}

// appendHost adds the URLs of one host, unless there would be more than limit.
func (parts *urlParts) appendHost(out []probeURL, host string, schemes []string, limit int) ([]probeURL, bool) {
	ports, paths := []int{-1, 80, 443, parts.port, parts.self.port}, []string{"/", "/" + parts.word}
	for i := range parts.named {
		if s := &parts.named[i]; covers(s.Host, host) {
			if s.port != noPort {
				ports = append(ports, s.port)
			}
			paths = append(paths, parts.pathsOf(s.Path[:s.pathEnd])...)
		}
	}
	ports, paths = distinct(ports), distinct(paths)
	if len(out)+2*len(schemes)*len(ports)*len(paths) > limit {
		return nil, false
	}
	for _, s := range schemes {
		for _, port := range ports {
			for _, path := range paths {
				if s == "" || host == "" || port >= 0 && port == defaultPort(s) {
					continue
				}
				// Sources may hold what no URL does: hosts that end in a number, ports beyond 65535, dot segments.
				u, err := ParseURL(URL{Scheme: s, Host: host, Port: port, Path: path}.String())
				if err == nil {
					out = append(out, probeURL{u, 0}, probeURL{u, 1})
				}
			}
		}
	}
	return out, true
}

// covers reports whether a host pattern can match the host in any mode.
func covers(pattern, host string) bool {
	suffix, wild := strings.CutPrefix(pattern, "*")
	return wild && strings.HasSuffix(host, suffix) || pattern == host
}

func distinct[T string | int](list []T) []T {
	slices.Sort(list)
	return slices.Compact(list)
}

func (parts *urlParts) hostsOf(pattern string) []string {
	if pattern == "*" {
		return nil
	}
	parent, wild := strings.CutPrefix(pattern, "*.")
	switch {
	case wild && endsInNumber(parent):
		return []string{parts.address(parent)}
	case wild:
		return []string{parts.word + "." + parent, parent}
	}
	return []string{pattern, parts.word + "." + pattern}
}

// address completes the end of an IPv4 address, which is all that a host ending in a number can be, so that no source that
// says more about it means it; "" if there is none.
func (parts *urlParts) address(end string) string {
	for n := range 256 {
		address, taken := end, false
		for range 3 - strings.Count(end, ".") {
			address = strconv.Itoa(n) + "." + address
			taken = taken || parts.hosts["*."+address] || parts.hosts[address]
		}
		if !taken && address != end {
			return address
		}
	}
	return ""
}

// pathsOf gives the path, what lies below it, what lies beside it, and the same with an encoded slash.
func (parts *urlParts) pathsOf(path string) []string {
	if path == "" || path == "/" {
		return nil
	}
	bare := strings.TrimSuffix(path, "/")
	encoded := path
	if i := strings.LastIndexByte(bare, '/'); i > 0 {
		encoded = path[:i] + "%2F" + path[i+1:]
	}
	return []string{path, bare + "/" + parts.word, bare, bare + parts.word, encoded, bare + "%2F" + parts.word}
}

// words finds words that others do not hold.
type words string

func newWords(list []string) words { return words(lower(strings.Join(list, " "))) }

// fresh returns the word, with a number behind it if it is taken.
func (w words) fresh(word string) string {
	out := word
	for n := 2; strings.Contains(string(w), out); n++ {
		out = word + strconv.Itoa(n)
	}
	return out
}
