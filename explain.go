package merlon

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// Explanation is the way of one response through a Guard, step by step.
type Explanation struct {
	Steps  []Step
	Status int
	Header http.Header // as it goes out
	Body   int64       // bytes that the handler wrote
}

// Step is one step of an [Explanation].
type Step struct {
	Name    string // request, front, route, amend, handler, or the name of the header that is settled
	Cause   string // the setting, route or rule behind it
	Before  http.Header
	After   http.Header
	Browser string // what a browser will do with it; "" for steps that no browser sees
}

// Changed returns the names of the headers that the step has set, changed or taken out, sorted.
func (s Step) Changed() []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(merged(s.Before, s.After))) {
		if !slices.Equal(s.Before[name], s.After[name]) {
			out = append(out, name)
		}
	}
	return out
}

func merged(a, b http.Header) http.Header {
	out := maps.Clone(a)
	if out == nil {
		out = http.Header{}
	}
	maps.Copy(out, b)
	return out
}

// Explain serves r by next behind the Guard and returns the steps, with the headers before and after each, instead of the
// response. Next runs as it would for a client, effects included.
func (g *Guard) Explain(next http.Handler, r *http.Request) Explanation {
	return g.explain(next, r, trustHandler)
}

// ExplainProxy is like [Guard.Explain] for a next that passes on the responses of another server, as [Guard.Proxy] is.
func (g *Guard) ExplainProxy(next http.Handler, r *http.Request) Explanation {
	return g.explain(next, r, tightenOnly)
}

func (g *Guard) explain(next http.Handler, r *http.Request, t trust) Explanation {
	tr := &tracer{header: http.Header{}}
	g.serve(tr, r, next, t, nil)
	tr.out.Header = tr.header
	return tr.out
}

// tracer is the writer of a response that nobody gets, and the notebook of its steps.
type tracer struct {
	header http.Header
	last   http.Header
	out    Explanation
}

func (t *tracer) Header() http.Header { return t.header }

func (t *tracer) WriteHeader(status int) {
	if t.out.Status == 0 && (status >= 200 || status == http.StatusSwitchingProtocols) {
		t.out.Status = status
	}
}

func (t *tracer) Write(b []byte) (int, error) {
	t.WriteHeader(http.StatusOK)
	t.out.Body += int64(len(b))
	return len(b), nil
}

func (t *tracer) Flush() {}

func (t *tracer) ReadFrom(src io.Reader) (int64, error) { return io.Copy(struct{ io.Writer }{t}, src) }

// note records a step where Explain looks on: cause is the plan that decides, the Route, or text.
func (s *response) note(name string, cause any) {
	if s.trace != nil {
		s.record(name, cause)
	}
}

func (s *response) record(name string, cause any) {
	t := s.trace
	step := Step{Name: name, Before: t.last, After: t.header.Clone()}
	t.last = step.After
	switch c := cause.(type) {
	case *plan:
		step.Cause = s.origin(name)
	case *Route:
		step.Cause = c.info.String()
	case string:
		step.Cause = c
	}
	switch {
	case len(step.After[name]) > 0:
		step.Browser = meaning(name, strings.Join(step.After[name], ", "))
	case name == headerXFO && len(step.Before[name]) > 0:
		step.Browser = "reads frame-ancestors alone: X-Frame-Options cannot name origins, and would contradict it"
	}
	if len(step.Changed()) > 0 || step.Cause != "" && !isHeader(name) {
		t.out.Steps = append(t.out.Steps, step)
	}
}

// isHeader tells the name of a header from that of a step: those are in lower case.
func isHeader(name string) bool { return name != strings.ToLower(name) }

// noteRequest records how the request is seen.
func (s *response) noteRequest(r *http.Request) {
	if s.trace == nil {
		return
	}
	text := fmt.Sprintf("%s %s, %s, host %s", r.Method, r.URL.RequestURI(), [2]string{"over plain HTTP", "over HTTPS"}[s.secure], s.host)
	if !s.canonical {
		text += "; servers read this path in different ways, so that routes may only tighten"
	}
	s.note("request", text)
	if s.plan.pattern != "" {
		s.note("route", strings.Join(s.plan.cause, "; "))
	}
}

