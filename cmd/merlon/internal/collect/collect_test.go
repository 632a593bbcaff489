package collect_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/collect"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/wait"
)

var shop = collect.Site{Name: "shop", Hosts: []string{"shop.example"}}

// fixture is a collector on a database of its own.
type fixture struct {
	t         *testing.T
	path      string
	store     *store.Store
	collector *collect.Collector
}

func start(t *testing.T, config collect.Config) *fixture {
	t.Helper()
	path := filepath.Join(t.TempDir(), "reports.db")
	s, err := store.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	config.Store = s
	c, err := collect.New(config)
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{t, path, s, c}
	t.Cleanup(f.stop)
	return f
}

// stop stores what is queued and closes everything. It may be called twice.
func (f *fixture) stop() {
	if err := f.collector.Close(context.Background()); err != nil {
		f.t.Error(err)
	}
	f.store.Close()
}

// post sends a body to the handler of the site and returns the answer.
func (f *fixture) post(site collect.Site, target, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", target, strings.NewReader(body))
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	f.collector.Handler(site).ServeHTTP(w, r)
	return w
}

// lines returns what is stored, an issue a line: directive class blocked enforced/reported/unknown.
func (f *fixture) lines() []string {
	f.t.Helper()
	issues, err := f.store.Issues(context.Background(), store.Query{Limit: 5000})
	if err != nil {
		f.t.Fatal(err)
	}
	var lines []string
	for _, i := range issues {
		lines = append(lines, fmt.Sprintf("%s %s %s %d/%d/%d", i.Directive, i.Class, i.Blocked, i.Enforced, i.Reported, i.Unknown))
	}
	slices.Sort(lines)
	return lines
}

// drops closes the collector, so that all are counted, and returns the drops by reason.
func (f *fixture) drops() map[string]int64 {
	f.t.Helper()
	if err := f.collector.Close(context.Background()); err != nil {
		f.t.Fatal(err)
	}
	drops, err := f.store.Drops(context.Background(), "")
	if err != nil {
		f.t.Fatal(err)
	}
	got := map[string]int64{}
	for _, d := range drops {
		got[d.Reason] += d.Count
	}
	return got
}

// legacy is a report of shop.example in the shape of report-uri.
func legacy(members string) string {
	return `{"csp-report":{"document-uri":"https://shop.example/cart","effective-directive":"img-src","disposition":"enforce",` +
		`"blocked-uri":"https://cdn.example/a.png"` + members + `}}`
}

func TestDurableBefore204(t *testing.T) {
	f := start(t, collect.Config{})
	for want := range 3 {
		if w := f.post(shop, "https://shop.example/r", legacy("")); w.Code != 204 || w.Body.Len() != 0 {
			t.Fatalf("status %d, body %q", w.Code, w.Body)
		}
		db, err := sql.Open("sqlite", f.path)
		if err != nil {
			t.Fatal(err)
		}
		var count int
		err = db.QueryRow("SELECT sum(count) FROM counters").Scan(&count)
		db.Close()
		if err != nil || count != want+1 {
			t.Errorf("another connection sees %d reports, %v; want %d", count, err, want+1)
		}
	}
}

func TestConcurrentPostsCountOnce(t *testing.T) {
	f := start(t, collect.Config{})
	server := httptest.NewServer(f.collector.Handler(shop))
	defer server.Close()
	const senders, each = 16, 25
	var wg sync.WaitGroup
	for i := range senders {
		wg.Go(func() {
			for range each {
				body := legacy(fmt.Sprintf(`,"source-file":"%d","blocked-uri":"https://c%d.example/x"`, i, i))
				resp, err := server.Client().Post(server.URL, "application/csp-report", strings.NewReader(body))
				if err != nil {
					t.Error(err)
					return
				}
				resp.Body.Close()
				if resp.StatusCode != 204 {
					t.Errorf("status %d", resp.StatusCode)
				}
			}
		})
	}
	wg.Wait()
	var want []string
	for i := range senders {
		want = append(want, fmt.Sprintf("img-src origin https://c%d.example %d/0/0", i, each))
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, f.lines()); diff != "" {
		t.Errorf("issues (-want +got):\n%s", diff)
	}
}

