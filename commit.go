package merlon

import (
	"net/http"
	"net/textproto"
	"slices"
	"strings"
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
	first := !s.committed
	if first {
		s.committed = true
		s.putHeaders(status)
	}
	s.mu.Unlock()
	if hooks := &s.guard.orZero().hooks; first && hooks.any() {
		s.tell()
		hooks.committed(s, status)
	}
}

func (s *response) putHeaders(status int) {
	h, p := s.w.Header(), s.plan
	s.tidy(h)
	s.note("handler", nil)
	if p.wantNonce {
		s.settleNonce(h, status)
	} else {
		s.nonce = "" // a change has taken it out
	}
	s.putPolicies(h, status)
	for i := range p.fields[s.secure] {
		switch f := &p.fields[s.secure][i]; {
		case f.caches && s.unshared:
		case s.there&f.bit == 0:
			s.set(h, f.name, f.value)
			s.note(f.name, p)
		case s.trust == tightenOnly:
			s.tighten(h, f.name, f.value)
		}
	}
	switch {
	case s.secure == 0 && s.there&bitHSTS != 0:
		delete(h, headerHSTS) // RFC 6797 §7.2: not over plain HTTP, whoever set it
		s.note(headerHSTS, nil)
	case s.secure == 0 || p.hsts == "" || !hstsApplies(s.host):
	case s.there&bitHSTS == 0:
		s.set(h, headerHSTS, p.hsts)
		s.note(headerHSTS, p)
	case s.trust == tightenOnly && p.config.HTTPS.HSTS == withdraw: // another server's would undo it
		s.set(h, headerHSTS, p.hsts)
		s.note(headerHSTS, p)
	case s.trust == tightenOnly:
		s.tighten(h, headerHSTS, p.hsts)
	}
	if p.cookies != nil && s.there&bitCookie != 0 {
		s.strengthenCookies(h)
	}
	for _, name := range p.removed {
		delete(h, name)
	}
	if p.removed != nil {
		s.note("headers", p)
	}
}

// tighten lets another server's value stand where it is stricter than ours.
func (s *response) tighten(h http.Header, name, ours string) {
	rule := rules[name]
	if rule == nil {
		return
	}
	theirs := strings.Join(h[name], ", ")
	if name == headerHSTS {
		theirs = h[name][0] // browsers read the first line alone
	}
	if v := rule(theirs, ours); v != theirs || len(h[name]) > 1 {
		s.set(h, name, v)
		s.note(name, s.plan)
	}
}

func (s *response) strengthenCookies(h http.Header) {
	lines := h["Set-Cookie"]
	out := make([]string, len(lines))
	for i, line := range lines {
		strong, problem := s.plan.cookies.Apply(line, s.secure == 1)
		if out[i] = strong; problem != "" {
			s.misuse(RefusedCookie, problem)
		}
	}
	h["Set-Cookie"] = out
	s.note("Set-Cookie", s.plan)
}

// settleNonce decides whether this response carries a nonce. Only documents do: HEAD has no body to carry it, and a 304
// would replace the nonce of the page that the browser has stored.
func (s *response) settleNonce(h http.Header, status int) {
	if !isDocument(h["Content-Type"]) {
		s.nonce = ""
		return
	}
	redirects := status/100 == 3 && len(h["Location"]) > 0
	switch {
	case status < 200, redirects, status == http.StatusNoContent, status == http.StatusResetContent:
		s.nonce = ""
		return
	case s.head, status == http.StatusNotModified: // they update what caches have stored of the document
		s.nonce = ""
	case s.nonce == "":
		s.mint()
	}
	if s.nonce != "" && s.there&bitETag != 0 {
		s.misuse(NonceWithETag, "the page is another each time, so that its ETag never matches, or lets a browser show it with an old nonce")
	}
	s.protectCache(h)
	s.note(headerCache, s.plan)
}

