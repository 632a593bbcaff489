package collect_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/merlon-sec/merlon"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/collect"
	"github.com/merlon-sec/merlon/report"
)

// documents returns the rows of documents, a line each: site route count.
func (f *fixture) documents() []string {
	f.t.Helper()
	db, err := sql.Open("sqlite", f.path)
	if err != nil {
		f.t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query("SELECT site || ' ' || route || ' ' || sum(count) FROM documents GROUP BY site, route ORDER BY site, route")
	if err != nil {
		f.t.Fatal(err)
	}
	defer rows.Close()
	var lines []string
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			f.t.Fatal(err)
		}
		lines = append(lines, line)
	}
	return lines
}

// pages serves pages of a site whose documents are counted.
func pages(t *testing.T, tallies *collect.Tallies, site string) func(method, path string, status int) {
	t.Helper()
	guard, err := merlon.NewHooked(merlon.Strict(), merlon.Hooks{Committed: tallies.Hook(site)})
	if err != nil {
		t.Fatal(err)
	}
	return func(method, path string, status int) {
		h := guard.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(status) }))
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(method, path, nil))
	}
}

func TestTallies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t, collect.Config{})
		tallies := collect.NewTallies(f.collector)
		shop, blog := pages(t, tallies, "shop"), pages(t, tallies, "blog")
		for i := range 3 {
			shop("GET", fmt.Sprintf("/item/%d", i), 200)
		}
		shop("HEAD", "/item/1", 200)
		shop("GET", "/item/1", 304)
		shop("GET", "/nothing", 404)
		blog("GET", "/", 200)
		if got := f.documents(); len(got) != 0 {
			t.Errorf("at once there are %q", got)
		}
		time.Sleep(5*time.Second + 10*time.Millisecond)
		synctest.Wait()
		want := []string{"blog / 1", "shop * 1", "shop /item/* 3"}
		if got := f.documents(); !slices.Equal(got, want) {
			t.Errorf("after five seconds there are %q, want %q", got, want)
		}
		pages(t, tallies, "shop")("GET", "/item/9", 200) // after a reload
		if err := tallies.Close(t.Context()); err != nil {
			t.Error(err)
		}
		want[2] = "shop /item/* 4"
		if got := f.documents(); !slices.Equal(got, want) {
			t.Errorf("after Close there are %q, want %q", got, want)
		}
		f.stop()
	})
}

// What cannot be stored is counted again when it can.
func TestTalliesThatCannotBeStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t, collect.Config{})
		rename := func(from, to string) {
			db, err := sql.Open("sqlite", f.path)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			if _, err := db.Exec("ALTER TABLE " + from + " RENAME TO " + to); err != nil {
				t.Fatal(err)
			}
		}
		tallies := collect.NewTallies(f.collector)
		pages(t, tallies, "shop")("GET", "/", 200)
		tallies.CanarySent("shop", chromiumAgent)
		rename("documents", "gone")
		time.Sleep(5*time.Second + 10*time.Millisecond)
		synctest.Wait()
		rename("gone", "documents")
		if got := f.documents(); len(got) > 0 {
			t.Errorf("stored: %q", got)
		}
		if err := tallies.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if got, want := append(f.documents(), f.canaries()...), []string{"shop / 1", "Chrome 1 0"}; !slices.Equal(got, want) {
			t.Errorf("in the end there are %q, want %q", got, want)
		}
		f.stop()
	})
}

func TestTalliesAfterTheCollector(t *testing.T) {
	f := start(t, collect.Config{})
	tallies := collect.NewTallies(f.collector)
	pages(t, tallies, "shop")("GET", "/", 200)
	f.stop()
	if err := tallies.Close(context.Background()); err == nil {
		t.Error("counts that nobody stores are no error")
	}
}

const pushed = `{"schema":"merlon/documents","version":1,"id":"ABCDEFGHIJKLMNOP","documents":[{"route":"/","policy":"p","count":3}]}`

