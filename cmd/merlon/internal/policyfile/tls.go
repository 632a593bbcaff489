package policyfile

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/merlon-sec/merlon/cfgerrors"
)

// DefaultDirectory is the CA that is asked where the file names none.
const DefaultDirectory = "https://acme-v02.api.letsencrypt.org/directory"

const defaultTerms = "https://letsencrypt.org/repository/"

// TLS says how the public listener speaks HTTPS. The zero TLS means plain HTTP.
type TLS struct {
	Certs []Cert // own certificates; the first is for clients that ask for a name that none has
	ACME  *ACME  // the CA that issues the others, or nil
	Min   uint16 // lowest version, such as tls.VersionTLS12
	HTTP  string // address of a listener for plain HTTP beside it, "" for none
}

// On reports whether the public listener speaks HTTPS.
func (t TLS) On() bool { return len(t.Certs) > 0 || t.ACME != nil }

// Cert names a certificate, with those up to its root behind it, and its private key, in PEM files.
type Cert struct{ Cert, Key string }

// ACME is a CA that issues certificates by itself (RFC 8555), whose terms the operator accepts.
type ACME struct {
	Email     string // where the CA may write to, "" for nowhere
	Directory string // its address
	Roots     []byte // PEM certificates that its address is trusted by; nil for those of the system
	KeyID     string // of an account that exists at the CA already, "" for none
	MAC       []byte // proves that the account is the operator's
}

// maxRootsBytes bounds the file of a CA's certificates: the bundles of all public ones have a quarter of it.
const maxRootsBytes = 1 << 20

const (
	certHint = "write tls: {cert: cert.pem, key: key.pem}"
	acmeHint = "write acme: {email: ops@shop.example, accept_tos: true}"
)

func (r *reader) tls(v any) TLS {
	if v == nil {
		return TLS{}
	}
	keys := r.keys(v, "tls", certHint, tlsKeys)
	if keys == nil {
		return TLS{}
	}
	out := TLS{Min: r.minTLS(keys), HTTP: r.address(keys, "tls", "http", "0.0.0.0:80"), Certs: r.certs(keys)}
	if v, ok := keys["acme"]; ok {
		out.ACME = r.acme(v)
	} else if keys["cert"] == nil && keys["key"] == nil && keys["certs"] == nil {
		r.wrong("tls", cfgerrors.Missing, "", "neither certificates nor a CA that issues them", certHint+", or "+acmeHint)
	}
	return out
}

// minTLS takes 1.3 as a number as well: nobody expects YAML to want quotes there.
func (r *reader) minTLS(keys map[string]any) uint16 {
	v, ok := keys["min"]
	switch text := fmt.Sprint(v); {
	case !ok || text == "1.2":
	case text == "1.3":
		return tls.VersionTLS13
	default:
		r.wrong("tls.min", cfgerrors.InvalidValue, text, "no version of TLS that is safe to speak", "write 1.2 or 1.3")
	}
	return tls.VersionTLS12
}

func (r *reader) certs(keys map[string]any) []Cert {
	_, cert := keys["cert"]
	_, key := keys["key"]
	v, several := keys["certs"]
	switch {
	case several && (cert || key):
		r.wrong("tls.certs", cfgerrors.Conflict, "", "one certificate stands beside it", "write that one into certs as well: certs: [{cert: cert.pem, key: key.pem}]")
	case cert || key:
		return []Cert{r.cert(keys, "tls", certHint)}
	case several:
		return r.certList(v)
	}
	return nil
}

func (r *reader) certList(v any) []Cert {
	const hint = "write certs: [{cert: cert.pem, key: key.pem}]"
	list, ok := v.([]any)
	if !ok || len(list) == 0 {
		r.wrong("tls.certs", cfgerrors.WrongType, fmt.Sprint(v), "certs is a list", hint)
	}
	var out []Cert
	for i, item := range list {
		path := fmt.Sprintf("tls.certs[%d]", i)
		if keys := r.keys(item, path, hint, certKeys); keys != nil {
			out = append(out, r.cert(keys, path, hint))
		}
	}
	return out
}

func (r *reader) cert(keys map[string]any, path, hint string) Cert {
	c := Cert{r.text(keys, path, "cert"), r.text(keys, path, "key")}
	if c.Cert == "" || c.Key == "" {
		r.wrong(path, cfgerrors.Missing, "", "a certificate and its key belong together", hint)
	}
	r.named(under(path, "cert"), c.Cert)
	r.named(under(path, "key"), c.Key)
	return c
}