// putPolicies sends framing and the two policies, in agreement with what is there already.
func (s *response) putPolicies(h http.Header, status int) {
	var theirs policies
	if s.there&bitCSP != 0 {
		if theirs = readPolicies(h[headerCSP]); !theirs.any {
			delete(h, headerCSP) // an unknown policy would stand in for ours and protect nothing
			s.misuse(IgnoredPolicy, "no directive of it means anything to browsers")
		}
	}
	set, keepTrial := &s.plan.policies[s.secure], true
	if s.plan.sampled {
		set, keepTrial = s.drawPolicies(h)
	}
	frame, options, framed := s.plan.config.Frame, s.plan.options, &set.enforced.base
	if s.there&bitXFO != 0 || theirs.ancestors {
		frame = s.framing(h, theirs)
		options, framed = frame.options(), set.enforced.framed(frame)
		delete(h, headerXFO)
	}
	if options != "" {
		s.set(h, headerXFO, options)
	}
	s.note(headerXFO, s.plan)
	// A 304 updates the headers of the stored page. A policy with or without a nonce would break its scripts, and another server's
	// alone would take the place of ours: so the stored ones stay.
	stale := status == http.StatusNotModified
	tighten := s.trust == tightenOnly || s.plan.tightPolicy
	switch enforced := &set.enforced; {
	case stale && len(enforced.base.parts) > 1:
		if tighten || s.plan.tightFrame {
			delete(h, headerCSP)
		}
	case !tighten && theirs.ancestors && !s.plan.tightFrame:
	case !tighten && theirs.any: // the handler's policy stands in for ours, but for framing
		s.add(h, headerCSP, enforced.frameOnly(frame))
	case enforced.apart():
		s.add(h, headerCSP, s.text(&enforced.base))
		s.add(h, headerCSP, enforced.frameOnly(frame))
	default:
		s.add(h, headerCSP, s.text(framed))
	}
	s.note(headerCSP, s.plan)
	trial := &set.trial.base
	if stale && len(trial.parts) > 1 {
		if s.trust == tightenOnly {
			delete(h, headerTrial)
			s.note(headerTrial, s.plan)
		}
		return
	}
	if !keepTrial || s.there&bitTrial != 0 && s.trust == trustHandler {
		return
	}
	s.add(h, headerTrial, s.text(trial))
	s.note(headerTrial, s.plan)
}

// drawPolicies returns the policies for this response: the sample may leave out reports, or the trial. Then no shared cache may
// give the response to others.
func (s *response) drawPolicies(h http.Header) (set *policySet, keepTrial bool) {
	p := s.plan
	set = &p.policies[s.secure]
	if !drawn(p.sample.reports) {
		set = &p.quiet[s.secure]
	}
	if !s.unshared { // a nonce has settled it
		value, _ := s.unsharedControl(h)
		s.setCacheControl(h, value)
	}
	return set, drawn(p.sample.trial)
}

// framing settles who may frame this response. From a handler, a valid value of either header decides for both; from
// another server it can only tighten. Values that browsers ignore are replaced.
func (s *response) framing(h http.Header, theirs policies) Frame {
	frame := s.plan.config.Frame
	fromOptions, hasOptions := frameOfOptions(h[headerXFO])
	if s.there&bitXFO != 0 && !hasOptions {
		s.misuse(IgnoredFraming, strings.Join(h[headerXFO], ", ")+" protects nothing")
	}
	switch {
	case s.trust == tightenOnly || s.plan.tightFrame:
		if theirs.ancestors { // browsers ignore X-Frame-Options beside it
			return frame.intersect(theirs.frame)
		}
		if hasOptions {
			return frame.intersect(fromOptions)
		}
	case theirs.ancestors: // {Remove} when Frame cannot say it: no X-Frame-Options then, which would contradict it
		return theirs.frame
	case hasOptions:
		return fromOptions
	}
	return frame
}

// tidy puts the headers that the Guard reads or writes into the form that goes out: under their canonical names, because
// HTTP/2 sends other spellings as lines of their own, and without control characters, because net/http drops such lines over
// HTTP/2. It notes those that have a value with anything in it.
func (s *response) tidy(h http.Header) {
	for key, values := range h {
		if key == "Content-Type" || key == "Content-Length" { // what nearly all have
			continue
		}
		if isCacheControlOf(key) {
			s.there |= bitShared
		}
		if s.plan.lengths>>min(len(key), 63)&1 == 0 {
			continue
		}
		b, governed := s.plan.bits[key]
		if !governed {
			name := textproto.CanonicalMIMEHeaderKey(key)
			if name == key {
				continue
			}
			if b, governed = s.plan.bits[name]; !governed {
				continue
			}
			delete(h, key)
			values = slices.Concat(h[name], values)
			key = name
			h[name] = values
		}
		if slices.ContainsFunc(values, unprintable) {
			clean := make([]string, len(values))
			for i, v := range values {
				clean[i] = strings.Map(spaceForControl, v)
			}
			values = clean
			h[key] = clean
		}
		if slices.ContainsFunc(values, func(v string) bool { return strings.Trim(v, " \t") != "" }) {
			s.there |= b
		} else {
			delete(h, key)
		}
	}
}

func unprintable(v string) bool { return strings.IndexFunc(v, isControl) >= 0 }

func isControl(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }

func spaceForControl(r rune) rune {
	if isControl(r) {
		return ' '
	}
	return r
}

// add puts a line beside those that are there.
func (s *response) add(h http.Header, name, value string) {
	switch there := h[name]; {
	case value == "":
	case len(there) == 0:
		s.set(h, name, value)
	default:
		h[name] = append(there[:len(there):len(there)], value)
	}
}

// set gives the header a slice of its own, so that no handler can write into the next response.
func (s *response) set(h http.Header, name, value string) {
	if s.n == len(s.values) {
		h[name] = []string{value}
		return
	}
	s.values[s.n] = value
	h[name] = s.values[s.n : s.n+1 : s.n+1]
	s.n++
}
