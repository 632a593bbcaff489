package starter

import (
	"crypto/tls"
	"regexp"
	"slices"
)

// pair is a certificate with its key, as files.
type pair struct{ cert, key string }

// pairs are the certificates of a server, which may have one of each kind of key.
func pairs(server *directive) []pair {
	certs, keys := server.saidAll("ssl_certificate"), server.saidAll("ssl_certificate_key")
	var out []pair
	for i := range min(len(certs), len(keys)) {
		out = append(out, pair{certs[i].args[0], keys[i].args[0]})
	}
	return out
}

// issued matches the directories of programs that get certificates by ACME.
var issued = regexp.MustCompile(`/(?:letsencrypt|certbot|\.?acme\.sh|dehydrated|lego|getssl)/`)

// certificates writes those of the listener that are there and can be read, and reports whether there is one. Those of the
// default server come first, because here as there they are for clients that ask for no name.
func (n *nginx) certificates(sites []*nginxServer) bool {
	var all []pair
	x := &setting{key: "tls"}
	for _, byDefault := range []bool{true, false} {
		for _, s := range sites {
			for _, p := range s.pairs {
				if s.byDefault == byDefault && !slices.Contains(all, p) {
					all = append(all, p)
				}
			}
		}
	}
	if len(all) > 0 {
		n.top((&setting{key: "listen"}).note("The public listener, 127.0.0.1:8080 if absent. When nginx has let the port go:").example("listen: 0.0.0.0:443"))
		n.writePairs(x, all)
	}
	n.issuer(x, all)
	n.top(x)
	return x.value != nil
}

func (n *nginx) writePairs(x *setting, all []pair) {
	x.note("The certificates of the public listener, chosen by the name that a client asks for. http: 0.0.0.0:80 adds a listener for plain HTTP.")
	var good [][]*setting
	var bad []pair
	for _, p := range all {
		p = pair{n.relativeTo(p.cert), n.relativeTo(p.key)}
		if _, err := tls.LoadX509KeyPair(p.cert, p.key); err != nil || !printable(p.cert+p.key) {
			bad = append(bad, p)
			continue
		}
		good = append(good, []*setting{{key: "cert", value: p.cert}, {key: "key", value: p.key}})
	}
	switch {
	case len(good) == 1 && bad == nil:
		x.child("cert").fromSource().value = good[0][0].value
		x.child("key").fromSource().value = good[0][1].value
	case good != nil:
		x.child("certs").fromSource().value = good
	}
	if bad == nil {
		return
	}
	x.check("what cannot be read here is not in force: %s and %s%s. Write it when it can be:", show(bad[0].cert), show(bad[0].key), map[bool]string{true: ", and more"}[len(bad) > 1])
	example := func(p pair) string {
		return "{cert: " + scalar(plain(p.cert)) + ", key: " + scalar(plain(p.key)) + "}"
	}
	if len(all) == 1 {
		x.example("tls: " + example(bad[0]))
		return
	}
	if good == nil {
		x.example("tls:").example("  certs:")
	}
	for _, p := range bad {
		x.example("    - " + example(p))
	}
}

// issuer names tls.acme where something gets certificates from a CA already.
func (n *nginx) issuer(x *setting, all []pair) {
	what := ""
	for _, p := range all {
		if issued.MatchString(p.cert) {
			what = show(p.cert) + " comes from a CA, by an ACME client such as Certbot."
			break
		}
	}
	for _, s := range n.servers {
		if s.acme != "" && what == "" {
			what = s.acme + ": an ACME client gets certificates from a CA."
		}
	}
	if what == "" {
		return
	}
	x.note("%s It can go on: the gateway reads files again when they change. Or the gateway gets them itself, for hosts, if you accept the CA's terms (docs/tls.md):", what).
		example("tls: {http: 0.0.0.0:80, acme: {email: ops@shop.example, accept_tos: true}}")
}