func (r *reader) acme(v any) *ACME {
	const path = "tls.acme"
	keys := r.keys(v, path, acmeHint, acmeKeys)
	if keys == nil {
		return nil
	}
	a := &ACME{Email: r.text(keys, path, "email"), Directory: r.text(keys, path, "directory"), Roots: r.roots(keys, "tls.acme", "ca_file")}
	if address, err := mail.ParseAddress(a.Email); a.Email != "" && (err != nil || address.Address != a.Email) {
		r.wrong(path+".email", cfgerrors.InvalidValue, a.Email, "no mail address", "write ops@shop.example, or leave it out")
	}
	terms := "they are at the address that " + a.Directory + " has under termsOfService"
	if a.Directory == "" {
		a.Directory, terms = DefaultDirectory, "those of Let's Encrypt are at "+defaultTerms
	}
	if u, err := url.Parse(a.Directory); err != nil || u.Scheme != "https" || u.Host == "" {
		r.wrong(path+".directory", cfgerrors.InvalidValue, a.Directory, "no https URL", "write "+DefaultDirectory+", or leave it out")
	}
	if keys["accept_tos"] != true {
		r.wrong(path, cfgerrors.Missing, "", "a CA issues to those who accept its terms; "+terms, "read them, then write accept_tos: true")
	}
	if v, ok := keys["eab"]; ok {
		a.KeyID, a.MAC = r.eab(v)
	}
	return a
}

// roots reads the certificates of CAs from the file that a key names, or nil where there is no such key.
func (r *reader) roots(keys map[string]any, path, key string) []byte {
	name, at := r.text(keys, path, key), under(path, key)
	if name == "" {
		return nil
	}
	const hint = "name the CA's own certificate in a PEM file"
	data, ok := r.contents(at, name, hint, maxRootsBytes)
	if ok && !x509.NewCertPool().AppendCertsFromPEM(data) {
		r.wrong(at, cfgerrors.InvalidValue, name, "no certificate in it", hint)
	}
	return data
}

// eab reads what ties the new account to one that exists at the CA. RFC 8555 §7.3.4
func (r *reader) eab(v any) (keyID string, mac []byte) {
	const path, hint = "tls.acme.eab", "write eab: {key_id: ID, key_file: FILE}, both from your account at the CA"
	keys := r.keys(v, path, hint, eabKeys)
	if keys == nil {
		return "", nil
	}
	keyID = r.text(keys, path, "key_id")
	name := r.text(keys, path, "key_file")
	if keyID == "" || name == "" {
		r.wrong(path, cfgerrors.Missing, "", "an identifier and its key belong together", hint)
		return "", nil
	}
	data, ok := r.contents(path+".key_file", name, hint, maxSecretBytes)
	if !ok {
		return "", nil
	}
	mac, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(strings.TrimSpace(string(data)), "="))
	if err != nil || len(mac) == 0 {
		r.wrong(path+".key_file", cfgerrors.InvalidValue, name, "no key in base64url in it", hint)
	}
	return keyID, mac
}

// acmeSites checks that there is something to order.
func (r *reader) acmeSites(f *File) {
	if f.TLS.ACME != nil && len(r.errs) == 0 && len(f.ACMEHosts()) == 0 {
		r.wrong("tls.acme", cfgerrors.Missing, "", "no site has a host that a CA can issue a certificate for", "write hosts: [shop.example] for the site: full names, without *")
	}
}

// ACMEHosts lists the names that certificates are ordered for, and no others: the hosts of the sites without ports. Wildcards take a
// challenge in the DNS, and public CAs issue nothing for addresses and for names without a dot.
func (f *File) ACMEHosts() []string {
	var out []string
	for _, host := range f.Hosts() {
		_, err := netip.ParseAddr(strings.Trim(host, "[]"))
		if err != nil && !strings.HasPrefix(host, "*.") && strings.Contains(host, ".") && !strings.Contains(host, "_") {
			out = append(out, host)
		}
	}
	return out
}

// Hosts lists the hosts of all sites without ports, each once.
func (f *File) Hosts() []string {
	var out []string
	for _, site := range f.Sites {
		for _, host := range site.Hosts {
			if name, _, err := net.SplitHostPort(host); err == nil {
				host = name
			}
			if !slices.Contains(out, host) {
				out = append(out, host)
			}
		}
	}
	return out
}
