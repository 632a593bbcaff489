package csp

import (
	"slices"
	"strings"
)

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

// endpoint looks a name up in Reporting-Endpoints. Only trustworthy URLs count.
// https://www.w3.org/TR/reporting-1/#process-header
func endpoint(doc Document, name string) string {
	text, ok := dictionary(doc.Endpoints)[name]
	if !ok {
		return ""
	}
	u, err := doc.URL.Resolve(text)
	if err != nil || u.Scheme != "https" && !loopback(u.Host) {
		return ""
	}
	return u.String()
}

// dictionary reads a structured-field dictionary whose values are strings; nil when the header has a mistake, which voids
// all of it. Members of other types do not count. RFC 9651 §3.2
func dictionary(s string) map[string]string {
	out := map[string]string{}
	for _, member := range splitHeader(s) {
		key, value, ok := strings.Cut(member, "=")
		if !validKey(key) {
			return nil
		}
		delete(out, key) // the last of two counts
		if !ok || !strings.HasPrefix(value, `"`) {
			continue
		}
		text, ok := quotedString(value[1:])
		if !ok {
			return nil
		}
		out[key] = text
	}
	return out
}

func validKey(s string) bool {
	if s == "" || !strings.ContainsRune("abcdefghijklmnopqrstuvwxyz*", rune(s[0])) {
		return false
	}
	return strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789_-.*") == ""
}

// quotedString reads up to the closing quote; parameters may follow it.
func quotedString(s string) (string, bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			rest := s[i+1:]
			return b.String(), rest == "" || strings.HasPrefix(rest, ";")
		case c < ' ' || c > '~':
			return "", false
		case c == '\\':
			if i++; i == len(s) || !slices.Contains([]byte(`"\`), s[i]) {
				return "", false
			}
			b.WriteByte(s[i])
		default:
			b.WriteByte(c)
		}
	}
	return "", false
}

// Strip returns the URL as reports carry it: of URLs that are not http or https the scheme alone, of others everything but
// user name, password and fragment. https://www.w3.org/TR/CSP3/#strip-url-for-use-in-reports
func (u URL) Strip() string {
	if u.Scheme != "http" && u.Scheme != "https" {
		return u.Scheme
	}
	return u.String()
}

func stripText(s string) string {
	u, err := ParseURL(s)
	if err != nil {
		return ""
	}
	return u.Strip()
}
