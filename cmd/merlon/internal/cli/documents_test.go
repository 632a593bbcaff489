package cli_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon/report"
)

// A program that stands beside the gateway pushes its counts with the token of the policy file.
func TestPushedDocuments(t *testing.T) {
	app := httptest.NewServer(http.NotFoundHandler())
	defer app.Close()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	token := write("token", "0123456789abcdef0123\n")
	config := write("merlon.yaml", "version: 1\nupstream: "+app.URL+"\ndocuments: {token_file: "+token+"}\n")
	data := filepath.Join(dir, "data")
	gw := start(t, "the next one:", "gateway", "--config", config, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--data", data)
	site := regexp.MustCompile(`http://127\.0\.0\.1:\d+`).FindString(gw.stdout.String())
	for _, c := range []struct{ token, want string }{{"0123456789abcdef0123", ""}, {"another", "another token"}} {
		counter, err := report.NewCounter(report.CounterConfig{URL: site + "/.merlon/r/documents", Token: c.token})
		if err != nil {
			t.Fatal(err)
		}
		counter.Count(httptest.NewRequest("GET", "/cart", nil).URL, "p", 200)
		if err := counter.Push(t.Context()); c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("token %q: %v, want %q", c.token, err, c.want)
		}
	}
	gw.end(t)
	if got, want := documentsIn(t, data), []string{"default /cart 1"}; !slices.Equal(got, want) {
		t.Errorf("page views: %q, want %q", got, want)
	}
}
