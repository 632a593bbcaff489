package dash_test

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/dash"
)

// Every answer carries the headers, whoever made it: a page, the mux, a check in front of it, or an error.
func TestHeadersOnEveryAnswer(t *testing.T) {
	r := newRig(t)
	cookie := r.logIn()
	foreignHost := newRequest("GET", "/", nil)
	foreignHost.Host = "attacker.example"
	foreignOrigin := newRequest("POST", "/logout", url.Values{})
	foreignOrigin.Header.Set("Sec-Fetch-Site", "cross-site")
	broken := newRequest("GET", "/", nil)
	answers := map[string]*http.Response{
		"page":           r.do("GET", "/", nil, cookie),
		"head":           r.do("HEAD", "/", nil, cookie),
		"log-in":         r.do("GET", "/login", nil, nil),
		"redirect":       r.do("GET", "/", nil, nil),
		"refused token":  r.do("POST", "/login", url.Values{}, nil),
		"health":         r.do("GET", "/healthz", nil, nil),
		"readiness":      r.do("GET", "/readyz", nil, nil),
		"style":          r.do("GET", "/static/style.css", nil, nil),
		"no style":       r.do("GET", "/static/none.css", nil, nil),
		"not found":      r.do("GET", "/none", nil, nil),
		"odd path":       r.do("GET", "//issues/..%2f", nil, nil),
		"wrong method":   r.do("DELETE", "/login", nil, nil),
		"no issue":       r.do("GET", "/issues/99", nil, cookie),
		"issues":         r.do("GET", "/issues", nil, cookie),
		"state":          r.do("POST", "/issues/99/state", url.Values{"state": {"new"}}, cookie),
		"no state":       r.do("POST", "/issues/99/state", url.Values{}, cookie),
		"foreign host":   r.send(foreignHost, nil),
		"foreign origin": r.send(foreignOrigin, nil),
	}
	r.store.Close()
	answers["store closed"] = r.send(broken, cookie)
	want := map[string]string{
		"X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin",
		"Cross-Origin-Opener-Policy": "same-origin",
	}
	for name, res := range answers {
		for header, value := range want {
			if got := res.Header.Values(header); len(got) != 1 || got[0] != value {
				t.Errorf("%s: %s: %q, want %q once", name, header, got, value)
			}
		}
		csp := res.Header.Values("Content-Security-Policy")
		if len(csp) != 1 || !strings.Contains(csp[0], "default-src 'none'; script-src 'none'; style-src 'self'") ||
			!strings.Contains(csp[0], "frame-ancestors 'none'") {
			t.Errorf("%s: Content-Security-Policy: %q", name, csp)
		}
		got := strings.Join(csp, " ") + res.Header.Get("Content-Security-Policy-Report-Only")
		if strings.Contains(got, "report-uri") || strings.Contains(got, "unsafe") {
			t.Errorf("%s: policy %q reports or is loose", name, got)
		}
	}
}

func TestErrorPages(t *testing.T) {
	r := newRig(t)
	cookie := r.logIn()
	tests := []struct {
		method, target string
		status         int
		title, allow   string
	}{
		{"GET", "/none", 404, "Not Found", ""},
		{"GET", "/issues/1", 404, "Not Found", ""},
		{"GET", "/issues/x", 404, "Not Found", ""},
		{"GET", "/issues/99999999999999999999", 404, "Not Found", ""},
		{"GET", "/static/..%2fdash.go", 404, "Not Found", ""},
		{"POST", "/", 405, "Method Not Allowed", "GET, HEAD"},
		{"PUT", "/login", 405, "Method Not Allowed", "GET, HEAD, POST"},
		{"GET", "/logout", 405, "Method Not Allowed", "POST"},
		{"GET", "/issues/1/state", 405, "Method Not Allowed", "POST"},
		{"POST", "/issues/1", 405, "Method Not Allowed", "GET, HEAD"},
	}
	for _, tt := range tests {
		res := r.do(tt.method, tt.target, nil, cookie)
		if res.StatusCode != tt.status || res.Header.Get("Allow") != tt.allow {
			t.Errorf("%s %s: %d, Allow %q, want %d, %q", tt.method, tt.target, res.StatusCode, res.Header.Get("Allow"), tt.status, tt.allow)
			continue
		}
		doc := parse(t, res)
		wantText(t, doc, "h1", tt.title)
		if links := find(doc, "link"); len(links) != 2 || !strings.HasPrefix(attr(links[1], "href"), "/static/style.css?v=") {
			t.Errorf("%s %s: the page is not in the look of the others", tt.method, tt.target)
		}
	}
}

