//go:build linux

package faults_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/cli"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/need"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/wait"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"merlon": cli.Main}) // which puts this binary into PATH, as merlon
}

// strictHeaders are on every response of a site with the strict preset.
var strictHeaders = []string{
	"Content-Security-Policy", "X-Frame-Options", "X-Content-Type-Options", "Referrer-Policy", "Permissions-Policy",
	"Cross-Origin-Opener-Policy", "Cross-Origin-Resource-Policy", "Origin-Agent-Cluster",
}

// protected fails the test for a response that lacks one of the strict preset's headers or has one twice.
func protected(t *testing.T, what string, res *http.Response) {
	t.Helper()
	for _, name := range strictHeaders {
		n, want := len(res.Header.Values(name)), 1
		if name == "Content-Security-Policy" && res.StatusCode == http.StatusNotModified {
			want = 0 // the page that the browser has stored keeps its policy, whose nonce is in it
		}
		if n != want {
			t.Errorf("%s: %d lines of %s, want %d", what, n, name, want)
		}
	}
}

// upTo is a number for the fast run, and one for scripts/test --all.
func upTo(fast, all int) int {
	if need.Everything() {
		return all
	}
	return fast
}

// heavy skips what takes too long for the fast run.
func heavy(t *testing.T) {
	t.Helper()
	if !need.Everything() {
		t.Skip("takes minutes: runs in scripts/test --all")
	}
}

// certified is a setting with a certificate for 127.0.0.1.
func certified(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	srv := httptest.NewUnstartedServer(nil)
	srv.StartTLS()
	srv.Close()
	pair := srv.TLS.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	both := filepath.Join(dir, "both.pem") // OpenSSL's way: each reader takes what it needs
	text := slices.Concat(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}))
	if err := os.WriteFile(both, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("tls: {cert: %s, key: %s}", both, both)
}

// rewriting is a nonce setting for pages that are rewritten.
func rewriting(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "placeholder")
	if err := os.WriteFile(path, []byte("n0123456789abcdefghijklmnopqrstuvwxyz"), 0o600); err != nil {
		t.Fatal(err)
	}
	return "nonce: {placeholder_file: " + path + "}"
}

// clientFor returns a client with connections of its own, that of TLS over HTTP/2.
func clientFor(t *testing.T) *http.Client {
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 64, DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: wait.Limit, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// exchange returns the answer with its body.
func exchange(t *testing.T, client *http.Client, url string) (*http.Response, string) {
	t.Helper()
	res, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(body)
}

// dial opens a connection that ends with the test.
func dial(t *testing.T, addr string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(wait.Limit))
	return c
}
