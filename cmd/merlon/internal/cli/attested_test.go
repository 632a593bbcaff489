package cli_test

import (
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/cli"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

// Pages of the gateway are counted, and a report counts as proof of a page view when it names a nonce of the gateway's, of this run or the
// one before.
func TestAttestedPageViews(t *testing.T) {
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		io.WriteString(w, "<p>a page")
	}))
	defer app.Close()
	data := t.TempDir()
	var nonces []string
	for range 2 {
		gw, site := quick(t, app.URL, data)
		page, err := http.Get(site + "/item/7")
		if err != nil {
			t.Fatal(err)
		}
		page.Body.Close()
		named := nonceSource.FindStringSubmatch(page.Header.Get("Content-Security-Policy-Report-Only")) // compat enforces none
		if named == nil {
			t.Fatalf("no nonce of 32 characters in %v", page.Header)
		}
		nonces = append(nonces, named[1])
		for _, nonce := range []string{nonces[0], nonces[len(nonces)-1], nonces[0][:31] + "_", strings.Repeat("A", 32)} {
			body := fmt.Sprintf(`{"csp-report":{"document-uri":"%s/item/7","effective-directive":"img-src","blocked-uri":"https://cdn.example/a.png","original-policy":"script-src 'nonce-%s'"}}`, site, nonce)
			res, err := http.Post(site+"/.merlon/r", "application/csp-report", strings.NewReader(body))
			if err != nil || res.StatusCode != http.StatusNoContent {
				t.Fatal(res, err)
			}
			res.Body.Close()
		}
		gw.end(t)
	}
	db, err := store.OpenReader(t.Context(), filepath.Join(data, "merlon.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	issues, err := db.Issues(t.Context(), store.Query{})
	if err != nil || len(issues) != 1 {
		t.Fatal(issues, err)
	}
	if i := issues[0]; i.Total() != 8 || i.Attested != 4 || i.Views != 2 {
		t.Errorf("%d reports, %d attested, about %d page views; want 8, 4 and 2", i.Total(), i.Attested, i.Views)
	}
	if got, want := documentsIn(t, data), []string{"default /item/* 2"}; !slices.Equal(got, want) {
		t.Errorf("page views: %q, want %q", got, want)
	}
}

// Keys that are damaged are not replaced behind the operator's back.
func TestDamagedKeys(t *testing.T) {
	data := t.TempDir()
	if err := os.WriteFile(filepath.Join(data, "keys"), []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errs strings.Builder
	code := cli.Run(t.Context(), []string{"gateway", "--upstream", "http://127.0.0.1:9", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--data", data}, &out, &errs)
	if code == 0 || !strings.Contains(errs.String(), filepath.Join(data, "keys")) || !strings.Contains(errs.String(), "remove it and new keys are made") {
		t.Errorf("%d, %s", code, errs.String())
	}
}

// documentsIn returns the documents in the data directory, a line each: site route count.
func documentsIn(t *testing.T, data string) (lines []string) {
	t.Helper()
	return linesIn(t, data, "SELECT site || ' ' || route || ' ' || sum(count) FROM documents GROUP BY site, route ORDER BY 1")
}

// linesIn asks the database of the data directory.
func linesIn(t *testing.T, data, question string) (lines []string) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(data, "merlon.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query(question)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, line)
	}
	return lines
}
