package cli_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/browser"
)

const djangoPolicy = `version: 1
upstream: UPSTREAM
listen: 127.0.0.1:0
admin: 127.0.0.1:0
data: DATA
preset: compat
frame: self
csp: default-src 'self'; script-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'
trial: off
`

// startGateway writes the policy file, starts the gateway with it and returns its public address.
func startGateway(t *testing.T, policy, upstream, dir string) (*process, string) {
	t.Helper()
	file := filepath.Join(dir, "merlon.yaml")
	text := strings.NewReplacer("UPSTREAM", upstream, "DATA", filepath.Join(dir, "data")).Replace(policy)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, "the next one:", "gateway", "--config", file)
	return p, regexp.MustCompile(`https?://127\.0\.0\.1:\d+`).FindString(p.stdout.String())
}

func TestDjangoAdmin(t *testing.T) {
	upstream := startPython(t, "django", t.TempDir())
	for _, scheme := range []string{"http", "https"} {
		t.Run(scheme, func(t *testing.T) {
			noLeaks(t)
			dir, policy := t.TempDir(), djangoPolicy
			if scheme == "https" {
				policy += "tls: {cert: " + filepath.Join(dir, "cert.pem") + ", key: " + filepath.Join(dir, "key.pem") + "}\n"
				writeCertificate(t, dir)
			}
			_, site := startGateway(t, policy, upstream, dir)
			if !strings.HasPrefix(site, scheme+"://") {
				t.Fatalf("the gateway listens on %s, want %s", site, scheme)
			}
			checkHeaders(t, site)
			useAdmin(t, site)
			if issues := issuesIn(t, filepath.Join(dir, "data")); len(issues) > 0 {
				t.Errorf("Django's admin broke the policy: %v", issues)
			}
		})
	}
}

// checkHeaders wants every header once, on every kind of response, and the framing headers in agreement: Django's
// middleware says DENY, the policy file self.
func checkHeaders(t *testing.T, site string) {
	t.Helper()
	client := &http.Client{
		Transport:     &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	for path, status := range map[string]int{"/admin/login/": 200, "/admin/": 302, "/nowhere/": 404, "/boom/": 500, "/scheme/": 200} {
		res, err := client.Get(site + path)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if res.StatusCode != status {
			t.Errorf("%s: status %d, want %d", path, res.StatusCode, status)
		}
		for _, name := range []string{"X-Frame-Options", "Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy", "Cross-Origin-Opener-Policy"} {
			if n := len(res.Header.Values(name)); n != 1 {
				t.Errorf("%s: %d lines of %s, want 1", path, n, name)
			}
		}
		if got := res.Header.Get("X-Frame-Options"); got != "DENY" {
			t.Errorf("%s: X-Frame-Options %q, want Django's DENY", path, got)
		}
		if got := res.Header.Get("Content-Security-Policy"); !strings.Contains(got, "frame-ancestors 'none'") {
			t.Errorf("%s: the policy contradicts X-Frame-Options: DENY: %s", path, got)
		}
		scheme, host, _ := strings.Cut(site, "://")
		if want := scheme + " " + host; path == "/scheme/" && string(body) != want {
			t.Errorf("Django sees %q, want %q", body, want)
		}
	}
}

// useAdmin logs in, adds a user and deletes it again, in a real browser, and wants no page broken.
func useAdmin(t *testing.T, site string) {
	t.Helper()
	p := openTab(t, startBrowser(t, browser.Options{IgnoreCertErrors: true}))
	p.visit(site + "/admin/")
	p.fill("#id_username", "root")
	p.fill("#id_password", "correct horse")
	p.press("input[type=submit]")
	p.visit(site + "/admin/auth/user/add/")
	p.fill("#id_username", "mallory")
	p.fill("#id_password1", "battery staple 9")
	p.fill("#id_password2", "battery staple 9")
	p.press("input[name=_save]")
	if got := p.text("document.querySelector('.messagelist').innerText"); !strings.Contains(got, "mallory") {
		t.Errorf("adding a user: %s", got)
	}
	// The filter box of the permissions is made by Django's own scripts, so they ran.
	p.wait("document.querySelector('.selector-available') != null")
	p.press("a.deletelink")
	p.press("input[type=submit]")
	p.visit(site + "/admin/auth/user/")
	if got := p.text("document.querySelector('#result_list').innerText"); strings.Contains(got, "mallory") || !strings.Contains(got, "root") {
		t.Errorf("users after the deletion: %s", got)
	}
	for _, r := range p.Responses() {
		if r.Status >= 400 || r.ErrorText != "" {
			t.Errorf("broken: %s %s: %d %s %s", r.Type, r.URL, r.Status, r.ErrorText, r.BlockedReason)
		}
	}
	for _, e := range p.Console() {
		if e.Level == "error" || e.Source == "security" || e.Source == "exception" {
			t.Errorf("console: %s %s: %s", e.Source, e.Level, e.Text)
		}
	}
}

// issuesIn runs merlon reports issues and returns what it lists.
func issuesIn(t *testing.T, data string) []map[string]any {
	t.Helper()
	code, stdout, stderr := run(t, "reports", "issues", "--data", data, "--format", "json")
	var doc struct {
		Version int
		Issues  []map[string]any
	}
	if err := json.Unmarshal([]byte(stdout), &doc); err != nil || code != 0 || doc.Version != 2 {
		t.Fatalf("merlon reports issues: %d, %v\n%s%s", code, err, stdout, stderr)
	}
	return doc.Issues
}

func writeCertificate(t *testing.T, dir string, names ...string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: names,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{"cert.pem": {Type: "CERTIFICATE", Bytes: cert}, "key.pem": {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
