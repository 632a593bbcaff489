package cli_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/browser"
)

// shownSite is a site whose page somebody changes.
func shownSite(t *testing.T) (site *httptest.Server, page *atomic.Value) {
	page = new(atomic.Value)
	page.Store(`<!doctype html><title>t</title><script>document.title = "ran"</script>`)
	var served atomic.Int64
	site = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		switch r.URL.Path {
		case "/moved":
			http.Redirect(w, r, "/", http.StatusFound)
		case "/changing":
			fmt.Fprintf(w, "<script>token = %d</script>", served.Add(1))
		case "/json":
			w.Header().Set("Content-Type", "application/json")
		case "/gone":
			w.WriteHeader(http.StatusNotFound)
		default:
			io.WriteString(w, page.Load().(string))
		}
	}))
	t.Cleanup(site.Close)
	return site, page
}

// What a live page has is only taken for its own when a person has said so.
func TestHashesOfALiveSite(t *testing.T) {
	site, page := shownSite(t)
	name := filepath.Join(t.TempDir(), "hashes.json")
	args := []string{"csp", "hash", site.URL, "--output", name}
	if code, out, _ := run(t, args...); code != 1 || !strings.Contains(out, `+ "/" script sha256-`) || !strings.Contains(out, `document.title = \"ran\"`) {
		t.Errorf("at first: %d %s", code, out)
	}
	if _, err := os.Stat(name); err == nil {
		t.Error("it is written though nobody accepted it")
	}
	if code, out, errs := run(t, append(args, "--accept")...); code != 0 {
		t.Errorf("accepted: %d %s%s", code, out, errs)
	}
	if code, out, _ := run(t, args...); code != 0 || !strings.Contains(out, "nothing differs") {
		t.Errorf("again: %d %s", code, out)
	}
	accepted, _ := os.ReadFile(name)
	page.Store(page.Load().(string) + "<script>steal('\x1b[2J')</script><p onclick=x()>")
	if code, out, errs := run(t, args...); code != 1 || !strings.Contains(out, `steal('\x1b[2J')`) || strings.Contains(out, "\x1b") || !strings.Contains(errs, "no hash for its event handlers, javascript: URLs and style attributes (1)") {
		t.Errorf("with a stored attack: %d %s%s", code, out, errs)
	}
	if now, _ := os.ReadFile(name); string(now) != string(accepted) {
		t.Error("a stored attack is in the manifest")
	}
	for path, want := range map[string]string{"/moved": "redirects", "/changing": "other code each time", "/json": "no HTML", "/gone": "404"} {
		if code, _, errs := run(t, "csp", "hash", site.URL+path, "--output", name); code != 3 || !strings.Contains(errs, want) {
			t.Errorf("%s: %d %s", path, code, errs)
		}
	}
}

// A page whose code is in the manifest runs it in a browser, and nothing that somebody wrote into it.
func TestHashesInABrowser(t *testing.T) {
	noLeaks(t)
	site, page := shownSite(t)
	dir := t.TempDir()
	name := filepath.Join(dir, "hashes.json")
	if code, out, errs := run(t, "csp", "hash", site.URL+"/", "--output", name, "--accept"); code != 0 {
		t.Fatal(code, out, errs)
	}
	page.Store(page.Load().(string) + `<script>document.title = "injected"</script><img src=x onerror="document.title = 'injected'">`)
	policy := "version: 1\nupstream: UPSTREAM\nlisten: 127.0.0.1:0\nadmin: 127.0.0.1:0\ndata: DATA\npreset: strict\nnonce: {hash: " + name + "}\n"
	_, front := startGateway(t, policy, site.URL, dir)
	p := openTab(t, startBrowser(t, browser.Options{}))
	p.visit(front)
	if got := p.text("document.title"); got != "ran" {
		t.Errorf("the page says %q, want %q", got, "ran")
	}
	p.visit(front + "/unlisted")
	if got := p.text("document.title"); got != "t" {
		t.Errorf("a page that is not in the manifest says %q, want %q", got, "t")
	}
}