func TestPagesNeedALogIn(t *testing.T) {
	r := newRig(t)
	forged := &http.Cookie{Name: dash.DefaultCookieName, Value: strings.Repeat("A", 43)}
	for _, target := range []string{"/", "/drops", "/issues", "/issues/1", "/?site=x"} {
		for _, cookie := range []*http.Cookie{nil, forged} {
			res := r.do("GET", target, nil, cookie)
			body, _ := io.ReadAll(res.Body)
			if res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != "/login" || len(body) > 100 {
				t.Errorf("GET %s with cookie %v: %d to %q, want 303 to /login", target, cookie, res.StatusCode, res.Header.Get("Location"))
			}
		}
	}
}

// The process is alive whatever the store does: to start it anew would mend nothing.
func TestHealth(t *testing.T) {
	r := newRig(t)
	for range 2 {
		res := r.do("GET", "/healthz", nil, nil)
		if body, _ := io.ReadAll(res.Body); res.StatusCode != 200 || string(body) != "ok\n" {
			t.Errorf("health: %d %q, want 200 ok", res.StatusCode, body)
		}
		r.store.Close()
	}
}

func TestReadiness(t *testing.T) {
	var draining error
	r := newRig(t, func(c *dash.Config) { c.Ready = func() error { return draining } })
	want := func(what, target string, status int, text string) {
		t.Helper()
		res := r.do("GET", target, nil, nil)
		body, _ := io.ReadAll(res.Body)
		if res.StatusCode != status || !strings.HasPrefix(string(body), text) || res.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %s: %d %q, want %d %q", what, target, res.StatusCode, body, status, text)
		}
	}
	want("ready", "/readyz", 200, "ok\n")
	draining = errors.New("draining")
	want("draining", "/readyz", 503, "draining\n")
	want("draining", "/readyz?exclude=store", 503, "draining\n")
	want("draining", "/healthz", 200, "ok\n")
	draining = nil
	r.store.Close()
	want("store closed", "/readyz", 503, "the database cannot be written")
	want("store closed", "/readyz?exclude=store", 200, "ok\n")
}

func TestMetrics(t *testing.T) {
	if res := newRig(t).do("GET", "/metrics", nil, nil); res.StatusCode != 404 {
		t.Errorf("without metrics: %d, want 404", res.StatusCode)
	}
	r := newRig(t, func(c *dash.Config) {
		c.Metrics = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "numbers") })
	})
	res := r.do("GET", "/metrics", nil, nil)
	if body, _ := io.ReadAll(res.Body); string(body) != "numbers" {
		t.Errorf("with metrics: %d %q", res.StatusCode, body)
	}
}

func TestStoreDown(t *testing.T) {
	var log strings.Builder
	r := newRig(t, func(c *dash.Config) { c.Logger = textLogger(&log) })
	cookie := r.logIn()
	r.store.Close()
	for _, target := range []string{"/", "/issues", "/drops", "/issues/1"} {
		wantText(t, r.page(target, 500, cookie), "h1", "Internal Server Error")
	}
	if got := strings.Count(log.String(), "dashboard page"); got != 4 {
		t.Errorf("%d log lines, want 4:\n%s", got, log.String())
	}
	if strings.Contains(log.String(), r.token) {
		t.Error("the log holds the token")
	}
}

func TestStaticFiles(t *testing.T) {
	r := newRig(t)
	href := attr(find(r.page("/login", 200, nil), "link")[1], "href")
	tests := []struct{ target, cache, mediaType string }{
		{href, "public, max-age=31536000, immutable", "text/css; charset=utf-8"},
		{"/static/style.css", "no-cache", "text/css; charset=utf-8"},
		{"/static/style.css?v=old", "no-cache", "text/css; charset=utf-8"},
		{"/static/icon.svg", "no-cache", "image/svg+xml"},
	}
	for _, tt := range tests {
		res := r.do("GET", tt.target, nil, nil)
		if got := res.Header; res.StatusCode != 200 || got.Get("Cache-Control") != tt.cache || got.Get("Content-Type") != tt.mediaType {
			t.Errorf("GET %s: %d, headers %v, want 200, Cache-Control %q, Content-Type %q", tt.target, res.StatusCode, got, tt.cache, tt.mediaType)
		}
	}
	if got := r.do("GET", "/login", nil, nil).Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("page: Cache-Control %q, want no-store", got)
	}
}
