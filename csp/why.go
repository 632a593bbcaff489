package csp

import (
	"fmt"
	"strings"
)

// is reports whether the source is the keyword.
func (s *Source) is(word string) bool { return s.Kind == Keyword && s.Word == word }

// whyNotRequest says why a source does not let a request through, and "" if it does.
func (s *Source) whyNotRequest(by *Directive, name string, self Origin, r *Request, q *quirks) string {
	l := &by.list
	script := scriptLike(r.Destination) && (strings.HasPrefix(name, "script-src") || by.Name == "script-src")
	switch s.Kind {
	case NonceSource:
		return s.whyNotNonce(script || name == "style-src-elem", r.Nonce)
	case HashSource:
		switch {
		case !script:
			return "hashes cover no loads but those of scripts"
		case !l.coversIntegrity(r.Integrity, q):
			return "the element's integrity names another hash, or none"
		case !strings.Contains(r.Integrity, s.Word):
			return "the integrity names another hash"
		}
		return ""
	case Keyword:
		switch {
		case s.Word == "strict-dynamic" && !script:
			return "counts for scripts only"
		case s.Word == "strict-dynamic" && r.ParserInserted:
			return "the element came with the page, and was not made by a script"
		case s.Word == "strict-dynamic":
			return ""
		case s.Word == "unsafe-webtransport-hashes" && r.WebTransportHashes:
			return ""
		}
	}
	if l.strictDynamic && script {
		return "beside 'strict-dynamic' hosts, schemes and 'self' do not count for scripts"
	}
	u := r.URL.asPoliciesSee(q)
	return s.whyNotURL(by, &u, self, r.Redirects, q)
}

func (s *Source) whyNotNonce(counts bool, nonce string) string {
	switch {
	case !counts:
		return "nonces cover script and style elements only"
	case nonce == "":
		return "the element has no nonce"
	case nonce != s.Word:
		return "the element has another nonce"
	}
	return ""
}

// whyNotURL says which part of a source does not fit a URL.
func (s *Source) whyNotURL(by *Directive, u *URL, self Origin, redirects int, q *quirks) string {
	if !by.list.none && s.match(u, self, redirects, q) {
		return ""
	}
	switch s.Kind {
	case Invalid:
		return "no valid source: browsers pass over it"
	case None:
		if len(by.Value) > 1 {
			return "does not count beside other sources"
		}
		return "nothing is allowed"
	case Keyword:
		if s.Word == "self" {
			return fmt.Sprintf("the page is of %s", self)
		}
		return "does not let URLs through"
	case SchemeSource:
		return fmt.Sprintf("the scheme is %s", u.Scheme)
	case HostSource:
		return s.whyNotHost(u, self, q)
	}
	return "does not let URLs through"
}

func (s *Source) whyNotHost(u *URL, self Origin, q *quirks) string {
	scheme := s.Scheme
	if scheme == "" {
		scheme = self.scheme
	}
	switch {
	case s.Text == "*":
		return "* covers http and https and the page's own scheme"
	case s.skipped(q):
		return "this browser takes it for no valid source"
	case u.Host == "" || !special(u.Scheme):
		return "the URL has no host that is a domain"
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
		if u.Port < 0 {
			return fmt.Sprintf("the port is the default of %s", u.Scheme)
		}
		return fmt.Sprintf("the port is %d", u.Port)
	}
	return fmt.Sprintf("the path is %s", u.Path)
}

// whyNotInline says why a source does not let inline code through, and "" if it does.
func (s *Source) whyNotInline(by *Directive, in *Inline, q *quirks) string {
	l := &by.list
	element := in.Type == InlineScript || in.Type == InlineStyle
	switch {
	case s.Kind == NonceSource && element && in.Nonce != "" && !in.nonceable():
		return "the element's nonce does not count: its markup repeats an attribute or holds <script or <style"
	case s.Kind == NonceSource:
		return s.whyNotNonce(element, in.Nonce)
	case s.Kind == HashSource && !element && !l.unsafeHashes:
		return "hashes cover handlers, style attributes and javascript: URLs only beside 'unsafe-hashes'"
	case s.Kind == HashSource && !s.isHash(in.digestBy(s.Scheme), q):
		return fmt.Sprintf("the content's hash is %s-%s", s.Scheme, in.digestBy(s.Scheme))
	case s.Kind == HashSource, s.is("unsafe-inline") && l.allowsAllInline(in.Type, by.Name, q):
		return ""
	case s.is("unsafe-inline"):
		return "does not count beside a nonce, a hash or 'strict-dynamic'"
	case s.is("strict-dynamic") && (in.Type != InlineScript || in.Element != "script"):
		return "counts for script elements only"
	case s.is("strict-dynamic") && in.ParserInserted:
		return "the element came with the page, and was not made by a script"
	case s.is("strict-dynamic"):
		return ""
	case s.Kind == None && len(by.Value) == 1:
		return "nothing is allowed"
	case s.is("unsafe-hashes"):
		return "lets hashes cover attributes; alone it does nothing"
	}
	return "does not cover inline code"
}

func (s *Source) whyNotAncestor(by *Directive, a, self Origin, q *quirks) string {
	switch {
	case !a.Opaque():
		u, redirects := a.ancestorURL(q)
		if why := s.whyNotURL(by, &u, self, redirects, q); why != "" {
			return fmt.Sprintf("for %s: %s", a, why)
		}
		return ""
	case by.list.coversAncestor(a, self, q) && s.Text == "*":
		return ""
	}
	return "an ancestor has an opaque origin, which no source names"
}

// explainOptions explains the lines of X-Frame-Options, which count together.
func (l *List) explainOptions(m Mode, lines []string, self Origin, ancestors []Origin) PolicyExplanation {
	value := strings.Join(lines, ", ")
	out := PolicyExplanation{Policy: "X-Frame-Options: " + value, Directive: "x-frame-options", Allowed: true}
	reason := func(why string) { out.Reasons = []Reason{{value, why}} }
	if l.enforcesAncestors(m) {
		reason("does not count beside an enforced frame-ancestors")
		return out
	}
	out.By, out.Allowed = "x-frame-options", !blockedByOptions(lines, self, ancestors)
	values := optionValues(lines)
	switch {
	case out.Allowed && values["sameorigin"]:
		out.Matched = value
	case out.Allowed:
		out.By = ""
		reason("no value that browsers know: it protects nothing")
	case len(values) > 1:
		reason("the values contradict each other, so browsers block")
	case values["deny"]:
		reason("no page may frame it")
	default:
		reason(fmt.Sprintf("an ancestor is of another origin than %s", self))
	}
	return out
}
