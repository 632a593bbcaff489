package starter

import (
	"crypto/tls"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// nginx makes sites of servers.
type nginx struct {
	*nginxReader
	draft     *draft
	options   Options
	upstreams map[string]*directive
	servers   []*nginxServer
}

// maxServers bounds the servers of a configuration. A policy file for more would be over its own limit.
const maxServers = 500

func fromNginx(o Options, name string, data []byte) (*Result, error) {
	reader, list, err := readNginx(name, data)
	if err != nil {
		return nil, err
	}
	n := &nginx{nginxReader: reader, options: o, draft: newDraft("merlon init --from " + plain(name)), upstreams: map[string]*directive{}}
	n.collect(list, nil, nil)
	if len(n.servers) > maxServers {
		return nil, fmt.Errorf("%s has more than %d servers (give the file of one site)", show(name), maxServers)
	}
	sites := n.sites()
	if len(sites) == 0 {
		return nil, fmt.Errorf("%s has no server that answers by itself (name the file that has server { ... })", show(name))
	}
	certificate := n.certificate(sites)
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

// certificate writes the one certificate of the listener, if it is there and can be read, and reports whether it is.
func (n *nginx) certificate(sites []*nginxServer) bool {
	x := &setting{key: "tls"}
	var pairs [][2]string
	for _, s := range sites {
		if pair := [2]string{s.cert, s.key}; s.cert != "" && s.key != "" && !slices.Contains(pairs, pair) {
			pairs = append(pairs, pair)
		}
	}
	if len(pairs) == 0 {
		return false
	}
	n.draft.file = append(n.draft.file, &setting{key: "listen", notes: []note{{text: "The public listener, 127.0.0.1:8080 if absent. When nginx has let the port go:"}, {text: "listen: 0.0.0.0:443", verbatim: true}}}, x)
	cert, key := n.relativeTo(pairs[0][0]), n.relativeTo(pairs[0][1])
	x.note("The certificate of the public listener. http: 0.0.0.0:80 adds a listener for plain HTTP.")
	if len(pairs) > 1 {
		x.check("nginx has %d certificates, one for each of several sites. The gateway takes one, for all names.", len(pairs))
	}
	if _, err := tls.LoadX509KeyPair(cert, key); err != nil {
		x.check("this certificate cannot be read here, so it is not in force: %s and %s. Write it when it can be.", show(cert), show(key)).
			example("tls:").example("  cert: " + scalar(plain(cert))).example("  key: " + scalar(plain(key)))
		return false
	}
	x.child("cert").fromSource().value = cert
	x.child("key").fromSource().value = key
	return true
}

// site writes one server.
func (n *nginx) site(server *nginxServer, certificate bool) {
	s := n.draft.site(n.options)
	s.at("preset").note("From the server at %s.", server.at)
	if lost := missing(server.lost, server.headers); lost != "" {
		s.at("preset").check("the server has lost %s: its own add_header (%s) drops all those around it. Write here what is to be sent.", lost, server.headers[0].at)
	}
	n.hosts(s, server)
	if n.options.Upstream == "" {
		n.upstream(s, server)
	}
	base := server.headers
	if root := server.location("/"); root != nil {
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

// upstream reads where location / passes requests on.
func (n *nginx) upstream(s *site, server *nginxServer) {
	x := s.at("upstream")
	root := server.location("/")
	if root == nil {
		x.notes = nil
		x.check("nginx has no location / that passes requests on. If it serves files itself, let it listen on a port of its own behind the gateway, and name that here.")
		return
	}
	for _, d := range root.block {
		if d.name == "proxy_pass" && len(d.args) == 1 {
			x.notes = nil
			address, why := n.resolve(d.args[0])
			if why != "" {
				x.check("%s: proxy_pass %s %s.", d.at, show(d.args[0]), why)
			}
			if address != "" {
				x.value = address
				x.fromSource().note("From %s proxy_pass.", d.at)
			}
			return
		}
	}
	x.notes = nil
	x.check("%s: location / is answered by nginx itself or by FastCGI, which the gateway does not speak. Let nginx listen on a port of its own behind the gateway, and name that here.", root.at)
}

// resolve gives the address behind proxy_pass, and what a person must know about it.
func (n *nginx) resolve(pass string) (address, why string) {
	u, err := url.Parse(pass)
	if err != nil || strings.Contains(pass, "$") || u.Scheme != "http" && u.Scheme != "https" || strings.HasPrefix(pass, "http://unix:") || u.Host == "" {
		return "", "is no address that can be written here: scheme, host and port of one server"
	}
	if u.Path != "" && u.Path != "/" {
		why = "changes paths, and the gateway passes them on as they come"
	}
	up := n.upstreams[strings.ToLower(u.Host)]
	if up == nil {
		return u.Scheme + "://" + u.Host, why
	}
	var servers []string
	for _, d := range up.block {
		if d.name == "server" && len(d.args) > 0 {
			servers = append(servers, d.args[0])
		}
	}
	switch {
	case len(servers) == 0 || strings.HasPrefix(servers[0], "unix:"):
		return "", "stands for the upstream at " + up.at + ", which has no address of host and port"
	case len(servers) > 1:
		why = fmt.Sprintf("stands for %d servers, of which this is the first: balancing is left to a proxy that does it well", len(servers))
	}
	return u.Scheme + "://" + servers[0], why
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