func TestDocuments(t *testing.T) {
	f := start(t, collect.Config{})
	site := collect.Site{Name: "shop", DocumentsToken: "0123456789abcdef"}
	for _, c := range []struct {
		name, method, token, body string
		site                      collect.Site
		status                    int
		text                      string
	}{
		{"no token is said", "POST", "Bearer 0123456789abcdef", pushed, collect.Site{Name: "shop"}, 404, "token_file"},
		{"not even an empty one", "POST", "Bearer ", pushed, collect.Site{Name: "shop"}, 404, ""},
		{"without a token", "POST", "", pushed, site, 401, ""},
		{"another token", "POST", "Bearer 0123456789abcdeF", pushed, site, 401, ""},
		{"a part of it", "POST", "Bearer 0123456789abcde", pushed, site, 401, ""},
		{"another scheme", "POST", "Basic 0123456789abcdef", pushed, site, 401, ""},
		{"by GET", "GET", "Bearer 0123456789abcdef", "", site, 405, ""},
		{"no JSON", "POST", "Bearer 0123456789abcdef", "{", site, 400, ""},
		{"a later version", "POST", "Bearer 0123456789abcdef", strings.Replace(pushed, `"version":1`, `"version":2`, 1), site, 400, "version 2"},
		{"too large", "POST", "Bearer 0123456789abcdef", pushed + strings.Repeat(" ", report.MaxCountsBytes), site, 413, ""},
		{"nothing", "POST", "Bearer 0123456789abcdef", strings.Replace(pushed, `{"route":"/","policy":"p","count":3}`, "", 1), site, 204, ""},
		{"as it should be", "POST", "Bearer 0123456789abcdef", pushed, site, 204, ""},
		{"again", "POST", "bearer 0123456789abcdef", pushed, site, 204, ""},
	} {
		r := httptest.NewRequest(c.method, "/.merlon/r/documents", strings.NewReader(c.body))
		if c.token != "" {
			r.Header.Set("Authorization", c.token)
		}
		w := httptest.NewRecorder()
		f.collector.Documents(c.site).ServeHTTP(w, r)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.text) {
			t.Errorf("%s: %d %q; want %d with %q", c.name, w.Code, w.Body, c.status, c.text)
		}
		if c.status/100 == 4 && len(f.documents()) > 0 {
			t.Errorf("%s: it was counted", c.name)
		}
	}
	if got := f.documents(); !slices.Equal(got, []string{"shop / 3"}) {
		t.Errorf("counted: %q", got)
	}
	f.stop()
	r := httptest.NewRequest("POST", "/", strings.NewReader(strings.Replace(pushed, "ABC", "XYZ", 1)))
	r.Header.Set("Authorization", "Bearer 0123456789abcdef")
	w := httptest.NewRecorder()
	f.collector.Documents(site).ServeHTTP(w, r)
	if w.Code != 503 || w.Header().Get("Retry-After") == "" {
		t.Errorf("after Close: %d %v, want 503 with Retry-After", w.Code, w.Header())
	}
}

// What a program pushes is bounded and cleaned like what this process counts, whatever it takes for a route.
func TestDocumentsOfPaths(t *testing.T) {
	f := start(t, collect.Config{})
	site := collect.Site{Name: "shop", DocumentsToken: "0123456789abcdef"}
	handler := f.collector.Documents(site)
	push := func(n int, documents string) {
		t.Helper()
		r := httptest.NewRequest("POST", "/", strings.NewReader(fmt.Sprintf(`{"schema":"merlon/documents","version":1,"id":"%026d","documents":[%s]}`, n, documents)))
		r.Header.Set("Authorization", "Bearer 0123456789abcdef")
		w := httptest.NewRecorder()
		if handler.ServeHTTP(w, r); w.Code != 204 {
			t.Fatalf("push %d: %d %s", n, w.Code, w.Body)
		}
	}
	push(0, `{"route":"/u/*","policy":"p","count":1},{"route":"/u/alice@mail.example","policy":"p","count":2},{"route":"/u/bob?token=x","policy":"p","count":4},`+
		`{"route":"//evil.example/x","policy":"p","count":8},{"route":"*","policy":"p","count":16}`)
	if got, want := f.documents(), []string{"shop * 24", "shop /u/* 3", "shop /u/bob 4"}; !slices.Equal(got, want) {
		t.Errorf("counted %q, want %q", got, want)
	}
	for n := range 5 {
		var paths []string
		for i := range 100 {
			paths = append(paths, fmt.Sprintf(`{"route":"/%c%c%c","policy":"p","count":1}`, 'g'+n, 'g'+i/10, 'g'+i%10))
		}
		push(n+1, strings.Join(paths, ","))
	}
	if rows := f.documents(); len(rows) > 201 || rows[0] != fmt.Sprintf("shop * %d", 31+500-7-(len(rows)-3)) {
		t.Errorf("%d rows, the rest is %q; want 201 at most, and sums", len(rows), rows[0])
	}
}

// A body that breaks off is its sender's to send again, and no failure of ours.
func TestDocumentsIncomplete(t *testing.T) {
	f := start(t, collect.Config{})
	r := httptest.NewRequest("POST", "/", brokenBody{})
	r.Header.Set("Authorization", "Bearer 0123456789abcdef")
	w := httptest.NewRecorder()
	f.collector.Documents(collect.Site{Name: "shop", DocumentsToken: "0123456789abcdef"}).ServeHTTP(w, r)
	if w.Code != 400 {
		t.Errorf("%d, want 400", w.Code)
	}
}

type brokenBody struct{}

func (brokenBody) Read([]byte) (int, error) { return 0, errors.New("broken off") }

// The Counter of the library and the collector agree.
func TestCounterPushes(t *testing.T) {
	f := start(t, collect.Config{})
	srv := httptest.NewServer(f.collector.Documents(collect.Site{Name: "shop", DocumentsToken: "0123456789abcdef"}))
	defer srv.Close()
	counter, err := report.NewCounter(report.CounterConfig{URL: srv.URL + "/.merlon/r/documents", Token: "0123456789abcdef"})
	if err != nil {
		t.Fatal(err)
	}
	u := httptest.NewRequest("GET", "https://shop.example/item/7", nil).URL
	counter.Count(u, "p", 200)
	counter.Count(u, "p", 404)
	if err := counter.Push(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, want := f.documents(), []string{"shop * 1", "shop /item/* 1"}; !slices.Equal(got, want) {
		t.Errorf("counted: %q, want %q", got, want)
	}
}
