package merlon

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/merlon-sec/merlon/cfgerrors"
)

// Guard is a Config that passed validation, compiled. It never changes and is safe for concurrent use.
// The zero Guard protects too, as New(Config{}) does.
type Guard struct {
	config    Config
	base      *plan
	routes    *http.ServeMux // patterns of Config.Routes; nil when there are none
	proxies   proxies
	hasRoutes atomic.Bool // With was used, so that requests need a context to be found by their routes
}

// New checks the whole Config and compiles it. The error joins every mistake as a *cfgerrors.Error with the path of
// its field. Changing the Config afterwards has no effect on the Guard.
func New(c Config) (*Guard, error) {
	routes := c.Routes
	effective, ok := inherit(c)
	if !ok {
		return nil, unknownPreset("preset", c.Preset)
	}
	err := effective.check()
	g := &Guard{config: effective}
	g.proxies, _ = effective.HTTPS.Proxies.compile()
	g.config.HTTPS.Proxies.CIDR = slices.Clone(effective.HTTPS.Proxies.CIDR)
	g.config.Routes = cloneRoutes(routes)
	if err == nil {
		g.base = compile(g.config)
	}
	if err := errors.Join(err, g.addRoutes()); err != nil {
		return nil, err
	}
	return g, nil
}

func unknownPreset(field, name string) error {
	return &cfgerrors.Error{Field: field, Code: cfgerrors.InvalidValue, Value: name, Text: "no such preset", Hint: "write strict, compat or api"}
}

// Config returns the effective configuration: what the preset gave is filled in. New(g.Config()) makes an equal Guard.
func (g *Guard) Config() Config {
	c := g.orZero().config
	c.Frame = slices.Clone(c.Frame)
	c.HTTPS.Proxies.CIDR = slices.Clone(c.HTTPS.Proxies.CIDR)
	c.Routes = cloneRoutes(c.Routes)
	return c
}

func cloneRoutes(routes []RouteConfig) []RouteConfig {
	out := slices.Clone(routes)
	for i, r := range out {
		out[i].Frame = slices.Clone(r.Frame)
	}
	return out
}

// Handler returns next with the headers put on each of its responses. It belongs outermost, once, around the whole mux.
func (g *Guard) Handler(next http.Handler) http.Handler {
	g = g.orZero()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { g.serve(w, r, next, trustHandler, nil) })
}

// Proxy is like Handler for a next that passes on the responses of another server, such as httputil.ReverseProxy.
// That server's X-Frame-Options and Content-Security-Policy may tighten the site's policy and never loosen it.
func (g *Guard) Proxy(next http.Handler) http.Handler {
	g = g.orZero()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { g.serve(w, r, next, tightenOnly, nil) })
}

// trust says what becomes of framing and policy headers that next has set.
type trust int

const (
	trustHandler trust = iota // they are kept, and both framing headers follow them
	tightenOnly               // they count beside the site's own
)

func (g *Guard) serve(w http.ResponseWriter, r *http.Request, next http.Handler, t trust, route *Route) {
	s := &response{w: w, guard: g, plan: g.base, trust: t, canonical: canonical(r.URL), head: r.Method == http.MethodHead, host: r.Host}
	if g.Scheme(r) == "https" {
		s.secure = 1
	}
	if s.canonical {
		s.plan = g.planFor(r)
	}
	if route != nil {
		s.change(route)
	}
	if s.plan.wantNonce || g.hasRoutes.Load() {
		s.Context = r.Context()
		r = r.WithContext(s)
	}
	next.ServeHTTP(s.dress(), r)
	s.commit(http.StatusOK)
}

// planFor returns the plan of the most specific of Config.Routes that matches r, or the base.
func (g *Guard) planFor(r *http.Request) *plan {
	if g.routes == nil {
		return g.base
	}
	h, _ := g.routes.Handler(r)
	if p, ok := h.(*plan); ok {
		return p
	}
	return g.base
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

// patternMistake turns ServeMux's panic about a pattern into words.
func patternMistake(field, pattern string, cause any) error {
	text := "no pattern of http.ServeMux"
	if err, ok := cause.(error); ok {
		text = strings.TrimPrefix(err.Error(), "http: ")
	} else if s, ok := cause.(string); ok {
		text = strings.TrimPrefix(s, "http: ")
	}
	return &cfgerrors.Error{Field: field, Code: cfgerrors.Syntax, Value: pattern, Text: text, Hint: "write a pattern such as GET /widget/ or /map"}
}
