//go:build unix

package cli_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/wait"
)

// Everything that the gateway answers has its line, whoever answered; the file can be renamed; and what is counted survives
// reloads.
func TestLogsAndMetrics(t *testing.T) {
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		io.WriteString(w, "page")
	}))
	defer app.Close()
	dir := t.TempDir()
	path, log := filepath.Join(dir, "merlon.yaml"), filepath.Join(dir, "access.log")
	rest := "preset: strict\nnonce: forward\nhosts: [127.0.0.1]\nroutes: [{match: GET /widget/, frame: self, reason: a test}]\nlog: {format: json, access: " + log + "}"
	writePolicy(t, path, app.URL, rest)
	c := startChild(t, "login-token", nil, nil, "gateway", "--config", path)
	if c.stdout.String() != "" || regexp.MustCompile(`([A-Z2-7]{4}-){7}`).MatchString(c.stderr.String()) {
		t.Errorf("in JSON the greeting belongs into the log, without the token:\n%s%s", c.stdout, c.stderr)
	}
	for line := range strings.Lines(c.stderr.String()) {
		if !json.Valid([]byte(line)) {
			t.Errorf("not JSON: %s", line)
		}
	}
	for _, target := range []string{"/widget/x?token=secret", "/.merlon/r", "/"} {
		get(t, c.site+target)
	}
	get(t, strings.Replace(c.site, "127.0.0.1", "localhost", 1)+"/")
	var lines []map[string]any
	wait.Until(t, "four lines", func() bool { lines = readLines(t, log); return len(lines) == 4 })
	for i, want := range []string{"127.0.0.1 /widget/x GET /widget/ 200 true", "127.0.0.1 /.merlon/r  405 true", "127.0.0.1 /  200 true", " /  421 false"} {
		l := lines[i]
		if got := fmt.Sprint(l["site"], " ", l["path"], " ", l["route"], " ", l["status"], " ", l["nonce"]); got != want {
			t.Errorf("line %d: %s, want %s", i, got, want)
		}
	}

	if err := os.Rename(log, log+".1"); err != nil {
		t.Fatal(err)
	}
	c.signal(t, syscall.SIGHUP)
	wait.Until(t, "the log is opened anew", func() bool { _, err := os.Stat(log); return err == nil })
	c.stderr.For(t, "the policy file was reloaded", nil)
	get(t, c.site+"/after")
	wait.Until(t, "a line in the new file", func() bool { lines = readLines(t, log); return len(lines) == 1 && lines[0]["path"] == "/after" })

	_, metrics := get(t, c.admin+"/metrics")
	for _, want := range []string{
		`merlon_requests_total{method="GET",site="127.0.0.1",status="2xx"} 3`, `merlon_requests_total{method="GET",site="none",status="4xx"} 1`,
		`merlon_nonces_total{site="127.0.0.1"} 4`, `merlon_protected_responses_total{document="yes",route="GET /widget/",site="127.0.0.1"} 1`,
		`merlon_upstream_duration_seconds_count{site="127.0.0.1"} 3`, `merlon_reloads_total{result="ok"} 1`, `merlon_reports_dropped_total{reason="method",site="127.0.0.1"} 1`,
	} {
		if !strings.Contains(metrics, "\n"+want+"\n") {
			t.Errorf("metrics lack %s", want)
		}
	}

	writePolicy(t, path, app.URL, strings.Replace(rest, "json", "text", 1))
	c.signal(t, syscall.SIGHUP)
	c.stderr.For(t, "log changed: that takes a new start", nil)
	if _, metrics := get(t, c.admin+"/metrics"); !strings.Contains(metrics, "\nmerlon_reloads_total{result=\"refused\"} 1\n") {
		t.Error("the reload that was refused is not counted")
	}
	c.signal(t, terminate)
	if code := c.wait(t); code != 0 {
		t.Errorf("exit code %d:\n%s", code, c.stderr)
	}
}

func readLines(t *testing.T, name string) []map[string]any {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var out []map[string]any
	for line := range strings.Lines(string(data)) {
		var l map[string]any
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		out = append(out, l)
	}
	return out
}

func TestAccessLogOnStandardOutput(t *testing.T) {
	c := startChild(t, "the next one:", nil, nil, gatewayArgs(t, "http://127.0.0.1:9", "--access-log", "on")...)
	get(t, c.site+"/x")
	c.stdout.For(t, "msg=request site=default method=GET host="+strings.TrimPrefix(c.site, "http://")+` path=/x route="" status=502`, nil)
	quiet := startChild(t, "the next one:", nil, nil, gatewayArgs(t, "http://127.0.0.1:9")...)
	get(t, quiet.site+"/x")
	quiet.stderr.For(t, "the application does not answer", nil)
	quiet.signal(t, terminate)
	quiet.wait(t)
	if strings.Contains(quiet.stdout.String(), "msg=request") {
		t.Error("an access log that nobody asked for")
	}
}