func TestUnwantedIsCountedByReason(t *testing.T) {
	foreign := strings.ReplaceAll(legacy(""), "shop.example", "evil.example")
	batch := `[{"type":"coep","url":"https://shop.example/","body":null},{"type":"made-up","url":"https://shop.example/"},null,{"type":"csp-violation","body":null},` +
		`{"type":"csp-violation","url":"https://evil.example/","body":{"effectiveDirective":"img-src"}},` +
		`{"type":"csp-violation","url":"https://shop.example/","body":{"effectiveDirective":"img-src","blockedURL":"data"}}]`
	f := start(t, collect.Config{})
	for _, body := range []string{
		"", "hello", "\x1f\x8b\x08\x00gzip", `{"a":1}`, `{"csp-report":{}}`, foreign, batch,
		strings.Repeat("[", 100), "[" + strings.Repeat("null,", 100) + "null]", legacy(`,"script-sample":"` + strings.Repeat("x", 70_000) + `"`),
		"[" + strings.Repeat(" ", 2<<20) + "]",
	} {
		if w := f.post(shop, "https://shop.example/r", body); w.Code != 204 || w.Body.Len() != 0 {
			t.Errorf("%.20q: status %d, body %q; want 204 and none", body, w.Code, w.Body)
		}
	}
	if diff := cmp.Diff([]string{"img-src scheme data: 0/0/1", "other other  0/0/1"}, f.lines()); diff != "" {
		t.Errorf("issues (-want +got):\n%s", diff)
	}
	want := map[string]int64{"not-json": 3, "not-a-report": 5, "foreign": 2, "too-deep": 1, "too-many": 1, "too-large": 2}
	if diff := cmp.Diff(want, f.drops()); diff != "" {
		t.Errorf("drops (-want +got):\n%s", diff)
	}
}

