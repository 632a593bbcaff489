// Package merlontest has assertions for the tests of programs that protect their responses with merlon, or by hand.
//
//	func TestHeaders(t *testing.T) {
//		merlontest.Protected(t, newHandler(), httptest.NewRequest("GET", "https://shop.example/cart", nil))
//	}
//
// Requests are what httptest.NewRequest makes, with https in the URL for what arrives over TLS. They are served in the
// process, some of them several times. What browsers would do is decided by package csp: an assertion that something
// works wants all browsers to let it through, one that something is blocked wants all of them to block it.
package merlontest

import (
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon/csp"
)

// Protected serves each request, and for each also a path below it that is not there and a method that nobody knows, so
// that the router's own answers are asked too. Without requests it asks for GET https://example.com/. Every response must have:
//
//   - one answer to who may frame it, by frame-ancestors or X-Frame-Options or both in agreement, that shuts out pages of
//     unknown origins
//   - an enforced Content-Security-Policy with a directive that browsers know
//   - X-Content-Type-Options: nosniff
//   - over https to a host with a name, Strict-Transport-Security with a max-age above 0
//
// Of a 304 nothing is demanded: the page that a browser has stored keeps its own headers.
func Protected(t testing.TB, h http.Handler, requests ...*http.Request) {
	t.Helper()
	if len(requests) == 0 {
		requests = []*http.Request{httptest.NewRequest("GET", "https://example.com/", nil)}
	}
	for _, r := range requests {
		for _, in := range []*http.Request{r, missing(r), unknownMethod(r)} {
			if a := ask(h, in); a.status != http.StatusNotModified {
				a.mustFrame(t)
				a.mustRestrict(t)
				a.mustNotSniff(t)
				a.mustInsistOnTLS(t)
			}
		}
	}
}

func missing(r *http.Request) *http.Request {
	r = bodiless(r)
	r.URL.Path = strings.TrimSuffix(r.URL.Path, "/") + "/merlontest-no-such-page"
	r.URL.RawPath, r.URL.RawQuery = "", ""
	r.RequestURI = r.URL.RequestURI()
	return r
}

func unknownMethod(r *http.Request) *http.Request {
	r = bodiless(r)
	r.Method = "MERLONTEST"
	return r
}

// bodiless returns a copy of r without its body: no handler waits for one on a path or with a method that nobody knows.
func bodiless(r *http.Request) *http.Request {
	out := r.Clone(r.Context())
	out.Body, out.ContentLength = nil, 0
	return out
}

const wrap = "put the guard around the outermost handler, the router included: srv.Handler = guard.Handler(router)"

// stranger is an origin that no site names.
var stranger = csp.ParseOrigin("https://merlontest.invalid")

func (a *answer) mustFrame(t testing.TB) {
	t.Helper()
	options := a.header["X-Frame-Options"]
	switch {
	case strings.Contains(strings.Join(options, ","), ","):
		a.fail(t, "Protected", failure{a.lines("X-Frame-Options"), "one line with one value", "leave framing to one place: to the guard, or to the proxy before it"})
	case !a.list.Frame(csp.Laxest, a.url(), []csp.Origin{stranger}, options).Blocked:
		a.fail(t, "Protected", failure{a.framing(), "an answer that keeps pages of unknown origins from framing this one", wrap})
	case a.contradicts(options):
		a.fail(t, "Protected", failure{a.framing(), "both to say the same",
			"set merlon.Config.Frame or merlon.FrameBy alone, which make both; X-Frame-Options cannot name origins"})
	}
}

// contradicts reports whether X-Frame-Options keeps out somebody whom frame-ancestors names, or lets in somebody whom it
// keeps out: what a browser does then depends on its age.
func (a *answer) contradicts(options []string) bool {
	named := a.ancestors()
	if len(options) == 0 || named == nil {
		return false
	}
	self := a.url()
	asked := []csp.Origin{self.Origin(), stranger}
	for _, source := range named {
		asked = append(asked, csp.ParseOrigin(source))
	}
	return slices.ContainsFunc(asked, func(o csp.Origin) bool {
		by := []csp.Origin{o}
		ofPolicies, ofOptions := a.list.Frame(csp.Spec, self, by, nil), csp.NewList().Frame(csp.Spec, self, by, options)
		return ofPolicies.Blocked != ofOptions.Blocked
	})
}

// ancestors returns the sources of frame-ancestors in the enforced policies; nil if none has it.
func (a *answer) ancestors() []string {
	var out []string
	for _, p := range a.list.Policies(csp.Spec) {
		if v, ok := p.Get("frame-ancestors"); ok && p.Disposition == csp.Enforce {
			out = append(slices.Clip(out), v...)
			if out == nil {
				out = []string{}
			}
		}
	}
	return out
}

func (a *answer) mustRestrict(t testing.TB) {
	t.Helper()
	if !slices.ContainsFunc(a.list.Policies(csp.Spec), restricts) {
		got := a.lines("Content-Security-Policy")
		if len(a.header["Content-Security-Policy-Report-Only"]) > 0 {
			got += ", and " + a.lines("Content-Security-Policy-Report-Only") + ", which blocks nothing"
		}
		a.fail(t, "Protected", failure{got, "an enforced policy with a directive that browsers know", wrap})
	}
}

func restricts(p csp.Policy) bool {
	return p.Disposition == csp.Enforce && slices.ContainsFunc(p.Directives, func(d csp.Directive) bool {
		return csp.Known(d.Name) && d.Name != "report-uri" && d.Name != "report-to"
	})
}

func (a *answer) mustNotSniff(t testing.TB) {
	t.Helper()
	// Browsers look at the first value of all lines: https://fetch.spec.whatwg.org/#determine-nosniff
	first, _, _ := strings.Cut(strings.Join(a.header["X-Content-Type-Options"], ","), ",")
	if !strings.EqualFold(strings.Trim(first, " \t"), "nosniff") {
		a.fail(t, "Protected", failure{a.lines("X-Content-Type-Options"), "X-Content-Type-Options: nosniff", wrap})
	}
}

func (a *answer) mustInsistOnTLS(t testing.TB) {
	t.Helper()
	host := a.url().Host
	if a.request.TLS == nil || host == "localhost" || strings.HasSuffix(host, ".localhost") || net.ParseIP(strings.Trim(host, "[]")) != nil {
		return
	}
	// Browsers look at the first line alone: RFC 6797 §8.1.
	if lines := a.header["Strict-Transport-Security"]; len(lines) == 0 || !insists(lines[0]) {
		a.fail(t, "Protected", failure{a.lines("Strict-Transport-Security"), "Strict-Transport-Security with a max-age above 0",
			wrap + ", with merlon.Config.HTTPS.HSTS such as 365d"})
	}
}

// insists reads Strict-Transport-Security: RFC 6797 §6.1.
func insists(line string) bool {
	var ages []string
	for directive := range strings.SplitSeq(line, ";") {
		name, value, _ := strings.Cut(directive, "=")
		if strings.EqualFold(strings.TrimSpace(name), "max-age") {
			ages = append(ages, strings.Trim(strings.TrimSpace(value), `"`))
		}
	}
	if len(ages) != 1 {
		return false
	}
	n, err := strconv.ParseUint(ages[0], 10, 63)
	return err == nil && n > 0
}
