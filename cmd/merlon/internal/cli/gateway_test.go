package cli_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/browser"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/demo"
)

var siteHeaders = []string{"Content-Security-Policy", "Content-Security-Policy-Report-Only", "X-Frame-Options", "X-Content-Type-Options", "Referrer-Policy"}

// quick starts a gateway in front of upstream with flags alone and returns it with its public address.
func quick(t *testing.T, upstream, data string) (*process, string) {
	t.Helper()
	p := start(t, "the next one:", "gateway", "--upstream", upstream, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--data", data)
	return p, regexp.MustCompile(`http://127\.0\.0\.1:\d+`).FindString(p.stdout.String())
}

// Report-only breaks nothing, not even the attack, and says so; and browsers report what strict would have blocked.
func TestReportOnly(t *testing.T) {
	noLeaks(t)
	third := httptest.NewServer(demo.NewThirdParty())
	defer third.Close()
	bank := httptest.NewServer(demo.NewBank(demo.BankConfig{ThirdPartyOrigin: third.URL}))
	defer bank.Close()
	data := t.TempDir()
	gw, site := quick(t, bank.URL, data)
	if !strings.Contains(gw.stdout.String(), "XSS: reporting only") {
		t.Errorf("the gateway does not say how far it protects:\n%s", gw.stdout)
	}
	p := openTab(t, startBrowser(t, browser.Options{}))
	p.visit(site + "/")
	p.press("#login")
	if !p.has("#greeting.ran") {
		t.Error("the page's own script did not run")
	}
	p.wait("document.querySelector('#pixel').naturalWidth > 0")
	if err := p.ClickOn(p.ctx, "#show-iban"); err != nil {
		t.Fatal(err)
	}
	if p.text("document.querySelector('#iban').hidden") != "false" {
		t.Error("the page's inline handler did not run")
	}
	p.visit(demo.ReflectedURL(site))
	if !p.has("#" + demo.DefacedID) {
		t.Error("report-only blocked a script")
	}
	want := map[string]bool{"script-src-elem": true, "script-src-attr": true, "img-src": true}
	for len(want) > 0 && p.ctx.Err() == nil {
		for _, issue := range issuesIn(t, data) {
			if issue["enforced"] != 0.0 || issue["report_only"] == 0.0 {
				t.Fatalf("not a report-only issue: %v", issue)
			}
			delete(want, issue["directive"].(string))
		}
	}
	if len(want) > 0 {
		t.Errorf("no report of %v", want)
	}
}

func TestUpstreamDown(t *testing.T) {
	noLeaks(t)
	_, site := quick(t, "http://"+unusedAddress(t), t.TempDir())
	res, err := http.Get(site + "/page")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	if res.StatusCode != http.StatusBadGateway || !strings.Contains(string(body), "does not answer") {
		t.Errorf("status %d, want 502:\n%s", res.StatusCode, body)
	}
	for _, name := range siteHeaders {
		if n := len(res.Header.Values(name)); n != 1 {
			t.Errorf("%d lines of %s, want 1", n, name)
		}
	}
}

// unusedAddress is one where nobody listens.
func unusedAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestShutdownCompletesRequestsInFlight(t *testing.T) {
	noLeaks(t)
	arrived, release := make(chan struct{}), make(chan struct{})
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "begun, ")
		w.(http.Flusher).Flush()
		close(arrived)
		<-release
		io.WriteString(w, "done")
	}))
	defer upstream.Close()
	gw, site := quick(t, upstream.URL, t.TempDir())
	type answer struct {
		body string
		err  error
	}
	answers := make(chan answer, 1)
	go func() {
		res, err := http.Get(site)
		if err != nil {
			answers <- answer{err: err}
			return
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		answers <- answer{string(body), err}
	}()
	<-arrived
	gw.stop()
	for { // until the listener is closed, which is when the shutdown has begun
		c, err := net.Dial("tcp", strings.TrimPrefix(site, "http://"))
		if err != nil {
			break
		}
		c.Close()
	}
	close(release)
	if got := <-answers; got.err != nil || got.body != "begun, done" {
		t.Errorf("the request in flight: %q, %v", got.body, got.err)
	}
	gw.end(t)
}

func TestShutdownIsBounded(t *testing.T) {
	noLeaks(t)
	arrived, release := make(chan struct{}), make(chan struct{})
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { close(arrived); <-release }))
	defer upstream.Close()
	defer close(release)
	gw, site := quick(t, upstream.URL, t.TempDir())
	answered := make(chan error, 1)
	go func() {
		res, err := http.Get(site)
		if err == nil {
			res.Body.Close()
		}
		answered <- err
	}()
	<-arrived
	begun := time.Now()
	gw.end(t)
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("the shutdown took %v with a request that never ends, want at most 5 s", took)
	}
	if err := <-answered; err == nil {
		t.Error("the request that never ends was answered")
	}
}

