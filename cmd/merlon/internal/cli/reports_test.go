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
	"sync/atomic"
	"testing"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/dash"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/wait"
)

// While reports come in and are acknowledged, the database is copied, purged and erased from, and nothing else is lost.
func TestKeepHouseUnderLoad(t *testing.T) {
	noLeaks(t)
	data := t.TempDir()
	_, site, _ := startCollect(t, "--host", "shop.example", "--data", data)
	var acknowledged atomic.Int64
	post := func() {
		for contentType, body := range reports("https://shop.example/cart", "https://cdn.example/x.js") {
			send(t, site, "shop.example", contentType, body)
			acknowledged.Add(1)
		}
	}
	for contentType, body := range reports("https://shop.example/account/secretive", "https://mallory.example/x.js") {
		send(t, site, "shop.example", contentType, body)
		acknowledged.Add(1)
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				post()
			}
		}
	}()
	command := func(args ...string) string {
		t.Helper()
		code, stdout, stderr := run(t, append([]string{"reports"}, append(args, "--data", data)...)...)
		if code != 0 {
			t.Errorf("merlon reports %v: %d %s", args, code, stderr)
		}
		return stdout
	}
	wait.Until(t, "reports come in", func() bool { return acknowledged.Load() > 20 })
	before := stored(t, data)
	copied := filepath.Join(t.TempDir(), "merlon.db")
	command("backup", copied)
	checkCopy(t, copied, before, stored(t, data))
	after := acknowledged.Load()
	command("state", "1", "--set", "acknowledged", "--note", "looking")
	if out := command("erase", "--url", "/account/*", "--yes"); !strings.Contains(out, "page or script") {
		t.Errorf("erase says %q", out)
	}
	command("erase", "--url", "https://mallory.example", "--yes")
	command("purge", "--before", "2001-01-01", "--yes")
	if now := acknowledged.Load(); now == after {
		wait.Until(t, "reports are taken after all that", func() bool { return acknowledged.Load() > now })
	}
	close(stop)
	<-stopped
	if out := command("export"); strings.Contains(out, "mallory") || strings.Contains(out, "/account") || !strings.Contains(out, "https://cdn.example") {
		t.Errorf("after erase:\n%s", out)
	}
	for _, name := range []string{"merlon.db", "merlon.db-wal"} {
		if content, _ := os.ReadFile(filepath.Join(data, name)); strings.Contains(string(content), "mallory") {
			t.Errorf("%s still has what was erased", name)
		}
	}
	var stats struct {
		Total struct{ Accepted, Dropped int64 }
	} // batches that are equal count as sent again
	if err := json.Unmarshal([]byte(command("stats", "--format", "json")), &stats); err != nil || stats.Total.Accepted+stats.Total.Dropped != acknowledged.Load() {
		t.Errorf("%+v of %d acknowledged (%v)", stats.Total, acknowledged.Load(), err)
	}
	command("purge", "--older", "1ns", "--yes")
	if issues := issuesIn(t, data); len(issues) != 0 {
		t.Errorf("after a purge of everything: %v", issues)
	}
}

