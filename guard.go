package merlon

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"

	"github.com/merlon-sec/merlon/cfgerrors"
)

// Guard is a Config that passed validation, compiled. It never changes and is safe for concurrent use.
// The zero Guard protects too, as New(Config{}) does.
type Guard struct {
	config  Config
	base    *plan
	routes  *http.ServeMux // patterns of Config.Routes; nil when there are none
	plans   []*plan        // the base and theirs; nil when there are none
	infos   []RouteInfo    // of Config.Routes
	front   *front         // nil where every request belongs to the site
	proxies proxies
	hooks   Hooks

	mu       sync.Mutex
	declared []RouteInfo // by With and NewRoute
}

// New checks the whole Config and compiles it. The error joins every mistake as a *cfgerrors.Error with the path of
// its field. Changing the Config afterwards has no effect on the Guard.
func New(c Config) (*Guard, error) {
	effective, ok := inherit(c.clone())
	err := effective.check()
	if !ok {
		err = errors.Join(unknownPreset("preset", c.Preset), err)
	}
	g := &Guard{config: effective}
	if err == nil {
		g.base, g.front = compile(effective), effective.front()
		g.proxies, _ = effective.HTTPS.Proxies.compile()
	}
	if err := errors.Join(err, g.addRoutes()); err != nil {
		return nil, err
	}
	return g, nil
}

func unknownPreset(field, name string) error {
	return &cfgerrors.Error{Field: field, Code: cfgerrors.InvalidValue, Value: name, Text: "no such preset", Hint: "write strict, compat, api or off"}
}

// Config returns the effective configuration: what the preset gave is filled in. New(g.Config()) makes an equal Guard.
func (g *Guard) Config() Config { return g.orZero().config.clone() }

// Handler returns next with the headers put on each of its responses. It belongs outermost, once, around the whole mux.
//
// Inside the Handler of another Guard it does nothing: the outermost Guard alone writes headers. A handler that recovers
// from panics belongs inside, or its error page goes out bare; http.MaxBytesHandler belongs outside.
func (g *Guard) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { g.serve(w, r, next, trustHandler, nil) })
}

// Proxy is like Handler for a next that passes on the responses of another server, such as httputil.ReverseProxy.
// That server's X-Frame-Options and Content-Security-Policy may tighten the site's policy and never loosen it.
func (g *Guard) Proxy(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { g.serve(w, r, next, tightenOnly, nil) })
}

// trust says what becomes of framing and policy headers that next has set.
type trust int

const (
	trustHandler trust = iota // they are kept, and both framing headers follow them
	tightenOnly               // they count beside the site's own
)

func (g *Guard) serve(w http.ResponseWriter, r *http.Request, next http.Handler, t trust, route *Route) {
	if outer := outermost(w, r); outer != nil {
		outer.mu.Lock() // inside TimeoutHandler two goroutines have the response
		outer.trust = max(outer.trust, t)
		outer.mu.Unlock()
		next.ServeHTTP(w, r)
		return
	}
	compiled := g.orZero()
	s := &response{w: w, guard: g, trust: t, canonical: canonical(r.URL), head: r.Method == http.MethodHead, host: r.Host}
	s.trace, _ = w.(*tracer)
	secure := r.TLS != nil || compiled.forwarded(r)
	if secure {
		s.secure = 1
	}
	s.plan = compiled.planFor(r, s.canonical)
	if compiled.front != nil || compiled.proxies.hostHeader != "" {
		s.host = compiled.hostOf(r)
	}
	s.noteRequest(r)
	if compiled.front != nil {
		if answer, cause := compiled.front.answer(r, s.host, secure, compiled.unknowable(r)); answer != nil {
			next = answer
			s.note("front", cause)
		}
	}
	if route != nil {
		s.change(route)
	}
	s.request = r
	if route != nil || s.plan.wantNonce {
		s.request = s.visible(r)
	}
	next.ServeHTTP(s.dress(), s.request)
	s.commit(http.StatusOK)
}

// planFor returns the plan of the most specific of Config.Routes that matches r, or the base. A path that servers read in
// different ways gets the base, unless the plainest reading leads to a route that is stricter.
func (g *Guard) planFor(r *http.Request, canonical bool) *plan {
	if g.routes == nil {
		return g.base
	}
	if !canonical {
		r = &http.Request{Method: r.Method, Host: r.Host, URL: &url.URL{Path: plainest(r.URL.Path)}}
	}
	h, _ := g.routes.Handler(r)
	if p, ok := h.(*plan); ok && (canonical || p.stricter) {
		return p
	}
	return g.base
}

// Pattern returns the pattern of the one of Config.Routes that r belongs to, or "". A path that servers read in different ways
// belongs to none, as [RouteConfig.Match] says.
func (g *Guard) Pattern(r *http.Request) string {
	compiled := g.orZero()
	if compiled.routes == nil || !canonical(r.URL) {
		return ""
	}
	return compiled.planFor(r, true).pattern
}

// ServeHTTP makes a plan something that http.ServeMux can hold; the mux only finds it, nobody calls it.
func (*plan) ServeHTTP(http.ResponseWriter, *http.Request) {}

var zero = sync.OnceValue(func() *Guard {
	g, err := New(Config{})
	if err != nil {
		panic("merlon: the zero Config does not compile: " + err.Error())
	}
	return g
})

// orZero lets the zero Guard and the nil Guard protect.
func (g *Guard) orZero() *Guard {
	if g == nil || g.base == nil {
		return zero()
	}
	return g
}

// registeredAt is what ServeMux says of the place in our code.
var registeredAt = regexp.MustCompile(` \(registered at [^)]*\)`)

// patternMistake turns ServeMux's panic about a pattern into words.
func patternMistake(field, pattern string, cause any) error {
	text := registeredAt.ReplaceAllString(strings.TrimPrefix(fmt.Sprint(cause), "http: "), "")
	hint := "write a pattern such as GET /widget/ or /map"
	if strings.Contains(text, " conflicts with ") {
		text, hint = strings.ReplaceAll(text, ":\n", ": "), "keep one of the two, or make one more specific"
	}
	return &cfgerrors.Error{Field: field, Code: cfgerrors.Syntax, Value: pattern, Text: text, Hint: hint}
}
