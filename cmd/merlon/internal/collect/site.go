package collect

import (
	"cmp"
	"net/http"
	"net/url"
	"strings"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/hostport"
	"github.com/merlon-sec/merlon/report"
)

// hosts decides what belongs to a site. The zero set means the Host of the request.
type hosts struct {
	name string
	set  hostport.Map[bool]
}

func newHosts(site Site) hosts {
	h := hosts{name: site.Name, set: hostport.Map[bool]{}}
	for _, host := range site.Hosts {
		_ = h.set.Add(host, true) // one that is none has no documents
	}
	return h
}

// own reports whether u is on a host of the site. In the Host of a request a missing port stands for the scheme's.
func (h hosts) own(u *url.URL, r *http.Request) bool {
	if u == nil || defaultPort(u.Scheme) == "" {
		return false
	}
	name, port := strings.ToLower(u.Hostname()), cmp.Or(u.Port(), defaultPort(u.Scheme))
	if strings.Contains(name, ":") {
		name = "[" + name + "]"
	}
	full, short := name+":"+port, name+":"+port
	if port == defaultPort(u.Scheme) {
		short = name
	}
	if len(h.set) == 0 {
		host := strings.ToLower(r.Host)
		return host == full || host == short
	}
	_, ok := h.set.Get(name, ":"+port)
	return ok
}

// origin returns the Origin header of the request, and whether it is of the site.
func (h hosts) origin(r *http.Request) (string, bool) {
	origin := r.Header.Get("Origin")
	return origin, h.own(parseHTTP(origin), r)
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

// request is what the headers of a POST say about the reports in it. Nothing else of the request is looked at: no cookies, no
// addresses.
type request struct {
	site        hosts
	http        *http.Request
	referer     *url.URL // nil if there is none
	sameOrigin  bool     // the browser says that a page of the site sent it
	disposition report.Disposition
}

func (h hosts) request(r *http.Request) request {
	req := request{site: h, http: r, referer: parseHTTP(r.Referer())}
	_, ownOrigin := h.origin(r)
	// For blob: documents WebKit sends "Origin: null" and no Referer, but says this; a page cannot set it.
	ownFetch := r.Header.Get("Sec-Fetch-Site") == "same-origin" && h.own(&url.URL{Scheme: scheme(r), Host: r.Host}, r)
	req.sameOrigin = ownOrigin || h.own(req.referer, r) || ownFetch
	// WebKit does not say to report-uri which policy it was, so the URL in each policy does.
	switch r.URL.Query().Get("d") {
	case "e":
		req.disposition = report.Enforce
	case "r":
		req.disposition = report.ReportOnly
	}
	return req
}

// scheme guesses how the request came. Behind a proxy it is wrong about TLS, which matters for Hosts with a default port only.
func scheme(r *http.Request) string {
	if r.TLS != nil {
		return "https"
	}
	return "http"
}

// refuse returns the reason why a report is not wanted, "" if it is.
func (req request) refuse(rep report.Report) string {
	switch {
	case rep.Type == "":
		return reasonNotReport
	case rep.Type != report.TypeViolation:
		return reasonType
	case rep.Violation == nil || rep.Violation.Directive == "":
		return reasonNotReport
	case !req.own(rep.Violation.DocumentURL):
		return reasonForeign
	}
	return ""
}

// own reports whether the document is the site's. Documents without a host (srcdoc, blob:, data:) are whoever's page sent the
// report.
func (req request) own(document string) bool {
	if u := parseHTTP(document); u != nil {
		return req.site.own(u, req.http)
	}
	word, _, _ := strings.Cut(document, ":")
	switch word {
	case "about", "blob", "data", "filesystem":
		return req.sameOrigin
	}
	return false
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
