package gateway

import (
	"crypto/rand"
	"log/slog"
	"net/http"
	"net/url"

	"github.com/merlon-sec/merlon"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/hostport"
)

// Config is what a Gateway is made of.
type Config struct {
	Sites    []Site // at least one; the only one may leave out its hosts
	Timeouts Timeouts
	NetHTTP  bool // requests over plain HTTP go through net/http's transport too, and not through transport.Pooled
	Logger   *slog.Logger

	// Transport returns what requests to an application go through, given what they would; nil leaves that.
	Transport func(to *url.URL, usual http.RoundTripper) http.RoundTripper
}

// Site is a set of hosts with one Guard, behind which most often one application is.
type Site struct {
	Name   string         // in logs and metrics
	Hosts  []string       // one without a port stands for every port, one with *. for all below; empty means every host
	App                   // answers
	Routes map[string]App // answer instead, by pattern of the Guard's routes
	Guard  *merlon.Guard

	ReportPath string       // the one path that is never forwarded
	Reports    http.Handler // answers it; nil leaves it at 404

	DocumentsPath string       // where counts of documents are pushed to, never forwarded either; "" for nowhere
	Documents     http.Handler // answers it

	Canary Canary // with PutCanary in the hook of the Guard
}

// Gateway is an http.Handler that forwards each request to its site's application. It is safe for concurrent use.
type Gateway struct {
	byHost   hostport.Map[*site]
	fallback *site   // for requests whose host no site names; nil for none
	unknown  guarded // answers those without a fallback
	refuse   guarded // answers requests that servers read in different ways
	upstream *upstreams
}

// New makes a Gateway. An error says which host is none or there twice, and which placeholder is none or stands where others would
// show it.
func New(c Config) (*Gateway, error) {
	c.Timeouts = c.Timeouts.OrDefaults()
	if err := sharePlaceholders(c.Sites); err != nil {
		return nil, err
	}
	g := &Gateway{byHost: hostport.Map[*site]{}, upstream: newUpstreams(c.Timeouts, c.NetHTTP),
		unknown: trusted(new(merlon.Guard), http.HandlerFunc(unknownHost)),
		refuse:  trusted(new(merlon.Guard), http.HandlerFunc(badRequest))}
	mark := rand.Text()
	for _, s := range c.Sites {
		made, err := newSite(s, c, mark, g.upstream)
		if err == nil {
			err = g.add(made, s.Hosts, len(c.Sites) == 1)
		}
		if err != nil {
			return nil, err
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

// add makes the site answer for its hosts. Where it is alone, other hosts are told so with its headers.
func (g *Gateway) add(s *site, hosts []string, alone bool) error {
	for _, host := range hosts {
		if err := g.byHost.Add(host, s); err != nil {
			return err
		}
	}
	if len(hosts) == 0 || g.fallback == nil && refusesOtherHosts(s.guard) {
		g.fallback = s
	}
	if alone {
		g.unknown = trusted(s.guard, http.HandlerFunc(unknownHost))
	}
	return nil
}

// Close ends the connections to the applications that no request uses.
func (g *Gateway) Close() { g.upstream.close() }

// ServeHTTP forwards the request. A host that no site names is answered 421 (RFC 9110 §15.5.20), and what servers read in
// different ways 400.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.handler(r).serve.ServeHTTP(w, r)
}

// Explain answers the request and returns the way of the response through the Guard of its site, in place of the response.
func (g *Gateway) Explain(r *http.Request) merlon.Explanation { return g.handler(r).explain(r) }

// handler returns what answers the request.
func (g *Gateway) handler(r *http.Request) guarded {
	name, port, ok := hostport.Split(r.Host)
	if !ok && (r.Host != "" || r.ProtoAtLeast(1, 1)) || !plain(r) || mended(r) { // HTTP/1.0 knows requests without a host
		return g.refuse
	}
	s, ok := g.byHost.Get(name, port)
	if !ok {
		s = g.fallback
	}
	if s == nil {
		return g.unknown
	}
	return s.handler(r)
}
