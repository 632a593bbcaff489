package starter

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/policyfile"
)

// target is where the requests of a location go.
type target struct {
	address  string // "" if it cannot be written here
	why      string // what a person must know about it, "" for nothing
	rewrites bool   // whether paths change on the way
}

// unwritable is the target of what is no address here.
var unwritable = target{why: "is no address that can be written here: scheme, host and port of one server, or unix: and a path"}

// resolve gives the target of a proxy_pass in a location with this path. With a path of its own, proxy_pass puts that in the
// place of the location's. https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_pass
func (n *nginx) resolve(pass, path string) target {
	if strings.Contains(pass, "$") {
		return unwritable
	}
	var t target
	var uri string
	if socket, ok := strings.CutPrefix(pass, "http://unix:"); ok {
		socket, uri, _ = strings.Cut(socket, ":")
		t = passTo("http", "unix:"+socket)
	} else {
		u, err := url.Parse(pass)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return unwritable
		}
		_, rest, _ := strings.Cut(pass, "://")
		if i := strings.IndexAny(rest, "/?#"); i >= 0 {
			uri = rest[i:]
		}
		t = n.server(u.Scheme, u.Host)
	}
	if uri != "" && uri != path && t.address != "" {
		t.rewrites, t.why = true, "changes paths, and the gateway passes them on as they come"
	}
	return t
}

// server gives the target for the host of a proxy_pass, which may be the name of an upstream.
func (n *nginx) server(scheme, host string) target {
	up := n.upstreams[strings.ToLower(host)]
	if up == nil {
		return passTo(scheme, host)
	}
	var servers []string
	for _, d := range up.block {
		if d.name == "server" && len(d.args) > 0 && !slices.Contains(d.args, "down") {
			servers = append(servers, d.args[0])
		}
	}
	if len(servers) == 0 {
		return target{why: "stands for the upstream at " + up.at + ", which has no server"}
	}
	if scheme == "https" && !strings.Contains(servers[0], ":") {
		servers[0] += ":80" // in an upstream that is the port, whatever the scheme
	}
	t := passTo(scheme, servers[0])
	if t.address != "" && len(servers) > 1 {
		t.why = fmt.Sprintf("stands for %d servers, of which this is the first: there is one each, and a balancer belongs behind the gateway", len(servers))
	}
	return t
}

// passTo is a single server as policy files name it. Nobody speaks TLS over sockets.
func passTo(scheme, server string) target {
	address := scheme + "://" + server
	if strings.HasPrefix(server, "unix:") {
		address = server
		if scheme != "http" || strings.ContainsAny(server, "%?#") {
			return unwritable
		}
	}
	if _, err := policyfile.ParseUpstream(address); err != nil {
		return unwritable
	}
	return target{address: address}
}

// pass returns the proxy_pass of a location, nil without one.
func pass(location *directive) *directive {
	if location == nil {
		return nil
	}
	for _, d := range location.block {
		if d.name == "proxy_pass" && len(d.args) == 1 {
			return d
		}
	}
	return nil
}

// upstream reads where location / passes requests on.
func (n *nginx) upstream(s *site, server *nginxServer) {
	x := s.at("upstream")
	x.notes = nil
	root, pages := server.location("/"), server.pages
	if root == nil {
		x.check("nginx has no location / that passes requests on. If it serves files itself, let it listen on a port of its own behind the gateway, and name that here.")
		return
	}
	d := pass(pages)
	if d == nil {
		x.check("%s: location / is answered by nginx itself or by FastCGI, which the gateway does not speak. Let nginx listen on a port of its own behind the gateway, and name that here.", root.at)
		return
	}
	t := n.resolve(d.args[0], "/")
	if t.why != "" {
		x.check("%s: proxy_pass %s %s.", d.at, show(d.args[0]), t.why)
	}
	if t.address != "" {
		x.value = t.address
		x.fromSource().note("From %s proxy_pass.", d.at)
	}
	if pages != root {
		x.check("%s: try_files of location / answers with files where there are any. The gateway serves none: let the application do it, or let nginx stay behind the gateway.", root.at)
	}
}

// barriers are what nginx does to requests before it passes them on, and the gateway does not: a route must not open what they close.
var barriers = []string{"deny", "auth_basic", "auth_request", "auth_jwt", "internal", "limit_except", "secure_link", "return", "rewrite", "if"}

// slower are what can go without letting anybody in.
var slower = []string{"limit_req", "limit_conn", "proxy_cache", "ssl_verify_client"}

// found names the directives of a list in the blocks from d outwards, each once. It ends before the block that until has.
func found(d *directive, names []string, until *directive) []string {
	var out []string
	for ; d != nil && d != until; d = d.parent {
		for _, x := range d.block {
			if slices.Contains(names, x.name) && !slices.Contains(out, x.name) && !(len(x.args) > 0 && x.args[0] == "off") {
				out = append(out, x.name)
			}
		}
	}
	return out
}

// lost tells what nginx does for the whole site beside passing on. What try_files falls back to has passed location / before.
func (n *nginx) lost(s *site, server *nginxServer) {
	all := slices.Concat(barriers, slower)
	names := slices.Concat(found(server.location("/"), all, server.block), found(server.pages, all, server.block),
		found(server.block, slices.DeleteFunc(all, func(name string) bool { return name == "if" || name == "return" }), nil)) // server.odd has those
	slices.Sort(names)
	if names = slices.Compact(names); len(names) > 0 {
		s.at("upstream").check("%s: nginx has %s for this site, and the gateway has nothing like it. Let nginx stay behind the gateway, or let the application do it.", server.at, strings.Join(names, ", "))
	}
}
