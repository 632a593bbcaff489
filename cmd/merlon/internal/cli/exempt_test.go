package cli_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/browser"
)

const exemptPolicy = noncePolicy + `forward
routes:
  - {match: /badge/, upstream-may-loosen: true, reason: the views say who may frame them}
`

// On a route that leaves it to them, Django's decorators decide who may frame a view; elsewhere they can only forbid.
func TestDjangoDecoratorsDecide(t *testing.T) {
	noLeaks(t)
	_, site := startGateway(t, exemptPolicy, startPython(t, "django", t.TempDir()), t.TempDir())
	partner := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		for _, page := range []string{"/badge/exempt", "/badge/own", "/badge/plain", "/elsewhere/exempt"} {
			fmt.Fprintf(w, `<iframe src="%s%s"></iframe>`, site, page)
		}
	}))
	defer partner.Close()
	p := openTab(t, startBrowser(t, browser.Options{}))
	p.visit(partner.URL)
	frames := p.frames(4)
	for page, want := range map[string]struct {
		options string
		outcome browser.Outcome
	}{
		"/badge/exempt":     {"", browser.Framed},
		"/badge/own":        {"SAMEORIGIN", browser.Blocked},
		"/badge/plain":      {"DENY", browser.Blocked},
		"/elsewhere/exempt": {"DENY", browser.Blocked},
	} {
		if got := frames[site+page]; got.Outcome != want.outcome || got.Status != http.StatusOK {
			t.Errorf("%s: the partner's frame is %s with status %d, want %s", page, got.Outcome, got.Status, want.outcome)
		}
		res, err := http.Get(site + page)
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, res.Body)
		res.Body.Close()
		if got := res.Header.Get("X-Frame-Options"); got != want.options || res.Header.Get("Merlon-Route") != "" {
			t.Errorf("%s: X-Frame-Options %q, want %q; Merlon-Route %q, which is for the gateway", page, got, want.options, res.Header.Get("Merlon-Route"))
		}
	}
}
