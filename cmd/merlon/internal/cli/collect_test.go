package cli_test

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/policyfile"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

// reports are one violation in the three shapes that browsers send.
func reports(document, blocked string) map[string]string {
	return map[string]string{
		"application/csp-report": fmt.Sprintf(`{"csp-report":{"document-uri":%q,"violated-directive":"script-src-elem",`+
			`"effective-directive":"script-src-elem","disposition":"enforce","blocked-uri":%q,"original-policy":"script-src 'self'"}}`, document, blocked),
		"application/reports+json": fmt.Sprintf(`[{"type":"csp-violation","age":1,"url":%q,"user_agent":"x","body":{"documentURL":%[1]q,`+
			`"effectiveDirective":"script-src-elem","disposition":"enforce","blockedURL":%q,"originalPolicy":"script-src 'self'"}}]`, document, blocked),
		"application/csp-report; of=webkit": fmt.Sprintf(`{"type":"csp-violation","url":%q,"body":{"documentURL":%[1]q,`+
			`"effectiveDirective":"script-src-elem","disposition":"enforce","blockedURL":%q,"originalPolicy":"script-src 'self'"}}`, document, blocked),
	}
}

// send posts a body to the collector under a host, and wants 204.
func send(t *testing.T, site, host, contentType, body string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "POST", site+"/.merlon/r?d=e", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Host = host
	req.Header.Set("Content-Type", contentType)
	res, _ := do(t, http.DefaultClient, req)
	if res.StatusCode != http.StatusNoContent {
		t.Errorf("%s under %s: %s, want 204", contentType, host, res.Status)
	}
	return res
}