// stored is the number of reports in the database of a running process.
func stored(t *testing.T, data string) int64 {
	t.Helper()
	db, err := store.OpenReader(t.Context(), filepath.Join(data, "merlon.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	totals, err := db.Totals(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	return totals.Accepted()
}

// checkCopy opens a copy, which checks its integrity, and wants its sums to agree.
func checkCopy(t *testing.T, path string, atLeast, atMost int64) {
	t.Helper()
	db, err := store.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	totals, err := db.Totals(t.Context(), "")
	if err != nil || totals.Accepted() < atLeast || totals.Accepted() > atMost {
		t.Errorf("the copy has %d reports, %v, want %d to %d", totals.Accepted(), err, atLeast, atMost)
	}
	issues, err := db.Issues(t.Context(), store.Query{})
	var sum int64
	for _, i := range issues {
		sum += i.Total()
	}
	if err != nil || sum != totals.Accepted() {
		t.Errorf("the issues of the copy have %d reports, its counters %d (%v)", sum, totals.Accepted(), err)
	}
}

// tail prints what comes after it began, and Ctrl-C is a good end.
func TestTail(t *testing.T) {
	noLeaks(t)
	data := t.TempDir()
	_, site, _ := startCollect(t, "--host", "shop.example", "--data", data)
	post := func(document, blocked string) {
		t.Helper()
		send(t, site, "shop.example", "application/csp-report", reports(document, blocked)["application/csp-report"])
	}
	post("https://shop.example/", "https://before.example/x.js")
	text := start(t, "following", "reports", "tail", "--data", data)
	lines := start(t, "following", "reports", "tail", "--data", data, "--format", "json")
	post("https://shop.example/", "https://before.example/x.js")
	post("https://shop.example/cart", "https://new.example/x.js")
	post("https://evil.example/", "inline")
	for _, want := range []string{"reports   +1  1  shop.example  actionable  script-src-elem  https://before.example  on /", "new issue +1  2  shop.example", "dropped   +1  shop.example  foreign"} {
		text.stdout.For(t, want, text.ended)
	}
	lines.stdout.For(t, `"kind":"dropped"`, lines.ended)
	text.end(t)
	lines.end(t)
	kinds := map[string]int{}
	for line := range strings.Lines(lines.stdout.String()) {
		var e struct{ Schema, Kind string }
		if err := json.Unmarshal([]byte(line), &e); err != nil || e.Schema != "merlon/reports-tail" {
			t.Errorf("%q: %v", line, err)
		}
		kinds[e.Kind]++
	}
	if kinds["issue"] != 1 || kinds["reports"] != 1 || kinds["dropped"] != 1 {
		t.Errorf("kinds of events %v, want one each", kinds)
	}
}

// Recorded and bare reports arrive under the host that was asked for.
func TestReplay(t *testing.T) {
	noLeaks(t)
	data := t.TempDir()
	_, site, _ := startCollect(t, "--host", "shop.example", "--data", data)
	var file strings.Builder
	for contentType, body := range reports("https://recorded.test:9201/cart", "https://cdn.example/x.js") {
		body = strings.Replace(body, `"disposition":"enforce",`, "", 1)
		line, _ := json.Marshal(map[string]any{"method": "POST", "path": "/r/x?d=r", "content_type": contentType, "headers": map[string]string{"Cookie": "secret"}, "body": body})
		fmt.Fprintf(&file, "%s\n%s\n\n", line, strings.ReplaceAll(body, "/cart", "/bare"))
	}
	file.WriteString("no JSON\n{\"method\":\"OPTIONS\",\"body\":\"\"}\n[{}]\n")
	path := filepath.Join(t.TempDir(), "recorded.jsonl")
	if err := os.WriteFile(path, []byte(file.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := run(t, "reports", "replay", path, "--to", site, "--host", "shop.example", "--format", "json", "--rate", "1000", "--concurrency", "2")
	var sum map[string]any
	if err := json.Unmarshal([]byte(stdout), &sum); err != nil || code != 0 || sum["sent"] != 7.0 || sum["bad_lines"] != 1.0 || sum["skipped"] != 1.0 || sum["failed"] != 0.0 {
		t.Errorf("%d, %v: %s%s", code, err, stdout, stderr)
	}
	if !strings.Contains(stderr, path+":10: no JSON: left out") {
		t.Errorf("the bad line is not named: %s", stderr)
	}
	issues := issuesIn(t, data)
	if len(issues) != 1 || issues[0]["report_only"] != 3.0 || issues[0]["disposition_unknown"] != 3.0 {
		t.Errorf("issues %v, want one of three reports of a trial and three that do not say", issues)
	}
	if code, _, stderr := run(t, "reports", "replay", path, "--to", site, "--strict"); code != 2 || !strings.Contains(stderr, path+":10: no JSON") {
		t.Errorf("--strict: %d %s", code, stderr)
	}
}

// 503 is sent again, other answers are told of, and nothing is redirected.
func TestReplayAnswers(t *testing.T) {
	noLeaks(t)
	path := filepath.Join(t.TempDir(), "bare.jsonl")
	if err := os.WriteFile(path, []byte("{\"csp-report\":{}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		statuses []int // of one answer after the other
		code     int
		want     string
	}{
		{[]int{503, 503, 204}, 0, "1 sent in .* 0 failed, 2 sent again"},
		{[]int{503, 503, 503, 503}, 3, "0 sent in .* 1 failed, 3 sent again"},
		{[]int{404}, 3, "404  1"},
		{[]int{307}, 3, "307  1"},
	} {
		var n atomic.Int64
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if body, _ := io.ReadAll(r.Body); string(body) != `{"csp-report":{}}` || r.URL.Path != "/.merlon/r" || r.Header.Get("Content-Type") != "application/csp-report" {
				t.Errorf("%s %s %s", r.URL, r.Header, body)
			}
			w.Header().Set("Retry-After", "0")
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(test.statuses[n.Add(1)-1])
		}))
		code, stdout, stderr := run(t, "reports", "replay", path, "--to", server.URL)
		server.Close()
		if ok, _ := regexp.MatchString(test.want, stdout); !ok || code != test.code {
			t.Errorf("%v: %d %s%s, want %d and %s", test.statuses, code, stdout, stderr, test.code, test.want)
		}
	}
	for _, args := range [][]string{{path}, {path, "--to", "ftp://x"}, {path, "--to", "127.0.0.1:1", "--rate", "-1"}, {path, "--to", "127.0.0.1:1", "--concurrency", "0"},
		{path, "--to", "127.0.0.1:1", "--host", "a b"}, {"none.jsonl", "--to", "127.0.0.1:1"}} {
		if code, _, stderr := run(t, append([]string{"reports", "replay"}, args...)...); code != 2 {
			t.Errorf("%v: %d %s, want 2", args, code, stderr)
		}
	}
}

// Every reason for which the collector drops reports has words.
func TestReasonsHaveWords(t *testing.T) {
	found := regexp.MustCompile(`(?m)^\s+reason\w+\s+= "([^"]+)"`).FindAllStringSubmatch(read(t, "../collect/handler.go"), -1)
	if len(found) < 10 {
		t.Fatalf("%d reasons in the collector's source", len(found))
	}
	other := dash.ReasonWords("no such reason").Headline
	for _, reason := range found {
		if w := dash.ReasonWords(reason[1]); w.Headline == other {
			t.Errorf("%s has no words", reason[1])
		}
	}
}

// The guide has an example of every command, and each example has flags that there are.
func TestDocumentedReports(t *testing.T) {
	examples := regexp.MustCompile(`(?m)^    merlon (reports (\w+).*)$`).FindAllStringSubmatch(read(t, docs+"reports-cli.md"), -1)
	seen := map[string]bool{}
	for _, e := range examples {
		seen[e[2]] = true
		if code, _, stderr := run(t, append(strings.Fields(e[1]), "--help")...); code != 0 {
			t.Errorf("merlon %s: %d %s", e[1], code, stderr)
		}
	}
	_, help, _ := run(t, "reports", "--help")
	_, list, _ := strings.Cut(help, "Available Commands:\n")
	list, _, _ = strings.Cut(list, "\n\n")
	for line := range strings.Lines(list) {
		if name := strings.Fields(line)[0]; !seen[name] {
			t.Errorf("the guide has no example of %s", name)
		}
	}
}