// origin says which setting gave the header its value, and whether a route or the preset did.
func (s *response) origin(name string) string {
	setting, text := s.plan.config.behind(name)
	_, base := s.guard.orZero().base.config.behind(name)
	fromPreset, _ := preset(s.plan.config.Preset)
	_, usual := fromPreset.behind(name)
	switch {
	case text != base:
		return setting + ", changed by " + strings.Join(s.plan.cause, "; ")
	case text == usual && s.plan.config.Preset != "":
		return setting + " of the preset " + s.plan.config.Preset
	}
	return setting
}

// behind returns the setting that makes a header, and its value as text.
func (c *Config) behind(name string) (setting, value string) {
	if h := headerNamed(name); h != nil && name != headerCache {
		return h.field, *h.value(c)
	}
	switch name {
	case headerCSP:
		return "csp and frame", c.CSP + strings.Join(c.Frame, " ")
	case headerTrial:
		return "trial", c.Trial
	case headerXFO:
		return "frame", strings.Join(c.Frame, " ")
	case headerHSTS:
		return "https.hsts", c.HTTPS.hsts()
	case headerCache:
		return "nonce-cache and cache-control", c.NonceCache + c.CacheControl
	case headerClear:
		return "headers", c.clear
	case "Set-Cookie":
		return "cookies", fmt.Sprint(c.Cookies)
	case "Reporting-Endpoints":
		return "reporting-endpoints", fmt.Sprint(c.Endpoints)
	case "Nel", "Report-To":
		return "nel", c.NetworkErrors
	}
	return "headers", fmt.Sprint(c.Headers)
}

// meaning says what browsers do with a header.
func meaning(name, value string) string {
	switch name {
	case headerCSP:
		return "blocks what the policy does not allow"
	case headerTrial:
		return "reports what the policy would block, and blocks nothing"
	case headerXFO:
		if value == "DENY" {
			return "shows the page in no frame; beside frame-ancestors only old browsers read this"
		}
		return "shows the page in frames of its own origin alone; beside frame-ancestors only old browsers read this"
	case headerHSTS:
		if strings.HasPrefix(value, "max-age=0") {
			return "forgets to use HTTPS alone"
		}
		return "uses HTTPS alone for this host from now on, and lets nobody click a certificate's warning away"
	case headerCache:
		if strings.Contains(value, "no-store") {
			return "keeps no copy, so that no nonce is used twice"
		}
		return "caches as it says"
	}
	return meanings[name]
}

var meanings = map[string]string{
	"X-Content-Type-Options":                   "guesses no other type than Content-Type says",
	"Referrer-Policy":                          "tells other pages only so much of the address",
	"Permissions-Policy":                       "keeps these features from the page and its frames",
	"Cross-Origin-Opener-Policy":               "cuts the tie to windows of other origins",
	"Cross-Origin-Opener-Policy-Report-Only":   "reports the ties that would be cut",
	"Cross-Origin-Embedder-Policy":             "loads from other origins only what consents",
	"Cross-Origin-Embedder-Policy-Report-Only": "reports the loads that would fail",
	"Cross-Origin-Resource-Policy":             "gives the response to no page of another origin or site",
	"Origin-Agent-Cluster":                     "isolates the origin from others of the site",
	"Integrity-Policy":                         "runs no script without integrity",
	"Integrity-Policy-Report-Only":             "reports scripts without integrity",
	"Document-Policy":                          "turns these features off",
	"X-Xss-Protection":                         "turns old filters off, which could be turned against the page",
	"X-Dns-Prefetch-Control":                   "looks names up before they are needed, or not",
	"X-Permitted-Cross-Domain-Policies":        "is for Flash and PDF readers",
	"Reporting-Endpoints":                      "sends reports there",
	"Nel":                                      "reports failed requests",
	"Report-To":                                "sends reports of failed requests there",
	headerClear:                                "throws away what it has stored of the site",
	"Set-Cookie":                               "keeps the cookie by these rules",
}