func startCollect(t *testing.T, args ...string) (p *process, site, admin string) {
	t.Helper()
	p = start(t, "the next one:", append([]string{"collect", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"}, args...)...)
	words := strings.Fields(p.stdout.String())
	for i, word := range words {
		if word == "Dashboard:" {
			admin = words[i+1]
		}
	}
	return p, words[4], admin
}

// probe returns status and body.
func probe(t *testing.T, url string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, body := do(t, http.DefaultClient, req)
	return res.StatusCode, body
}

// dropped returns how many reports were not stored, by site and reason.
func dropped(t *testing.T, data string) map[string]float64 {
	t.Helper()
	out := map[string]float64{}
	_, stdout, _ := run(t, "reports", "issues", "--data", data, "--format", "json")
	var doc struct {
		Dropped []struct {
			Site, Reason string
			Count        float64
		}
	}
	if err := json.Unmarshal([]byte(stdout), &doc); err != nil {
		t.Fatal(err)
	}
	for _, d := range doc.Dropped {
		out[d.Site+" "+d.Reason] += d.Count
	}
	return out
}

// A collector for some hosts takes all three shapes, whatever host the proxy says, and counts what is about other pages.
func TestCollect(t *testing.T) {
	noLeaks(t)
	data := t.TempDir()
	p, site, admin := startCollect(t, "--host", "shop.example,Blog.example", "--data", data)
	for contentType, body := range reports("https://shop.example/cart?id=1", "https://cdn.example/x.js") {
		send(t, site, "shop.example", contentType, body)
		send(t, site, "127.0.0.1:7781", contentType, body)
	}
	for contentType, body := range reports("https://blog.example/", "https://cdn.example/x.js") {
		send(t, site, "shop.example", contentType, body)
	}
	for contentType, body := range reports("https://evil.example/", "https://cdn.example/x.js") {
		send(t, site, "shop.example", contentType, body)
	}
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 200} {
		if status, body := probe(t, admin+path); status != want {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	if _, body := probe(t, admin+"/metrics"); !strings.Contains(body, `merlon_reports_total{site="shop.example"} 8`) || !strings.Contains(body, `merlon_requests_total{method="POST",site="shop.example",status="2xx"} 12`) {
		t.Errorf("metrics:\n%s", body)
	}
	p.end(t)

	issues := issuesIn(t, data)
	if len(issues) != 1 || issues[0]["blocked"] != "https://cdn.example" || issues[0]["enforced"] != 8.0 || issues[0]["site"] != "shop.example" {
		t.Errorf("issues %v, want one of eight reports", issues)
	}
	if got := dropped(t, data); len(got) != 2 || got["shop.example foreign"] != 3 || got["shop.example repeated"] != 1 {
		t.Errorf("dropped %v, want 3 foreign, and the array that came twice", got)
	}
}

// Of several sites the Host chooses one. Reports under another host are answered as all are, and counted as foreign.
func TestCollectSites(t *testing.T) {
	noLeaks(t)
	dir := t.TempDir()
	policy, data := filepath.Join(dir, "merlon.yaml"), filepath.Join(dir, "data")
	write := func(sites string) {
		t.Helper()
		if err := os.WriteFile(policy, []byte("version: 1\ndata: "+data+"\nsites:\n"+sites), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("  - hosts: [shop.example]\n  - {hosts: [blog.example, '*.blog.example'], preset: strict}\n")
	p, site, _ := startCollect(t, "--config", policy)
	sendTo := func(host, document string) {
		t.Helper()
		for contentType, body := range reports(document, "inline") {
			send(t, site, host, contentType, body)
		}
	}
	sendTo("shop.example:8443", "https://shop.example:8443/")
	sendTo("de.blog.example", "https://blog.example/")
	sendTo("shop.example", "https://blog.example/")
	sendTo("new.example", "https://new.example/")
	sendTo("new.example", "https://shop.example/")

	write("  - hosts: [shop.example]\n  - {hosts: [blog.example, '*.blog.example'], preset: strict}\n  - hosts: [new.example]\n")
	hangUp(t)
	p.stderr.For(t, "the policy file was reloaded", nil)
	sendTo("new.example", "https://new.example/")
	p.end(t)

	counts := map[any]float64{}
	for _, issue := range issuesIn(t, data) {
		counts[issue["site"]] += issue["enforced"].(float64)
	}
	if len(counts) != 3 || counts["shop.example"] != 3 || counts["blog.example"] != 3 || counts["new.example"] != 3 {
		t.Errorf("reports by site %v, want 3 each of shop, blog and new", counts)
	}
	if got := dropped(t, data); len(got) != 2 || got["none foreign"] != 6 || got["shop.example foreign"] != 3 {
		t.Errorf("dropped %v, want 6 of none and 3 of shop.example", got)
	}
}

// A collector's answers have headers of their own, and leave HTTPS and the rest of the host alone.
func TestCollectAnswers(t *testing.T) {
	noLeaks(t)
	_, site, _ := startCollect(t, "--host", "shop.example", "--data", t.TempDir())
	res := send(t, site, "shop.example", "application/csp-report", "no JSON")
	for name, want := range map[string]string{"Cross-Origin-Resource-Policy": "cross-origin", "Cache-Control": "no-store", "Strict-Transport-Security": "", "X-Content-Type-Options": "nosniff"} {
		if got := strings.Join(res.Header.Values(name), "|"); got != want {
			t.Errorf("%s of a 204: %q, want %q", name, got, want)
		}
	}
	for _, path := range []string{"/", "/.merlon/r/", "/.merlon", "//.merlon/r", "/healthz"} {
		req, err := http.NewRequestWithContext(t.Context(), "GET", site+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, body := do(t, http.DefaultClient, req)
		if res.StatusCode != http.StatusNotFound || res.Header.Get("X-Frame-Options") != "DENY" || !strings.Contains(res.Header.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s: %s with %v: %s", path, res.Status, res.Header, body)
		}
	}
}

// The nginx of the guide passes the path on, with its query, and nothing else.
func TestCollectBehindNginx(t *testing.T) {
	noLeaks(t)
	data := t.TempDir()
	_, site, _ := startCollect(t, "--host", "shop.example", "--data", data)
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "application "+r.URL.Path) }))
	defer app.Close()
	_, after, _ := strings.Cut(read(t, docs+"collect.md"), "\n```nginx\n")
	config, _, _ := strings.Cut(after, "\n```\n")
	addresses := startNginx(t, replaced(t, config, "listen 443 ssl;", "listen LISTEN1;", "http://127.0.0.1:7781", site, "http://127.0.0.1:8000", app.URL))
	nginx := "http://" + addresses[0]
	for contentType, body := range reports("https://shop.example/", "inline") {
		send(t, nginx, "shop.example", contentType, strings.Replace(body, `"enforce"`, `""`, 1)) // so that the query says it
	}
	if _, body := probe(t, nginx+"/.merlon/r/x"); body != "application /.merlon/r/x" {
		t.Errorf("another path is answered by %q", body)
	}
	if issues := issuesIn(t, data); len(issues) != 1 || issues[0]["enforced"] != 3.0 {
		t.Errorf("issues %v, want one of three reports", issues)
	}
}

// The policy file of the guide is one for a collector.
func TestDocumentedCollector(t *testing.T) {
	_, after, _ := strings.Cut(read(t, docs+"collect.md"), "\n```yaml\n")
	text, _, _ := strings.Cut(after, "```\n")
	file, err := policyfile.ParseForCollector("collect.md", []byte(text))
	if err != nil || len(file.Sites) != 2 {
		t.Errorf("%v in\n%s", err, text)
	}
}

// The noise rules of a site reach its collector, by the keys of the policy file.
func TestCollectWithNoiseRules(t *testing.T) {
	noLeaks(t)
	data, config := t.TempDir(), filepath.Join(t.TempDir(), "merlon.yaml")
	const file = "version: 1\nhosts: [shop.example]\nnoise:\n" +
		"  - {id: price-helper, blocked: '*.helper.example', directive: script-src-elem, reason: an extension that customers have}\n"
	if err := os.WriteFile(config, []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	p, site, _ := startCollect(t, "--config", config, "--data", data)
	for _, blocked := range []string{"https://cdn.helper.example/x.js", "https://cdn.example/x.js"} {
		const kind = "application/csp-report"
		send(t, site, "shop.example", kind, reports("https://shop.example/cart", blocked)[kind])
	}
	p.end(t)
	db, err := store.OpenReader(t.Context(), filepath.Join(data, "merlon.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	issues, err := db.Issues(t.Context(), store.Query{})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, i := range issues {
		rule, _, _ := strings.Cut(i.Rule, "@")
		got[i.Blocked] = strings.TrimSpace(string(i.Verdict) + " " + rule)
	}
	want := map[string]string{"https://cdn.helper.example": "noise own/price-helper", "https://cdn.example": "actionable"}
	if !maps.Equal(got, want) {
		t.Errorf("verdicts %v, want %v", got, want)
	}
}
