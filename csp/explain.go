package csp

import (
	"fmt"
	"strings"
)

// Explanation is a decision about a request in words a developer understands.
type Explanation struct {
	Decision
	Policies []PolicyExplanation
	Differ   []Mode // browsers whose decision is another than this one
}

// PolicyExplanation is what one policy says.
type PolicyExplanation struct {
	Policy      string
	Disposition Disposition
	Directive   string   // the effective directive of the request
	Missing     []string // directives that would have decided first, had the policy had them
	By          string   // the directive that decides; "" when the policy has no say
	Allowed     bool
	Matched     string   // the source that let the request through, or the rule: nonce, integrity, 'strict-dynamic'
	Sources     []Reason // why the other sources did not
}

// Reason is why a source does not let a request through.
type Reason struct {
	Source, Why string
}

// ExplainRequest decides as [List.Request] does and says why. Strictest and Laxest explain the reading that decided.
func (l *List) ExplainRequest(m Mode, self Origin, r *Request) Explanation {
	e := Explanation{Decision: l.Request(m, self, r)}
	q := &quirksOf[e.Mode]
	for i := range l.byMode[e.Mode] {
		e.Policies = append(e.Policies, explain(&l.byMode[e.Mode][i], self, r, q))
	}
	for browser := Chromium; browser <= WebKit; browser++ {
		if d := l.Request(browser, self, r); d.Blocked != e.Blocked {
			e.Differ = append(e.Differ, browser)
		}
	}
	return e
}

func explain(p *Policy, self Origin, r *Request, q *quirks) PolicyExplanation {
	name := EffectiveDirective(r.Destination, r.Initiator)
	out := PolicyExplanation{Policy: p.String(), Disposition: p.Disposition, Directive: name, Allowed: true}
	if name == "" {
		return out
	}
	d := p.governing(name)
	if d == nil {
		return out
	}
	for _, n := range Fallbacks(name) {
		if n == d.Name {
			break
		}
		out.Missing = append(out.Missing, n)
	}
	out.By = d.Name
	out.Allowed = p.refuses(name, self, r, &r.URL, q, false) == nil
	l := &d.list
	switch {
	case l.hasNonce(r.Nonce) && out.Allowed:
		out.Matched = "the element's nonce"
	case out.Allowed && l.coversIntegrity(r.Integrity, q):
		out.Matched = "the element's integrity"
	case out.Allowed && l.strictDynamic && scriptLike(r.Destination):
		out.Matched = "'strict-dynamic': a script that may run has made the element"
	}
	if out.Matched == "" {
		out.sources(l, self, r, q)
	}
	return out
}

func (e *PolicyExplanation) sources(l *sourceList, self Origin, r *Request, q *quirks) {
	for i := range l.sources {
		s := &l.sources[i]
		if e.Allowed && s.match(&r.URL, self, r.Redirects, q) {
			e.Matched = s.Text
			return
		}
		e.Sources = append(e.Sources, Reason{s.Text, s.whyNot(l, &r.URL, self, r, q)})
	}
}

// whyNot says which part of a source does not fit.
func (s *Source) whyNot(l *sourceList, u *URL, self Origin, r *Request, q *quirks) string {
	switch s.Kind {
	case Invalid:
		return "no valid source: browsers pass over it"
	case None:
		if len(l.sources) > 1 {
			return "does not count beside other sources"
		}
		return "nothing may load"
	case NonceSource:
		return "the element has another nonce, or none"
	case HashSource:
		return "the element names no such integrity"
	case Keyword:
		return s.whyNotKeyword(u, self)
	}
	if l.strictDynamic && scriptLike(r.Destination) {
		return "beside 'strict-dynamic' hosts and schemes do not count for scripts"
	}
	if s.Kind == SchemeSource {
		return fmt.Sprintf("the scheme is %s", u.Scheme)
	}
	return s.whyNotHost(u, self, r, q)
}

func (s *Source) whyNotKeyword(u *URL, self Origin) string {
	switch s.Word {
	case "self":
		return fmt.Sprintf("the page is of %s", self)
	case "strict-dynamic":
		return "the element came with the page, and was not made by a script"
	}
	return "does not let URLs through"
}

func (s *Source) whyNotHost(u *URL, self Origin, r *Request, q *quirks) string {
	scheme := s.Scheme
	if scheme == "" {
		scheme = self.scheme
	}
	switch {
	case s.Text == "*":
		return "* covers http and https and the page's own scheme"
	case s.skipped(q):
		return "this browser takes it for no valid source"
	case !matchScheme(scheme, u.Scheme, q) && s.Scheme == "":
		return fmt.Sprintf("without a scheme it stands for the page's, %s", scheme)
	case !matchScheme(scheme, u.Scheme, q):
		return fmt.Sprintf("the scheme is %s", u.Scheme)
	case isIP(u.Host) && !s.matchHost(u.Host, q):
		return "sources match names, not addresses"
	case !s.matchHost(u.Host, q) && strings.HasPrefix(s.Host, "*."):
		return fmt.Sprintf("the host %s is not below %s", u.Host, s.Host[2:])
	case !s.matchHost(u.Host, q):
		return fmt.Sprintf("the host is %s", u.Host)
	case !s.matchPort(u, scheme, q):
		return "the port is another"
	}
	return fmt.Sprintf("the path is %s", u.Path)
}
