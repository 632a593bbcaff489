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
	ssl, plain        bool // listens with TLS, without it
	cert, key         string
	headers           []field // add_header of the server, or of what it is in
	lost              []field // of what it is in, which its own drop
	hidden            []field // proxy_hide_header
	block             []*directive
	redirect          string // where all requests are sent, "" for a server that answers
	returns           bool   // answers all requests by itself
	odd               []note // what cannot be kept
	locations         []*directive
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
	s := &nginxServer{at: d.at, block: d.block, headers: inherited(d.block, "add_header", headers), hidden: inherited(d.block, "proxy_hide_header", hidden)}
	if inherited(d.block, "add_header", nil) != nil {
		s.lost = headers
	}
	for _, x := range d.block {
		switch {
		case x.name == "server_name":
			s.addNames(x)
		case x.name == "listen" && len(x.args) > 0:
			tls := slices.Contains(x.args, "ssl") || strings.HasSuffix(x.args[0], ":443") || x.args[0] == "443"
			s.ssl, s.plain = s.ssl || tls, s.plain || !tls
		case x.name == "ssl_certificate" && len(x.args) == 1:
			s.cert = x.args[0]
		case x.name == "ssl_certificate_key" && len(x.args) == 1:
			s.key = x.args[0]
		case x.name == "return":
			s.redirect = cmp.Or(s.redirect, redirectTarget(x))
			s.returns = true
		case x.name == "if":
			s.conditional(x)
		}
	}
	s.walk(d.block)
	if root := s.location("/"); s.redirect == "" && root != nil && len(s.locations) == 1 && !s.passes(root) {
		for _, x := range root.block {
			if x.name == "return" {
				s.redirect = redirectTarget(x)
			}
		}
	}
	if !s.ssl && !s.plain {
		s.plain = true
	}
	return s
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
		case "sub_filter":
			s.tokens = append(s.tokens, x)
		case "proxy_set_header":
			s.forwarded = append(s.forwarded, x)
		}
		s.walk(x.block)
	}
}

func (s *nginxServer) passes(location *directive) bool {
	return slices.ContainsFunc(location.block, func(d *directive) bool { return d.name == "proxy_pass" })
}

// location returns the location for this prefix.
func (s *nginxServer) location(prefix string) *directive {
	for _, l := range s.locations {
		if len(l.args) > 0 && l.args[len(l.args)-1] == prefix && (len(l.args) == 1 || l.args[0] == "^~") {
			return l
		}
	}
	return nil
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
