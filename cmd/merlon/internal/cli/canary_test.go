package cli_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/browser"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/wait"
)

const canaryPlaceholder = "n0123456789abcdef0123456789abcdef"

// canaryGateway is a gateway that puts a canary into every page, in front of an application that hears when a page's script has run.
func canaryGateway(t *testing.T, nonce string) (site, data string, ran <-chan string) {
	t.Helper()
	told := make(chan string, 10)
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/ran":
			told <- r.URL.RawQuery
			w.WriteHeader(http.StatusNoContent)
		case "/":
			nonce := r.Header.Get("Merlon-Nonce")
			if nonce == "" {
				nonce = canaryPlaceholder
			}
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			io.WriteString(w, `<!doctype html><title>a page</title><body><p>text</p><script nonce="`+nonce+`">addEventListener("load", () => fetch("/ran?" + [document.body.lastElementChild.localName, document.body.lastElementChild.getBoundingClientRect().height]))</script></body></html>`)
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(app.Close)
	dir := t.TempDir()
	for name, text := range map[string]string{"placeholder": canaryPlaceholder, "merlon.yaml": "version: 1\nupstream: " + app.URL + "\npreset: strict\ntrial: off\nnonce: " + strings.ReplaceAll(nonce, "DIR", dir) + "\ncanary: 1\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	data = filepath.Join(dir, "data")
	gw := start(t, "the next one:", "gateway", "--config", filepath.Join(dir, "merlon.yaml"), "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--data", data)
	return regexp.MustCompile(`http://127\.0\.0\.1:\d+`).FindString(gw.stdout.String()), data, told
}

// arrived waits until the canary's report is stored, and wants no issue of it and no count.
func arrived(t *testing.T, data, want string) {
	t.Helper()
	wait.Until(t, want+" in the database", func() bool {
		return slices.Contains(linesIn(t, data, "SELECT browser || ' ' || sum(sent) || ' ' || sum(received) FROM canaries GROUP BY browser"), want)
	})
	if got := linesIn(t, data, "SELECT directive || ' ' || blocked FROM issues UNION ALL SELECT type || ' ' || count FROM counters UNION ALL SELECT reason || ' ' || count FROM drops"); len(got) > 0 {
		t.Errorf("besides the canary there are %q", got)
	}
}

// wantEnd wants the page to end with this element, of this height.
func wantEnd(t *testing.T, ran <-chan string, want string) {
	t.Helper()
	select {
	case got := <-ran:
		if got != want {
			t.Errorf("the page ends with %s, want %s", got, want)
		}
	case <-time.After(limit):
		t.Fatal("the page's script did not run")
	}
}

// Chromium takes the canary from a header: it shows in one line of the console, and the page is what it was.
func TestCanaryInChromium(t *testing.T) {
	for _, nonce := range []string{"forward", "{placeholder_file: DIR/placeholder}"} {
		site, data, ran := canaryGateway(t, nonce)
		p := openTab(t, startBrowser(t, browser.Options{}))
		p.visit(site + "/")
		wantEnd(t, ran, "script,0")
		arrived(t, data, "Chrome 1 1")
		for _, e := range p.Console() {
			if e.Level != "info" && !strings.Contains(e.Text+e.URL, "favicon") {
				t.Errorf("the console says %+v", e)
			}
		}
		for _, r := range p.Responses() {
			if path := strings.TrimPrefix(r.URL, site); !strings.HasPrefix(path, "/") {
				t.Errorf("a request left the site: %s", r.URL)
			}
		}
	}
}

func TestCanaryInFirefox(t *testing.T) {
	site, data, ran := canaryGateway(t, "{placeholder_file: DIR/placeholder}")
	startFirefox(t, site+"/")
	wantEnd(t, ran, "datalist,0")
	arrived(t, data, "Firefox 1 1")
}
