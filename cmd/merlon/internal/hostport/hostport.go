// Package hostport reads what names a server: Host headers, and the hosts of a policy file.
package hostport

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// maxName is how long a name can be in the DNS, in bytes, without a dot at its end (RFC 1035 §2.3.4). Each domain above a name is looked up.
const maxName = 253

// Split takes a Host header apart: the name in lower case, IPv6 addresses in brackets, and ":port" or "". ok is false
// for what is no host: applications print it into links and mails.
func Split(s string) (name, port string, ok bool) {
	name = s
	if host, number, err := net.SplitHostPort(s); err == nil {
		if n, err := strconv.ParseUint(number, 10, 16); err != nil || n == 0 {
			return "", "", false
		}
		name, port = host, s[len(s)-len(":")-len(number):]
	} else if inner, brackets := strings.CutPrefix(s, "["); brackets {
		name = strings.TrimSuffix(inner, "]")
	}
	addr, six := parseSix(name)
	if strings.HasPrefix(s, "[") != six && !(six && port == "") {
		return "", "", false
	}
	if six {
		return "[" + addr.String() + "]", port, true
	}
	return strings.ToLower(name), port, isName(name)
}

// parseSix reads an IPv6 address without a zone. Names have no colons, and cost no error that says so.
func parseSix(s string) (addr netip.Addr, ok bool) {
	if !strings.Contains(s, ":") {
		return addr, false
	}
	addr, err := netip.ParseAddr(s)
	return addr, err == nil && addr.Is6() && addr.Zone() == ""
}

func isName(s string) bool {
	s = strings.TrimSuffix(s, ".")
	if len(s) > maxName {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" {
			return false
		}
	}
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.':
		default:
			return false
		}
	}
	return true
}

// Map has values by host. A host without a port stands for every port, and one that begins with *. for all below that domain.
type Map[V any] map[string]V

// Add puts v under host. An error says that it is no host, or there already.
func (m Map[V]) Add(host string, v V) error {
	domain, below := strings.CutPrefix(host, "*.")
	name, port, ok := Split(domain)
	if !ok {
		return fmt.Errorf("%q is no host", host)
	}
	if below {
		name = "*." + name
	}
	if _, taken := m[name+port]; taken {
		return fmt.Errorf("the host %s is there twice", host)
	}
	m[name+port] = v
	return nil
}

// Get finds what is under a host that [Split] took apart: under itself, or else under the nearest domain above it.
func (m Map[V]) Get(name, port string) (v V, ok bool) {
	if v, ok = m.get(name, port); ok {
		return v, true
	}
	for _, above, more := strings.Cut(name, "."); more; _, above, more = strings.Cut(above, ".") {
		if v, ok = m.get("*."+above, port); ok {
			return v, true
		}
	}
	return v, false
}

// get prefers what is for this port.
func (m Map[V]) get(name, port string) (v V, ok bool) {
	if v, ok = m[name+port]; !ok {
		v, ok = m[name]
	}
	return v, ok
}
