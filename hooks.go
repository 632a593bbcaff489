package merlon

import "net/http"

// Hooks are told what a Guard does, so that counting and alarms can be built on top, and asked for keys, which are no Config. They
// run in the goroutine of the request, before its response begins or right after a misuse: they must be quick, and safe for
// concurrent use.
type Hooks struct {
	_ [0]func()

	Committed func(Committed)
	Misuse    func(Misuse)

	// NonceKey is asked for the key of each nonce as it is made, so that keys can change while the Guard does not. Where it is nil, or
	// returns nil, nonces have no tag. It must not ask for the response's nonce.
	NonceKey func() *NonceKey
}

// Committed is a response whose headers have just been put on.
type Committed struct {
	Request  *http.Request // as the Guard passed it to its handler
	Pattern  string        // of http.ServeMux or Config.Routes, whichever knows; "" when none does
	Policy   string        // a short hash of the enforced policy and the trial without their nonce, the same in every process
	Nonce    string        // "" when the response carries none
	Status   int
	Document bool // a browser may render the response
}

// PageView reports whether the response is a page that somebody looks at: a whole document that was asked for by navigating, as far as
// the browser says (old ones do not). Error pages are pages. Redirects, answers to HEAD, 304 and parts of documents are none, and
// pages from a browser's cache are never committed.
// https://www.w3.org/TR/fetch-metadata/#sec-fetch-dest-header
func (c Committed) PageView() bool {
	if !c.Document || c.Request.Method == http.MethodHead {
		return false
	}
	switch c.Status {
	case http.StatusNoContent, http.StatusResetContent, http.StatusPartialContent:
		return false
	}
	if c.Status < 200 || c.Status/100 == 3 {
		return false
	}
	switch c.Request.Header.Get("Sec-Fetch-Dest") {
	case "", "document", "iframe", "frame", "fencedframe", "embed", "object":
		return true
	}
	return false
}

// Misuse is something that a program does and that does not have the effect it looks like.
type Misuse struct {
	Request *http.Request
	Kind    MisuseKind
	Detail  string // in words
}

// MisuseKind says what was misused.
type MisuseKind string

// The kinds of misuse.
const (
	LateNonce      MisuseKind = "late-nonce"      // Nonce was first called after the response had begun without one
	LateAmend      MisuseKind = "late-amend"      // Amend was called after the response had begun
	ForeignRoute   MisuseKind = "foreign-route"   // a Route stands inside the Handler of another Guard
	IgnoredFraming MisuseKind = "ignored-framing" // an X-Frame-Options of the handler that browsers ignore
	IgnoredPolicy  MisuseKind = "ignored-policy"  // a Content-Security-Policy of the handler without a directive that browsers know
	RefusedCookie  MisuseKind = "refused-cookie"  // a Set-Cookie that browsers refuse
	NonceWithETag  MisuseKind = "nonce-with-etag" // an ETag on a document with a nonce: it is another page each time
)

// NewHooked is [New] with hooks.
func NewHooked(c Config, h Hooks) (*Guard, error) {
	g, err := New(c)
	if err == nil {
		g.hooks = h
	}
	return g, err
}

func (h *Hooks) any() bool { return h.Committed != nil || h.Misuse != nil }

// committed calls the hook with what is known of the response.
func (h *Hooks) committed(s *response, status int) {
	if h.Committed == nil {
		return
	}
	pattern := s.request.Pattern
	if pattern == "" {
		pattern = s.plan.pattern
	}
	h.Committed(Committed{Request: s.request, Pattern: pattern, Policy: s.plan.hash, Nonce: s.nonce, Status: status, Document: isDocument(s.w.Header()["Content-Type"])})
}

// misuse remembers a misuse until the response's lock is free. The caller holds it.
func (s *response) misuse(kind MisuseKind, detail string) {
	if s.guard.orZero().hooks.Misuse != nil {
		s.misuses = append(s.misuses, Misuse{Kind: kind, Detail: detail})
	}
	s.note("misuse", string(kind)+": "+detail)
}

// tell calls the hook for what was remembered.
func (s *response) tell() {
	hook := s.guard.orZero().hooks.Misuse
	if hook == nil {
		return
	}
	s.mu.Lock()
	told := s.misuses
	s.misuses = nil
	s.mu.Unlock()
	for _, m := range told {
		m.Request = s.request
		hook(m)
	}
}
