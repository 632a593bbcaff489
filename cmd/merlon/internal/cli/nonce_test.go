package cli_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/browser"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/cli"
)

// The placeholder may stand in the environment, and a gateway without it does not start.
func TestPlaceholderFromTheEnvironment(t *testing.T) {
	const secret = "n0123456789abcdef0123456789abcdef"
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		io.WriteString(w, "<script nonce="+secret+">a()</script>")
	}))
	defer app.Close()
	policy := "version: 1\nupstream: UPSTREAM\nlisten: 127.0.0.1:0\nadmin: 127.0.0.1:0\ndata: DATA\npreset: strict\nnonce: {placeholder_env: MERLON_TEST_PLACEHOLDER}\n"
	dir := t.TempDir()
	file := filepath.Join(dir, "absent.yaml")
	if err := os.WriteFile(file, []byte(strings.NewReplacer("UPSTREAM", app.URL, "DATA", filepath.Join(dir, "absent")).Replace(policy)), 0o600); err != nil {
		t.Fatal(err)
	}
	for value, want := range map[string]string{"": "the environment has no variable MERLON_TEST_PLACEHOLDER", "short": "what is in MERLON_TEST_PLACEHOLDER is no placeholder"} {
		t.Setenv("MERLON_TEST_PLACEHOLDER", value)
		var out, errs strings.Builder
		if code := cli.Run(t.Context(), []string{"gateway", "--config", file}, &out, &errs); code != 2 || !strings.Contains(errs.String(), want) || strings.Contains(errs.String(), "short") {
			t.Errorf("with %q in the variable: %d, %s", value, code, errs.String())
		}
	}
	t.Setenv("MERLON_TEST_PLACEHOLDER", secret)
	_, site := startGateway(t, policy, app.URL, dir)
	res, err := http.Get(site)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	if nonce := regexp.MustCompile(`nonce=(.{32})>`).FindStringSubmatch(string(body)); nonce == nil || !strings.Contains(res.Header.Get("Content-Security-Policy"), "'nonce-"+nonce[1]+"'") {
		t.Errorf("the page is %s", body)
	}
}

// A page whose application can only print a fixed text: its own script runs in a browser, and an injected one does not.
func TestPlaceholderInABrowser(t *testing.T) {
	noLeaks(t)
	const secret = "n0123456789abcdef0123456789abcdef"
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		io.WriteString(w, `<!doctype html><title>t</title><body><p>`+secret+`</p><script nonce="`+secret+`">document.title = "ran"</script><script>document.title = "injected"</script>`)
	}))
	defer app.Close()
	dir := t.TempDir()
	file := filepath.Join(dir, "placeholder")
	if err := os.WriteFile(file, []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	policy := "version: 1\nupstream: UPSTREAM\nlisten: 127.0.0.1:0\nadmin: 127.0.0.1:0\ndata: DATA\npreset: strict\nnonce: {placeholder_file: " + file + "}\n"
	_, site := startGateway(t, policy, app.URL, dir)
	p := openTab(t, startBrowser(t, browser.Options{}))
	for range 2 {
		p.visit(site)
		if got := p.text("document.title + (document.documentElement.outerHTML.includes('" + secret + "') ? ', and the secret is seen' : '')"); got != "ran" {
			t.Errorf("the page says %q, want %q", got, "ran")
		}
	}
}
