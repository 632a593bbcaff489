package csp

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// normalHost is the host parser for ASCII. https://url.spec.whatwg.org/#host-parsing
func normalHost(s string, special bool) (string, bool) {
	if inner, ok := strings.CutPrefix(s, "["); ok {
		addr, err := netip.ParseAddr(strings.TrimSuffix(inner, "]"))
		if err != nil || !addr.Is6() || addr.Zone() != "" || !strings.HasSuffix(s, "]") {
			return "", false
		}
		return "[" + ipv6(addr) + "]", true
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

// ipv6 writes all of an address in hexadecimal: browsers write no IPv4 address at its end.
func ipv6(addr netip.Addr) string {
	if addr.Is4In6() {
		b := addr.As16()
		return fmt.Sprintf("::ffff:%x:%x", uint(b[12])<<8|uint(b[13]), uint(b[14])<<8|uint(b[15]))
	}
	return addr.String()
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
