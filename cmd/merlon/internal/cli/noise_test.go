package cli_test

import (
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/wait"
)

// A site's own noise rule labels its reports, those that are stored already after a reload too, and each is counted as ever.
func TestOwnNoise(t *testing.T) {
	dir := t.TempDir()
	config, data := filepath.Join(dir, "merlon.yaml"), filepath.Join(dir, "data")
	write := func(rest string) {
		text := "version: 1\nlisten: 127.0.0.1:0\nadmin: 127.0.0.1:0\nhosts: [shop.example]\nretention: {samples: 7d}\n" + rest
		if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("")
	p, site, admin := startCollect(t, "--config", config, "--data", data)
	posted := 0
	post := func() {
		body := fmt.Sprintf(`{"csp-report":{"document-uri":"https://shop.example/cart","effective-directive":"script-src-elem","disposition":"enforce",`+
			`"blocked-uri":"https://a.tags.example/%d.js"}}`, posted)
		send(t, site, "shop.example", "application/csp-report", body)
		posted++
	}
	labels := func() string {
		return strings.Join(linesIn(t, data, "SELECT verdict || ' ' || substr(rule, 1, 9) || ' ' || enforced FROM issues"), "\n")
	}
	reads := func(want string) {
		t.Helper()
		wait.Until(t, want+" in the database", func() bool { return labels() == want })
	}
	post()
	reads("actionable  1")
	write("noise:\n  - {id: tags, blocked: \"*.tags.example\", reason: goes in March}\n")
	reads("noise own/tags@ 1")
	if page := dashboardPage(t, admin, data, "/issues/1"); !strings.Contains(page, "goes in March. Nothing is deleted for it.") {
		t.Errorf("the page of the issue does not say why it is noise:\n%s", page)
	}
	post()
	reads("noise own/tags@ 2")
	if _, body := probe(t, admin+"/metrics"); !strings.Contains(body, "\nmerlon_database_bytes ") || strings.Contains(body, "\nmerlon_database_bytes 0\n") {
		t.Errorf("the size of the database is not among the metrics:\n%s", body)
	}
	write("") // and the label goes with the rule
	reads("actionable  2")
	p.end(t)
	if got, want := linesIn(t, data, "SELECT sum(count) FROM counters"), []string{fmt.Sprint(posted)}; !slices.Equal(got, want) {
		t.Errorf("counted %q, want %q", got, want)
	}
	if got := linesIn(t, data, "SELECT DISTINCT substr(value, 1, 14) FROM facets WHERE kind = 'verdict' ORDER BY 1"); !slices.Equal(got, []string{"actionable", "noise:own/tags"}) {
		t.Errorf("verdicts of reports: %q", got)
	}
}

// dashboardPage logs in and returns a page.
func dashboardPage(t *testing.T, admin, data, path string) string {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Jar: jar}
	form := url.Values{"token": {strings.TrimSpace(read(t, filepath.Join(data, "login-token")))}}
	res, err := client.PostForm(admin+"/login", form)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	req, err := http.NewRequestWithContext(t.Context(), "GET", admin+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, body := do(t, client, req)
	if res.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s", path, res.Status)
	}
	return body
}