// A start that cannot succeed says why in one line, with the way out, and leaves nothing behind.
func TestStartsThatFail(t *testing.T) {
	noLeaks(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	file := write("file", "x")
	bad := write("bad.yaml", "version: 1\nupstream: http://127.0.0.1:8000\nfrmae: deny\n")
	noCert := write("tls.yaml", "version: 1\nupstream: http://127.0.0.1:8000\ntls: {cert: "+dir+"/none.pem, key: none.pem}\n")
	broken := filepath.Join(dir, "broken")
	if err := os.Mkdir(broken, 0o700); err != nil {
		t.Fatal(err)
	}
	write("broken/merlon.db", strings.Repeat("this is no database ", 1000))
	busy := filepath.Join(dir, "busy")
	quick(t, "http://127.0.0.1:9", busy)

	gateway := func(args ...string) []string {
		return append([]string{"gateway", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"}, args...)
	}
	for _, c := range []struct {
		name string
		args []string
		code int
		want []string
	}{
		{"wrong config", gateway("--config", bad), 2, []string{bad + ":3:1: frmae: unknown key (did you mean frame?)"}},
		{"no config", gateway("--config", filepath.Join(dir, "none.yaml")), 2, []string{"none.yaml", "no such file"}},
		{"no certificate", gateway("--config", noCert), 2, []string{"certificate", "none.pem"}},
		{"wrong upstream", gateway("--upstream", "127.0.0.1:8000"), 2, []string{"--upstream", "write http://127.0.0.1:8000"}},
		{"port in use", []string{"gateway", "--upstream", "http://127.0.0.1:9", "--listen", taken.Addr().String(), "--data", dir + "/new"}, 3, []string{taken.Addr().String(), "in use", "--listen"}},
		{"demo's port in use", []string{"demo", "--port", portOf(taken)}, 3, []string{"in use", "--port"}},
		{"data is a file", gateway("--upstream", "http://127.0.0.1:9", "--data", file), 3, []string{file}},
		{"data below a file", gateway("--upstream", "http://127.0.0.1:9", "--data", file+"/x"), 3, []string{file}},
		{"not a database", gateway("--upstream", "http://127.0.0.1:9", "--data", broken), 3, []string{filepath.Join(broken, "merlon.db")}},
		{"data in use", gateway("--upstream", "http://127.0.0.1:9", "--data", busy), 3, []string{busy}},
		{"no reports yet", []string{"reports", "issues", "--data", filepath.Join(dir, "nowhere")}, 3, []string{"nowhere"}},
		{"unknown flag", []string{"gateway", "--upstraem", "x"}, 2, []string{"--upstraem", "--help"}},
		{"unknown command", []string{"gatway"}, 2, []string{"gatway"}},
		{"stray argument", []string{"demo", "x"}, 2, []string{"x", "--help"}},
		{"wrong format", []string{"reports", "issues", "--format", "xml"}, 2, []string{"xml", "text or json"}},
	} {
		code, stdout, stderr := run(t, c.args...)
		if code != c.code || strings.Count(stderr, "\n") != 1 || stdout != "" {
			t.Errorf("%s: exit code %d, want %d and one line:\n%s%s", c.name, code, c.code, stdout, stderr)
		}
		for _, want := range c.want {
			if !strings.Contains(stderr, want) {
				t.Errorf("%s: the message lacks %q: %s", c.name, want, stderr)
			}
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "new")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a start that failed at its port made the data directory: %v", err)
	}
}

func portOf(l net.Listener) string {
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// What is not a wanted report is counted by its reason, answered 204 and never stored as an issue.
func TestUnwantedReports(t *testing.T) {
	noLeaks(t)
	upstream := httptest.NewServer(http.NotFoundHandler())
	defer upstream.Close()
	data := t.TempDir()
	_, site := quick(t, upstream.URL, data)
	for _, body := range []string{
		"this is not JSON",
		`{"csp-report":{"document-uri":"http://elsewhere.example/","effective-directive":"img-src","blocked-uri":"http://x.example/"}}`,
		`[` + strings.Repeat(`{"type":"csp-violation","url":"`+site+`/","body":{}},`, 200) + `{}]`,
		`{"csp-report":"` + strings.Repeat("x", 2<<20) + `"}`,
		"",
	} {
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, "POST", site+"/.merlon/r?d=e", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/csp-report")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusNoContent {
			t.Errorf("%.40q: status %d, want 204", body, res.StatusCode)
		}
	}
	if issues := issuesIn(t, data); len(issues) > 0 {
		t.Errorf("stored as issues: %v", issues)
	}
	text, deadline := "", within(t)
	for !strings.Contains(text, "foreign") || strings.Count(text, " ago\n") < 4 { // counts follow their 204 by some milliseconds
		if _, text, _ = run(t, "reports", "issues", "--data", data); deadline.Err() != nil {
			t.Fatalf("merlon reports issues does not tell the reasons:\n%s", text)
		}
	}
}
