package merlontest

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon/csp"
)

// Allows demands that in every browser the policies of the page of r let it load a URL, which may be relative to the
// page. The destination is as Fetch spells it: "image", "script", "style", "iframe", ... and "" for fetch and WebSocket. The
// load is one of the page's markup, without nonce and integrity. https://fetch.spec.whatwg.org/#concept-request-destination
func Allows(t testing.TB, h http.Handler, r *http.Request, destination, url string) {
	t.Helper()
	loads(t, h, r, loading{"Allows", destination, url, false})
}

// Blocks demands that in every browser a policy of the page of r stops such a load.
func Blocks(t testing.TB, h http.Handler, r *http.Request, destination, url string) {
	t.Helper()
	loads(t, h, r, loading{"Blocks", destination, url, true})
}

// loading is what one of the two assertions wants.
type loading struct {
	call, destination, url string
	blocked                bool
}

// https://fetch.spec.whatwg.org/#concept-request-destination
var destinations = []string{"", "audio", "audioworklet", "embed", "font", "frame", "iframe", "image", "manifest", "object", "paintworklet", "script",
	"serviceworker", "sharedworker", "style", "track", "video", "worker", "xslt"}

func loads(t testing.TB, h http.Handler, r *http.Request, l loading) {
	t.Helper()
	a := ask(h, r)
	if !slices.Contains(destinations, l.destination) {
		a.fail(t, l.call, failure{fmt.Sprintf("the destination %q", l.destination), "one that Fetch knows", fmt.Sprintf("write one of %q", destinations)})
		return
	}
	if !a.isPage(t, l.call) {
		return
	}
	page := a.url()
	u, err := page.Resolve(l.url)
	if err != nil {
		a.fail(t, l.call, failure{err.Error(), "a URL", "write one such as https://tiles.example/1.png or /1.png"})
		return
	}
	e, ok := inBrowsers(l.blocked, func(m csp.Mode) csp.Explanation {
		load := csp.Request{URL: a.list.Upgrade(m, u), Destination: l.destination, ParserInserted: true}
		return a.list.ExplainRequest(m, page.Origin(), &load)
	})
	if !ok {
		u = a.list.Upgrade(e.Mode, u)
		a.fail(t, l.call, failure{a.lines("Content-Security-Policy") + nextLine + decided(e), l.want(u), l.do(u)})
	}
}

func (l *loading) want(u csp.URL) string {
	verb := "let the page load"
	if l.blocked {
		verb = "block"
	}
	return strings.Replace(fmt.Sprintf("every browser to %s %s as %q", verb, u, l.destination), `as ""`, "by fetch", 1)
}

func (l *loading) do(u csp.URL) string {
	directive, source := csp.EffectiveDirective(l.destination, ""), u.Origin().String()
	if u.Origin().Opaque() {
		source = u.Scheme + ":"
	}
	allow := fmt.Sprintf(`guard.With("why", merlon.Allow("%s %s")).Handler(page)`, directive, source)
	switch {
	case l.blocked:
		return fmt.Sprintf("set or narrow %s in merlon.Config.CSP", directive)
	case l.destination == "script" || l.destination == "style":
		return "print the nonce into the element, which Nonce asserts, or " + allow
	}
	return allow
}
