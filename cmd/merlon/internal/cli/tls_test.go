package cli_test

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/wait"
)

// startTLS starts a gateway with two certificates, for 127.0.0.1 and for shop.example, and more keys under tls.
func startTLS(t *testing.T, more string) (gw *process, addr, policy, shop string) {
	t.Helper()
	dir, shop := t.TempDir(), t.TempDir()
	writeCertificate(t, dir)
	writeCertificate(t, shop, "shop.example")
	policy = filepath.Join(dir, "merlon.yaml")
	writeTLS(t, policy, more, dir, shop)
	gw = start(t, "Dashboard:", "gateway", "--config", policy)
	return gw, strings.TrimPrefix(strings.Fields(gw.stdout.String())[4], "https://"), policy, shop
}

func writeTLS(t *testing.T, policy, more string, dirs ...string) {
	t.Helper()
	var list []string
	for _, dir := range dirs {
		list = append(list, fmt.Sprintf("{cert: %s/cert.pem, key: %s/key.pem}", dir, dir))
	}
	writePolicy(t, policy, hello(t), fmt.Sprintf("hosts: [127.0.0.1, shop.example]\ntls: {certs: [%s]%s}", strings.Join(list, ", "), more))
}

func rootsOf(t *testing.T, dir string) *x509.CertPool {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "cert.pem"))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(text)
	return pool
}

func TestTLSVersions(t *testing.T) {
	noLeaks(t)
	for more, lowest := range map[string]uint16{"": tls.VersionTLS12, ", min: 1.3": tls.VersionTLS13} {
		gw, addr, _, _ := startTLS(t, more)
		for version := uint16(tls.VersionTLS10); version <= tls.VersionTLS13; version++ {
			_, err := handshake(addr, &tls.Config{InsecureSkipVerify: true, MinVersion: version, MaxVersion: version})
			if refused := err != nil && strings.Contains(err.Error(), "protocol version not supported"); refused != (version < lowest) || !refused && err != nil {
				t.Errorf("tls%s: a client that speaks %s: %v", more, tls.VersionName(version), err)
			}
		}
		gw.end(t)
	}
}

// The name chooses the certificate, also after a reload, and HTTP/2 goes through to the application.
func TestTLSCertificates(t *testing.T) {
	noLeaks(t)
	gw, addr, policy, shop := startTLS(t, "")
	first, err := handshake(addr, &tls.Config{InsecureSkipVerify: true}) // Go sends no address as a name
	if err != nil {
		t.Fatal(err)
	}
	if err := first.PeerCertificates[0].VerifyHostname("127.0.0.1"); err != nil {
		t.Errorf("a client that names no host: %v", err)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{ServerName: "shop.example", RootCAs: rootsOf(t, shop)}, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	req, err := http.NewRequest("GET", "https://"+addr+"/page", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = "shop.example"
	res, err := transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	res.Body.Close()
	if err != nil || res.ProtoMajor != 2 || string(body) != "from the application: /page" || res.Header.Get("X-Frame-Options") != "DENY" {
		t.Errorf("%s %d %q %v, %v; want HTTP/2.0 from the application with headers", res.Proto, res.StatusCode, body, res.Header, err)
	}

	other := t.TempDir()
	writeCertificate(t, other, "blog.example")
	writeTLS(t, policy, "", other)
	wait.Until(t, "the certificates are others", func() bool {
		state, err := handshake(addr, &tls.Config{ServerName: "shop.example", InsecureSkipVerify: true})
		return err == nil && state.PeerCertificates[0].VerifyHostname("blog.example") == nil
	})
	gw.stderr.For(t, "no certificate is for shop.example", nil)
	writeTLS(t, policy, ", min: 1.3", other)
	gw.stderr.For(t, "tls.min changed to TLS 1.3: that takes a new start", nil)
	gw.end(t)
}

// What cannot serve is said before anything does, and by config check.
func TestTLSMistakes(t *testing.T) {
	dir, shop := t.TempDir(), t.TempDir()
	writeCertificate(t, dir)
	writeCertificate(t, shop)
	policy := filepath.Join(dir, "merlon.yaml")
	writePolicy(t, policy, "http://127.0.0.1:1", fmt.Sprintf("tls: {cert: %s, key: %s}", filepath.Join(dir, "cert.pem"), filepath.Join(shop, "key.pem")))
	for _, args := range [][]string{{"gateway", "--config", policy}, {"config", "check", policy}} {
		if code, _, stderr := run(t, args...); code != 2 || !strings.Contains(stderr, "private key does not match public key") {
			t.Errorf("merlon %s: %d\n%s", args[0], code, stderr)
		}
	}
	writeTLS(t, policy, ", acme: {accept_tos: true}", dir)
	code, stdout, stderr := run(t, "config", "check", policy)
	if code != 0 || !strings.Contains(stdout, "certificates for shop.example: from https://acme-v02.api.letsencrypt.org/directory, kept in ") || strings.Contains(stdout, "warning: ") {
		t.Errorf("merlon config check: %d\n%s%s", code, stdout, stderr)
	}
	writeTLS(t, policy, "", dir)
	if _, stdout, _ := run(t, "config", "check", policy); !strings.Contains(stdout, "warning: no certificate is for shop.example") {
		t.Errorf("merlon config check:\n%s", stdout)
	}
}
