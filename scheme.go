package merlon

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/merlon-sec/merlon/cfgerrors"
)

// proxies is a checked Proxies.
type proxies struct {
	networks   []netip.Prefix
	unix       bool // peers on a Unix socket are believed
	hops       int
	header     string // canonical
	value      string
	hostHeader string // canonical; empty for Host
}

const unixPeers = "unix"

func (p Proxies) compile() (proxies, error) {
	out := proxies{hops: max(p.Hops, 1), header: "X-Forwarded-Proto", value: "https", hostHeader: http.CanonicalHeaderKey(p.HostHeader)}
	var errs []error
	bad := func(field string, code cfgerrors.Code, value, text, hint string) {
		errs = append(errs, &cfgerrors.Error{Field: field, Code: code, Value: value, Text: text, Hint: hint})
	}
	for i, text := range p.CIDR {
		at := fmt.Sprintf("cidr[%d]", i)
		n, err := netip.ParsePrefix(text)
		switch {
		case text == unixPeers:
			out.unix = true
			continue
		case err != nil:
			bad(at, cfgerrors.Syntax, text, "no network in CIDR form", "write 10.0.0.0/8, or 10.1.2.3/32 for one address")
		case n.Addr().Is4In6():
			bad(at, cfgerrors.InvalidValue, text, "an IPv4 network in IPv6 form", "write the IPv4 form")
		case n.Bits() == 0:
			bad(at, cfgerrors.InvalidValue, text, "everybody would be believed", "name the networks that the proxies connect from")
		case n.Masked() != n:
			bad(at, cfgerrors.InvalidValue, text, "the address has bits outside the network", "write "+n.Masked().String())
		}
		out.networks = append(out.networks, n)
	}
	if p.Hops < 0 || p.Hops > 16 {
		bad("hops", cfgerrors.InvalidValue, strconv.Itoa(p.Hops), "a number of proxies from 1 to 16", "")
	}
	if len(p.CIDR) == 0 && (p.Hops > 0 || p.Header != "" || p.Value != "" || p.HostHeader != "") {
		bad("cidr", cfgerrors.Missing, "", "without the proxies' networks no header is believed", "name the networks that the proxies connect from")
	}
	if p.Header != "" && !token.MatchString(p.Header) {
		bad("header", cfgerrors.Syntax, p.Header, "no name of a header", "write X-Forwarded-Proto")
	}
	if p.HostHeader != "" && !token.MatchString(p.HostHeader) {
		bad("host-header", cfgerrors.Syntax, p.HostHeader, "no name of a header", "write X-Forwarded-Host")
	}
	if p.Header != "" {
		out.header = http.CanonicalHeaderKey(p.Header)
	}
	switch {
	case p.Value == "":
	case out.header == "Forwarded":
		bad("value", cfgerrors.Conflict, p.Value, "Forwarded names the scheme itself", "leave value out")
	case !printable(p.Value) || strings.ContainsAny(p.Value, ", "):
		bad("value", cfgerrors.InvalidValue, p.Value, "one word, as the proxy sends it for HTTPS", "write https")
	default:
		out.value = p.Value
	}
	return out, errors.Join(errs...)
}

// TrustsPeer reports whether r came from one of the configured proxies, so that its forwarding headers can be believed.
func (g *Guard) TrustsPeer(r *http.Request) bool {
	p := &g.orZero().proxies
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return p.unix && onUnixSocket(r)
	}
	return slices.ContainsFunc(p.networks, func(n netip.Prefix) bool { return n.Contains(peer.Addr().Unmap().WithZone("")) })
}

// onUnixSocket reports whether the peer has no network address, as net/http shows it.
func onUnixSocket(r *http.Request) bool {
	return r.RemoteAddr == "" || r.RemoteAddr[0] == '@' || r.RemoteAddr[0] == '/'
}

// Scheme returns "https" or "http": how the client reached the site. A TLS connection decides, or what a configured proxy
// says, counted from the right by the number of hops. Nobody else's header is believed.
func (g *Guard) Scheme(r *http.Request) string {
	if r.TLS != nil || g.forwarded(r) {
		return "https"
	}
	return "http"
}

// forwarded reports whether trusted proxies say that the client came over HTTPS.
func (g *Guard) forwarded(r *http.Request) bool {
	p := &g.orZero().proxies
	if len(p.networks) == 0 && !p.unix || !g.TrustsPeer(r) {
		return false
	}
	element := hop(r.Header[p.header], p.hops)
	if p.header == "Forwarded" {
		element = forwardedParameter(element, "proto")
	}
	return strings.EqualFold(element, p.value)
}

// unknowable reports whether nobody can say how the client came: by a proxy on a socket of this machine that is not trusted.
func (g *Guard) unknowable(r *http.Request) bool {
	return r.TLS == nil && !g.orZero().proxies.unix && onUnixSocket(r)
}

// hostOf returns the host that the client asked for.
func (g *Guard) hostOf(r *http.Request) string {
	p := &g.orZero().proxies
	if p.hostHeader == "" || !g.TrustsPeer(r) {
		return r.Host
	}
	element := hop(r.Header[p.hostHeader], p.hops)
	if p.hostHeader == "Forwarded" {
		element = forwardedParameter(element, "host")
	}
	if element == "" {
		return r.Host
	}
	return element
}

// hop returns the element that the outermost of so many trusted proxies has added, or "". It splits at every comma: a client's
// unclosed quote must not reach into what the proxies have added.
func hop(lines []string, hops int) string {
	if len(lines) == 0 {
		return ""
	}
	values := strings.Split(strings.Join(lines, ","), ",")
	if len(values) < hops {
		return ""
	}
	return strings.TrimSpace(values[len(values)-hops])
}

// forwardedParameter reads one element of Forwarded. https://www.rfc-editor.org/rfc/rfc7239#section-4
func forwardedParameter(element, name string) string {
	if strings.Count(element, `"`)%2 != 0 { // a comma within quotes has cut it
		return ""
	}
	found, quoted := "", false
	for pair := range strings.FieldsFuncSeq(element, func(r rune) bool {
		quoted = quoted != (r == '"')
		return r == ';' && !quoted
	}) {
		k, v, ok := strings.Cut(pair, "=")
		switch {
		case !ok || !strings.EqualFold(strings.TrimSpace(k), name):
		case found != "": // said twice, it says nothing
			return ""
		default:
			found = strings.Trim(strings.TrimSpace(v), `"`)
		}
	}
	return found
}

// hstsApplies reports whether browsers keep HSTS for this Host header: RFC 6797 §8.1.1 excludes IP addresses, and on
// localhost it would lock developers out of every other port.
func hstsApplies(host string) bool {
	host, _ = splitHostPort(host)
	host = strings.TrimSuffix(host, ".")
	if host == "" || host[0] == '[' || host[len(host)-1]-'0' <= 9 { // no top-level domain ends in a digit
		return false
	}
	return !strings.EqualFold(host, "localhost") && !(len(host) > 10 && strings.EqualFold(host[len(host)-10:], ".localhost"))
}
