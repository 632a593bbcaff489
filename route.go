package merlon

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"unicode"

	"github.com/merlon-sec/merlon/cfgerrors"
	"github.com/merlon-sec/merlon/csp"
)

// Change is one thing that a route does differently. The functions of this package that return it make one.
type Change struct {
	apply func(*Config) error
}

// FrameBy lets the pages of these origins frame the route, such as https://partner.example.
func FrameBy(origins ...string) Change {
	if f := Frame(origins); f.is("deny") || f.is(Remove) {
		return Change{func(*Config) error {
			return &cfgerrors.Error{Field: "frame", Code: cfgerrors.InvalidValue, Value: origins[0], Text: "no origin", Hint: "use FrameDeny, or name origins"}
		}}
	}
	return frameChange(origins)
}

// FrameSelf lets only pages of the same origin frame the route.
func FrameSelf() Change { return frameChange(Frame{"self"}) }

// FrameDeny lets nobody frame the route.
func FrameDeny() Change { return frameChange(Frame{"deny"}) }

func frameChange(f Frame) Change {
	f = slices.Clone(f)
	return Change{func(c *Config) error {
		n, err := f.normalize()
		c.Frame = n
		return cfgerrors.Under("frame", err)
	}}
}

// Allow adds sources to directives of the enforced policy and of the trial, written as policy text such as
// "img-src https://tiles.example". A directive that a policy lacks starts from the one that governs it, so that what
// was allowed stays allowed.
func Allow(text string) Change {
	return Change{func(c *Config) error {
		if err := errors.Join(checkPolicy(text), checkAllowed(text)); err != nil {
			return cfgerrors.Under("allow", err)
		}
		added := csp.Parse(text)
		if err := checkEffect(added, c); err != nil {
			return cfgerrors.Under("allow", err)
		}
		for _, p := range []*string{&c.CSP, &c.Trial} {
			if *p == "" || *p == Remove {
				continue
			}
			parsed := csp.Parse(*p)
			for _, d := range added.Directives {
				parsed = parsed.Append(d.Name, d.Value...)
			}
			*p = parsed.String()
		}
		return nil
	}}
}

// checkAllowed refuses what adds nothing to a source list.
func checkAllowed(text string) error {
	var errs []error
	for _, d := range csp.Parse(text).Directives {
		switch {
		case csp.Known(d.Name) && !csp.HasSources(d.Name):
			errs = append(errs, &cfgerrors.Error{Field: d.Name, Code: cfgerrors.InvalidValue, Text: "only source lists can be added to", Hint: "to replace the policy write csp"})
		case len(d.Value) == 0 || len(d.Value) == 1 && strings.EqualFold(d.Value[0], "'none'"):
			errs = append(errs, &cfgerrors.Error{Field: d.Name, Code: cfgerrors.InvalidValue, Text: "no source to add", Hint: "to replace the policy write csp"})
		}
	}
	return errors.Join(errs...)
}

// checkEffect refuses sources that browsers ignore: beside 'strict-dynamic' neither hosts nor schemes count.
func checkEffect(added csp.Policy, c *Config) error {
	var errs []error
	for _, d := range added.Directives {
		if !strings.HasPrefix(d.Name, "script-src") || slices.ContainsFunc(d.Value, func(w string) bool { return w[0] == '\'' }) {
			continue
		}
		enforced, governed := csp.Parse(policyText(c.CSP)).Governing(d.Name)
		if governed && slices.Contains(enforced, "'strict-dynamic'") {
			errs = append(errs, &cfgerrors.Error{Field: d.Name, Code: cfgerrors.Conflict, Value: strings.Join(d.Value, " "),
				Text: "beside 'strict-dynamic' browsers ignore hosts and schemes", Hint: "give the script element the nonce instead"})
		}
	}
	return errors.Join(errs...)
}

// changes returns what a RouteConfig says as changes, in the order in which they apply.
func (rc RouteConfig) changes() []Change {
	var out []Change
	if rc.Preset != "" {
		out = append(out, Change{func(c *Config) error { return c.use(rc.Preset) }})
	}
	if rc.CSP != "" || rc.Trial != "" {
		out = append(out, Change{func(c *Config) error {
			replace(&c.CSP, rc.CSP)
			replace(&c.Trial, rc.Trial)
			return errors.Join(cfgerrors.Under("csp", checkPolicy(rc.CSP)), cfgerrors.Under("trial", checkPolicy(rc.Trial)))
		}})
	}
	if rc.Frame != nil {
		out = append(out, frameChange(rc.Frame))
	}
	if rc.Allow != "" {
		out = append(out, Allow(rc.Allow))
	}
	return out
}

func replace(dst *string, v string) {
	if v != "" {
		*dst = v
	}
}

// use replaces the base by a preset. Where reports go, whose scheme is believed and what must be the same on all pages of
// an origin belong to the site and stay.
func (c *Config) use(name string) error {
	base, ok := preset(name)
	if !ok {
		return unknownPreset("preset", name)
	}
	base.Reports, base.HTTPS, base.OriginAgentCluster = c.Reports, c.HTTPS, c.OriginAgentCluster
	*c = base
	return nil
}

