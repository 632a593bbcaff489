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
	defer s.mu.Unlock()
	if s.committed {
		return
	}
	s.committed = true
	h := s.w.Header()
	tidy(h)
	s.settleNonce(h, status)
	s.putPolicies(h, status)
	for _, f := range s.plan.fields {
		s.setAbsent(h, f.name, f.value)
	}
	switch {
	case s.secure == 0:
		delete(h, headerHSTS) // RFC 6797 §7.2: not over plain HTTP, whoever set it
	case s.plan.hsts != "" && hstsApplies(s.host):
		s.setAbsent(h, headerHSTS, s.plan.hsts)
	}
}

// settleNonce decides whether this response carries a nonce. Only documents do: HEAD has no body to carry it, and a 304
// would replace the nonce of the page that the browser has stored.
func (s *response) settleNonce(h http.Header, status int) {
	if !s.plan.wantNonce || !isDocument(h["Content-Type"]) {
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
	s.protectCache(h)
}

// putPolicies sends framing and the two policies, in agreement with what is there already.
func (s *response) putPolicies(h http.Header, status int) {
	theirs := readPolicies(h[headerCSP])
	if !theirs.any {
		delete(h, headerCSP) // an empty or unknown policy would stand in for ours and protect nothing
	}
	frame := s.framing(h, theirs)
	delete(h, headerXFO)
	if options := frame.options(); options != "" {
		s.set(h, headerXFO, options)
	}
	// A 304 updates the headers of the stored page. A policy with or without a nonce would break its scripts.
	stale := status == http.StatusNotModified
	switch enforced := &s.plan.enforced[s.secure]; {
	case stale && len(enforced.base.parts) > 1:
	case s.trust == trustHandler && theirs.ancestors:
	case s.trust == trustHandler && theirs.any: // the handler's policy stands in for ours, and lacks framing
		s.add(h, headerCSP, enforced.frameOnly(frame))
	default:
		s.add(h, headerCSP, s.text(enforced.framed(frame)))
	}
	trial := &s.plan.trial[s.secure].base
	if there := len(h[headerTrial]) > 0; there && s.trust == trustHandler || stale && len(trial.parts) > 1 {
		return
	}
	s.add(h, headerTrial, s.text(trial))
}

// framing settles who may frame this response. From a handler, a valid value of either header decides for both; from
// another server it can only tighten. Values that browsers ignore are replaced.
func (s *response) framing(h http.Header, theirs policies) Frame {
	frame := s.plan.config.Frame
	fromOptions, hasOptions := frameOfOptions(h[headerXFO])
	switch {
	case s.trust == tightenOnly:
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

// governed are the headers that the Guard reads or writes.
var governed = func() map[string]bool {
	names := map[string]bool{headerCSP: true, headerTrial: true, headerXFO: true, headerHSTS: true, headerCache: true}
	for _, h := range headers {
		names[h.name] = true
	}
	return names
}()

// tidy puts the governed headers into the form that goes out: under their canonical names, because HTTP/2 sends other
// spellings as lines of their own, and without control characters, because net/http drops such lines over HTTP/2.
func tidy(h http.Header) {
	for key, values := range h {
		name := key
		if !governed[key] {
			if name = textproto.CanonicalMIMEHeaderKey(key); name == key || !governed[name] {
				continue
			}
			delete(h, key)
			values = slices.Concat(h[name], values)
			h[name] = values
		}
		if slices.ContainsFunc(values, unprintable) {
			clean := make([]string, len(values))
			for i, v := range values {
				clean[i] = strings.Map(spaceForControl, v)
			}
			h[name] = clean
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

// setAbsent sets the header where no value with anything in it is there.
func (s *response) setAbsent(h http.Header, name, value string) {
	if !slices.ContainsFunc(h[name], func(v string) bool { return strings.Trim(v, " \t") != "" }) {
		s.set(h, name, value)
	}
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
	s.values[s.n] = value
	h[name] = s.values[s.n : s.n+1 : s.n+1]
	s.n++
}
