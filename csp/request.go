package csp

import "strings"

// Request is a fetch that a page starts. https://fetch.spec.whatwg.org/#concept-request
type Request struct {
	URL            URL
	Redirects      int    // how many led to URL
	Destination    string // as Fetch spells it: script, image, ... and "" for fetch(), XMLHttpRequest, WebSocket
	Initiator      string // "", prefetch or prerender
	Nonce          string // of the element
	Integrity      string // of the element
	ParserInserted bool   // the element came with the page's markup, and was not made by a script

	WebTransportHashes bool // a WebTransport connection that names its server's certificate hashes
}

// EffectiveDirective returns the directive that governs requests of a destination and initiator, or "" for reports, which
// nothing governs, by the text; see [Mode.EffectiveDirective].
// https://www.w3.org/TR/CSP3/#effective-directive-for-a-request
func EffectiveDirective(destination, initiator string) string {
	if initiator == "prefetch" || initiator == "prerender" {
		return "default-src"
	}
	switch destination {
	case "manifest":
		return "manifest-src"
	case "object", "embed":
		return "object-src"
	case "frame", "iframe":
		return "frame-src"
	case "audio", "track", "video":
		return "media-src"
	case "font":
		return "font-src"
	case "image":
		return "img-src"
	case "style":
		return "style-src-elem"
	case "script", "xslt", "audioworklet", "paintworklet":
		return "script-src-elem"
	case "serviceworker", "sharedworker", "worker":
		return "worker-src"
	case "report":
		return ""
	}
	return "connect-src"
}

// EffectiveDirective returns what the function of that name does, as the mode reads the text: Chromium knows fenced frames.
func (m Mode) EffectiveDirective(destination, initiator string) string {
	name := EffectiveDirective(destination, initiator)
	if name == "connect-src" && destination == "fencedframe" && quirksOf[m.reading()].fencedFrames {
		return "fenced-frame-src"
	}
	return name
}

// Fallbacks returns the directives that decide for a directive, itself first. The first one that a policy has decides alone.
// https://www.w3.org/TR/CSP3/#directive-fallback-list
func Fallbacks(name string) []string { return append([]string{name}, fallbacks[name]...) }

// Request decides whether a page of the origin self may send the request.
// https://www.w3.org/TR/CSP3/#should-block-request
func (l *List) Request(m Mode, self Origin, r *Request) Decision {
	return l.fetch(m, self, r, nil)
}

// Fetch decides as [List.Request] does and, unless that blocks, whether the page may use the response that came from this URL,
// which catches what a service worker substitutes. The violations are those of both: what is only reported can be reported
// twice, as the text has it. https://www.w3.org/TR/CSP3/#should-block-response
func (l *List) Fetch(m Mode, self Origin, r *Request, from *URL) Decision {
	return l.fetch(m, self, r, from)
}

// fetch asks about the request, and unless that is blocked about a response from there; nil stands for no response.
func (l *List) fetch(m Mode, self Origin, r *Request, from *URL) Decision {
	if m <= WebKit { // without a closure, which would allocate
		return l.fetchIn(m, self, r, from)
	}
	var d Decision
	for reading := Spec; reading <= WebKit; reading++ {
		if d = l.fetchIn(reading, self, r, from); d.Blocked == (m == Strictest) {
			break
		}
	}
	return d
}

func (l *List) fetchIn(m Mode, self Origin, r *Request, from *URL) Decision {
	d := Decision{Mode: m}
	name := m.EffectiveDirective(r.Destination, r.Initiator)
	if name == "" {
		return d
	}
	fetchAll(&d, l.byMode[m], &quirksOf[m], self, r, &r.URL, name)
	// By the text responses to hints pass: what governs them is default-src, which has no fallback list, so that even its own
	// response check does not run.
	if from != nil && !d.Blocked && name != "default-src" {
		fetchAll(&d, l.byMode[m], &quirksOf[m], self, r, from, name)
	}
	return d
}

func fetchAll(d *Decision, policies []Policy, q *quirks, self Origin, r *Request, u *URL, name string) {
	target := u.asPoliciesSee(q)
	for i := range policies {
		p := &policies[i]
		if by := p.refuses(name, self, r, &target, q); by != nil {
			d.add(Violation{Policy: i, Directive: name, By: by.Name, Disposition: p.Disposition})
		}
	}
}

// asPoliciesSee returns the URL that policies are asked about: the WebSockets standard rewrites the scheme before.
func (u *URL) asPoliciesSee(q *quirks) URL {
	out := *u
	switch {
	case q.webSocketsAsTheyAre:
	case u.Scheme == "ws":
		out.Scheme = "http"
	case u.Scheme == "wss":
		out.Scheme = "https"
	}
	return out
}

// refuses returns the directive of the policy that the request violates, or nil.
func (p *Policy) refuses(name string, self Origin, r *Request, u *URL, q *quirks) *Directive {
	if name == "default-src" {
		return p.refusesHint(self, r, u, q)
	}
	d := p.governing(name)
	if d == nil || d.allows(name, self, r, u, q) {
		return nil
	}
	return d
}

// allows runs the check of the directive, which for one that stands in is that of the one it stands in for.
func (d *Directive) allows(name string, self Origin, r *Request, u *URL, q *quirks) bool {
	l := &d.list
	script := strings.HasPrefix(name, "script-src") || name == "worker-src" && d.Name == "script-src"
	if name == "worker-src" && q.workersTrusted && l.strictDynamic {
		script = true
	}
	switch {
	case script && scriptLike(r.Destination):
		return l.allowsScript(self, r, u, q)
	case name == "style-src-elem" && l.hasNonce(r.Nonce):
		return true
	case name == "connect-src" && r.WebTransportHashes:
		return l.transportHash
	case q.dynamicImages && !script && d.Name == "default-src" && l.strictDynamic: // measured for images; nothing stops XSLT
		return false
	case !script && name != "script-src-elem" || scriptLike(r.Destination):
		return l.match(u, self, r.Redirects, q)
	}
	return true // xslt: script-src has no check for what is not script-like
}

func scriptLike(destination string) bool {
	switch destination {
	case "script", "audioworklet", "paintworklet", "serviceworker", "sharedworker", "worker":
		return true
	}
	return false
}

// allowsScript is the pre-request check of script directives: nonce, integrity, 'strict-dynamic', URL, in this order.
// https://www.w3.org/TR/CSP3/#script-pre-request
func (l *sourceList) allowsScript(self Origin, r *Request, u *URL, q *quirks) bool {
	if l.hasNonce(r.Nonce) || l.coversIntegrity(r.Integrity, q) {
		return true
	}
	if l.strictDynamic {
		return !r.ParserInserted
	}
	return l.match(u, self, r.Redirects, q)
}

func (l *sourceList) hasNonce(nonce string) bool {
	if nonce == "" || !l.nonceOrHash {
		return false
	}
	for i := range l.sources {
		if l.sources[i].Kind == NonceSource && l.sources[i].Word == nonce {
			return true
		}
	}
	return false
}
