package gateway_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/gateway"
)

const (
	chromiumAgent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36"
	firefoxAgent  = "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0"
	canarySecret  = "n0123456789abcdef0123456789abcdef"
)

// canaried returns what a client gets of a page of which each may have a canary, and who was said to have one.
func canaried(t *testing.T, config merlon.Config, nonce gateway.Nonce, share float64, app http.HandlerFunc, request func(*http.Request)) (res *http.Response, body string, sent []string) {
	t.Helper()
	upstream := httptest.NewServer(app)
	defer upstream.Close()
	guard, err := merlon.NewHooked(config, merlon.Hooks{Committed: gateway.PutCanary})
	if err != nil {
		t.Fatal(err)
	}
	to, err := url.Parse(upstream.URL)
	if err != nil {
		t.Fatal(err)
	}
	g, err := gateway.New(gateway.Config{Sites: []gateway.Site{{Name: "shop", App: gateway.App{Upstream: to, Nonce: nonce}, Guard: guard, ReportPath: "/.merlon/r",
		Canary: gateway.Canary{Share: share, Report: func() string { return "/.merlon/r?c=TOKEN" }, Sent: func(agent string) { sent = append(sent, agent) }}}}})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	r := httptest.NewRequest("GET", "http://shop.example/", nil)
	r.Header.Set("Accept", "text/html")
	r.Header.Set("User-Agent", chromiumAgent)
	if request != nil {
		request(r)
	}
	w := httptest.NewRecorder()
	g.ServeHTTP(w, r)
	res = w.Result()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(data), sent
}

func answer(status int, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		if status != http.StatusNotModified {
			io.WriteString(w, "<p>a page</p>")
		}
	}
}

func TestWhichPagesHaveACanary(t *testing.T) {
	noData := merlon.Strict()
	noData.CSP = "default-src 'self'"
	noData.Trial = merlon.Remove
	trialNoData := merlon.Compat()
	trialNoData.Trial = "img-src https:"
	agent := func(name string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("User-Agent", name) }
	}
	placeholder := gateway.Nonce{Placeholder: canarySecret}
	for _, c := range []struct {
		name    string
		config  merlon.Config
		nonce   gateway.Nonce
		app     http.HandlerFunc
		request func(*http.Request)
		link    bool
		element bool
		cache   string
	}{
		{"a page for Chromium", merlon.Strict(), gateway.Nonce{}, answer(200), nil, true, false, "no-store"},
		{"one that is rewritten", merlon.Strict(), placeholder, answer(200), nil, true, false, "no-store"},
		{"for Firefox", merlon.Strict(), gateway.Nonce{}, answer(200), agent(firefoxAgent), false, false, "no-store"},
		{"for Firefox, rewritten", merlon.Strict(), placeholder, answer(200), agent(firefoxAgent), false, true, "no-store"},
		{"in UTF-16, which is not rewritten", merlon.Strict(), placeholder, answer(200, "Content-Type", "text/html; charset=utf-16"), agent(firefoxAgent), false, false, "no-store"},
		{"without a nonce", merlon.Config{CSP: "object-src 'none'", Trial: merlon.Remove}, gateway.Nonce{}, answer(200), nil, true, false, "private"},
		{"with an age", merlon.Config{CSP: "object-src 'none'", Trial: merlon.Remove}, gateway.Nonce{}, answer(200, "Cache-Control", "max-age=60"), nil, true, false, "max-age=60, private"},
		{"for everybody", merlon.Config{CSP: "object-src 'none'", Trial: merlon.Remove}, gateway.Nonce{}, answer(200, "Cache-Control", "Public, max-age=60"), nil, false, false, "Public, max-age=60"},
		{"for a cache in front", merlon.Config{CSP: "object-src 'none'", Trial: merlon.Remove}, gateway.Nonce{}, answer(200, "Surrogate-Control", "max-age=60"), nil, false, false, ""},
		{"whose policy would block it", noData, gateway.Nonce{}, answer(200), nil, false, false, ""},
		{"whose trial would report it", trialNoData, gateway.Nonce{}, answer(200), nil, false, false, ""},
		{"whose own policy would block it", merlon.Strict(), gateway.Nonce{}, answer(200, "Content-Security-Policy", "img-src 'self'"), nil, false, false, ""},
		{"an error page", merlon.Strict(), gateway.Nonce{}, answer(404), nil, false, false, ""},
		{"not modified", merlon.Strict(), gateway.Nonce{}, answer(304), nil, false, false, ""},
		{"an image", merlon.Strict(), gateway.Nonce{}, answer(200, "Content-Type", "image/svg+xml"), nil, false, false, ""},
		{"for a script", merlon.Strict(), gateway.Nonce{}, answer(200), func(r *http.Request) { r.Header.Set("Sec-Fetch-Dest", "empty") }, false, false, ""},
		{"after a form", merlon.Strict(), gateway.Nonce{}, answer(200), func(r *http.Request) { r.Method = "POST" }, false, false, ""},
	} {
		res, body, sent := canaried(t, c.config, c.nonce, 1, c.app, c.request)
		policies := strings.Join(res.Header["Content-Security-Policy-Report-Only"], " AND ")
		has := c.link || c.element
		if got := strings.Contains(policies, "img-src * blob: filesystem:; report-uri /.merlon/r?c=TOKEN"); got != has {
			t.Errorf("%s: the policies on trial are %q", c.name, policies)
		}
		if got := strings.Contains(res.Header.Get("Link"), "rel=preload; as=image"); got != c.link {
			t.Errorf("%s: Link is %q", c.name, res.Header["Link"])
		}
		if got := strings.HasSuffix(body, `</datalist>`); got != c.element {
			t.Errorf("%s: the body is %q", c.name, body)
		}
		if c.cache != "" && res.Header.Get("Cache-Control") != c.cache {
			t.Errorf("%s: Cache-Control is %q, want %q", c.name, res.Header.Get("Cache-Control"), c.cache)
		}
		if len(sent) > 0 != has {
			t.Errorf("%s: told of %q", c.name, sent)
		}
	}
	if res, _, sent := canaried(t, merlon.Strict(), gateway.Nonce{}, 0, answer(200), nil); len(sent) > 0 || res.Header.Get("Link") != "" {
		t.Error("a share of 0 has canaries")
	}
}
