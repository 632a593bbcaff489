package cli_test

import (
	"crypto/tls"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/acme"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/need"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/wait"
)

func hello(t *testing.T) string {
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "from the application: "+r.URL.Path) }))
	t.Cleanup(app.Close)
	return app.URL
}

// A certificate by a handshake on the public listener; what it takes to get one; and what it does not take another for.
func TestACMEByTLS(t *testing.T) {
	noLeaks(t)
	ca := newAuthority(t)
	ca.config["httpPort"] = portNumber(t, unusedAddress(t)) // it can visit there in vain
	ca.start(t)
	app := hello(t)
	const email = ", email: ops@shop.example"
	path := ca.policy(t, app, `shop.example, "*.shop.example"`, email)
	gw := start(t, "Dashboard:", "gateway", "--config", path)
	roots := ca.roots(t)
	leaf := ca.issued(t, "shop.example", roots)
	ca.keepsItsSecrets(t)
	if text := gw.stderr.String(); !strings.Contains(text, "no certificate is for *.shop.example") || !strings.Contains(text, "accepted terms") {
		t.Errorf("the log names neither the host that has no certificate nor the terms:\n%s", text)
	}

	// Neither a name that is not ours nor a challenge that is not open gets a certificate, and nothing is ordered for it.
	for _, config := range []*tls.Config{
		{ServerName: "other.example"}, {ServerName: "a.shop.example"}, {ServerName: "shop.example", NextProtos: []string{acme.ALPNProto}},
	} {
		config.InsecureSkipVerify = true
		if _, err := handshake(ca.public, config); err == nil || !strings.Contains(err.Error(), "unrecognized name") {
			t.Errorf("a handshake for %s %q: %v, want unrecognized name", config.ServerName, config.NextProtos, err)
		}
	}
	if state, err := handshake(ca.public, &tls.Config{InsecureSkipVerify: true}); err != nil || !state.PeerCertificates[0].Equal(leaf) {
		t.Errorf("a client that names no host: %v, want the first host's certificate", err)
	}
	if n := ca.orders(); n != 1 {
		t.Errorf("the CA was asked for %d certificates, want 1", n)
	}

	// A host that a reload adds gets one. The other keeps its own, also over a new start.
	ca.policy(t, app, "shop.example, blog.example", email)
	hangUp(t)
	ca.issued(t, "blog.example", roots)
	gw.end(t)
	gw = start(t, "Dashboard:", "gateway", "--config", path)
	if again := ca.issued(t, "shop.example", roots); !again.Equal(leaf) {
		t.Error("the host got another certificate")
	}

	// One that a reload takes away is refused.
	ca.policy(t, app, "blog.example", email)
	hangUp(t)
	wait.Until(t, "shop.example is refused", func() bool {
		_, err := handshake(ca.public, &tls.Config{ServerName: "shop.example", RootCAs: roots})
		return err != nil
	})
	if n := ca.orders(); n != 2 {
		t.Errorf("the CA was asked for %d certificates, want 2", n)
	}

	ca.policy(t, app, "blog.example", ", email: other@shop.example")
	hangUp(t)
	gw.stderr.For(t, "tls.acme was added, removed or changed: that takes a new start", nil)
	gw.end(t)
}

// keepsItsSecrets checks who can read what the CA issued.
func (a *authority) keepsItsSecrets(t *testing.T) {
	t.Helper()
	if runtime.GOOS == "windows" {
		return
	}
	files := map[string]bool{}
	err := filepath.Walk(filepath.Join(a.dir, "data", "acme"), func(path string, info os.FileInfo, err error) error {
		if err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v, mode %v", path, err, info.Mode())
		}
		files[filepath.Base(path)] = true
		return nil
	})
	if err != nil || !files["shop.example"] || !files["acme_account+key"] {
		t.Errorf("kept: %v, %v", files, err)
	}
}

// A certificate by a request on the listener for plain HTTP, whose other requests are redirected.
func TestACMEByHTTP(t *testing.T) {
	noLeaks(t)
	ca := newAuthority(t)
	ca.config["tlsPort"] = portNumber(t, unusedAddress(t))
	ca.start(t)
	gw := start(t, "Dashboard:", "gateway", "--config", ca.policy(t, hello(t), "shop.example", ""))
	roots := ca.roots(t)
	ca.issued(t, "shop.example", roots)
	if n := ca.orders(); n != 2 {
		t.Errorf("the CA was asked for %d certificates, want 2: one for each kind of challenge", n)
	}

	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, Transport: &http.Transport{DisableKeepAlives: true}}
	for _, c := range []struct {
		host, path string
		status     int
		body       string
	}{
		{"shop.example", "/", 301, ""},
		{"shop.example", "/.well-known/acme-challenge/../x", 301, ""},
		{"shop.example", "/.well-known/acme-challenge/none", 200, "from the application: /.well-known/acme-challenge/none"}, // it may have a client of its own
		{"other.example", "/.well-known/acme-challenge/none", 421, ""},
		{"other.example", "/", 421, ""},
	} {
		req, err := http.NewRequest("GET", "http://"+ca.plain+c.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = c.host
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != c.status || c.body != "" && string(body) != c.body || res.Header.Get("X-Frame-Options") == "" {
			t.Errorf("%s%s: %d %q, X-Frame-Options %q, %v; want %d %q", c.host, c.path, res.StatusCode, body, res.Header.Get("X-Frame-Options"), err, c.status, c.body)
		}
	}
	gw.end(t)
}