// Who counts hears of what was stored and of what was not.
func TestCounting(t *testing.T) {
	counted := map[string]int64{}
	f := start(t, collect.Config{
		Stored:  func(site string, n int) { counted[site+" stored"] += int64(n) },
		Dropped: func(site, reason string, n int64) { counted[site+" "+reason] += n },
	})
	own := legacy("")
	f.post(shop, "https://shop.example/r", own)
	f.post(shop, "https://shop.example/r", strings.Replace(own, "shop.example", "other.example", 1))
	f.post(shop, "https://shop.example/r", "no JSON")
	f.stop() // what comes now is not stored
	f.post(shop, "https://shop.example/r", own)
	if diff := cmp.Diff(map[string]int64{"shop stored": 1, "shop foreign": 1, "shop not-json": 1}, counted); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestMethodsAndHeaders(t *testing.T) {
	f := start(t, collect.Config{})
	tests := []struct {
		method, origin string
		status         int
		allowOrigin    string
		allowHeaders   string
	}{
		{"OPTIONS", "https://shop.example", 204, "https://shop.example", "content-type"},
		{"OPTIONS", "https://evil.example", 204, "", ""},
		{"OPTIONS", "https://shop.example.evil.example", 204, "", ""},
		{"OPTIONS", "https://shop.example.evil.example:8443", 204, "", ""},
		{"OPTIONS", "null", 204, "", ""},
		{"POST", "https://shop.example", 204, "https://shop.example", ""},
		{"POST", "https://evil.example", 204, "", ""},
		{"GET", "https://shop.example", 405, "https://shop.example", ""},
		{"DELETE", "", 405, "", ""},
	}
	for _, test := range tests {
		r := httptest.NewRequest(test.method, "https://shop.example/r", strings.NewReader(legacy("")))
		r.Header.Set("Origin", test.origin)
		w := httptest.NewRecorder()
		f.collector.Handler(shop).ServeHTTP(w, r)
		h := w.Header()
		if w.Code != test.status || h.Get("Access-Control-Allow-Origin") != test.allowOrigin || h.Get("Access-Control-Allow-Headers") != test.allowHeaders {
			t.Errorf("%s from %q: %d %v", test.method, test.origin, w.Code, h)
		}
		if h.Get("Cache-Control") != "no-store" || h.Get("Cross-Origin-Resource-Policy") != "cross-origin" || h.Get("Vary") != "Origin" {
			t.Errorf("%s from %q: headers %v", test.method, test.origin, h)
		}
		if test.status == 405 && h.Get("Allow") != "POST, OPTIONS" {
			t.Errorf("%s: Allow %q", test.method, h.Get("Allow"))
		}
	}
	if diff := cmp.Diff(map[string]int64{"method": 2, "preflight": 4}, f.drops()); diff != "" {
		t.Errorf("drops (-want +got):\n%s", diff)
	}
}

// While one round is being committed the next one fills, up to a bound, and is committed as a whole. Close waits for both.
func TestRounds(t *testing.T) {
	f := start(t, collect.Config{MaxQueuedReports: 4})
	other := collect.Site{Name: "other"}
	f.collector.Handler(other)
	release := f.lock()
	var wg sync.WaitGroup
	post := func(site collect.Site) {
		wg.Go(func() {
			if w := f.post(site, "https://shop.example/r", legacy("")); w.Code != 204 {
				t.Errorf("status %d", w.Code)
			}
		})
	}
	first := f.collector.Round()
	post(shop)
	wait.Until(t, "the first round is being committed", func() bool { return f.collector.Round() != first })
	for n := range 3 {
		post(shop)
		wait.Until(t, "a report waits", func() bool { return f.collector.Waiting() == n+1 })
	}
	w := f.post(shop, "https://shop.example/r", legacy(""))
	if w.Code != 503 || w.Header().Get("Retry-After") == "" {
		t.Errorf("beyond the share of a site: %d %v, want 503 with Retry-After", w.Code, w.Header())
	}
	post(other)
	wait.Until(t, "a report of the other site waits", func() bool { return f.collector.Waiting() == 4 })
	if w := f.post(other, "https://shop.example/r", legacy("")); w.Code != 503 {
		t.Errorf("beyond the bound: %d, want 503", w.Code)
	}
	closed := make(chan error)
	go func() { closed <- f.collector.Close(context.Background()) }()
	release()
	if err := <-closed; err != nil {
		t.Error(err)
	}
	wg.Wait()
	if got := f.lines(); len(got) != 2 || !strings.HasSuffix(got[0], " 1/0/0") || !strings.HasSuffix(got[1], " 4/0/0") {
		t.Errorf("issues %q, want one with 1 and one with 4", got)
	}
	if w := f.post(shop, "https://shop.example/r", legacy("")); w.Code != 503 {
		t.Errorf("after Close: status %d, want 503", w.Code)
	}
}

// open connects to the database past the store.
func (f *fixture) open(options string) *sql.DB {
	f.t.Helper()
	db, err := sql.Open("sqlite", "file:"+f.path+"?_pragma=busy_timeout(5000)"+options)
	if err != nil {
		f.t.Fatal(err)
	}
	return db
}

// lock keeps every commit waiting, as a slow disk does, until release is called.
func (f *fixture) lock() (release func()) {
	f.t.Helper()
	db := f.open("&_txlock=immediate")
	tx, err := db.Begin()
	if err != nil {
		f.t.Fatal(err)
	}
	return sync.OnceFunc(func() {
		if err := errors.Join(tx.Rollback(), db.Close()); err != nil {
			f.t.Error(err)
		}
	})
}

// Bodies count when they arrive and as long as they are needed.
func TestQueuedBytes(t *testing.T) {
	f := start(t, collect.Config{MaxQueuedBytes: 1000})
	slow, feed := io.Pipe()
	done := make(chan int)
	go func() {
		r := httptest.NewRequest("POST", "https://shop.example/r", slow)
		w := httptest.NewRecorder()
		f.collector.Handler(shop).ServeHTTP(w, r)
		done <- w.Code
	}()
	feed.Write([]byte(strings.Repeat(" ", 900)))
	feed.Write([]byte(" ")) // returns when it is read, and so after the 900 were counted
	if w := f.post(shop, "https://shop.example/r", legacy("")); w.Code != 503 {
		t.Errorf("beside 900 bytes: status %d, want 503", w.Code)
	}
	feed.Close()
	if code := <-done; code != 204 {
		t.Errorf("900 blanks: status %d, want 204", code)
	}
	if w := f.post(shop, "https://shop.example/r", legacy("")); w.Code != 204 {
		t.Errorf("afterwards: status %d, want 204", w.Code)
	}
}

func TestConfig(t *testing.T) {
	if _, err := collect.New(collect.Config{}); err == nil {
		t.Error("New without a store")
	}
	if _, err := collect.New(collect.Config{Store: new(store.Store), MaxQueuedBytes: -1}); err == nil {
		t.Error("New with a negative limit")
	}
}

// Secrets are in every place where a report can have one. None may be in the file, nor in what lies beside it.
func TestNothingPrivateIsStored(t *testing.T) {
	f := start(t, collect.Config{})
	secrets := []string{
		"q1secret", "q2secret", "q3secret", "q4secret", "fragsecret", "usersecret", "passsecret", "Zm9vYmFyMTIzNDU2Nzg5", "jsessionsecret",
		"alice@mail.example", "5551234", "d41d8cd98f00b204e9800998ecf8427e", "noncesecret", "tokensecret", "cookiesecret", "192.0.2.1", "Mozilla",
	}
	body := `[{"type":"csp-violation","url":"https://shop.example/","user_agent":"Mozilla/5.0","body":{
		"documentURL":"https://usersecret:passsecret@shop.example/reset/Zm9vYmFyMTIzNDU2Nzg5/alice%40mail.example;jsessionid=jsessionsecret?k=q1secret#fragsecret",
		"referrer":"https://shop.example/login?k=q2secret","blockedURL":"https://usersecret:passsecret@cdn.example/x.js?k=q3secret",
		"sourceFile":"https://shop.example/d41d8cd98f00b204e9800998ecf8427e.js?k=q4secret","effectiveDirective":"script-src-elem",
		"originalPolicy":"script-src 'nonce-noncesecret'; report-uri /r?t=tokensecret","disposition":"enforce"}},
		{"type":"csp-violation","url":"https://shop.example/a","body":{"effectiveDirective":"script-src-elem","blockedURL":"inline",
		"sample":"t('alice@mail.example',5551234,'https://a/?q1secret')","sourceFile":"https://shop.example/","lineNumber":3}},
		{"type":"csp-violation","url":"https://shop.example/a","body":{"effectiveDirective":"script-src","blockedURL":"eval",
		"sourceFile":"https://shop.example/app.d41d8cd98f00b204e9800998ecf8427e.js?q1secret"}}]`
	w := f.post(shop, "https://shop.example/r", body, "Cookie", "s=cookiesecret", "User-Agent", "Mozilla/5.0",
		"Referer", "https://shop.example/?k=q1secret", "X-Forwarded-For", "192.0.2.1")
	if w.Code != 204 {
		t.Fatal(w.Code)
	}
	want := []string{
		"script-src eval /app.*.js 0/0/1", "script-src-elem inline inline 0/0/1", "script-src-elem origin https://cdn.example 1/0/0",
	}
	if diff := cmp.Diff(want, f.lines()); diff != "" {
		t.Errorf("issues (-want +got):\n%s", diff)
	}
	files, err := filepath.Glob(f.path + "*")
	if err != nil || len(files) < 2 {
		t.Fatalf("%v, %v: want the database and its log", files, err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range secrets {
			if bytes.Contains(data, []byte(secret)) {
				t.Errorf("%s has %q", filepath.Base(file), secret)
			}
		}
	}
}

func TestHostileText(t *testing.T) {
	f := start(t, collect.Config{})
	hostile := `\u0000\u001b[2J\r\n\u202e<script>alert(1)</script>\ud800\u0085` + strings.Repeat("ü", 5000)
	for _, blocked := range []string{"inline", "https://a.example/" + hostile, hostile, "x" + hostile + "://y", "https://" + hostile + "/", "trusted-types-sink"} {
		f.post(shop, "https://shop.example/r", legacy(`,"blocked-uri":"`+blocked+`","script-sample":"`+hostile+`","source-file":"`+hostile+
			`","document-uri":"https://shop.example/`+hostile+`","effective-directive":"script-src-`+hostile+`"`))
	}
	issues, err := f.store.Issues(t.Context(), store.Query{})
	if err != nil || len(issues) == 0 {
		t.Fatalf("%d issues, %v", len(issues), err)
	}
	for _, i := range issues {
		if i.Directive != "other" {
			t.Errorf("directive %q, want other", i.Directive)
		}
		for _, s := range []string{i.Blocked, i.Sample, i.Pages[0].Route} {
			if len(s) > 512 || strings.ContainsAny(s, "\x00\x1b\r\n\u202e\u0085") || strings.ToValidUTF8(s, "") != s {
				t.Errorf("stored %q", s)
			}
		}
	}
	if got := f.drops(); len(got) != 0 {
		t.Errorf("drops %v", got)
	}
}
