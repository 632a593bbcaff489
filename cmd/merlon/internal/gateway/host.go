package gateway

import (
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// splitHost takes a Host header apart: the name in lower case, IPv6 addresses in brackets, and ":port" or "". ok is false
// for what is no host: applications print it into links and mails.
func splitHost(s string) (name, port string, ok bool) {
	name = s
	if host, number, err := net.SplitHostPort(s); err == nil {
		if n, err := strconv.ParseUint(number, 10, 16); err != nil || n == 0 {
			return "", "", false
		}
		name, port = host, ":"+number
	} else if inner, brackets := strings.CutPrefix(s, "["); brackets {
		name = strings.TrimSuffix(inner, "]")
	}
	addr, err := netip.ParseAddr(name)
	six := err == nil && addr.Is6() && addr.Zone() == ""
	if strings.HasPrefix(s, "[") != six && !(six && port == "") {
		return "", "", false
	}
	if six {
		return "[" + addr.String() + "]", port, true
	}
	return strings.ToLower(name), port, isName(name)
}

// maxName is how long a name can be in the DNS, in bytes, without a dot at its end (RFC 1035 §2.3.4). Each domain above a name is looked up.
const maxName = 253

func isName(s string) bool {
	s = strings.TrimSuffix(s, ".")
	if len(s) > maxName {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || strings.Trim(strings.ToLower(label), "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return false
		}
	}
	return true
}
