package merlontest

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon/csp"
)

// FramedBy demands that every browser shows the page of r in a frame on pages of each of these origins, such as
// https://partner.example.
func FramedBy(t testing.TB, h http.Handler, r *http.Request, origins ...string) {
	t.Helper()
	frames(t, h, r, origins, framing{call: "FramedBy", want: "every browser to show the page in a frame of ",
		do: `guard.With("why", merlon.FrameBy(%q)).Handler(page)`})
}

// NotFramedBy demands that no browser shows the page of r in a frame on pages of any of these origins. "null" stands for
// pages without an origin, such as those of data: URLs.
func NotFramedBy(t testing.TB, h http.Handler, r *http.Request, origins ...string) {
	t.Helper()
	frames(t, h, r, origins, framing{call: "NotFramedBy", blocked: true, want: "no browser to show the page in a frame of ",
		do: "take %q out of FrameBy, or see whether the guard stands around this page"})
}

// framing is what one of the two assertions wants.
type framing struct {
	call     string
	blocked  bool
	want, do string
}

func frames(t testing.TB, h http.Handler, r *http.Request, origins []string, f framing) {
	t.Helper()
	a := ask(h, r)
	if len(origins) == 0 {
		a.fail(t, f.call, failure{"no origins", "at least one", "name them, such as https://partner.example"})
		return
	}
	if !a.isPage(t, f.call) {
		return
	}
	for _, origin := range origins {
		by := csp.ParseOrigin(origin)
		if by.Opaque() && origin != "null" {
			a.fail(t, f.call, failure{fmt.Sprintf("%q, which is no origin", origin), "scheme and host", "write https://partner.example"})
			continue
		}
		e, ok := inBrowsers(f.blocked, func(m csp.Mode) csp.Explanation {
			return a.list.ExplainFrame(m, a.url(), []csp.Origin{by}, a.header["X-Frame-Options"])
		})
		if !ok {
			a.fail(t, f.call, failure{a.framing() + nextLine + decided(e), f.want + origin, fmt.Sprintf(f.do, origin)})
		}
	}
}

// inBrowsers asks whether all browsers block, or none does, and returns the explanation of the first that does otherwise. The
// text of the specification is not asked: by it sources do not cover IP addresses, on which people try things out.
func inBrowsers(blocked bool, explain func(csp.Mode) csp.Explanation) (e csp.Explanation, ok bool) {
	for m := csp.Chromium; m <= csp.WebKit; m++ {
		if e = explain(m); e.Blocked != blocked {
			return e, false
		}
	}
	return e, true
}

// framing shows what decides who may frame the response, as far as it is there.
func (a *answer) framing() string {
	var out []string
	for _, p := range a.list.Policies(csp.Spec) {
		if v, ok := p.Get("frame-ancestors"); ok && p.Disposition == csp.Enforce {
			out = append(out, "Content-Security-Policy with frame-ancestors "+strings.Join(v, " "))
		}
	}
	if len(a.header["X-Frame-Options"]) > 0 {
		out = append(out, a.lines("X-Frame-Options"))
	}
	if out == nil {
		return "no frame-ancestors and no X-Frame-Options"
	}
	return strings.Join(out, nextLine)
}

// decided says in which browsers something is allowed or blocked and by what: an enforced policy, or X-Frame-Options.
func decided(e csp.Explanation) string {
	out := map[bool]string{true: "blocked", false: "allowed"}[e.Blocked]
	if len(e.Differ) > 0 {
		var others []string
		for _, m := range e.Differ {
			others = append(others, m.String())
		}
		out += ", but not in " + strings.Join(others, " and ")
	}
	by := ""
	for _, p := range e.Policies {
		if p.Disposition == csp.Enforce && p.Allowed != e.Blocked {
			by += says(p)
		}
	}
	if by == "" {
		by = ", as no policy has a say"
	}
	return out + by
}

func says(p csp.PolicyExplanation) string {
	switch {
	case p.Matched != "":
		return nextLine + "by " + p.By + ", which has " + p.Matched
	case p.By == "" && p.Reasons == nil:
		return ""
	}
	out := nextLine + "by " + p.By
	if p.By == "" {
		out = nextLine + "despite " + p.Directive
	}
	for _, reason := range p.Reasons {
		out += fmt.Sprintf("; %s: %s", reason.Word, reason.Why)
	}
	return out
}
