package csp

import "github.com/merlon-sec/merlon/internal/field"

// Document is the page that a violation happened in.
type Document struct {
	URL       URL
	Referrer  string // as a URL, or ""
	Status    int    // of its response
	Endpoints string // its Reporting-Endpoints header
}

// Reported is what a browser would report of one violation. Package report writes and reads the wire formats.
type Reported struct {
	Policy             int
	Disposition        Disposition
	EffectiveDirective string
	DocumentURL        string
	Referrer           string
	Blocked            string // a stripped URL, or a word such as inline
	OriginalPolicy     string
	Sample             string
	Status             int
	SourceFile         string

	ReportURI   []string // where legacy reports are posted; none when the policy has report-to
	ReportTo    string   // the endpoint's name
	ReportToURL string   // its URL; "" when the document names no such endpoint, and then the report is lost
}

// Reports returns what a browser would report of a decision by this list. Resource is the URL that was asked for,
// before redirects, and source the script or style that asked, or "".
// https://www.w3.org/TR/CSP3/#report-violation
func (l *List) Reports(d *Decision, doc Document, resource URL, source string) []Reported {
	var out []Reported
	for _, v := range d.Violations() {
		p := l.Policies(d.Mode)[v.Policy]
		r := Reported{
			Policy: v.Policy, Disposition: v.Disposition, EffectiveDirective: v.Directive, Sample: v.Sample, Status: doc.Status,
			DocumentURL: doc.URL.Strip(), Referrer: stripText(doc.Referrer), SourceFile: stripText(source),
			OriginalPolicy: p.String(), Blocked: v.Resource,
		}
		if r.Blocked == "" {
			r.Blocked = resource.Strip()
		}
		p.deliver(&r, doc)
		out = append(out, r)
	}
	return out
}

// deliver says where the report goes. With report-to, report-uri is ignored even if the endpoint is unknown.
func (p *Policy) deliver(r *Reported, doc Document) {
	if to := p.directive("report-to"); to != nil {
		if len(to.Value) > 0 {
			r.ReportTo = to.Value[0]
			r.ReportToURL = endpoint(doc, to.Value[0])
		}
		return
	}
	uri := p.directive("report-uri")
	if uri == nil {
		return
	}
	for _, text := range uri.Value {
		if u, err := doc.URL.Resolve(text); err == nil {
			r.ReportURI = append(r.ReportURI, u.String())
		}
	}
}

// endpoint looks a name up in Reporting-Endpoints, which a mistake voids whole. Only pages and URLs that nobody on the network
// can have written count. https://www.w3.org/TR/reporting-1/#process-header
func endpoint(doc Document, name string) string {
	if !trustworthy(doc.URL) {
		return ""
	}
	endpoints, err := field.ParseDictionary(doc.Endpoints)
	if err != nil {
		return ""
	}
	item, _ := endpoints.Get(name)
	text, ok := item.Value.(string)
	if !ok {
		return ""
	}
	u, err := doc.URL.Resolve(text)
	if err != nil || !trustworthy(u) {
		return ""
	}
	return u.String()
}

// trustworthy holds of the URLs that reports can come from and go to.
// https://w3c.github.io/webappsec-secure-contexts/#is-url-trustworthy
func trustworthy(u URL) bool {
	return u.Scheme == "https" || u.Scheme == "http" && loopback(u.Host)
}

// Strip returns the URL as reports carry it: of URLs that are not http or https the scheme alone, of others everything but
// user name, password and fragment. https://www.w3.org/TR/CSP3/#strip-url-for-use-in-reports
func (u URL) Strip() string {
	if u.Scheme != "http" && u.Scheme != "https" {
		return u.Scheme
	}
	u.user, u.fragment = "", ""
	return u.String()
}

func stripText(s string) string {
	u, err := ParseURL(s)
	if err != nil {
		return ""
	}
	return u.Strip()
}
