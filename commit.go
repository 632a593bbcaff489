package merlon

import (
	"net/http"
	"net/textproto"
	"slices"
	"strings"

	"github.com/merlon-sec/merlon/csp"
)

const (
	headerCSP   = "Content-Security-Policy"
	headerTrial = "Content-Security-Policy-Report-Only"
	headerXFO   = "X-Frame-Options"
	headerHSTS  = "Strict-Transport-Security"
	headerCache = "Cache-Control"
)

// commit puts the headers on, once, when the final status goes out.
func (s *response) commit(status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.committed {
		return
	}
	s.committed = true
	h := s.w.Header()
	foldKeys(h)
	s.putNonce(h, status)
	s.putPolicies(h, status)
	for _, f := range s.plan.fields {
		s.setAbsent(h, f.name, f.value)
	}
	if s.secure == 1 && s.plan.hsts != "" && hstsApplies(s.host) {
		s.setAbsent(h, headerHSTS, s.plan.hsts)
	}
}

// putNonce decides whether this response carries a nonce. Only documents do: HEAD has no body to carry it, and a 304
// would replace the nonce of the page that the browser has stored.
func (s *response) putNonce(h http.Header, status int) {
	redirects := status/100 == 3 && len(h["Location"]) > 0
	if !s.plan.wantNonce || s.head || redirects || status == http.StatusNotModified || status == http.StatusNoContent || !isDocument(h["Content-Type"]) {
		s.nonce = ""
		return
	}
	if s.nonce == "" {
		s.nonce = newNonce()
	}
	s.protectCache(h)
}

// protectCache keeps a document with a nonce out of caches that serve it again: a nonce is good for one response.
func (s *response) protectCache(h http.Header) {
	for _, name := range []string{"Expires", "Cdn-Cache-Control", "Surrogate-Control"} {
		delete(h, name)
	}
	before := strings.Join(h[headerCache], ", ")
	after := private(before)
	if enforcesNonce := len(s.plan.enforced[s.secure].parts) > 1; enforcesNonce && s.plan.config.NonceCache == "no-store" {
		after = "no-store"
	}
	if !hasToken(before, "no-store") {
		s.set(h, headerCache, after)
	}
}

// private returns a Cache-Control value that shared caches respect, with the rest of what the handler chose.
func private(value string) string {
	kept := []string{"private"}
	for d := range strings.SplitSeq(value, ",") {
		d = strings.TrimSpace(d)
		name, _, _ := strings.Cut(strings.ToLower(d), "=")
		if d != "" && name != "public" && name != "private" && name != "s-maxage" {
			kept = append(kept, d)
		}
	}
	return strings.Join(kept, ", ")
}

func hasToken(value, token string) bool {
	for d := range strings.SplitSeq(value, ",") {
		if strings.EqualFold(strings.TrimSpace(d), token) {
			return true
		}
	}
	return false
}

// putPolicies sends framing and the two policies, in agreement with what the handler has set.
func (s *response) putPolicies(h http.Header, status int) {
	theirs := h[headerCSP]
	frame := s.framing(h, theirs)
	delete(h, headerXFO)
	if options := frame.options(); options != "" {
		s.set(h, headerXFO, options)
	}
	own := s.ownPolicy(frame)
	// A 304 updates the headers of the stored page. A policy with or without a nonce would break its scripts.
	stale := status == http.StatusNotModified
	switch {
	case stale && len(s.plan.enforced[s.secure].parts) > 1:
		own = ""
	case s.trust == trustHandler && hasAncestors(theirs):
		own = ""
	case s.trust == trustHandler && len(theirs) > 0: // the handler's policy stands in for ours, and lacks framing
		own = joinPolicy(csp.Policy{}, []string{frameTail(frame), reportTail(s.plan.config.Reports, "e")})
	}
	switch {
	case own != "" && len(theirs) == 0:
		s.set(h, headerCSP, own)
	case own != "":
		h[headerCSP] = append(theirs[:len(theirs):len(theirs)], own)
	}
	trial := &s.plan.trial[s.secure]
	if text := trial.text(s.nonce); text != "" && !(stale && len(trial.parts) > 1) {
		if s.trust == tightenOnly && len(h[headerTrial]) > 0 {
			h[headerTrial] = append(h[headerTrial], text)
		} else {
			s.setAbsent(h, headerTrial, text)
		}
	}
}

// ownPolicy is the enforced policy for this framing. It is ready made unless the handler changed the framing.
func (s *response) ownPolicy(frame Frame) string {
	p, c := &s.plan.enforced[s.secure], &s.plan.config
	if !slices.Equal(frame, c.Frame) {
		changed := compilePolicy(c.CSP, s.secure == 1, frameTail(frame), reportTail(c.Reports, "e"))
		p = &changed
	}
	return p.text(s.nonce)
}

// framing settles who may frame this response. From a handler, a valid value of
// either header decides for both; from another server it can only tighten. Values that browsers ignore are replaced.
func (s *response) framing(h http.Header, policies []string) Frame {
	frame := s.plan.config.Frame
	if len(h[headerXFO]) == 0 && len(policies) == 0 {
		return frame
	}
	fromOptions, hasOptions := frameOfOptions(h[headerXFO])
	fromSources, hasSources := frameOfPolicies(policies)
	switch {
	case s.trust == tightenOnly:
		if hasOptions && !hasAncestors(policies) { // browsers ignore X-Frame-Options beside frame-ancestors
			frame = frame.intersect(fromOptions)
		}
		if hasSources {
			frame = frame.intersect(fromSources)
		}
	case hasSources:
		frame = fromSources
	case hasAncestors(policies): // a list that Frame cannot say: leave it alone, without a contradicting X-Frame-Options
		frame = Frame{Remove}
	case hasOptions:
		frame = fromOptions
	}
	return frame
}

func hasAncestors(policies []string) bool {
	for _, line := range policies {
		for text := range strings.SplitSeq(line, ",") {
			if _, ok := csp.Parse(text).Get("frame-ancestors"); ok {
				return true
			}
		}
	}
	return false
}

// frameOfPolicies intersects all frame-ancestors of the policies. ok is false when there is none that Frame can say.
func frameOfPolicies(policies []string) (frame Frame, ok bool) {
	frame = Frame{Remove}
	for _, line := range policies {
		for text := range strings.SplitSeq(line, ",") {
			if value, has := csp.Parse(text).Get("frame-ancestors"); has {
				f, sayable := frameOfSources(value)
				if sayable {
					frame, ok = frame.intersect(f), true
				}
			}
		}
	}
	return frame, ok
}

// foldKeys moves values under keys that are not in canonical form to where http.Header.Get finds them: HTTP/2 would
// send both lines.
func foldKeys(h http.Header) {
	for key, values := range h {
		if canonical := textproto.CanonicalMIMEHeaderKey(key); canonical != key {
			delete(h, key)
			h[canonical] = append(h[canonical], values...)
		}
	}
}

func (s *response) setAbsent(h http.Header, name, value string) {
	if len(h[name]) == 0 {
		s.set(h, name, value)
	}
}

// set gives the header a slice of its own, so that no handler can write into the next response.
func (s *response) set(h http.Header, name, value string) {
	if s.n == maxFields {
		h[name] = []string{value}
		return
	}
	s.values[s.n] = value
	h[name] = s.values[s.n : s.n+1 : s.n+1]
	s.n++
}
