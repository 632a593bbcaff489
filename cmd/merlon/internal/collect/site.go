package collect

import (
	"cmp"
	"net/http"
	"net/url"
	"strings"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/hostport"
	"github.com/merlon-sec/merlon/report"
)

// hosts decides what belongs to a site, and remembers what its reports have in common. The zero set means the Host of the request.
type hosts struct {
	name  string
	set   hostport.Map[bool]
	noise *noise

	places   *cache[*place]
	policies *cache[*policy]
	agents   *cache[agent]
	allowed  allowed

	views    *views
	canaries *views
}

// maxCachedAgents is how much of User-Agent headers is remembered, in bytes.
const maxCachedAgents = 128 << 10

// cachesInFull is how many sites remember as much as one may. Where there are more each remembers less, down to leastCached bytes: reports of a
// thousand sites would take gigabytes otherwise.
const (
	cachesInFull = 8
	leastCached  = 16 << 10
)

// newHosts returns the hosts of one of so many sites, which share what is known of policies.
func newHosts(site Site, sites int, policies *cache[*policy]) *hosts {
	share := func(full int) int { return min(full, max(full*cachesInFull/max(1, sites), leastCached)) }
	h := &hosts{
		name: site.Name, set: hostport.Map[bool]{}, noise: newNoise(site.Noise),
		places: newCache[*place](share(maxCachedPlaces)), policies: policies, agents: newCache[agent](share(maxCachedAgents)),
		views: newViews(site.Attests, maxPerView), canaries: newViews(site.Canary, 1),
	}
	for _, host := range site.Hosts {
		_ = h.set.Add(host, true) // one that is none has no documents
	}
	return h
}

// own reports whether a place is on a host of the site.
func (h *hosts) own(p *place, r *http.Request) bool {
	switch {
	case p == nil:
		return false
	case len(h.set) > 0:
		return p.own
	}
	full, short := hostOf(p.url)
	host := strings.ToLower(r.Host)
	return host == full || host == short
}

// listed reports whether u is on one of the hosts that the site names.
func (h *hosts) listed(u *url.URL) bool {
	full, _ := hostOf(u)
	port := strings.LastIndexByte(full, ':')
	_, ok := h.set.Get(full[:port], full[port:])
	return ok
}

// hostOf returns the host with its port, and as the Host of a request may have it: there a missing port stands for the scheme's.
func hostOf(u *url.URL) (full, short string) {
	name, port := strings.ToLower(u.Hostname()), cmp.Or(u.Port(), defaultPort(u.Scheme))
	if strings.Contains(name, ":") {
		name = "[" + name + "]"
	}
	full = name + ":" + port
	if port == defaultPort(u.Scheme) {
		return full, name
	}
	return full, full
}

// origin returns the Origin header of the request, and whether it is of the site.
func (h *hosts) origin(r *http.Request) (string, bool) {
	origin := r.Header.Get("Origin")
	return origin, origin != "" && h.own(h.place(origin), r)
}

// request is what the headers of a POST say about the reports in it. Nothing else of the request is looked at: no cookies, no
// addresses.
type request struct {
	site        *hosts
	http        *http.Request
	refererAt   *place // nil if there is none
	disposition report.Disposition
	app         string   // the version of the application that handed out the address
	tainted     []string // the documents that an extension was at work in, as the batch names them
}

func (h *hosts) request(r *http.Request, reports []report.Report) *request {
	req := &request{site: h, http: r, refererAt: h.place(r.Referer())}
	req.query(r.URL.RawQuery)
	if len(reports) > 1 {
		req.taint(reports)
	}
	return req
}

// sameOrigin reports whether the browser says that a page of the site has sent the reports.
func (req *request) sameOrigin() bool {
	h, r := req.site, req.http
	if _, own := h.origin(r); own || h.own(req.refererAt, r) {
		return true
	}
	// For blob: documents WebKit sends "Origin: null" and no Referer, but says this; a page cannot set it.
	return r.Header.Get("Sec-Fetch-Site") == "same-origin" && h.own(h.place(scheme(r)+"://"+r.Host), r)
}

// query reads the address that the reports were sent to: which policy it is of, which WebKit does not say to report-uri, and the
// version of the application.
func (req *request) query(query string) {
	for query != "" {
		var pair string
		pair, query, _ = strings.Cut(query, "&")
		switch name, value, _ := strings.Cut(pair, "="); {
		case name == "d" && value == "e":
			req.disposition = report.Enforce
		case name == "d" && value == "r":
			req.disposition = report.ReportOnly
		case name == "v":
			req.app = version(value)
		}
	}
}

// version returns what an operator may put behind ?v= in the address of reports, else "".
func version(s string) string {
	if len(s) > maxVersion || strings.Trim(s, versionCharacters) != "" {
		return ""
	}
	return s
}

const (
	maxVersion        = 32
	versionCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"
)

// taint notes the documents that an extension was at work in. Chromium sends the reports of one document together.
func (req *request) taint(reports []report.Report) {
	for i := range reports {
		if reports[i].Violation == nil {
			continue
		}
		e := req.outline(&reports[i])
		if r := req.site.noise.match(e); r != nil && r.ID == extensionScheme {
			req.tainted = append(req.tainted, reports[i].URL)
		}
	}
}

// scheme guesses how the request came. Behind a proxy it is wrong about TLS, which matters for Hosts with a default port only.
func scheme(r *http.Request) string {
	if r.TLS != nil {
		return "https"
	}
	return "http"
}

// refuse returns the reason why a report is not wanted, "" if it is.
func (req *request) refuse(rep *report.Report) string {
	switch {
	case rep.Type == "":
		return reasonNotReport
	case rep.Type == report.TypeViolation && (rep.Violation == nil || rep.Violation.Directive == ""):
		return reasonNotReport
	case rep.Detail == nil && rep.Type != report.TypeViolation && reportType(rep.Type) != otherWord:
		return reasonNotReport
	case !req.own(documentURL(rep)):
		return reasonForeign
	}
	return ""
}

// own reports whether the document is the site's. Documents without a host (srcdoc, blob:, data:) are whoever's page sent the
// report.
func (req *request) own(document string) bool {
	if p := req.site.place(document); p != nil {
		return req.site.own(p, req.http)
	}
	word, _, _ := strings.Cut(document, ":")
	switch word {
	case "about", "blob", "data", "filesystem":
		return req.sameOrigin()
	}
	return false
}
