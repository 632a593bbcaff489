package browser

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// Outcome is what became of a navigation of a child frame.
type Outcome string

// The outcomes. Only Blocked is protection by the framed page; Failed is every other cause,
// such as a network error, a download, or a policy of the framing page.
const (
	Pending Outcome = "pending"
	Framed  Outcome = "framed"
	Blocked Outcome = "blocked"
	Failed  Outcome = "failed"
)

// Attempt is one navigation of a child frame (iframe, frame, object, embed, at any depth).
type Attempt struct {
	Frame         string // the frame's id
	URL           string // the last one, after redirects
	Outcome       Outcome
	ErrorText     string      // the cause when it was blocked or failed: the browser's net::ERR_…, or words
	BlockedReason string      // of the browser; "other" stands for X-Frame-Options and for frame-ancestors
	Status        int         // of the last answer that came, 0 when none did
	Header        http.Header // of that answer, as it came from the network; blocked ones included
	request       string
}

// Frames returns the navigations of child frames so far, in the order of their first request.
func (p *Page) Frames() []Attempt {
	p.mu.Lock()
	defer p.mu.Unlock()
	return cloneAttempts(p.attempts)
}

func cloneAttempts(list []Attempt) []Attempt {
	list = slices.Clone(list)
	for i := range list {
		list[i].Header = list[i].Header.Clone()
	}
	return list
}

// WaitFrames waits until n navigations of child frames have an outcome and returns all,
// those included that are pending. It is bounded by ctx alone.
//
// A frame may go elsewhere later, by a script or a refresh: the last attempt of a frame counts.
func (p *Page) WaitFrames(ctx context.Context, n int) ([]Attempt, error) {
	var list []Attempt
	err := p.await(ctx, func() bool {
		list = p.attempts
		settled := 0
		for _, a := range list {
			if a.Outcome != Pending {
				settled++
			}
		}
		if settled >= n {
			list = cloneAttempts(list)
		}
		return settled >= n
	})
	if err != nil {
		return p.Frames(), fmt.Errorf("waiting for the outcome of %d frames: %w", n, err)
	}
	return list, nil
}

type frameStarted struct {
	FrameID  string `json:"frameId"`
	URL      string `json:"url"`
	LoaderID string `json:"loaderId"` // also the id of the request, if there will be one
	Type     string `json:"navigationType"`
}

// frameStarted begins an attempt. The framing page's own policy may end it before a request.
func (p *Page) frameStarted(e frameStarted) {
	within := e.Type == "sameDocument" || e.Type == "historySameDocument"
	if e.FrameID != p.target && !within && !strings.HasPrefix(e.URL, "about:") {
		p.begun(e.FrameID, e.LoaderID, e.URL)
	}
}

// childRequested follows an attempt's redirects: the request id stays the same. Browsers
// older than Chromium 130 do not say frameStarted; theirs begins here.
func (p *Page) childRequested(e requestSent) {
	if a := p.attempt(e.RequestID); a != nil {
		a.URL = cut(e.Request.URL)
		return
	}
	p.begun(e.FrameID, e.RequestID, e.Request.URL)
}

func (p *Page) begun(frame, request, url string) {
	p.giveUp(frame, "another navigation took its place")
	keep(&p.attempts, Attempt{Frame: frame, URL: cut(url), Outcome: Pending, request: request})
}

// giveUp settles what is pending in a frame.
func (p *Page) giveUp(frame, why string) {
	for i := range p.attempts {
		if a := &p.attempts[i]; a.Frame == frame && a.Outcome == Pending {
			a.Outcome, a.ErrorText = Failed, why
		}
	}
}

// childNavigated is told of each document that a child frame shows: the one asked for, or
// the browser's error page, which names the URL that it stands for.
func (p *Page) childNavigated(f frameInfo) {
	a := p.attempt(f.LoaderID)
	switch {
	case a == nil || a.Outcome != Pending: // about:blank and srcdoc, which nobody requests
	case f.UnreachableURL != "":
		a.Outcome = Failed
	default:
		a.Outcome = Framed
	}
}

// blockedByTarget is the reason that Chromium gives for X-Frame-Options and frame-ancestors.
// Others, such as Cross-Origin-Resource-Policy under the framing page's own
// Cross-Origin-Embedder-Policy, have names of their own.
const blockedByTarget = "other"

func (p *Page) childFailed(e loadingFailed) {
	a := p.attempt(e.RequestID)
	if a == nil || a.Outcome != Pending {
		return
	}
	a.Outcome, a.ErrorText, a.BlockedReason = Failed, e.ErrorText, e.BlockedReason
	if e.ErrorText == "net::ERR_BLOCKED_BY_RESPONSE" && e.BlockedReason == blockedByTarget {
		a.Outcome = Blocked
	}
}

type frameDetached struct {
	FrameID string `json:"frameId"`
	Reason  string `json:"reason"`
}

func (p *Page) frameDetached(e frameDetached) {
	if e.Reason == "swap" {
		return // goes on in another process
	}
	delete(p.worlds, e.FrameID)
	p.giveUp(e.FrameID, "the frame was removed")
}

type responseExtra struct {
	RequestID string            `json:"requestId"`
	Status    int               `json:"statusCode"`
	Headers   map[string]string `json:"headers"`
}

// responseExtra gives the headers as they came, where responseReceived may lack some, such
// as Set-Cookie. It comes for each answer from the network, a redirect included, in no fixed
// order with the other events of the request.
func (p *Page) responseExtra(e responseExtra) {
	if a := p.attempt(e.RequestID); a != nil {
		a.Status, a.Header = e.Status, header(e.Headers)
	}
}

// childAnswered takes what responseReceived says when the network said nothing: an answer
// from a cache, a service worker or a data: URL.
func (p *Page) childAnswered(e responseReceived) {
	if a := p.attempt(e.RequestID); a != nil && a.Header == nil {
		a.Status, a.Header = e.Response.Status, header(e.Response.Headers)
	}
}

func (p *Page) attempt(request string) *Attempt {
	i := slices.IndexFunc(p.attempts, func(a Attempt) bool { return a.request == request })
	if i < 0 {
		return nil
	}
	return &p.attempts[i]
}
