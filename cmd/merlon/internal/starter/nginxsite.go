package starter

import (
	"fmt"
	"slices"
	"strings"
)

// nginx makes sites of servers.
type nginx struct {
	*nginxReader
	draft     *draft
	options   Options
	upstreams map[string]*directive
	formats   map[string]*directive // log_format
	unlimited bool                  // whether it is told that bodies have no limit
	servers   []*nginxServer
}

// Bounds of what is read. A policy file for more servers would be over its own limit, and each location is compared with the others.
const (
	maxServers   = 500
	maxLocations = 2000
)

func fromNginx(o Options, name string, data []byte) (*Result, error) {
	reader, err := readNginx(name, data)
	if err != nil {
		return nil, err
	}
	n := &nginx{nginxReader: reader, options: o, draft: newDraft("merlon init --from " + plain(name)), upstreams: map[string]*directive{}, formats: map[string]*directive{}}
	n.collect(reader.root.block, nil, nil)
	if len(n.servers) > maxServers {
		return nil, fmt.Errorf("%s has more than %d servers (give the file of one site)", show(name), maxServers)
	}
	locations := 0
	for _, s := range n.servers {
		locations += len(s.locations)
	}
	if locations > maxLocations {
		return nil, fmt.Errorf("%s has more than %d locations (give the file of one site)", show(name), maxLocations)
	}
	sites := n.sites()
	if len(sites) == 0 {
		return nil, fmt.Errorf("%s has no server that answers by itself (name the file that has server { ... })", show(name))
	}
	certificate := n.certificates(sites)
	n.h2c(sites)
	n.timeouts(sites)
	n.maxHeader(sites)
	n.accessLog(sites)
	n.shutdown()
	for _, s := range sites {
		n.site(s, certificate)
	}
	n.draft.tail = append(n.draft.tail, n.skipped...)
	return n.draft.finish(o.Output)
}

// collect finds servers and upstreams, at the top or in http, with the headers that they inherit.
func (n *nginx) collect(list []*directive, headers, hidden []field) {
	headers, hidden = inherited(list, "add_header", headers), inherited(list, "proxy_hide_header", hidden)
	for _, d := range list {
		switch {
		case d.name == "http" && d.block != nil:
			n.collect(d.block, headers, hidden)
		case d.name == "upstream" && d.block != nil && len(d.args) == 1:
			n.upstreams[strings.ToLower(d.args[0])] = d
		case d.name == "log_format" && len(d.args) > 1:
			n.formats[d.args[0]] = d
		case d.name == "server" && d.block != nil:
			n.servers = append(n.servers, readServer(d, headers, hidden))
		}
	}
}

// sites are the servers that answer. Those for the same names are one site, and the one with TLS is it; servers that only
// redirect to HTTPS are what https.redirect does.
func (n *nginx) sites() []*nginxServer {
	var out []*nginxServer
	for _, s := range n.servers {
		i := slices.IndexFunc(out, func(o *nginxServer) bool { return slices.Equal(o.names, s.names) })
		switch {
		case s.redirect != "" || s.returns && len(s.locations) == 0:
		case i < 0:
			out = append(out, s)
		case s.ssl && !out[i].ssl:
			out[i] = s
		}
	}
	return out
}

// redirected reports whether a server sends the site's names to HTTPS.
func (n *nginx) redirected(site *nginxServer) (at string, found bool) {
	for _, s := range n.servers {
		if !s.ssl && strings.HasPrefix(s.redirect, "https://") && (slices.Equal(s.names, site.names) || slices.ContainsFunc(s.names, func(name string) bool { return slices.Contains(site.names, name) }) || len(s.names) == 0) {
			return s.at, true
		}
	}
	return "", false
}

// site writes one server.
func (n *nginx) site(server *nginxServer, certificate bool) {
	s := n.draft.site(n.options)
	s.at("preset").note("From the server at %s.", server.at)
	if lost := missing(server.lost, server.headers); lost != "" {
		s.at("preset").check("the server has lost %s: its own add_header (%s) drops all those around it. Write here what is to be sent.", lost, server.headers[0].at)
	}
	n.hosts(s, server)
	if d := pass(server.pages); d != nil {
		server.address = n.resolve(d.args[0], "/").address
	}
	if n.options.Upstream == "" {
		n.upstream(s, server)
	}
	n.lost(s, server)
	n.maxBody(s, server)
	base := server.headers
	if root := server.pages; root.name == "location" {
		base = n.rootHeaders(s, server, root)
	}
	fields := n.fields(s, base)
	seen := s.take(fields, true) // without TLS here, it ends at a balancer
	s.contrast(seen)
	for _, h := range server.hidden {
		x := s.at("headers").child(h.name)
		x.fromSource().note("From %s proxy_hide_header.", h.at).value = "off"
	}
	n.nonces(s, server)
	n.forwarded(s, server)
	if at, found := n.redirected(server); found && certificate && len(server.names) > 0 {
		s.https("redirect").fromSource().note("From the server at %s. Plain HTTP arrives where tls.http has a listener for it.", at).value = true
	} else if found {
		s.suggestRedirect().note("%s does it there.", at)
	}
	for _, l := range server.locations {
		n.route(s, server, l, fields)
	}
	s.fill(len(n.draft.sites) == 1)
}

func (n *nginx) hosts(s *site, server *nginxServer) {
	x := s.at("hosts")
	names := slices.Clone(server.names)
	slices.Sort(names)
	if names = slices.Compact(names); len(names) > 0 {
		x.value = names
		x.fromSource()
	}
	x.notes = append(x.notes, server.odd...)
}

// rootHeaders are those of the site's pages: the server's, and those of location / over them. There, the second drop the first.
func (n *nginx) rootHeaders(s *site, server *nginxServer, root *directive) []field {
	own := inherited(root.block, "add_header", nil)
	if own == nil {
		return server.headers
	}
	out := slices.Clone(own)
	for _, h := range server.headers {
		if len(named(own, h.name)) == 0 {
			out = append(out, h)
		}
	}
	if lost := missing(server.headers, own); lost != "" {
		s.at("preset").check("pages below / have lost %s: an add_header in a location (%s) drops all those around it. Here they are sent.", lost, own[0].at)
	}
	return out
}
