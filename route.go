package merlon

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"unicode"

	"github.com/merlon-sec/merlon/cfgerrors"
	"github.com/merlon-sec/merlon/csp"
)

// changed returns before with the changes made, or all their mistakes: a change that loosens wants a reason.
func changed(before Config, reason string, changes []Change) (Config, error) {
	after := before
	var errs []error
	for _, ch := range changes {
		errs = append(errs, ch.applyTo(&after))
	}
	if err := errors.Join(errs...); err != nil {
		return before, err
	}
	looser := loosening(before, after)
	if name := looserHeader(before, after); name != "" && slices.ContainsFunc(changes, func(ch Change) bool { return ch.header }) {
		looser = cmp.Or(looser, name+" protects less")
	}
	if !inWords(reason) && looser != "" {
		return before, &cfgerrors.Error{Field: "reason", Code: cfgerrors.ReasonMissing, Text: "this route is looser than the rest of the site: " + looser,
			Hint: "say why in words, such as reason: contract 114"}
	}
	return after, nil
}

func inWords(reason string) bool { return strings.ContainsFunc(reason, unicode.IsLetter) }

// loosening says what after lets in that before keeps out, as far as framing and the enforced policy go, or "".
func loosening(before, after Config) string {
	if !after.Frame.within(before.Frame) {
		return "frame lets in " + strings.Join(after.Frame, ", ")
	}
	compared := csp.Contains(csp.Spec, someOrigin, enforcedList(before.CSP), enforcedList(after.CSP))
	switch compared.Answer {
	case csp.Yes:
		return ""
	case csp.No:
		return compared.Witness.Directive + " lets in " + compared.Witness.Witness
	}
	return compared.Witness.Directive + " may let in more: " + compared.Witness.Witness
}

// tightens reports whether after lets nothing in that before keeps out, headers included.
func tightens(before, after Config) bool {
	return loosening(before, after) == "" && looserHeader(before, after) == ""
}

// someOrigin stands for the site's, which a Config does not know.
var someOrigin = csp.ParseOrigin("https://self.invalid")

