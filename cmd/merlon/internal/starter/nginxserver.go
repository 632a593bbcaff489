package starter

import (
	"cmp"
	"slices"
	"strings"
)

// nginxServer is a server with what it inherits.
type nginxServer struct {
	at                string
	names             []string
	ssl, plain        bool    // listens with TLS, without it
	byDefault         bool    // answers clients that ask for no name
	pairs             []pair  // certificates
	h2c, quic         string  // where it listens for HTTP/2 without TLS, and for HTTP/3
	acme              string  // where an ACME client has its place
	headers           []field // add_header of the server, or of what it is in
	lost              []field // of what it is in, which its own drop
	hidden            []field // proxy_hide_header
	block             *directive
	redirect          string // where all requests are sent, "" for a server that answers
	returns           bool   // answers all requests by itself
	odd               []note // what cannot be kept
	locations         []*directive
	pages             *directive   // the location that passes the site's pages on: /, or what its try_files falls back to; or the server
	address           string       // where they come from, "" where that cannot be written here
	tokens, forwarded []*directive // sub_filter and proxy_set_header, also of its locations
}

// inherited is nginx's rule for headers: one line on a level drops all those of the levels around it.
// https://nginx.org/en/docs/http/ngx_http_headers_module.html#add_header
func inherited(list []*directive, name string, outer []field) []field {
	var own []field
	for _, d := range list {
		if d.name == name && len(d.args) >= 1 {
			value := ""
			if len(d.args) > 1 {
				value = d.args[1]
			}
			own = append(own, field{d.args[0], value, d.at})
		}
	}
	if own == nil {
		return outer
	}
	return own
}

func readServer(d *directive, headers, hidden []field) *nginxServer {
	s := &nginxServer{at: d.at, block: d, pairs: pairs(d), headers: inherited(d.block, "add_header", headers), hidden: inherited(d.block, "proxy_hide_header", hidden)}
	if inherited(d.block, "add_header", nil) != nil {
		s.lost = headers
	}
	for _, x := range d.block {
		switch {
		case x.name == "server_name":
			s.addNames(x)
		case x.name == "listen" && len(x.args) > 0:
			s.listen(x)
		case x.name == "acme_certificate":
			s.acme = x.at
		case x.name == "return":
			s.redirect = cmp.Or(s.redirect, redirectTarget(x))
			s.returns = true
		case x.name == "if":
			s.conditional(x)
		}
	}
	s.walk(d.block)
	others := slices.DeleteFunc(slices.Clone(s.locations), isChallenge)
	if root := s.location("/"); s.redirect == "" && root != nil && len(others) == 1 && pass(root) == nil {
		for _, x := range root.block {
			if x.name == "return" {
				s.redirect = redirectTarget(x)
			}
		}
	}
	s.pages = s.mainLocation()
	if !s.ssl && !s.plain {
		s.plain = true
	}
	return s
}

// listen reads one listener.
func (s *nginxServer) listen(d *directive) {
	if slices.Contains(d.args, "quic") {
		s.quic = d.at
		return
	}
	tls := slices.Contains(d.args, "ssl") || strings.HasSuffix(d.args[0], ":443") || d.args[0] == "443"
	s.ssl, s.plain = s.ssl || tls, s.plain || !tls
	s.byDefault = s.byDefault || slices.Contains(d.args, "default_server")
	on := d.said("http2")
	switch {
	case tls:
	case slices.Contains(d.args, "http2"):
		s.h2c = d.at
	case on != nil && on.args[0] == "on":
		s.h2c = on.at
	}
}

// conditional reads an if: the one that Certbot writes, which redirects to HTTPS, or one that nobody reads here.
func (s *nginxServer) conditional(d *directive) {
	for _, x := range d.block {
		if target := redirectTarget(x); x.name == "return" && strings.HasPrefix(target, "https://") && !s.ssl {
			s.redirect = target
			return
		}
	}
	s.odd = append(s.odd, note{text: d.at + ": if is not read. What it does must be done elsewhere.", decide: true})
}

// walk finds the locations, those in locations too, and directives about nonces wherever they stand.
func (s *nginxServer) walk(list []*directive) {
	for _, x := range list {
		switch x.name {
		case "location":
			s.locations = append(s.locations, x)
			if isChallenge(x) {
				s.acme = x.at
			}
		case "sub_filter":
			s.tokens = append(s.tokens, x)
		case "proxy_set_header":
			s.forwarded = append(s.forwarded, x)
		}
		s.walk(x.block)
	}
}

// location returns the location for this prefix.
func (s *nginxServer) location(prefix string) *directive {
	for _, l := range s.locations {
		if lastArg(l) == prefix && (len(l.args) == 1 || l.args[0] == "^~") {
			return l
		}
	}
	return nil
}

// mainLocation finds what passes the site's pages on.
func (s *nginxServer) mainLocation() *directive {
	root := s.location("/")
	if root == nil {
		return s.block
	}
	if files := root.said("try_files"); pass(root) == nil && files != nil && files.parent == root {
		for _, l := range s.locations {
			if name := lastArg(files); strings.HasPrefix(name, "@") && slices.Equal(l.args, []string{name}) && pass(l) != nil {
				return l
			}
		}
	}
	return root
}

// isChallenge reports whether a location is the place where a CA looks (RFC 8555 §8.3).
func isChallenge(l *directive) bool {
	return strings.HasPrefix(lastArg(l), "/.well-known/acme-challenge")
}

func redirectTarget(d *directive) string {
	if len(d.args) == 2 && (d.args[0] == "301" || d.args[0] == "302" || d.args[0] == "307" || d.args[0] == "308") {
		return d.args[1]
	}
	if len(d.args) == 1 && strings.HasPrefix(d.args[0], "https://") {
		return d.args[0]
	}
	return ""
}

func (s *nginxServer) addNames(d *directive) {
	for _, name := range d.args {
		switch {
		case name == "_" || name == "":
		case strings.HasPrefix(name, "."):
			s.names = append(s.names, name[1:], "*"+name)
		case strings.HasPrefix(name, "~") || strings.HasSuffix(name, ".*") || strings.Contains(name, "$"):
			s.odd = append(s.odd, note{text: d.at + ": server_name " + show(name) + " is no host that can be written here: name the hosts that it stands for.", decide: true})
		default:
			s.names = append(s.names, strings.ToLower(name))
		}
	}
}
