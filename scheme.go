package merlon

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// proxies is a checked Proxies.
type proxies struct {
	networks []netip.Prefix
	hops     int
}

// TrustsPeer reports whether r came from one of the configured proxies, so that its forwarding headers can be believed.
func (g *Guard) TrustsPeer(r *http.Request) bool {
	g = g.orZero()
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && slices.ContainsFunc(g.proxies.networks, func(n netip.Prefix) bool { return n.Contains(peer.Addr().Unmap()) })
}

// Scheme returns "https" or "http": how the client reached the site. A TLS connection decides, or X-Forwarded-Proto
// from a configured proxy, counted from the right by the number of hops. Nobody else's header is believed.
func (g *Guard) Scheme(r *http.Request) string {
	g = g.orZero()
	if r.TLS != nil || len(g.proxies.networks) > 0 && g.TrustsPeer(r) && forwardedProto(r.Header["X-Forwarded-Proto"], g.proxies.hops) == "https" {
		return "https"
	}
	return "http"
}

func forwardedProto(lines []string, hops int) string {
	values := strings.Split(strings.Join(lines, ","), ",")
	if len(values) < hops {
		return ""
	}
	return strings.ToLower(strings.TrimSpace(values[len(values)-hops]))
}

// hstsApplies reports whether browsers keep HSTS for this Host header: RFC 6797 §8.1.1 excludes IP addresses, and on
// localhost it would lock developers out of every other port.
func hstsApplies(host string) bool {
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		host = host[:i]
	}
	if host == "" || host[0] == '[' || host[len(host)-1]-'0' <= 9 { // no top-level domain ends in a digit
		return false
	}
	return !strings.EqualFold(host, "localhost") && !(len(host) > 10 && strings.EqualFold(host[len(host)-10:], ".localhost"))
}