// changed returns before with the changes made, or all their mistakes: a change that loosens wants a reason.
func changed(before Config, reason string, changes []Change) (Config, error) {
	after := before
	var errs []error
	for _, ch := range changes {
		if ch.apply == nil {
			errs = append(errs, &cfgerrors.Error{Code: cfgerrors.Missing, Text: "an empty Change", Hint: "make changes with FrameBy, Allow and their like"})
			continue
		}
		errs = append(errs, ch.apply(&after))
	}
	if err := errors.Join(errs...); err != nil {
		return before, err
	}
	if !inWords(reason) && loosens(before, after) {
		return before, &cfgerrors.Error{Field: "reason", Code: cfgerrors.ReasonMissing, Text: "this route is looser than the rest of the site",
			Hint: "say why in words, such as reason: contract 114"}
	}
	return after, nil
}

func inWords(reason string) bool { return strings.ContainsFunc(reason, unicode.IsLetter) }

// loosens reports whether after lets in more than before, as far as framing and the enforced policy go.
func loosens(before, after Config) bool {
	compared := csp.Contains(csp.Spec, someOrigin, enforcedList(before.CSP), enforcedList(after.CSP))
	return !after.Frame.within(before.Frame) || compared.Answer != csp.Yes
}

// someOrigin stands for the site's, which a Config does not know.
var someOrigin = csp.ParseOrigin("https://self.invalid")

// enforcedList is the policy as it goes out in one response.
func enforcedList(text string) *csp.List {
	return csp.NewList(csp.Delivered{Value: strings.ReplaceAll(policyText(text), nonceToken, "'nonce-issued'")})
}

func policyText(v string) string {
	if v == Remove {
		return ""
	}
	return v
}

// addRoutes compiles Config.Routes. All other requests find the base, which spares the mux its error pages.
func (g *Guard) addRoutes() error {
	if len(g.config.Routes) == 0 {
		return nil
	}
	g.routes = http.NewServeMux()
	g.plans = []*plan{g.base}
	var errs []error
	everything := false
	for i, rc := range g.config.Routes {
		at := fmt.Sprintf("routes[%d]", i)
		after, err := changed(g.config, rc.Reason, rc.changes())
		p := compile(after)
		p.stricter = !loosens(g.config, after)
		g.plans = append(g.plans, p)
		everything = everything || rc.Match == "/"
		errs = append(errs, cfgerrors.Under(at, err), register(g.routes, at+".match", rc.Match, p))
	}
	if !everything && g.base != nil {
		g.routes.Handle("/", g.base)
	}
	return errors.Join(errs...)
}

// checkPattern refuses what ServeMux takes and no request matches.
func checkPattern(field, pattern string) error {
	method, path, ok := strings.Cut(pattern, " ")
	if !ok {
		method, path = "", pattern
	}
	bad := func(text, hint string) error {
		return &cfgerrors.Error{Field: field, Code: cfgerrors.InvalidValue, Value: pattern, Text: text, Hint: hint}
	}
	switch {
	case strings.Contains(path, "*"):
		return bad("a * in a pattern is a plain character", "write "+strings.TrimRight(path, "*")+" with a / at its end for all that is below")
	case method != strings.ToUpper(method):
		return bad("methods are written in capitals", "write "+strings.ToUpper(method)+" "+strings.TrimSpace(path))
	}
	return nil
}

func register(mux *http.ServeMux, field, pattern string, p *plan) (err error) {
	if err := checkPattern(field, pattern); err != nil {
		return err
	}
	defer func() {
		if cause := recover(); cause != nil {
			err = patternMistake(field, pattern, cause)
		}
	}()
	mux.Handle(pattern, p)
	return nil
}

// Route is a set of changes of one Guard, checked and compiled. It is safe for concurrent use.
type Route struct {
	guard   *Guard // as the caller has it, which may be the zero Guard
	reason  string
	changes []Change
	plans   sync.Map // *plan before → *plan after
}

// NewRoute checks changes that loosen or tighten the Guard's policy for the handlers that [Route.Handler] wraps.
// Where the result is looser than the policy that it starts from (the base, or that of one of Config.Routes), reason must
// say why in words. The error joins all mistakes.
func (g *Guard) NewRoute(reason string, changes ...Change) (*Route, error) {
	rt := &Route{guard: g, reason: reason, changes: slices.Clone(changes)}
	for _, p := range append([]*plan{g.orZero().base}, g.orZero().plans...) {
		after, err := changed(p.config, reason, changes)
		if err != nil {
			return nil, err
		}
		rt.plans.Store(p, compile(after))
	}
	return rt, nil
}

// With is NewRoute for a program's start: it panics with the error, as http.ServeMux.Handle does.
func (g *Guard) With(reason string, changes ...Change) *Route {
	rt, err := g.NewRoute(reason, changes...)
	if err != nil {
		panic(err)
	}
	return rt
}

// Handler returns next with the changes in force for its responses. It writes no header itself: it tells the Guard's
// outermost Handler, and without one around it protects next by itself. Inside the Handler of another Guard it changes
// nothing, and that Guard's policy goes out.
func (rt *Route) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s := outermost(w, r)
		if s == nil {
			rt.guard.serve(w, r, next, trustHandler, rt)
			return
		}
		next.ServeHTTP(w, s.visible(r, s.change(rt)))
	})
}

// on returns the plan that the changes make of p. There are at most as many as there are plans and Routes around rt.
func (rt *Route) on(p *plan) *plan {
	if after, ok := rt.plans.Load(p); ok {
		return after.(*plan)
	}
	config, err := changed(p.config, rt.reason, rt.changes)
	if err != nil {
		// The changes were good on the plans that NewRoute knew, and p comes of another Route. Keep the ones that fit.
		config = p.config
		for _, ch := range rt.changes {
			config, _ = changed(config, rt.reason, []Change{ch})
		}
	}
	after, _ := rt.plans.LoadOrStore(p, compile(config))
	return after.(*plan)
}
