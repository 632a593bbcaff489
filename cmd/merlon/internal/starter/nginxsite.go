package starter

import (
	"cmp"
	"crypto/tls"
	"fmt"
	"net/url"
	"regexp"
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

// nginx makes sites of servers.
type nginx struct {
	*nginxReader
	draft     *draft
	options   Options
	upstreams map[string]*directive
	servers   []*nginxServer
}

func fromNginx(o Options, name string, data []byte) (*Result, error) {
	reader, list, err := readNginx(name, data)
	if err != nil {
		return nil, err
	}
	n := &nginx{nginxReader: reader, options: o, draft: newDraft("merlon init --from " + plain(name)), upstreams: map[string]*directive{}}
	n.collect(list, nil, nil)
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
	seen := s.take(fields, server.ssl)
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

var (
	variable      = regexp.MustCompile(`\$\{?\w+\}?`)
	nonceVariable = regexp.MustCompile(`(?i)'nonce-[^']*'`)
)

// fields takes out what only nginx could say: variables.
func (n *nginx) fields(s *site, list []field) []field {
	var out []field
	for _, f := range list {
		isPolicy := strings.EqualFold(f.name, enforcedHeader) || strings.EqualFold(f.name, trialHeader)
		rest := f.value
		if isPolicy {
			rest = nonceVariable.ReplaceAllString(rest, "")
		}
		if !strings.Contains(rest, "$") {
			out = append(out, f)
			continue
		}
		key := strings.ToLower(f.name)
		if isPolicy {
			key = map[bool]string{true: "csp", false: "trial"}[strings.EqualFold(f.name, enforcedHeader)]
			var kept []string
			for _, word := range strings.Split(f.value, " ") {
				if nonceVariable.MatchString(word) || !strings.Contains(word, "$") {
					kept = append(kept, word)
				} else if strings.HasSuffix(word, ";") {
					kept = append(kept, ";")
				}
			}
			f.value = strings.Join(kept, " ")
			out = append(out, f)
		}
		if !slices.Contains(single, f.name) && !isPolicy {
			key = "headers"
		}
		s.at(key).check("%s: %s of nginx in %s cannot be kept. Write what it stands for.", f.at, show(strings.Join(variable.FindAllString(rest, 4), ", ")), show(f.name))
	}
	return out
}

// nonces reads recipes that put a nonce into pages.
func (n *nginx) nonces(s *site, server *nginxServer) {
	x := s.at("nonce")
	for _, d := range server.tokens {
		if len(d.args) != 2 {
			continue
		}
		text := strings.ToLower(d.args[0] + " " + d.args[1])
		switch {
		case strings.Contains(text, "<script") && strings.Contains(text, "nonce"):
			x.value = "dangerously-inject"
			x.fromSource().check("%s: sub_filter gives every script element a nonce, also one that somebody injects. dangerously-inject does the same. forward or {placeholder_file: F} stop injected scripts: the application prints the nonce itself.", d.at)
		case strings.Contains(d.args[1], "$"):
			x.check("%s: sub_filter replaces %s by %s. {placeholder_file: F} does that with a secret from a file, in script and style elements only; with forward the application prints the request header Merlon-Nonce. Until one is in force, scripts that want the nonce do not run.", d.at, show(d.args[0]), show(d.args[1]))
		default:
			x.note("%s: sub_filter %s is left out: the gateway changes nothing in pages but nonces.", d.at, show(d.args[0]))
		}
	}
}

// told are request headers that the gateway sets or passes on by itself.
var told = []string{"host", "x-forwarded-proto", "x-forwarded-for", "x-forwarded-host", "x-forwarded-port", "connection", "upgrade", "accept-encoding"}

func (n *nginx) forwarded(s *site, server *nginxServer) {
	seen := map[string]bool{}
	for _, d := range server.forwarded {
		if len(d.args) != 2 || seen[strings.ToLower(d.args[0])] || slices.Contains(told, strings.ToLower(d.args[0])) {
			continue
		}
		seen[strings.ToLower(d.args[0])] = true
		if strings.Contains(strings.ToLower(d.args[0]), "nonce") {
			s.at("nonce").check("%s: the application reads the nonce from %s. Here it is in Merlon-Nonce.", d.at, show(d.args[0]))
			continue
		}
		s.at("upstream").check("%s: proxy_set_header %s is not done by the gateway. See that the application can do without.", d.at, show(d.args[0]))
	}
}
