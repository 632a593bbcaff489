package collect

import (
	"slices"
	"strings"

	"github.com/merlon-sec/merlon/report"
)

// event is one report on its way to a hit: what it says in terms that all types share, as it came, and what was worked out of that.
type event struct {
	rep  *report.Report
	kind string // the type, of a closed set

	directive   string // of a closed set for each type
	disposition report.Disposition
	blocked     string // URL, scheme or word
	source      string // the script behind it
	line, col   int
	sample      string // as it came
	masked      string // as it is kept
	referrer    string

	document, blockedAt, sourceAt *place // nil where there is none
	route                         string
	policy                        *policy // nil if none was named
	agent                         agent
	tainted                       bool // a report of the same document was about an extension
}

// event reads a report.
func (req *request) event(rep *report.Report) *event {
	e := req.outline(rep)
	if v := rep.Violation; v != nil {
		e.policy = req.site.policy(v.OriginalPolicy)
	}
	e.tainted = slices.Contains(req.tainted, rep.URL)
	return e
}

// outline reads all of a report but its policy, which is what costs most, and no label but a contradiction goes by it.
func (req *request) outline(rep *report.Report) *event {
	e := &event{rep: rep, kind: reportType(rep.Type)}
	if v := rep.Violation; v != nil {
		e.violation(v, req)
	} else {
		e.detail(rep.Detail)
	}
	h := req.site
	e.document, e.blockedAt, e.sourceAt = h.place(documentURL(rep)), h.place(e.blocked), h.place(e.source)
	e.route = req.route(e.document, documentURL(rep))
	agent := rep.UserAgent
	if agent == "" {
		agent = req.http.UserAgent()
	}
	e.agent = h.agent(agent)
	return e
}

func (e *event) violation(v *report.Violation, req *request) {
	e.directive, e.blocked, e.source, e.line, e.col = directive(v.Directive), v.BlockedURL, v.SourceFile, v.Line, v.Column
	e.sample, e.masked, e.referrer = v.Sample, sample(v.Sample), v.Referrer
	if e.disposition = v.Disposition; e.disposition == report.DispositionUnknown {
		e.disposition = req.disposition
	}
}

// documentURL is where it happened.
func documentURL(rep *report.Report) string {
	if rep.Violation != nil && rep.Violation.DocumentURL != "" {
		return rep.Violation.DocumentURL
	}
	return rep.URL
}

// route returns the template of the document's path; for a document without one, that of the page it is in.
func (req *request) route(document *place, text string) string {
	if document != nil {
		return document.route
	}
	if req.site.own(req.refererAt, req.http) {
		return req.refererAt.route
	}
	switch word, _, _ := strings.Cut(text, ":"); word {
	case "about", "blob", "data", "filesystem":
		return word + ":" // no path starts like this
	}
	return otherWord + ":"
}

func (e *event) blockedScheme() string {
	if e.blockedAt != nil {
		return ""
	}
	return schemeOf(e.blocked)
}

func (e *event) sourceScheme() string {
	if e.sourceAt != nil {
		return ""
	}
	return schemeOf(e.source)
}

// hasScheme reports whether what was blocked or the script behind it is of one of the schemes, or a host that is only such a word.
func (e *event) hasScheme(schemes []string) bool {
	return slices.Contains(schemes, e.blockedScheme()) || slices.Contains(schemes, e.sourceScheme()) ||
		e.blockedAt != nil && slices.Contains(schemes, e.blockedAt.host)
}

func (e *event) ownSource() bool {
	return e.sourceAt != nil && e.document != nil && e.sourceAt.origin == e.document.origin
}

// script names the script behind the event: its path on the site, its origin and path elsewhere, else the document's route.
func (e *event) script() string {
	if e.sourceAt != nil {
		return e.sourceAt.of(e.document)
	}
	if scheme := schemeOf(e.source); scheme != "" {
		return maskWord(scheme) + ":" // an extension
	}
	return e.route
}
