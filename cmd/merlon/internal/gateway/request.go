package gateway

import (
	"bytes"
	"net"
	"net/http"
	"net/http/httputil"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/merlon-sec/merlon"
)

// DashboardCookie is the name of the dashboard's session. Cookies know no ports, so that a browser sends it to the gateway
// when both are opened under one host name; it is never passed on.
const DashboardCookie = "merlon-dashboard"

// nonceHeader tells the application the nonce of the response that it is about to make.
const nonceHeader = "Merlon-Nonce"

// passOn makes the request to the application: as it came, with the scheme and the client that the gateway vouches for.
func (p *proxy) passOn(pr *httputil.ProxyRequest) {
	in, out := pr.In, pr.Out
	out.URL.Scheme, out.URL.Host = target(p.app.Upstream)
	out.URL.RawQuery = in.URL.RawQuery // ReverseProxy has dropped what Go cannot parse; the application may
	out.Host = in.Host
	out.Trailer = in.Trailer // filled when the body is read, where ReverseProxy's copy stays empty
	cleanTrailer(out.Trailer)
	clean(out.Header)
	own := &ownFields{header: out.Header}
	p.forward(pr, own)
	own.set(markHeader, p.mark)
	if nonce := merlon.Nonce(in.Context()); nonce != "" && p.app.Nonce.Forward {
		own.set(nonceHeader, nonce)
	}
	p.app.Nonce.prepare(out)
	if !strings.EqualFold(out.Header.Get("Upgrade"), "websocket") || out.Method != http.MethodGet || !out.ProtoAtLeast(1, 1) {
		// After h2c or another switch the client would speak to the application past the gateway.
		out.Header.Del("Upgrade")
		out.Header.Del("Connection")
		out.Header.Del("Http2-Settings")
	}
}

// forward says who the client is and how it came. Of a trusted proxy's headers only those go on that the Guard believes: proxies
// pass others through as clients send them.
func (p *proxy) forward(pr *httputil.ProxyRequest, own *ownFields) {
	in, out := pr.In.Header, pr.Out.Header
	trusted := p.guard.TrustsPeer(pr.In)
	if peer, _, err := net.SplitHostPort(pr.In.RemoteAddr); err == nil { // else it has no address: clean has removed the client's own
		if before := in["X-Forwarded-For"]; trusted && len(before) > 0 {
			peer = strings.Join(before, ", ") + ", " + peer
		}
		own.set("X-Forwarded-For", peer)
	}
	own.set("X-Forwarded-Host", pr.In.Host)
	own.set("X-Forwarded-Proto", p.guard.Scheme(pr.In))
	for _, name := range p.believed {
		if values := in[name]; trusted && len(values) > 0 {
			out[name] = values
		}
	}
}

// ownFields are what the gateway itself says in a request's header. Their values share one piece of memory.
type ownFields struct {
	header http.Header
	values [5]string
	n      int
}

// set sets a header under its canonical name, at most once for each of the values.
func (f *ownFields) set(name, value string) {
	f.values[f.n] = value
	f.header[name] = f.values[f.n : f.n+1 : f.n+1]
	f.n++
}

// believed returns the headers of trusted proxies that the Guard reads, but for the scheme's, which the gateway sets itself.
func believed(g *merlon.Guard) []string {
	var out []string
	p := g.Config().HTTPS.Proxies
	for _, name := range []string{p.Header, p.HostHeader} {
		if name = http.CanonicalHeaderKey(name); name != "" && name != "X-Forwarded-Proto" && name != "X-Forwarded-For" {
			out = append(out, name)
		}
	}
	return out
}

// clean removes what clients may not say: headers that only the gateway sets, headers that applications believe about
// client, scheme or path, names that CGI and its heirs fold into others, and the session of the dashboard, which a cookie
// on the same host would give away.
func clean(h http.Header) {
	for name := range h {
		if !unfolded(name) || reserved(name) {
			delete(h, name)
		}
	}
	for i, line := range h["Cookie"] {
		h["Cookie"][i] = withoutCookie(line, DashboardCookie)
	}
}

// cleanTrailer removes what may not stand behind a body (RFC 9110 §6.5.1), and what a header may not say either: some applications
// read both as one.
func cleanTrailer(h http.Header) {
	clean(h)
	for name := range h {
		if !httpguts.ValidTrailerHeader(name) || name == "Cookie" {
			delete(h, name)
		}
	}
}

// unfolded reports whether a name has only letters, digits and hyphens, in ASCII.
func unfolded(name string) bool {
	for i := range len(name) {
		switch c := name[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-':
		default:
			return false
		}
	}
	return true
}

func reserved(name string) bool {
	var room [maxReserved]byte // strings.ToLower would allocate for each header
	lower := room[:copy(room[:], name)]
	for i, c := range lower {
		if 'A' <= c && c <= 'Z' {
			lower[i] = c + 'a' - 'A'
		}
	}
	switch string(lower) {
	case "forwarded", "x-forwarded", "proxy", "x-real-ip", "x-client-ip", "client-ip", "true-client-ip", "cf-connecting-ip", "cf-connecting-ipv6", "fastly-client-ip",
		"x-cluster-client-ip", "x-original-forwarded-for", "x-appengine-user-ip", "front-end-https", "x-scheme", "x-url-scheme", "x-original-url", "x-rewrite-url",
		"x-host", "x-original-host", "x-http-host-override":
		return true
	}
	return bytes.HasPrefix(lower, []byte("merlon-")) || bytes.HasPrefix(lower, []byte("x-forwarded-"))
}

// maxReserved is longer than every name that is reserved as a whole.
const maxReserved = 32

func withoutCookie(line, name string) string {
	if !strings.Contains(line, name) {
		return line
	}
	var kept []string
	for pair := range strings.SplitSeq(line, ";") {
		if n, _, _ := strings.Cut(strings.TrimSpace(pair), "="); n != name {
			kept = append(kept, strings.TrimSpace(pair))
		}
	}
	return strings.Join(kept, "; ")
}
