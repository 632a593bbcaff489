package gateway

import (
	"context"
	"math/rand/v2"
	"net/http"
	"strings"

	"github.com/merlon-sec/merlon"
	"github.com/merlon-sec/merlon/csp"
)

// Canary puts a harmless violation into a share of the pages: a report of it proves that the reports of this browser arrive.
//
// The violation is an image that is a few bytes of the page itself, under a report-only policy that allows images from everywhere else. Nothing is
// blocked, nothing is seen, and no request is made but the report. Chromium takes the image from the header Link; other browsers report
// nothing of that (measured with Firefox 153), so they get an element behind the page's end, where the page is rewritten anyhow. Where
// the site's own policies would block and report such an image, the page gets none.
type Canary struct {
	Share  float64                // of the pages, from 0 to 1
	Report func() string          // makes the address that one reports to, with a token of its own
	Sent   func(userAgent string) // is told of each
}

const (
	canaryImage = "data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA="

	canaryLink = "<" + canaryImage + ">; rel=preload; as=image"

	// Nothing in a datalist is shown, whatever a page's style sheets say of images.
	canaryElement = `<datalist><img alt="" src="` + canaryImage + `"></datalist>`

	canaryPolicy = "img-src * blob: filesystem:; report-uri "
)

// canary is one that may go into a page. It stands in the request's context.
type canary struct {
	*Canary
	header    http.Header
	agent     string
	rewritten bool // the page goes through a rewriter
	element   bool // and gets the element
}

type canaryKey struct{}

func canaryOf(ctx context.Context) *canary {
	c, _ := ctx.Value(canaryKey{}).(*canary)
	return c
}

// canarying returns h, with a canary in the context of some requests.
func (s *Site) canarying(h guarded) guarded {
	if s.Canary.Share <= 0 {
		return h
	}
	next := h.serve
	h.serve = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && navigates(r) && rand.Float64() < s.Canary.Share {
			c := &canary{Canary: &s.Canary, header: w.Header(), agent: r.UserAgent()}
			r = r.WithContext(context.WithValue(r.Context(), canaryKey{}, c))
		}
		next.ServeHTTP(w, r)
	})
	return h
}

// PutCanary puts the canary of a request into its response, if there is one and the response is a page that can have it. It belongs into the
// hook of a Site with a Canary.
func PutCanary(r merlon.Committed) {
	c := canaryOf(r.Request.Context())
	if c == nil || !r.PageView() || r.Status != http.StatusOK || !c.fits() {
		return
	}
	linked := strings.Contains(c.agent, "Chrome/")
	if !linked && !c.rewritten || !c.unshared() {
		return
	}
	if c.element = !linked; linked {
		c.header.Add("Link", canaryLink)
	}
	c.header.Add("Content-Security-Policy-Report-Only", canaryPolicy+c.Report())
	c.Sent(c.agent)
}

// fits reports whether the page is HTML and has policies that allow the image.
func (c *canary) fits() bool {
	kind, _, _ := strings.Cut(c.header.Get("Content-Type"), ";")
	if !strings.EqualFold(strings.TrimSpace(kind), "text/html") {
		return false
	}
	for _, name := range []string{"Content-Security-Policy", "Content-Security-Policy-Report-Only"} {
		for text := range strings.SplitSeq(strings.Join(c.header[name], ","), ",") {
			if !allowsData(csp.Parse(text)) {
				return false
			}
		}
	}
	return true
}

// unshared reports whether the page is for one client, and makes it so where nobody has said: a cache would give the token to many.
func (c *canary) unshared() bool {
	for _, name := range []string{"Expires", "Surrogate-Control", "Cdn-Cache-Control"} {
		if len(c.header[name]) > 0 {
			return false
		}
	}
	value := strings.Join(c.header["Cache-Control"], ", ")
	says := func(word string) bool { return strings.Contains(strings.ToLower(value), word) }
	switch {
	case says("no-store"), says("private"):
		return true
	case says("public"), says("s-maxage"):
		return false
	case value == "":
		c.header.Set("Cache-Control", "private")
	default:
		c.header.Set("Cache-Control", value+", private")
	}
	return true
}

func allowsData(policy csp.Policy) bool {
	sources, governed := policy.Governing("img-src")
	for _, source := range sources {
		if strings.EqualFold(source, "data:") {
			return true
		}
	}
	return !governed
}
