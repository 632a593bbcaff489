package gateway

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/merlon-sec/merlon"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/access"
)

// routeHeader is how an application says, of a response on a route where it may loosen, what the Guard shall leave out:
// frame-exempt, csp-exempt, or both with a comma between them. Django's decorators of these names send no header of their own.
const routeHeader = "Merlon-Route"

// requestRoutes are what routeHeader can ask for, compiled. Without entries the header is not heard.
type requestRoutes map[string]*merlon.Route

func newRequestRoutes(g *merlon.Guard) (requestRoutes, error) {
	out := requestRoutes{}
	for word, change := range map[string]merlon.Change{"frame-exempt": merlon.FrameExempt(), "csp-exempt": merlon.Exempt()} {
		rt, err := g.NewRoute("the application sends "+routeHeader+": "+word, change)
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", routeHeader, word, err)
		}
		out[word] = rt
	}
	return out, nil
}

// answer is what an application answers, on its way to the client.
type answer struct {
	http.ResponseWriter
	request *http.Request
	proxy   *proxy
	body    *incoming // of the request; nil for none
	stall   stall
}

func newAnswer(w http.ResponseWriter, r *http.Request, p *proxy) *answer {
	return &answer{ResponseWriter: w, request: r, proxy: p, stall: newStall(w, r, p.timeouts.Response, writes)}
}

func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

func (a *answer) WriteHeader(status int) {
	a.takeMerlonHeaders(status)
	if h := a.Header(); status >= 200 && len(h["Content-Type"]) == 0 {
		h["Content-Type"] = nil // or net/http sniffs one, also beside nosniff, and an upload without a type becomes a page
	}
	a.stall.begin(a.stall.limit)
	a.ResponseWriter.WriteHeader(status)
	a.stall.end()
}

// takeMerlonHeaders takes out what only the gateway may say, and does what the application asks for where it may.
func (a *answer) takeMerlonHeaders(status int) {
	h := a.Header()
	asked := h[routeHeader]
	dropMerlon(h)
	if len(asked) == 0 || status < 200 {
		return
	}
	for word := range strings.SplitSeq(strings.Join(asked, ","), ",") {
		word = strings.ToLower(strings.TrimSpace(word))
		route := a.proxy.routes[word]
		if !a.proxy.app.MayLoosen || route == nil {
			a.proxy.log.Debug("what the application asks for is not done", "header", routeHeader, "value", word, "path", access.Path(a.request))
			continue
		}
		route.Handler(nothing).ServeHTTP(a.ResponseWriter, a.request)
	}
}

// dropMerlon takes out what only the gateway may say, in headers and in trailers.
func dropMerlon(h http.Header) {
	for name := range h {
		if plain := strings.TrimPrefix(name, http.TrailerPrefix); len(plain) > 7 && strings.EqualFold(plain[:7], "merlon-") {
			delete(h, name)
		}
	}
}

// nothing is what a Route wraps that is only to tell the Guard.
var nothing = http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})

func (a *answer) Write(b []byte) (int, error) {
	a.stall.begin(a.stall.limit)
	n, err := a.ResponseWriter.Write(b)
	a.stall.end()
	return n, err
}

// FlushError waits for the client as Write does.
func (a *answer) FlushError() error {
	a.stall.begin(a.stall.limit)
	defer a.stall.end()
	return http.NewResponseController(a.ResponseWriter).Flush()
}
