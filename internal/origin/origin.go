// Package origin checks and normalises web origins as people write them in configurations.
package origin

import (
	"errors"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

var (
	errScheme = errors.New("an origin begins with https:// or http://")
	errHost   = errors.New("no valid host name or IP address; write international names in their xn-- form")
	errMore   = errors.New("an origin is scheme, host and port only, without user, path, query or fragment")
	errPort   = errors.New("no port between 1 and 65535")
)

var defaultPorts = map[string]string{"http": "80", "https": "443"}

// Normalize returns the origin as browsers serialise it: lower case and without the scheme's default port.
// A host may begin with "*." for all its subdomains. https://html.spec.whatwg.org/#ascii-serialisation-of-an-origin
func Normalize(s string) (string, error) {
	if strings.ContainsFunc(s, func(r rune) bool { return r >= 0x80 }) { // lower-casing makes ASCII of some of these
		return "", errHost
	}
	scheme, rest, ok := strings.Cut(strings.ToLower(s), "://")
	if !ok || defaultPorts[scheme] == "" {
		return "", errScheme
	}
	rest = strings.TrimSuffix(rest, "/")
	if strings.ContainsAny(rest, "/?#@\\") {
		return "", errMore
	}
	u, err := url.Parse(scheme + "://" + strings.TrimPrefix(rest, "*."))
	if err != nil || !ValidHost(u.Hostname()) || strings.HasPrefix(rest, "*.") && isIP(u.Hostname()) {
		return "", errHost
	}
	host := u.Host
	if port := u.Port(); port != "" {
		if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 || port[0] == '0' {
			return "", errPort
		}
		if port == defaultPorts[scheme] {
			host = strings.TrimSuffix(host, ":"+port)
		}
	} else if strings.HasSuffix(host, ":") {
		return "", errPort
	}
	if strings.HasPrefix(rest, "*.") {
		host = "*." + host
	}
	return scheme + "://" + host, nil
}

// ValidHost reports whether s is an ASCII host name or an IP address, without port and brackets.
func ValidHost(s string) bool {
	if isIP(s) {
		return true
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || strings.Trim(label, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != "" {
			return false
		}
	}
	return len(s) <= 253
}

func isIP(s string) bool {
	a, err := netip.ParseAddr(s)
	return err == nil && a.Zone() == ""
}
