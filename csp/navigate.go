package csp

import (
	"slices"
	"strings"
)

// Base decides whether a page may set its base URL. https://www.w3.org/TR/CSP3/#allow-base-for-document
func (l *List) Base(m Mode, self Origin, base *URL) Decision {
	return l.decide(m, func(d *Decision, policies []Policy, q *quirks) {
		for i := range policies {
			by := policies[i].directive("base-uri")
			if by == nil || by.list.match(base, self, 0, q) {
				continue
			}
			v := Violation{Policy: i, Directive: "base-uri", By: "base-uri", Disposition: policies[i].Disposition, Resource: "inline"}
			if q.baseReported {
				v.Resource = ""
			}
			d.add(v)
			if d.Blocked {
				return // the text returns at the first enforced violation
			}
		}
	})
}

// SubmitForm decides whether a page may submit a form to the URL, reached after so many redirects. A javascript: URL must
// pass as inline code too, and that alone governs other navigations to such URLs; see [List.Inline].
// https://www.w3.org/TR/CSP3/#should-block-navigation-request
func (l *List) SubmitForm(m Mode, self Origin, to *URL, redirects int) Decision {
	return l.submit(m, self, submission{to: to, redirects: redirects, code: to.code()})
}

// FollowForm decides as [List.SubmitForm] does about a form that was submitted to the first URL and redirected from there. The
// text and most browsers look at where it leads, and Firefox at the first URL alone.
func (l *List) FollowForm(m Mode, self Origin, first, to *URL, redirects int) Decision {
	return l.submit(m, self, submission{first, to, redirects, to.code()})
}

type submission struct {
	first     *URL // before redirects; nil where nobody knows
	to        *URL
	redirects int
	code      *Inline // of a javascript: URL
}

// code is the inline code that a javascript: URL stands for; nil for others.
func (u *URL) code() *Inline {
	if u.Scheme != "javascript" {
		return nil
	}
	return &Inline{Type: InlineNavigation, Content: u.String()}
}

func (l *List) submit(m Mode, self Origin, f submission) Decision {
	return l.decide(m, func(d *Decision, policies []Policy, q *quirks) {
		for i := range policies {
			by := policies[i].directive("form-action")
			if by != nil && by.refusesForm(self, f, q) {
				d.add(Violation{Policy: i, Directive: "form-action", By: "form-action", Disposition: policies[i].Disposition})
			}
		}
		if f.code == nil {
			return
		}
		sink(d, policies, f.code.sinkSample()) // before a navigation every directive is asked, and inline code only after them
		if !d.Blocked {
			inline(d, policies, f.code, q)
		}
	})
}

func (d *Directive) refusesForm(self Origin, f submission, q *quirks) bool {
	if f.redirects > 0 && q.redirectedForms {
		return f.first != nil && !d.list.match(f.first, self, 0, q)
	}
	return !d.list.match(f.to, self, f.redirects, q)
}

// WebRTC decides whether a page may open peer connections. https://www.w3.org/TR/CSP3/#directive-webrtc
func (l *List) WebRTC(m Mode) Decision {
	return l.decide(m, func(d *Decision, policies []Policy, q *quirks) {
		for i := range policies {
			by := policies[i].directive("webrtc")
			if by != nil && !by.permitsWebRTC() {
				d.add(Violation{Policy: i, Directive: "webrtc", By: "webrtc", Disposition: policies[i].Disposition})
			}
		}
	})
}

func (d *Directive) permitsWebRTC() bool {
	return len(d.Value) == 1 && equalFold(d.Value[0], "'allow'")
}

// Upgrade returns the URL that a load of u becomes under upgrade-insecure-requests of an enforced policy.
// https://www.w3.org/TR/upgrade-insecure-requests/#upgrade-request
func (l *List) Upgrade(m Mode, u URL) URL {
	m = m.reading()
	if !l.upgrades(m) || quirksOf[m].loopbackStays && loopback(u.Host) {
		return u
	}
	switch u.Scheme {
	case "http":
		u.Scheme = "https"
	case "ws":
		u.Scheme = "wss"
	default:
		return u
	}
	if u.Port == 443 {
		u.Port = -1
	}
	return u
}

func (l *List) upgrades(m Mode) bool {
	return slices.ContainsFunc(l.byMode[m], func(p Policy) bool {
		return p.Disposition == Enforce && p.directive("upgrade-insecure-requests") != nil
	})
}

// loopback reports whether a host is this machine. https://w3c.github.io/webappsec-secure-contexts/#is-origin-trustworthy
func loopback(host string) bool {
	name := strings.TrimSuffix(host, ".")
	return name == "localhost" || strings.HasSuffix(name, ".localhost") || isIP(host) && strings.HasPrefix(host, "127.") || host == "[::1]"
}
