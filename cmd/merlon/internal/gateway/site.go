package gateway

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/merlon-sec/merlon"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/rewrite"
)

// App is an application, and how it is treated.
type App struct {
	Upstream  *url.URL // http, https or h2c with a host, or unix with the path of a socket
	Nonce     Nonce    // how its pages get their nonces
	MaxBody   int64    // of a request, in bytes; 0 for no limit
	MayLoosen bool     // whether its own headers count as those of a Go handler do, and not only where they tighten
}

// site is a Site that serves.
type site struct {
	guard      *merlon.Guard
	app        http.Handler
	routes     map[string]http.Handler // by pattern
	reportPath string
	reports    http.Handler
}

func newSite(s Site, c Config, mark string, u *upstreams) (*site, error) {
	out := &site{guard: s.Guard, routes: map[string]http.Handler{}, reportPath: s.ReportPath, reports: s.Guard.Handler(http.NotFoundHandler())}
	if s.Reports != nil {
		out.reports = s.Guard.Handler(s.Reports)
	}
	routes, err := s.requestRoutes()
	if err != nil {
		return nil, err
	}
	handler := func(a App) http.Handler {
		p := &proxy{app: a, guard: s.Guard, log: c.Logger, mark: mark, timeouts: c.Timeouts, routes: routes, believed: believed(s.Guard)}
		inner := a.Nonce.handler(p.handler(u.transport(a.Upstream)), c.Logger)
		if a.MayLoosen {
			return s.Guard.Handler(inner)
		}
		return s.Guard.Proxy(inner)
	}
	out.app = handler(s.App)
	for pattern, a := range s.Routes {
		out.routes[pattern] = handler(a)
	}
	return out, nil
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == s.reportPath {
		s.reports.ServeHTTP(w, r)
		return
	}
	s.appFor(r).ServeHTTP(w, r)
}

// appFor returns the handler of the route that r belongs to. A path that servers read in different ways has the site's, as it has the
// site's policy.
func (s *site) appFor(r *http.Request) http.Handler {
	if len(s.routes) == 0 {
		return s.app
	}
	if h := s.routes[s.guard.Pattern(r)]; h != nil {
		return h
	}
	return s.app
}

// sharePlaceholders puts the placeholder that a site has anywhere in force on all of its routes: the application may print it on
// every page, and a path that servers read in different ways belongs to none of the routes.
func sharePlaceholders(sites []Site) error {
	behind := map[string]string{} // placeholders by application
	for i := range sites {
		s := &sites[i]
		secret, err := s.placeholder()
		if err != nil {
			return err
		}
		for _, a := range s.apps() {
			if other, seen := behind[a.Upstream.String()]; seen && other != secret {
				return fmt.Errorf("the application at %s is behind two sites: give both the same placeholder, or one shows the other's", a.Upstream)
			}
			behind[a.Upstream.String()] = secret
		}
		if secret == "" {
			continue
		}
		s.App.Nonce.Placeholder = secret
		routes := make(map[string]App, len(s.Routes))
		for pattern, a := range s.Routes {
			a.Nonce.Placeholder = secret
			routes[pattern] = a
		}
		s.Routes = routes
	}
	return nil
}

var errInjected = errors.New("a site with a placeholder cannot inject nonces on a route: who vouches for some elements vouches for no others")

// placeholder returns the one placeholder of the site, or "".
func (s *Site) placeholder() (string, error) {
	secret, injects := "", false
	for _, a := range s.apps() {
		injects = injects || a.Nonce.Inject
		switch p := a.Nonce.Placeholder; {
		case p == "" || p == secret:
		case secret != "":
			return "", fmt.Errorf("the site of %s has two placeholders: its pages would show one where the other is replaced", s.App.Upstream)
		default:
			if err := rewrite.CheckPlaceholder(p); err != nil {
				return "", fmt.Errorf("the placeholder of %s: %w", a.Upstream, err)
			}
			secret = p
		}
	}
	if injects && secret != "" {
		return "", errInjected
	}
	return secret, nil
}

// requestRoutes compiles what applications may ask for, if one of them may.
func (s *Site) requestRoutes() (requestRoutes, error) {
	for _, a := range s.apps() {
		if a.MayLoosen {
			return newRequestRoutes(s.Guard)
		}
	}
	return nil, nil
}

func (s *Site) apps() []App {
	out := []App{s.App}
	for _, a := range s.Routes {
		out = append(out, a)
	}
	return out
}
