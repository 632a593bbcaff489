package starter

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// route writes what a location does in another way than its site.
func (n *nginx) route(s *site, server *nginxServer, l *directive, base []field) {
	if l == server.location("/") || l == server.pages {
		return
	}
	r := &nginxRoute{site: s, server: server, at: l}
	r.matches, r.why = locationPatterns(l.args)
	r.matches = server.unclaimed(l, r.matches)
	if n.application(r) {
		n.limit(r)
	}
	n.headers(r, base)
	if r.keys == nil && r.same && n.covered(r) {
		r.keys = []*setting{{key: "upstream", value: s.at("upstream").value}}
	}
	if r.keys == nil {
		s.at("routes").notes = append(s.at("routes").notes, r.notes...)
		return
	}
	if len(r.matches) > 1 {
		r.notes = append(r.notes, note{text: "In nginx " + show(r.matches[0]) + " begins other paths too, such as " + show(r.matches[0]+"x") + ": those are the site's here.", decide: r.elsewhere})
	}
	for i, match := range r.matches {
		route := append([]*setting{{key: "match", value: match}}, keysOf(r.keys)...)
		route = append(route, &setting{key: "reason", value: "as in nginx at " + l.at})
		if i > 0 {
			r.notes = []note{{text: "The same below it."}}
		}
		s.addRoute(route, r.notes...)
	}
}

// nginxRoute is a route in the making.
type nginxRoute struct {
	site      *site
	server    *nginxServer
	at        *directive // the location
	matches   []string   // patterns
	why       string     // why there are none
	keys      []*setting
	notes     []note
	elsewhere bool // whether its application is another than the site's
	same      bool // whether it is the site's
}

func locationName(l *directive) string { return "location " + show(strings.Join(l.args, " ")) }

// headers adds what the location says of headers.
func (n *nginx) headers(r *nginxRoute, base []field) {
	own := inherited(r.at.block, "add_header", nil)
	if own == nil {
		return
	}
	name := locationName(r.at)
	if r.why != "" {
		r.site.at("routes").check("%s: %s sets %s, and %s. Write a route for it.", r.at.at, name, show(names(own)), r.why)
		return
	}
	if lost := missing(r.server.headers, own); lost != "" {
		r.notes = append(r.notes, note{text: r.at.at + ": " + name + " has lost " + lost + ": an add_header in a location drops all those around it. Here they are sent.", decide: true})
	}
	keys, said := n.changes(r.site, own, base)
	r.keys, r.notes = append(r.keys, keys...), append(r.notes, said...)
}

// keysOf copies settings, because what is dropped of one route stays in the other.
func keysOf(list []*setting) []*setting {
	out := make([]*setting, len(list))
	for i, s := range list {
		c := *s
		if group, ok := s.value.([]*setting); ok {
			c.value = keysOf(group)
		}
		c.notes = slices.Clone(s.notes)
		out[i] = &c
	}
	return out
}

func names(list []field) string {
	out := make([]string, len(list))
	for i, f := range list {
		out[i] = f.name
	}
	return strings.Join(out, ", ")
}

// missing names the headers of outer that own has not: what nginx does not send where own is set. frame-ancestors stands in
// for X-Frame-Options.
func missing(outer, own []field) string {
	framed := readPolicies(values(named(own, enforcedHeader))).frames
	var out []string
	for _, h := range outer {
		replaced := len(named(own, h.name)) > 0 || framed && strings.EqualFold(h.name, "X-Frame-Options")
		if name := plain(h.name); !replaced && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return strings.Join(out, ", ")
}

// changes are the keys of a route for its headers.
func (n *nginx) changes(s *site, own, base []field) (keys []*setting, notes []note) {
	scratch := &site{}
	own = n.fields(scratch, own)
	for i := range own {
		own[i].at = "" // the route says where it comes from
	}
	differ := slices.DeleteFunc(slices.Clone(own), func(f field) bool {
		return slices.ContainsFunc(base, func(b field) bool { return strings.EqualFold(b.name, f.name) && b.value == f.value })
	})
	if len(differ) > 0 {
		scratch.take(differ, true)
	}
	headers := &setting{key: "headers"}
	for _, x := range scratch.sorted() {
		switch {
		case !hasValue(x):
		case x.key == "frame" || x.key == "csp" || x.key == "trial":
			keys = append(keys, x)
			continue
		case x.key == "https" || x.key == "reporting-endpoints":
			notes = append(notes, note{text: fmt.Sprintf("%s is about the whole site and is left out here.", x.key)})
			continue
		default:
			headers.child(headerName(x.key)).value = x.value
		}
		notes = append(notes, x.notes...)
	}
	for _, f := range differ { // what the preset says already
		v := strings.TrimSpace(f.value)
		if key := strings.ToLower(f.name); slices.Contains(single, headerName(key)) && presetValues()[key] == v && s.at(key).value != nil {
			headers.child(headerName(key)).value = v
		}
	}
	for _, f := range differ {
		if v := strings.TrimSpace(f.value); !known(f.name) && v != "" {
			headers.child(f.name).value = v
		}
	}
	if headers.value != nil {
		keys = append(keys, headers)
	}
	return keys, notes
}

// known reports whether take reads a header.
func known(name string) bool {
	return slices.ContainsFunc(append([]string{"X-Frame-Options", enforcedHeader, trialHeader, "Strict-Transport-Security", "Reporting-Endpoints", "Feature-Policy", "Expect-CT", "Public-Key-Pins", "P3P"}, single...),
		func(k string) bool { return strings.EqualFold(k, name) })
}

func headerName(key string) string {
	for _, name := range single {
		if strings.EqualFold(name, key) {
			return name
		}
	}
	return key
}

// patternPath are paths that mean in a ServeMux pattern what they say.
var patternPath = regexp.MustCompile(`^/[A-Za-z0-9._~!$&'()+,=:@/-]*$`)

// locationPatterns are the patterns of a route for the arguments of a location, or why there are none.
// https://nginx.org/en/docs/http/ngx_http_core_module.html#location
func locationPatterns(args []string) (matches []string, why string) {
	if len(args) == 0 {
		return nil, "it has no path"
	}
	path, kind := args[len(args)-1], ""
	if len(args) == 2 {
		kind = args[0]
	}
	switch {
	case len(args) > 2 || kind == "~" || kind == "~*":
		return nil, "routes have no regular expressions"
	case strings.HasPrefix(path, "@"):
		return nil, "no request reaches it by its path"
	case !patternPath.MatchString(path) || strings.Contains(path, "//") || strings.Contains(path, "/."):
		return nil, "its path has characters that mean something else in a pattern"
	case kind == "=" && strings.HasSuffix(path, "/"):
		return []string{path + "{$}"}, ""
	case kind == "=":
		return []string{path}, ""
	}
	return pathPatterns(path), ""
}
