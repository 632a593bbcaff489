package cli_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The gateway's one upstream may be a balancer: what the gateway tells the application gets to each of its servers.
func TestBalancerBehindTheGateway(t *testing.T) {
	noLeaks(t)
	server := func(name string) *httptest.Server {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, `<!doctype html><script nonce="%s"></script>%s %s %s`, r.Header.Get("Merlon-Nonce"), name, r.Header.Get("X-Forwarded-Proto"), r.Host)
		}))
		t.Cleanup(s.Close)
		return s
	}
	one, two := server("one"), server("two")
	inner := startNginx(t, replaced(t, documentedNginx(t, "inner"), "listen 127.0.0.1:8001;", "listen LISTEN1;",
		"10.0.1.11:8000", strings.TrimPrefix(one.URL, "http://"), "10.0.1.12:8000", strings.TrimPrefix(two.URL, "http://")))
	dir := t.TempDir()
	writeCertificate(t, dir)
	policy := noncePolicy + "forward\ntls: {cert: " + filepath.Join(dir, "cert.pem") + ", key: " + filepath.Join(dir, "key.pem") + "}\n"
	_, site := startGateway(t, policy, "http://"+inner[0], dir)
	client, served := shopClient(t), map[string]bool{}
	for range 8 {
		got := fetch(t, client, "GET", site)
		if got.policy == "" || got.attribute != got.policy {
			t.Errorf("the policy has the nonce %q, the page %q", got.policy, got.attribute)
		}
		served[got.rest] = true
	}
	for _, name := range []string{"one", "two"} {
		if want := name + " https " + strings.TrimPrefix(site, "https://"); !served[want] {
			t.Errorf("no answer says %q, all are %v", want, served)
		}
	}
}

// What the guides show as a policy file, or as keys of one, is such. (explain reads the file and no certificate.)
func TestDocumentedPolicyFiles(t *testing.T) {
	for _, page := range []string{"start.md", "gateway.md", "nonces.md", "tls.md", "operations.md", "behind.md", "frameworks.md", "alerts.md", "reports.md"} {
		blocks := 0
		for _, m := range codeBlock.FindAllStringSubmatch(read(t, docs+page), -1) {
			if m[1] != "yaml" || strings.HasPrefix(m[2], "# Kubernetes") {
				continue
			}
			blocks++
			file := filepath.Join(t.TempDir(), "merlon.yaml")
			if err := os.WriteFile(file, []byte(wholePolicy(t, m[2])), 0o600); err != nil {
				t.Fatal(err)
			}
			if code, _, stderr := run(t, "explain", "http://shop.example/", "--config", file); code != 0 {
				t.Errorf("%s: merlon explain: %s\n%s", page, stderr, m[2])
			}
		}
		if blocks == 0 {
			t.Errorf("%s shows no policy file", page)
		}
	}
}

// wholePolicy fills the blanks that a guide leaves: the keys that every file has, and the files that it names.
func wholePolicy(t *testing.T, text string) string {
	t.Helper()
	if !strings.Contains(text, "version: 1") {
		text = "version: 1\n" + text
	}
	if !strings.Contains(text, "upstream: ") {
		text += "upstream: http://127.0.0.1:8000\n"
	}
	for name, content := range map[string]string{
		"/etc/merlon/placeholder":   "n0123456789abcdef0123456789abcdef",
		"/etc/merlon/webhook":       "https://hooks.shop.example/merlon",
		"/etc/merlon/mail-password": "secret",
		"/etc/merlon/hashes.json":   `{"schema": "merlon/hashes", "version": 1, "pages": {}}`,
	} {
		file := filepath.Join(t.TempDir(), filepath.Base(name))
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		text = strings.ReplaceAll(text, name, filepath.ToSlash(file))
	}
	return text
}
