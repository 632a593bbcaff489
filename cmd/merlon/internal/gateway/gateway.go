// Package gateway is the reverse proxy that puts a Guard in front of applications in any language.
package gateway

import (
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/merlon-sec/merlon"
)

// ReportPath is the one path that the gateway keeps for itself. It is never forwarded.
const ReportPath = "/.merlon/r"

// Config is what a Gateway is made of.
type Config struct {
	Sites  []Site // at least one; the only one may leave out its hosts
	Logger *slog.Logger
}

// Site is a set of hosts with one application behind one Guard.
type Site struct {
	Hosts    []string // lower case; one without a port stands for every port; empty means every host
	Upstream *url.URL // scheme and host of the application
	Nonce    bool     // whether the application is told the nonce, in the request header Merlon-Nonce
	Guard    *merlon.Guard
	Reports  http.Handler // answers ReportPath; nil leaves it at 404
}

// Gateway is an http.Handler that forwards each request to its site's application. It is safe for concurrent use.
type Gateway struct {
	byHost   map[string]http.Handler
	fallback http.Handler // for requests whose host no site names
	close    func()
}

// New makes a Gateway. An error says which of two sites claims a host that the other has.
func New(c Config) (*Gateway, error) {
	transport := newTransport()
	g := &Gateway{byHost: map[string]http.Handler{}, close: transport.CloseIdleConnections,
		fallback: new(merlon.Guard).Handler(http.HandlerFunc(unknownHost))}
	for _, s := range c.Sites {
		h := handler(s, transport, c.Logger)
		for _, host := range s.Hosts {
			if g.byHost[host] != nil {
				return nil, fmt.Errorf("two sites have the host %s", host)
			}
			g.byHost[host] = h
		}
		if len(s.Hosts) == 0 {
			g.fallback = h
		}
	}
	return g, nil
}

// Close ends the connections to the applications that no request uses.
func (g *Gateway) Close() { g.close() }

// ServeHTTP forwards the request. A host that no site names is answered 421 (RFC 9110 §15.5.20).
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	host := strings.ToLower(r.Host)
	h, ok := g.byHost[host]
	if !ok {
		if name, _, err := net.SplitHostPort(host); err == nil {
			h, ok = g.byHost[name]
		}
	}
	if !ok {
		h = g.fallback
	}
	h.ServeHTTP(w, r)
}

func handler(s Site, transport http.RoundTripper, log *slog.Logger) http.Handler {
	app := s.Guard.Proxy(newProxy(s, transport, log))
	reports := s.Reports
	if reports == nil {
		reports = http.NotFoundHandler()
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == ReportPath {
			reports.ServeHTTP(w, r)
			return
		}
		app.ServeHTTP(w, r)
	})
}

func unknownHost(w http.ResponseWriter, r *http.Request) {
	errorPage(w, http.StatusMisdirectedRequest, "No site here has this host name.", "Its operator can name it under hosts in the policy file.")
}
