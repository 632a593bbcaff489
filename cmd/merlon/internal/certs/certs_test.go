package certs_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/acme"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/certs"
)

// issue writes a certificate for the names and its key into a folder.
func issue(t *testing.T, key crypto.Signer, from, to time.Time, names ...string) certs.Pair {
	t.Helper()
	dir := t.TempDir()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: from, NotAfter: to}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	p := certs.Pair{Cert: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem")}
	for name, block := range map[string]*pem.Block{p.Cert: {Type: "CERTIFICATE", Bytes: der}, p.Key: {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

func valid(t *testing.T, names ...string) certs.Pair {
	t.Helper()
	return issue(t, curveKey(t), time.Now().Add(-time.Hour), time.Now().Add(time.Hour), names...)
}

func curveKey(t *testing.T) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func read(t *testing.T, pairs ...certs.Pair) *certs.Own {
	t.Helper()
	own, err := certs.Read(pairs)
	if err != nil {
		t.Fatal(err)
	}
	return own
}

// served is the certificate that a client gets that asks for the name.
func served(t *testing.T, k *certs.Keeper, config *tls.Config) *x509.Certificate {
	t.Helper()
	l, err := tls.Listen("tcp", "127.0.0.1:0", k.TLS())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		if conn, err := l.Accept(); err == nil {
			conn.(*tls.Conn).Handshake()
			conn.Close()
		}
	}()
	defer func() { <-done }()
	config.InsecureSkipVerify = true
	conn, err := tls.Dial("tcp", l.Addr().String(), config)
	if err != nil {
		t.Fatalf("a handshake for %q: %v", config.ServerName, err)
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0]
}

func TestTheNameChooses(t *testing.T) {
	first, below, shop := valid(t, "first.example"), valid(t, "*.Shop.example"), valid(t, "a.shop.example", "shop.example")
	k := certs.New(certs.Config{Logger: slog.New(slog.DiscardHandler)})
	defer k.Close()
	k.Use(read(t, first, below, shop), []string{"unordered.example"}) // without a CA nothing is
	for name, want := range map[string]certs.Pair{
		"first.example": first, "b.shop.example": below, "B.SHOP.example": below, "a.shop.example": shop, "shop.example": shop,
		"c.b.shop.example": first, "other.example": first, "unordered.example": first, "": first,
	} {
		pair, err := tls.LoadX509KeyPair(want.Cert, want.Key)
		if err != nil {
			t.Fatal(err)
		}
		if got := served(t, k, &tls.Config{ServerName: name}); !got.Equal(pair.Leaf) {
			t.Errorf("a client that asks for %q gets the certificate for %q, want %q", name, got.DNSNames, pair.Leaf.DNSNames)
		}
	}
}

// Of two certificates with the name a client gets the one whose key it can check.
func TestTheClientsKeyChooses(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	k := certs.New(certs.Config{})
	defer k.Close()
	k.Use(read(t, valid(t, "shop.example"), issue(t, key, time.Now().Add(-time.Hour), time.Now().Add(time.Hour), "shop.example")), nil)
	for suite, want := range map[uint16]x509.PublicKeyAlgorithm{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: x509.RSA, tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: x509.ECDSA} {
		if got := served(t, k, &tls.Config{ServerName: "shop.example", MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{suite}}); got.PublicKeyAlgorithm != want {
			t.Errorf("a client of %s got a key of %s", tls.CipherSuiteName(suite), got.PublicKeyAlgorithm)
		}
	}
}

func TestReadMistakes(t *testing.T) {
	a, b := valid(t, "a.example"), valid(t, "b.example")
	absent := certs.Pair{Cert: a.Cert, Key: filepath.Join(t.TempDir(), "absent")}
	_, err := certs.Read([]certs.Pair{{Cert: a.Cert, Key: b.Key}, b, absent})
	if err == nil {
		t.Fatal("Read takes another certificate's key")
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != 2 || !strings.Contains(lines[0], a.Cert) || !strings.Contains(lines[0], b.Key) || !strings.Contains(lines[0], "does not match") || !strings.Contains(lines[1], absent.Key) {
		t.Errorf("Read: %q", lines)
	}
}

func TestWarnings(t *testing.T) {
	now := time.Now()
	old := issue(t, curveKey(t), now.Add(-48*time.Hour), now.Add(-24*time.Hour), "old.example", "127.0.0.1", "::1")
	early := issue(t, curveKey(t), now.Add(24*time.Hour), now.Add(48*time.Hour), "*.early.example")
	open := valid(t, "open.example")
	want := []string{"the certificate " + old.Cert + " ended on ", "the certificate " + early.Cert + " begins on "}
	if runtime.GOOS != "windows" {
		if err := os.Chmod(open.Key, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(old.Key, 0o640); err != nil { // a group of servers may read it
			t.Fatal(err)
		}
		want = append(want, "the key "+open.Key+" has mode 0644")
	}
	want = append(want, "no certificate is for bare.example, *.old.example, b.a.early.example, early.example, 10.0.0.1: ")
	own := read(t, old, early, open)
	got := own.Warnings([]string{"bare.example", "old.example", "*.old.example", "*.early.example", "a.early.example", "b.a.early.example", "early.example",
		"ordered.example", "127.0.0.1", "::1", "[::1]", "10.0.0.1"}, []string{"ordered.example"}, now)
	if len(got) != len(want) {
		t.Fatalf("Warnings:\n%s\nwant %d", strings.Join(got, "\n"), len(want))
	}
	for i, w := range got {
		if !strings.HasPrefix(w, want[i]) {
			t.Errorf("warning %q, want %q", w, want[i])
		}
	}
	if got := read(t, valid(t, "a.example")).Warnings([]string{"a.example"}, nil, now); got != nil {
		t.Errorf("warnings where all is well: %q", got)
	}
}

// The CA's limits are not tried: pauses grow, and what it says about them counts.
func TestPauses(t *testing.T) {
	away := &net.OpError{Op: "dial", Err: errors.New("connection refused")}
	no := &acme.AuthorizationError{}
	broken := &acme.Error{StatusCode: 500}
	limited := &acme.Error{StatusCode: 429, ProblemType: "urn:ietf:params:acme:error:rateLimited", Header: http.Header{"Retry-After": {"7200"}}}
	forever := &acme.Error{StatusCode: 429, ProblemType: "urn:ietf:params:acme:error:rateLimited", Header: http.Header{"Retry-After": {"31536000"}}}
	errs := []error{away, broken, away, no, no, away, limited, no, no, no, no, forever}
	want := []time.Duration{5 * time.Second, 10 * time.Second, 20 * time.Second, 20 * time.Minute, 40 * time.Minute, 40 * time.Second, 2 * time.Hour,
		160 * time.Minute, 320 * time.Minute, 6 * time.Hour, 6 * time.Hour, 24 * time.Hour}
	for i, got := range certs.Pauses(errs...) {
		if got < want[i] || got > want[i]+want[i]/10 {
			t.Errorf("failure %d (%v): a pause of %v, want %v and up to a tenth", i, errs[i], got, want[i])
		}
	}
	for range 20 {
		errs = append(errs, away)
	}
	if got := certs.Pauses(errs...); got[len(got)-1] > 17*time.Minute {
		t.Errorf("a CA that is away is asked again after %v", got[len(got)-1])
	}
}

func TestDue(t *testing.T) {
	begin := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	const day = 24 * time.Hour
	for life, before := range map[time.Duration]time.Duration{6 * day: 2 * day, 90 * day: 30 * day, 365 * day: 30 * day} {
		end := begin.Add(life)
		if got := end.Sub(certs.Due(&x509.Certificate{NotBefore: begin, NotAfter: end})); got < before || got > before+before/10 {
			t.Errorf("a certificate of %v is renewed %v before its end, want %v and up to a tenth", life, got, before)
		}
	}
}

// The certificates of two CAs, or of two of one, do not meet.
func TestFolder(t *testing.T) {
	got := map[string]string{}
	for _, directory := range []string{"https://acme-v02.api.letsencrypt.org/directory", "https://acme-staging-v02.api.letsencrypt.org/directory",
		"https://127.0.0.1:14000/dir", "https://127.0.0.1:14000/../../etc", "https://../", "https://ca.example/a?b=c"} {
		got[directory] = certs.Folder("acme", directory)
	}
	want := map[string]string{
		"https://acme-v02.api.letsencrypt.org/directory":         filepath.Join("acme", "acme-v02.api.letsencrypt.org-directory"),
		"https://acme-staging-v02.api.letsencrypt.org/directory": filepath.Join("acme", "acme-staging-v02.api.letsencrypt.org-directory"),
		"https://127.0.0.1:14000/dir":                            filepath.Join("acme", "127.0.0.1-14000-dir"),
		"https://127.0.0.1:14000/../../etc":                      filepath.Join("acme", "127.0.0.1-14000-..-..-etc"),
		"https://../":                                            "acme",
		"https://ca.example/a?b=c":                               filepath.Join("acme", "ca.example-a-b-c"),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Folder (-want +got):\n%s", diff)
	}
}

func TestAdvice(t *testing.T) {
	problem := func(kind string) *acme.Error {
		return &acme.Error{StatusCode: 403, ProblemType: "urn:ietf:params:acme:error:" + kind}
	}
	plain := certs.New(certs.Config{ACME: &certs.CA{Directory: "https://ca.example/dir"}, Plain: true})
	defer plain.Close()
	alone := certs.New(certs.Config{ACME: &certs.CA{Directory: "https://ca.example/dir"}})
	defer alone.Close()
	for _, c := range []struct {
		keeper *certs.Keeper
		err    error
		want   string
	}{
		{plain, &acme.AuthorizationError{Errors: []error{problem("connection")}}, "shop.example on port 443 or port 80:"},
		{alone, &acme.AuthorizationError{Errors: []error{problem("dns")}}, "shop.example on port 443 (or port 80, with tls.http: 0.0.0.0:80)"},
		{plain, &acme.AuthorizationError{Errors: []error{problem("caa")}}, "allow this CA in the domain's CAA records"},
		{plain, &acme.OrderError{Problem: problem("rejectedIdentifier")}, "take the host out of hosts"},
		{plain, problem("rateLimited"), "wait: "},
		{plain, problem("externalAccountRequired"), "write tls.acme.eab"},
		{plain, problem("malformed"), "the CA says why"},
		{plain, errors.New("no route to host"), "look whether this machine reaches https://ca.example/dir"},
	} {
		if got := certs.Advice(c.keeper, "shop.example", c.err); !strings.Contains(got, c.want) {
			t.Errorf("after %v: %q, want %q", c.err, got, c.want)
		}
	}
}
