package csp

import "strings"

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

// SubmitForm decides whether a page may submit a form to the URL, reached after so many redirects. Other navigations are not
// governed. https://www.w3.org/TR/CSP3/#form-action-pre-navigate
func (l *List) SubmitForm(m Mode, self Origin, to *URL, redirects int) Decision {
	return l.decide(m, func(d *Decision, policies []Policy, q *quirks) {
		for i := range policies {
			by := policies[i].directive("form-action")
			if by != nil && by.refusesForm(self, to, redirects, q) {
				d.add(Violation{Policy: i, Directive: "form-action", By: "form-action", Disposition: policies[i].Disposition})
			}
		}
	})
}

func (d *Directive) refusesForm(self Origin, to *URL, redirects int, q *quirks) bool {
	return !(redirects > 0 && q.redirectedForms) && !d.list.match(to, self, redirects, q)
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
	return len(d.Value) == 1 && strings.EqualFold(d.Value[0], "'allow'")
}

// Upgrade returns the URL that a load of u becomes under upgrade-insecure-requests of an enforced policy.
// https://www.w3.org/TR/upgrade-insecure-requests/#upgrade-request
func (l *List) Upgrade(m Mode, u URL) URL {
	m = m.reading()
	for i := range l.byMode[m] {
		p := &l.byMode[m][i]
		if p.Disposition != Enforce || p.directive("upgrade-insecure-requests") == nil {
			continue
		}
		if quirksOf[m].loopbackStays && loopback(u.Host) {
			return u
		}
		switch u.Scheme {
		case "http":
			u.Scheme = "https"
		case "ws":
			u.Scheme = "wss"
		}
		if u.Port == 443 {
			u.Port = -1
		}
	}
	return u
}

func loopback(host string) bool {
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || strings.HasPrefix(host, "127.") || host == "[::1]"
}
