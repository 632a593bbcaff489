package cli_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/browser"
)

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