// enforcedList is the policy as it goes out in one response.
func enforcedList(text string) *csp.List {
	sent := withoutHashes(csp.Parse(policyText(text))).String()
	return csp.NewList(csp.Delivered{Value: strings.ReplaceAll(sent, nonceToken, "'nonce-issued'")})
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
	for i, rc := range g.config.Routes {
		info := RouteInfo{Match: rc.Match, Reason: rc.Reason, Declared: fmt.Sprintf("routes[%d]", i), Changes: rc.texts()}
		reason := rc.Reason
		if g.base == nil {
			reason = "not asked for" // what a route is looser than is not known while the base has mistakes
		}
		after, err := changed(g.config, reason, rc.changes())
		info.Looser = !tightens(g.config, after)
		p := compile(after)
		p.stricter, p.pattern, p.cause = !info.Looser, rc.Match, []string{info.String()}
		g.plans = append(g.plans, p)
		g.infos = append(g.infos, info)
		errs = append(errs, cfgerrors.Under(info.Declared, err), register(g.routes, info.Declared+".match", rc.Match, p))
	}
	if g.base != nil {
		_ = register(g.routes, "", "/", g.base) // refused where a pattern matches everything already
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

func register(mux *http.ServeMux, field, pattern string, h http.Handler) (err error) {
	if err := checkPattern(field, pattern); err != nil {
		return err
	}
	defer func() {
		if cause := recover(); cause != nil {
			err = patternMistake(field, pattern, cause)
		}
	}()
	mux.Handle(pattern, h)
	return nil
}

// Route is a set of changes of one Guard, checked and compiled. It is safe for concurrent use.
type Route struct {
	guard   *Guard // as the caller has it, which may be the zero Guard
	info    RouteInfo
	changes []Change
	plans   sync.Map // *plan before → *plan after
}

// RouteInfo says what a route does differently, why and where that was declared.
type RouteInfo struct {
	Match    string   // pattern, for routes of the Config; "" for those that With and NewRoute made
	Changes  []string // as a program writes them
	Reason   string
	Looser   bool   // whether the route lets in more than the site's base
	Declared string // file:line of the call of With or NewRoute, or the field of the Config
}

// Routes lists what routes do differently: those of the Config first, then those of With and NewRoute by place. Calls
// from one place count once. Reviews begin with the ones that are Looser.
func (g *Guard) Routes() []RouteInfo {
	out := slices.Clone(g.orZero().infos)
	if g == nil {
		return out
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return append(out, g.declared...)
}

// declare remembers a route. Its place bounds how many there can be.
func (g *Guard) declare(info RouteInfo) {
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if !slices.ContainsFunc(g.declared, func(r RouteInfo) bool { return r.Declared == info.Declared }) {
		g.declared = append(g.declared, info)
		slices.SortFunc(g.declared, func(a, b RouteInfo) int { return strings.Compare(a.Declared, b.Declared) })
	}
}

// NewRoute checks changes that loosen or tighten the Guard's policy for the handlers that [Route.Handler] wraps.
// Where the result is looser than the policy that it starts from (the base, or that of one of Config.Routes), reason must
// say why in words. The error joins all mistakes.
func (g *Guard) NewRoute(reason string, changes ...Change) (*Route, error) {
	return g.newRoute(reason, changes, callerOf(2))
}

// With is NewRoute for a program's start: it panics with the error, as http.ServeMux.Handle does.
func (g *Guard) With(reason string, changes ...Change) *Route {
	rt, err := g.newRoute(reason, changes, callerOf(2))
	if err != nil {
		panic(err)
	}
	return rt
}

func (g *Guard) newRoute(reason string, changes []Change, declared string) (*Route, error) {
	rt := &Route{guard: g, changes: slices.Clone(changes), info: RouteInfo{Reason: reason, Declared: declared}}
	for _, ch := range changes {
		rt.info.Changes = append(rt.info.Changes, ch.text)
	}
	base := g.orZero().base
	for _, p := range append([]*plan{base}, g.orZero().plans...) {
		after, err := changed(p.config, reason, changes)
		if err != nil {
			return nil, err
		}
		compiled := compile(after)
		compiled.stricter = tightens(p.config, after)
		compiled.pattern, compiled.cause = p.pattern, append(slices.Clone(p.cause), rt.info.String())
		rt.plans.Store(p, compiled)
		rt.info.Looser = rt.info.Looser || p == base && !tightens(p.config, after)
	}
	g.declare(rt.info)
	return rt, nil
}

// callerOf returns the place that called its caller's caller, with the last directory of its path.
func callerOf(skip int) string {
	_, file, line, ok := runtime.Caller(skip)
	if !ok {
		return ""
	}
	return fmt.Sprintf("%s/%s:%d", filepath.Base(filepath.Dir(file)), filepath.Base(file), line)
}

// String gives the route in one line.
func (i RouteInfo) String() string {
	text := strings.Join(i.Changes, ", ")
	if i.Match != "" {
		text = i.Match + ": " + text
	}
	if i.Reason != "" {
		text += " (" + i.Reason + ")"
	}
	return text + " at " + i.Declared
}

// Handler returns next with the changes in force for its responses. It writes no header itself: it tells the Guard's
// outermost Handler, and without one around it protects next by itself. Inside the Handler of another Guard it changes
// nothing: that Guard's policy goes out, and its misuse hook hears of it.
func (rt *Route) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s := outermost(w, r)
		if s == nil {
			rt.guard.serve(w, r, next, trustHandler, rt)
			return
		}
		s.change(rt)
		next.ServeHTTP(w, s.visible(r))
	})
}

// on returns the plan that the changes make of p. It is kept, but for plans of Amend, which are of one response: there are at most as
// many as there are plans and Routes around rt.
func (rt *Route) on(p *plan) *plan {
	if after, ok := rt.plans.Load(p); ok {
		return after.(*plan)
	}
	config, err := changed(p.config, rt.info.Reason, rt.changes)
	if err != nil {
		// The changes were good on the plans that NewRoute knew, and p comes of another Route. Keep the ones that fit.
		config = p.config
		for _, ch := range rt.changes {
			config, _ = changed(config, rt.info.Reason, []Change{ch})
		}
	}
	made := compile(config)
	made.stricter = tightens(p.config, config)
	made.pattern, made.cause = p.pattern, append(slices.Clone(p.cause), rt.info.String())
	if p.oneOff {
		made.oneOff = true
		return made
	}
	after, _ := rt.plans.LoadOrStore(p, made)
	return after.(*plan)
}
