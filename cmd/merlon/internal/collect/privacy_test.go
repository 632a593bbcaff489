package collect_test

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/collect"
)

// secrets are what injected puts into reports and what nothing may be left of.
var secrets = []string{
	"usersecret", "passsecret", "querysecret", "fragmentsecret", "Zm9vYmFyMTIzNDU2Nzg5", "alice", "mail.example", "jsessionsecret", "noncesecret",
	"endpointsecret", "pathsecret1234567", "5551234", "d41d8cd98f00b204e9800998ecf8427e", "550e8400-e29b-41d4-a716-446655440000", "agentsecret", "extrasecret", "cookiesecret",
	"hashsecret", "192.0.2.77", "Mozilla", "AppleWebKit",
}

// injected returns the value with secrets in every member of a report that can have them.
func injected(key string, v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			v[k] = injected(k, v[k])
		}
		if _, ok := v["disposition"]; ok {
			v["extra-extrasecret"] = "extrasecret"
		}
		return v
	case []any:
		for i := range v {
			v[i] = injected(key, v[i])
		}
		return v
	case string:
		return injectedText(key, v)
	}
	return v
}

func injectedText(key, s string) string {
	switch {
	case strings.Contains(strings.ToLower(key), "policy") && key != "effectivePolicy" && key != "policyId":
		return s + "; script-src-elem 'nonce-noncesecret' 'sha256-hashsecret' https://usersecret:passsecret@cdn.example/ https://cdn.example/pathsecret1234567/?querysecret;" +
			" report-uri /r?t=endpointsecret; report-to endpointsecret"
	case strings.HasSuffix(key, "sample"):
		return s + " t('alice@mail.example',5551234,'550e8400-e29b-41d4-a716-446655440000','//a.example/x?k=querysecret','/reset?k=querysecret')"
	case key == "message":
		return s + " See https://usersecret:passsecret@a.example/Zm9vYmFyMTIzNDU2Nzg5?querysecret#fragmentsecret, alice@mail.example, 5551234"
	case key == "user_agent":
		return s + " agentsecret"
	case key == "server_ip" || key == "serverIp":
		return "192.0.2.77"
	case strings.Contains(s, "://"):
		scheme, rest, _ := strings.Cut(s, "://")
		host, _, _ := strings.Cut(rest, "/")
		return scheme + "://usersecret:passsecret@" + host + "/reset/Zm9vYmFyMTIzNDU2Nzg5/alice%40mail.example/d41d8cd98f00b204e9800998ecf8427e.js" +
			";jsessionid=jsessionsecret?k=querysecret#fragmentsecret"
	case s == "data" || s == "blob" && key != "document-uri" && key != "documentURL" && key != "url":
		return "safari-web-extension://550e8400-e29b-41d4-a716-446655440000/x.js?querysecret"
	}
	return s
}

// Every recorded report, as it came and with a secret in every place that can have one, goes through the collector into a database. None of the
// secrets may be in the file, nor in what lies beside it.
func TestNothingPrivateOfRecordedReports(t *testing.T) {
	f := start(t, collect.Config{})
	handler := f.collector.Handler(recorder)
	var posts sync.WaitGroup
	for _, browser := range browsers {
		for _, r := range readRecorded(t, browser) {
			for _, body := range []string{r.Body, withSecrets(t, r.Body)} {
				req := httptest.NewRequest("POST", r.target()+"&v=1.2&k=querysecret", strings.NewReader(body))
				for name, value := range r.Headers {
					req.Header.Set(name, value)
				}
				req.Header.Set("Cookie", "s=cookiesecret")
				req.Header.Set("X-Forwarded-For", "192.0.2.77")
				posts.Go(func() {
					w := httptest.NewRecorder()
					if handler.ServeHTTP(w, req); w.Code != 204 {
						t.Errorf("%s %s: status %d", browser, r.Name, w.Code)
					}
				})
			}
		}
	}
	posts.Wait()
	drops := f.drops()
	delete(drops, "repeated") // some batches are recorded twice: the browser sent them again
	if len(drops) > 0 {
		t.Errorf("dropped: %v", drops)
	}
	holdsNone(t, f.path, secrets)
	for table, least := range map[string]int{"issues": 100, "samples": 100, "policies": 30, "facets": 300} {
		if n := f.rows(table); n < least {
			t.Errorf("%d rows in %s, want %d at least: this test says nothing", n, table, least)
		}
	}
}

func withSecrets(t *testing.T, body string) string {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		t.Fatal(err)
	}
	changed, err := json.Marshal(injected("", v))
	if err != nil {
		t.Fatal(err)
	}
	return string(changed)
}

// rows counts the rows of a table.
func (f *fixture) rows(table string) (n int) {
	f.t.Helper()
	db, err := sql.Open("sqlite", f.path)
	if err != nil {
		f.t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRow("SELECT count(*) FROM " + table).Scan(&n); err != nil {
		f.t.Fatal(err)
	}
	return n
}

// holdsNone looks for secrets in the bytes of a database and of the files beside it.
func holdsNone(t *testing.T, path string, secrets []string) {
	t.Helper()
	files, err := filepath.Glob(path + "*")
	if err != nil || len(files) < 2 {
		t.Fatalf("%v, %v: want the database and its log", files, err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range secrets {
			if i := bytes.Index(bytes.ToLower(data), bytes.ToLower([]byte(secret))); i >= 0 {
				t.Errorf("%s has %q: %q", filepath.Base(file), secret, data[max(0, i-100):min(len(data), i+100)])
			}
		}
	}
}

// counters are the exact counts, without their hour.
func (f *fixture) counters() (lines []string) {
	f.t.Helper()
	db, err := sql.Open("sqlite", f.path)
	if err != nil {
		f.t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query("SELECT type, directive, class, disposition, sum(count) FROM counters GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4")
	if err != nil {
		f.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var kind, directive, class, disposition string
		var n int
		if err := rows.Scan(&kind, &directive, &class, &disposition, &n); err != nil {
			f.t.Fatal(err)
		}
		lines = append(lines, fmt.Sprint(kind, " ", directive, " ", class, " ", disposition, " ", n))
	}
	return lines
}
