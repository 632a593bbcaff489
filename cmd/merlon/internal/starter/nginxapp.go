package starter

import (
	"slices"
	"strings"
)

// application adds the upstream of a location, if it is not the site's, and reports whether its requests are passed on at all.
func (n *nginx) application(r *nginxRoute) bool {
	l, at := r.at, r.site.at("upstream")
	d := pass(l)
	switch {
	case isChallenge(l) && d == nil:
		at.check("%s: %s is where a CA looks for the answers of an ACME client. With tls.acme the gateway answers its own; all others go to the site's application, so for this client let nginx stay in front.", l.at, locationName(l))
		return false
	case d == nil:
		n.answered(r)
		return false
	}
	t := n.resolve(d.args[0], lastArg(l))
	closed := strings.Join(found(l, barriers, r.server.block), ", ")
	if t.address == r.server.address && t.address != "" && !t.rewrites {
		if closed != "" {
			at.check("%s: %s has %s, and the gateway has nothing like it. Let nginx stay behind the gateway for it, or let the application do it.", l.at, locationName(l), closed)
		}
		r.same = true
		return true
	}
	why := ""
	switch {
	case t.address == "" || t.rewrites:
		why = "which " + t.why
	case closed != "":
		why = "and has " + closed + ", which the gateway has not"
	case r.why != "":
		why = "and " + r.why
	}
	if why != "" {
		at.check("%s: %s goes to %s, %s. Let nginx stay behind the gateway for it, or give it a host of its own.", d.at, locationName(l), show(d.args[0]), why)
		return false
	}
	if t.why != "" {
		r.notes = append(r.notes, note{text: d.at + ": proxy_pass " + show(d.args[0]) + " " + t.why + ".", decide: true})
	}
	r.keys, r.elsewhere = append(r.keys, &setting{key: "upstream", value: t.address}), true
	return true
}

// answered tells of a location that is not passed on by proxy_pass.
func (n *nginx) answered(r *nginxRoute) {
	by := "nginx itself"
	for _, x := range r.at.block {
		switch x.name {
		case "location":
			return // those in it are told for themselves
		case "root", "alias", "fastcgi_pass", "uwsgi_pass", "scgi_pass", "return":
			by = x.name
		case "grpc_pass":
			r.site.at("upstream").check("%s: %s goes on by grpc_pass. A route whose upstream is h2c://host:port speaks HTTP/2 without TLS to the application: try it.", x.at, locationName(r.at))
			return
		}
	}
	r.site.at("upstream").check("%s: %s is answered by %s, which the gateway cannot. Let nginx stay behind the gateway for it.", r.at.at, locationName(r.at), by)
}

// standardBody is nginx's limit of bodies where none is said.
const standardBody = "1MiB"

// maxBody writes how large the body of a request to a site may be.
func (n *nginx) maxBody(s *site, server *nginxServer) {
	x := s.at("max-body")
	d := server.pages.said("client_max_body_size")
	if d == nil {
		if !n.unlimited {
			x.check("nginx refuses bodies over 1m with 413 where client_max_body_size says nothing. Here there is no limit, because bodies stream by. To keep that of nginx:").example("max-body: " + standardBody)
		}
		n.unlimited = true
		return
	}
	if value := bodyText(d); value != "" {
		x.fromSource().note("The largest body of a request. From %s client_max_body_size.", d.at).value = value
		return
	}
	x.check("%s: client_max_body_size %s cannot be kept.", d.at, show(d.args[0]))
}

// limit adds the largest body of a location, if it is not the site's.
func (n *nginx) limit(r *nginxRoute) {
	d, site := r.at.said("client_max_body_size"), r.server.pages.said("client_max_body_size")
	if d == site || bodyText(d) == bodyText(site) {
		return
	}
	at, value := r.at.at, bodyText(d)
	if d != nil {
		at = d.at
	}
	switch {
	case value == "":
		r.site.at("routes").check("%s: client_max_body_size %s cannot be kept.", at, show(d.args[0]))
	case r.why != "":
		r.site.at("routes").check("%s: %s takes bodies up to %s, and %s. Write a route with max-body for it.", at, locationName(r.at), value, r.why)
	default:
		r.keys = append(r.keys, &setting{key: "max-body", value: value})
	}
}

// bodyText writes a client_max_body_size, whose 0 is no limit. It is "" for what is none, and nil is nginx's standard.
func bodyText(d *directive) string {
	if d == nil {
		return standardBody
	}
	size, ok := readSize(d.args[0])
	switch {
	case !ok:
		return ""
	case size == 0:
		return "off"
	}
	return sizeText(size)
}

// prefix is the path of a location that counts for all paths that begin with it.
func prefix(l *directive) (path string, ok bool) {
	switch {
	case len(l.args) == 1:
		path = l.args[0]
	case len(l.args) == 2 && l.args[0] == "^~":
		path = l.args[1]
	}
	return path, strings.HasPrefix(path, "/")
}

// unclaimed leaves out the patterns of a location that another one is closer to: location /a is two patterns, and
// location = /a or location /a/ may be there as well.
func (s *nginxServer) unclaimed(l *directive, patterns []string) []string {
	if len(patterns) < 2 {
		return patterns
	}
	return slices.DeleteFunc(slices.Clone(patterns), func(pattern string) bool {
		return slices.ContainsFunc(s.locations, func(o *directive) bool {
			path, isPrefix := prefix(o)
			exact := len(o.args) == 2 && o.args[0] == "=" && o.args[1] == pattern && pattern == patterns[0]
			return o != l && (exact || isPrefix && path == pattern && pattern != patterns[0])
		})
	})
}

// covered reports whether a location lies below one that is not like the site: without a route of its own it would get that
// one's. A route to the site's application gives it all that is the site's.
func (n *nginx) covered(r *nginxRoute) bool {
	if r.why != "" {
		return false
	}
	site, path := r.server.pages.said("client_max_body_size"), lastArg(r.at)
	return slices.ContainsFunc(r.server.locations, func(o *directive) bool {
		around, isPrefix := prefix(o)
		if o == r.at || !isPrefix || around == "/" || !strings.HasPrefix(path, around) {
			return false
		}
		return inherited(o.block, "add_header", nil) != nil || o.said("client_max_body_size") != site ||
			pass(o) != nil && n.resolve(pass(o).args[0], around).address != r.server.address
	})
}
