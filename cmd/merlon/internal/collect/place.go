package collect

import (
	"net/url"
	"strings"

	"github.com/merlon-sec/merlon/report"
)

// place is a URL of http, https or a WebSocket without all that may be secret in it: origin and template of the path.
type place struct {
	url    *url.URL
	origin string // scheme://host[:port] in lower case, without a default port
	host   string // in lower case, without a port
	route  string
	own    bool // it is on one of the site's hosts; not known for a site without hosts
}

// maxCachedPlaces is how much of the addresses in a site's reports is remembered, in bytes.
const maxCachedPlaces = 512 << 10

// place returns what is kept of a URL, nil if it is none with a host that can be shown.
func (h *hosts) place(s string) *place {
	if end := strings.IndexAny(s, "?#"); end >= 0 {
		s = s[:end]
	}
	if !strings.Contains(s, "://") {
		return nil
	}
	if p, ok := h.places.get(s); ok {
		return p
	}
	p := newPlace(parseHTTP(s))
	if p != nil {
		p.own = h.listed(p.url)
	}
	h.places.put(s, p)
	return p
}

func newPlace(u *url.URL) *place {
	if u == nil {
		return nil
	}
	return &place{url: u, origin: origin(u), host: strings.ToLower(u.Hostname()), route: report.Route(u)}
}

// String is the origin and the template of the path.
func (p *place) String() string { return p.origin + p.route }

// of names the place for readers of a page: by the path alone on the page's own origin.
func (p *place) of(document *place) string {
	if document != nil && p.origin == document.origin {
		return p.route
	}
	return p.String()
}

// origin returns scheme://host[:port] in lower case and without a default port.
func origin(u *url.URL) string {
	host := strings.ToLower(u.Host)
	if port := u.Port(); port == "" || port == defaultPort(u.Scheme) {
		host = strings.TrimSuffix(host, ":"+port)
	}
	return u.Scheme + "://" + host
}

// parseHTTP returns the URL if it is one with a host that can be shown, else nil.
func parseHTTP(s string) *url.URL {
	u, err := url.Parse(s)
	if err != nil || defaultPort(u.Scheme) == "" || !validHost(u.Host) {
		return nil
	}
	return u
}

// validHost reports whether a host has the characters that browsers send: they have turned other letters into ASCII.
func validHost(host string) bool {
	for i := range len(host) {
		switch c := host[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-._:[]", c) >= 0:
		default:
			return false
		}
	}
	return host != "" && len(host) <= 260
}

// defaultPort returns the port that URLs of the scheme leave out, "" for schemes that have no hosts.
func defaultPort(scheme string) string {
	switch scheme {
	case "http", "ws":
		return "80"
	case "https", "wss":
		return "443"
	}
	return ""
}

// schemeOf returns the scheme of a URL, or the whole of a bare one: browsers cut what is not http to "data", "blob" and so on.
// It returns "" for http, which without a valid host says nothing.
func schemeOf(s string) string {
	word, _, _ := strings.Cut(s, ":")
	if len(word) > maxScheme {
		return ""
	}
	if word = strings.ToLower(word); strings.Trim(word, "abcdefghijklmnopqrstuvwxyz0123456789+-.") != "" || defaultPort(word) != "" {
		return ""
	}
	return word
}

const maxScheme = 40
