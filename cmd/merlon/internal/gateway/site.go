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
	Roots     []byte   // PEM certificates that an https upstream is trusted by; nil for those of the system
	Nonce     Nonce    // how its pages get their nonces
	MaxBody   int64    // of a request, in bytes; 0 for no limit
	MayLoosen bool     // whether its own headers count as those of a Go handler do, and not only where they tighten
}

// site is a Site that serves.
type site struct {
	guard  *merlon.Guard
	app    guarded
	routes map[string]guarded // by pattern
	own    map[string]guarded // what the gateway itself answers, by path
}

// guarded is a handler with its Guard around it.
type guarded struct {
	serve   http.Handler
	explain func(*http.Request) merlon.Explanation
}

// trusted guards a handler whose own headers count as they are.
func trusted(g *merlon.Guard, h http.Handler) guarded {
	return guarded{g.Handler(h), func(r *http.Request) merlon.Explanation { return g.Explain(h, r) }}
}

// tightening guards a handler whose own headers count where they tighten.
func tightening(g *merlon.Guard, h http.Handler) guarded {
	return guarded{g.Proxy(h), func(r *http.Request) merlon.Explanation { return g.ExplainProxy(h, r) }}
}

func newSite(s Site, c Config, mark string, u *upstreams) (*site, error) {
	routes, err := s.requestRoutes()
	if err != nil {
		return nil, err
	}
	shared := proxy{guard: s.Guard, log: c.Logger, mark: mark, timeouts: c.Timeouts, routes: routes, believed: believed(s.Guard)}
	handler := func(a App) guarded {
		p := shared
		p.app = a
		p.app.Nonce = a.Nonce.under(s.Guard, a.MayLoosen)
		return s.observed(s.canarying(p.guarded(c.transport(a, u))))
	}
	out := &site{guard: s.Guard, app: handler(s.App), routes: map[string]guarded{}, own: map[string]guarded{}}
	for path, h := range s.ownPaths(c.Timeouts) {
		out.own[path] = s.observed(trusted(s.Guard, recovering(h, c.Logger)))
	}
	for pattern, a := range s.Routes {
		out.routes[pattern] = handler(a)
	}
	return out, nil
}

// transport is what requests to an application go through.
func (c *Config) transport(a App, u *upstreams) http.RoundTripper {
	usual := u.transport(a)
	if c.Transport != nil {
		return c.Transport(a.Upstream, usual)
	}
	return usual
}

// guarded puts everything around the proxy that stands between it and the site.
func (p *proxy) guarded(transport http.RoundTripper) guarded {
	h := recovering(p.app.Nonce.handler(p.handler(timed{transport}), p.log), p.log)
	if p.app.MayLoosen {
		return trusted(p.guard, h)
	}
	return tightening(p.guard, h)
}

// handler returns what answers r: the route that it belongs to. A path that servers read in different ways has the site's application,
// as it has the site's policy.
func (s *site) handler(r *http.Request) guarded {
	if h, ok := s.own[r.URL.Path]; ok {
		return h
	}
	if len(s.routes) == 0 {
		return s.app
	}
	if h, ok := s.routes[s.guard.Pattern(r)]; ok {
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

// ownPaths returns what the gateway answers in place of the application.
func (s *Site) ownPaths(t Timeouts) map[string]http.Handler {
	own := map[string]http.Handler{s.ReportPath: s.Reports}
	if s.DocumentsPath != "" {
		own[s.DocumentsPath] = s.Documents
	}
	for path, h := range own {
		if h == nil {
			own[path] = http.NotFoundHandler()
			continue
		}
		own[path] = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			bounded(w, r, t.RequestBody, 0)
			h.ServeHTTP(w, r)
		})
	}
	return own
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
