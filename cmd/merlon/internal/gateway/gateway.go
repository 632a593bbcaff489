// Package gateway is the reverse proxy that puts a Guard in front of applications in any language.
package gateway

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"github.com/merlon-sec/merlon"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/rewrite"
)

// Config is what a Gateway is made of.
type Config struct {
	Sites  []Site // at least one; the only one may leave out its hosts
	Logger *slog.Logger
}

// Site is a set of hosts with one application behind one Guard.
type Site struct {
	Hosts    []string // one without a port stands for every port, one with *. for all below; empty means every host
	Upstream *url.URL // scheme and host of the application
	Nonce    Nonce    // how the application's pages get their nonces
	Guard    *merlon.Guard

	ReportPath string       // the one path that is never forwarded
	Reports    http.Handler // answers it; nil leaves it at 404
}

// Gateway is an http.Handler that forwards each request to its site's application. It is safe for concurrent use.
type Gateway struct {
	byHost   map[string]http.Handler // by name or name:port, as splitHost gives them
	fallback http.Handler            // for requests whose host no site names
	refuse   http.Handler            // for requests that servers read in different ways
	close    func()
}

// New makes a Gateway. An error says which of two sites claims a host that the other has.
func New(c Config) (*Gateway, error) {
	transport := newTransport()
	g := &Gateway{byHost: map[string]http.Handler{}, close: transport.CloseIdleConnections,
		fallback: new(merlon.Guard).Handler(http.HandlerFunc(unknownHost)),
		refuse:   new(merlon.Guard).Handler(http.HandlerFunc(badRequest))}
	mark, checked := rand.Text(), false
	for _, s := range c.Sites {
		if s.Nonce.Placeholder != "" {
			if err := rewrite.CheckPlaceholder(s.Nonce.Placeholder); err != nil {
				return nil, fmt.Errorf("the placeholder of %s: %w", s.Upstream, err)
			}
		}
		h := handler(s, &proxy{site: s, log: c.Logger, mark: mark}, transport)
		for _, host := range s.Hosts {
			domain, below := strings.CutPrefix(host, "*.")
			name, port, ok := splitHost(domain)
			if !ok {
				return nil, fmt.Errorf("%q is no host", host)
			}
			if below {
				name = "*." + name
			}
			if g.byHost[name+port] != nil {
				return nil, fmt.Errorf("two sites have the host %s", host)
			}
			g.byHost[name+port] = h
		}
		switch {
		case len(s.Hosts) == 0:
			g.fallback = h
		case !checked && refusesOtherHosts(s.Guard):
			g.fallback, checked = h, true
		}
	}
	return g, nil
}

// refusesOtherHosts reports whether the Guard answers health checks under every host, and 421 to all else. Then it may see requests
// whose host no site names.
func refusesOtherHosts(g *merlon.Guard) bool {
	c := g.Config()
	return len(c.Health) > 0 && len(c.Hosts) > 0
}

// Close ends the connections to the applications that no request uses.
func (g *Gateway) Close() { g.close() }

// ServeHTTP forwards the request. A host that no site names is answered 421 (RFC 9110 §15.5.20), and what servers read in
// different ways 400.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, port, ok := splitHost(r.Host)
	if !ok && r.Host != "" || !plain(r) {
		g.refuse.ServeHTTP(w, r)
		return
	}
	g.site(name, port).ServeHTTP(w, r)
}

// site returns the handler of the site with the host: by its name, or by the nearest domain above it.
func (g *Gateway) site(name, port string) http.Handler {
	if h := g.lookup(name, port); h != nil {
		return h
	}
	for _, above, ok := strings.Cut(name, "."); ok; _, above, ok = strings.Cut(above, ".") {
		if h := g.lookup("*."+above, port); h != nil {
			return h
		}
	}
	return g.fallback
}

func (g *Gateway) lookup(name, port string) http.Handler {
	if h := g.byHost[name+port]; h != nil {
		return h
	}
	return g.byHost[name]
}

// plain reports whether the request names a path of this server in a way that the application reads as well. Go takes
// "x:http://other/" for a URL without a path, and forwards it as it came; a path with bytes that belong into no URL is
// encoded anew, which would make a real slash of %2f.
func plain(r *http.Request) bool {
	u := r.URL
	return u.Opaque == "" && strings.HasPrefix(u.Path, "/") && (u.RawPath == "" || u.EscapedPath() == u.RawPath) &&
		r.Method != http.MethodConnect && r.Method != http.MethodTrace
}

func handler(s Site, p *proxy, transport http.RoundTripper) http.Handler {
	app := s.Guard.Proxy(s.Nonce.handler(p.handler(transport), p.log))
	reports := s.Reports
	if reports == nil {
		reports = http.NotFoundHandler()
	}
	reports = s.Guard.Handler(reports)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == s.ReportPath {
			reports.ServeHTTP(w, r)
			return
		}
		app.ServeHTTP(w, r)
	})
}

func unknownHost(w http.ResponseWriter, r *http.Request) {
	errorPage(w, http.StatusMisdirectedRequest, "No site here has this host name.", "Its operator can name it under hosts in the policy file.")
}

func badRequest(w http.ResponseWriter, r *http.Request) {
	errorPage(w, http.StatusBadRequest, "Servers read this request in different ways.", "It was not passed on.")
}