// The gateway starts while the CA is away, gets its certificate later, renews it in time, keeps it while the CA is away once more,
// and renews it when a CA is there that has forgotten the account.
func TestACMEWithoutTheCA(t *testing.T) {
	if !need.Everything() {
		t.Skip("waits for a certificate of seconds to be renewed: runs in scripts/test --all")
	}
	noLeaks(t)
	ca := newAuthority(t)
	ca.config["profiles"] = map[string]any{"default": map[string]any{"description": "lasts for seconds", "validityPeriod": 12}}
	gw := start(t, "Dashboard:", "gateway", "--config", ca.policy(t, hello(t), "shop.example", ""))
	gw.stderr.For(t, "no certificate yet: until there is one, nobody reaches the host over HTTPS", nil)
	gw.stderr.For(t, "look whether this machine reaches "+ca.directory, nil)
	if _, err := handshake(ca.public, &tls.Config{ServerName: "shop.example", InsecureSkipVerify: true}); err == nil {
		t.Error("a handshake without a certificate")
	}

	ca.start(t)
	roots := ca.roots(t)
	first := ca.issued(t, "shop.example", roots)
	second := first
	wait.Until(t, "the certificate is renewed", func() bool { second = ca.issued(t, "shop.example", roots); return !second.Equal(first) })
	if !second.NotBefore.Before(first.NotAfter) {
		t.Errorf("renewed at %s, after the end at %s", second.NotBefore, first.NotAfter)
	}

	ca.end()
	gw.stderr.For(t, "no certificate from the CA: the one before stays", nil)
	if state, err := handshake(ca.public, &tls.Config{ServerName: "shop.example", InsecureSkipVerify: true}); err != nil || !state.PeerCertificates[0].Equal(second) {
		t.Errorf("the certificate before: %v", err)
	}
	ca.start(t)
	ca.issued(t, "shop.example", ca.roots(t))
	gw.end(t)
}

// Where the CA cannot validate it is asked once with each kind of challenge, and then left in peace.
func TestACMERefused(t *testing.T) {
	noLeaks(t)
	ca := newAuthority(t)
	ca.config["tlsPort"], ca.config["httpPort"] = portNumber(t, unusedAddress(t)), portNumber(t, unusedAddress(t))
	ca.start(t)
	gw := start(t, "Dashboard:", "gateway", "--config", ca.policy(t, hello(t), "shop.example", ""))
	gw.stderr.For(t, "let the CA reach this gateway at shop.example on port 443 or port 80", nil)
	if text := gw.stderr.String(); !strings.Contains(text, "connection refused") || !strings.Contains(text, "tls-alpn-01") || !strings.Contains(text, "http-01") {
		t.Errorf("the log does not say what the CA saw:\n%s", text)
	}
	next, err := time.Parse(time.RFC3339, wordAfter(gw.stderr.String(), "next="))
	if err != nil || time.Until(next) < 15*time.Minute {
		t.Errorf("the next order comes at %v, %v; want it in 20 minutes or more", next, err)
	}
	gw.end(t)
	if n := ca.orders(); n != 2 {
		t.Errorf("the CA was asked for %d certificates, want 2", n)
	}
}

// wordAfter returns what follows the mark up to white space.
func wordAfter(text, mark string) string {
	_, rest, _ := strings.Cut(text, mark)
	word, _, _ := strings.Cut(rest, "\n")
	word, _, _ = strings.Cut(word, " ")
	return word
}

// A CA that wants to know its customers first.
func TestACMEWithAnAccount(t *testing.T) {
	noLeaks(t)
	ca := newAuthority(t)
	mac := []byte("a key of thirty-two bytes, or so")
	ca.config["externalAccountBindingRequired"] = true
	ca.config["externalAccountMACKeys"] = map[string]string{"customer-1": base64.RawURLEncoding.EncodeToString(mac)}
	ca.start(t)
	gw := start(t, "Dashboard:", "gateway", "--config", ca.policy(t, hello(t), "shop.example", ""))
	gw.stderr.For(t, "write tls.acme.eab", nil)
	gw.end(t)

	file := filepath.Join(ca.dir, "mac")
	if err := os.WriteFile(file, []byte(base64.URLEncoding.EncodeToString(mac)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	gw = start(t, "Dashboard:", "gateway", "--config", ca.policy(t, hello(t), "shop.example", ", eab: {key_id: customer-1, key_file: "+file+"}"))
	ca.issued(t, "shop.example", ca.roots(t))
	gw.end(t)
}
