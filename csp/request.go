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
// nothing governs. https://www.w3.org/TR/CSP3/#effective-directive-for-a-request
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
	case "fencedframe":
		return "fenced-frame-src"
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

// Fallbacks returns the directives that decide for a directive, itself first. The first one that a policy has decides alone.
// https://www.w3.org/TR/CSP3/#directive-fallback-list
func Fallbacks(name string) []string { return append([]string{name}, fallbacks[name]...) }

// Request decides whether a page of the origin self may send the request.
// https://www.w3.org/TR/CSP3/#should-block-request
func (l *List) Request(m Mode, self Origin, r *Request) Decision {
	return l.fetch(m, self, r, &r.URL, false)
}

// Response decides whether a page may use the response that came from this URL, after the request was allowed. It catches
// what a service worker substitutes. https://www.w3.org/TR/CSP3/#should-block-response
func (l *List) Response(m Mode, self Origin, r *Request, from *URL) Decision {
	return l.fetch(m, self, r, from, true)
}

func (l *List) fetch(m Mode, self Origin, r *Request, u *URL, response bool) Decision {
	name := EffectiveDirective(r.Destination, r.Initiator)
	if name == "" {
		return Decision{Mode: m.reading()}
	}
	if m <= WebKit { // without a closure, which would allocate
		d := Decision{Mode: m}
		fetchAll(&d, l.byMode[m], &quirksOf[m], self, r, u, name, response)
		return d
	}
	var d Decision
	for i := range quirksOf {
		d = Decision{Mode: Mode(i)}
		fetchAll(&d, l.byMode[i], &quirksOf[i], self, r, u, name, response)
		if d.Blocked == (m == Strictest) {
			break
		}
	}
	return d
}

func fetchAll(d *Decision, policies []Policy, q *quirks, self Origin, r *Request, u *URL, name string, response bool) {
	target := u.asPoliciesSee(q)
	for i := range policies {
		p := &policies[i]
		if by := p.refuses(name, self, r, &target, q, response); by != nil {
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
func (p *Policy) refuses(name string, self Origin, r *Request, u *URL, q *quirks, response bool) *Directive {
	if name == "default-src" {
		return p.refusesHint(self, r, u, q)
	}
	d := p.governing(name)
	if d == nil || d.allows(name, self, r, u, q, response) {
		return nil
	}
	return d
}

// allows runs the check of the directive, which for one that stands in is that of the one it stands in for.
func (d *Directive) allows(name string, self Origin, r *Request, u *URL, q *quirks, response bool) bool {
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

// coversIntegrity reports whether every hash that the element names is listed. Unknown algorithms and options do not count.
// https://www.w3.org/TR/CSP3/#match-integrity-metadata-to-source-list
func (l *sourceList) coversIntegrity(metadata string, q *quirks) bool {
	if !l.nonceOrHash {
		return false
	}
	any := false
	for metadata != "" {
		metadata = strings.TrimLeft(metadata, " \t\n\f\r")
		item := metadata
		if i := strings.IndexAny(metadata, " \t\n\f\r"); i >= 0 {
			item, metadata = metadata[:i], metadata[i:]
		} else {
			metadata = ""
		}
		algorithm, digest, ok := strings.Cut(item, "-")
		digest, _, _ = strings.Cut(digest, "?")
		if !ok || len(algorithm) != 6 || hashLength(algorithm) == 0 {
			continue
		}
		any = true
		if !l.hasHash(algorithm, digest, q.hashFoldsURL) {
			return false
		}
	}
	return any
}

func hashLength(algorithm string) int {
	switch {
	case equalFold(algorithm, "sha256"):
		return 32
	case equalFold(algorithm, "sha384"):
		return 48
	case equalFold(algorithm, "sha512"):
		return 64
	}
	return 0
}

func (l *sourceList) hasHash(algorithm, digest string, fold bool) bool {
	for i := range l.sources {
		s := &l.sources[i]
		if s.Kind == HashSource && equalFold(s.Scheme, algorithm) && (s.Word == digest || fold && equalBase64(s.Word, digest)) {
			return true
		}
	}
	return false
}

// equalBase64 compares in either alphabet, padding included.
func equalBase64(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if standardDigit(a[i]) != standardDigit(b[i]) {
			return false
		}
	}
	return true
}

func standardDigit(c byte) byte {
	switch c {
	case '-':
		return '+'
	case '_':
		return '/'
	}
	return c
}

// fetches reports whether the directive governs fetches.
func (d *Directive) fetches() bool {
	_, ok := fallbacks[d.Name]
	return ok || d.Name == "default-src"
}

// refusesHint decides about prefetch and prerender: what some directive would let through may be fetched early.
// The text of the specification is broken here; this is what it means. https://github.com/w3c/webappsec-csp/issues/633
func (p *Policy) refusesHint(self Origin, r *Request, u *URL, q *quirks) *Directive {
	fallback := p.directive("default-src")
	if fallback == nil {
		return nil
	}
	for i := range p.Directives {
		d := &p.Directives[i]
		if d.fetches() && d.list.match(u, self, r.Redirects, q) {
			return nil
		}
	}
	return fallback
}
