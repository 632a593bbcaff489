package policyfile_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/policyfile"
)

func TestTLS(t *testing.T) {
	dir := t.TempDir()
	roots, mac := filepath.Join(dir, "ca.pem"), filepath.Join(dir, "mac")
	pemText := authority(t)
	write(t, roots, string(pemText))
	write(t, mac, "c2VjcmV0\n") // secret
	letsEncrypt := policyfile.ACME{Directory: policyfile.DefaultDirectory}
	for text, want := range map[string]policyfile.TLS{
		"cert: a.pem, key: a.key":                                          {Certs: []policyfile.Cert{{Cert: "a.pem", Key: "a.key"}}, Min: tls.VersionTLS12},
		"certs: [{cert: a, key: b}, {cert: c, key: d}], min: 1.3":          {Certs: []policyfile.Cert{{Cert: "a", Key: "b"}, {Cert: "c", Key: "d"}}, Min: tls.VersionTLS13},
		"acme: {accept_tos: true}, min: '1.2', http: '0.0.0.0:80'":         {ACME: &letsEncrypt, Min: tls.VersionTLS12, HTTP: "0.0.0.0:80"},
		"acme: {accept_tos: true}, certs: [{cert: a, key: b}], min: '1.3'": {ACME: &letsEncrypt, Certs: []policyfile.Cert{{Cert: "a", Key: "b"}}, Min: tls.VersionTLS13},
		"acme: {accept_tos: true, email: ops@shop.example, directory: 'https://ca.example:14000/dir', ca_file: " + roots + ", eab: {key_id: me, key_file: " + mac + "}}": {Min: tls.VersionTLS12,
			ACME: &policyfile.ACME{Email: "ops@shop.example", Directory: "https://ca.example:14000/dir", Roots: pemText, KeyID: "me", MAC: []byte("secret")}},
	} {
		f, err := policyfile.Parse("m", []byte("version: 1\nupstream: http://127.0.0.1:8000\nhosts: [shop.example]\ntls: {"+text+"}\n"))
		if err != nil {
			t.Errorf("tls: {%s}: %v", text, err)
			continue
		}
		if diff := cmp.Diff(want, f.TLS); diff != "" {
			t.Errorf("tls: {%s} (-want +got):\n%s", text, diff)
		}
		for _, name := range []string{roots, mac} {
			if strings.Contains(text, name) && !slices.Contains(f.Files, name) {
				t.Errorf("tls: {%s}: the files %q lack %s", text, f.Files, name)
			}
		}
	}
}

func TestTLSMistakes(t *testing.T) {
	none := filepath.Join(t.TempDir(), "none")
	write(t, none, "no PEM and = no base64")
	for text, want := range map[string]string{
		"on":                     "m:3:1: tls: \"on\": it takes the keys cert, key, certs, acme, min, http (write tls: {cert:",
		"{}":                     "m:3:1: tls: neither certificates nor a CA that issues them",
		"{http: '127.0.0.1:80'}": "m:3:1: tls: neither certificates nor a CA",
		"{cert: a}":              "m:3:1: tls: a certificate and its key belong together",
		"{crt: a}":               "m:3:7: tls.crt: unknown key (keys here: cert, key, certs, acme, min, http)",
		"{certs: []}":            "m:3:7: tls.certs: \"[]\": certs is a list (write certs: [{cert: cert.pem, key: key.pem}])",
		"{certs: [{cert: a}]}":   "m:3:16: tls.certs[0]: a certificate and its key belong together",
		"{certs: [a.pem]}":       "m:3:15: tls.certs[0]: \"a.pem\": it takes the keys cert, key",
		"{certs: [{pem: a}]}":    "m:3:16: tls.certs[0].pem: unknown key",
		"{cert: a, key: b, certs: [{cert: a, key: b}]}":                        "m:3:24: tls.certs: one certificate stands beside it",
		"{cert: a, key: b, min: 1.1}":                                          "m:3:24: tls.min: \"1.1\": no version of TLS that is safe to speak (write 1.2 or 1.3)",
		"{acme: on}":                                                           "m:3:7: tls.acme: \"on\": it takes the keys email, directory",
		"{acme: {}}":                                                           "m:3:7: tls.acme: a CA issues to those who accept its terms; those of Let's Encrypt are at https://letsencrypt.org/repository/ (read them, then write accept_tos: true)",
		"{acme: {accept_tos: false}}":                                          "m:3:7: tls.acme: a CA issues to those who accept its terms",
		"{acme: {accept_tos: yes}}":                                            "m:3:7: tls.acme: a CA issues to those who accept its terms",
		"{acme: {directory: https://ca.example/d}}":                            "m:3:7: tls.acme: a CA issues to those who accept its terms; they are at the address that https://ca.example/d has under termsOfService",
		"{acme: {accept_tos: true, mail: a}}":                                  "m:3:32: tls.acme.mail: unknown key (keys here: email,",
		"{acme: {accept_tos: true, email: Ops <a@b.example>}}":                 "m:3:32: tls.acme.email: \"Ops <a@b.example>\": no mail address",
		"{acme: {accept_tos: true, directory: http://ca.example/}}":            "m:3:32: tls.acme.directory: \"http://ca.example/\": no https URL",
		"{acme: {accept_tos: true, ca_file: /absent}}":                         "m:3:32: tls.acme.ca_file: \"/absent\": no such file or directory",
		"{acme: {accept_tos: true, ca_file: " + none + "}}":                    "no certificate in it",
		"{acme: {accept_tos: true, eab: {key_id: a}}}":                         "m:3:32: tls.acme.eab: an identifier and its key belong together",
		"{acme: {accept_tos: true, eab: {key_id: a, key_file: " + none + "}}}": "no key in base64url in it",
		"{acme: {accept_tos: true}}":                                           "m:3:7: tls.acme: no site has a host that a CA can issue a certificate for (write hosts: [shop.example]",
	} {
		_, err := policyfile.Parse("m", []byte("version: 1\nupstream: http://127.0.0.1:8000\ntls: "+text+"\n"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("tls: %s\n got %v\nwant %s", text, err, want)
		}
	}
}

// A CA is never asked for more than what stands in the file.
func TestACMEHosts(t *testing.T) {
	f, err := policyfile.Parse("m", []byte(`version: 1
tls: {acme: {accept_tos: true}}
sites:
  - {upstream: "http://a:1", hosts: [Shop.example, "shop.example:8443", "*.shop.example", 127.0.0.1, "[::1]:443", localhost, a_b.example]}
  - {upstream: "http://a:1", hosts: ["blog.example:443"]}
`))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"shop.example", "blog.example"}, f.ACMEHosts()); diff != "" {
		t.Errorf("ACMEHosts (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"shop.example", "*.shop.example", "127.0.0.1", "::1", "localhost", "a_b.example", "blog.example"}, f.Hosts()); diff != "" {
		t.Errorf("Hosts (-want +got):\n%s", diff)
	}
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// authority returns a certificate in PEM.
func authority(t *testing.T) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}
