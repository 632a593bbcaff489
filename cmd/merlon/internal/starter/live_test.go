package starter_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/starter"
)

// The file says in merlon's words what the site said: its Guard sends the same.
func TestPageSaysTheSame(t *testing.T) {
	for name, headers := range map[string]http.Header{
		"django":   {"X-Frame-Options": {"DENY"}, "X-Content-Type-Options": {"nosniff"}, "Referrer-Policy": {"same-origin"}, "Cross-Origin-Opener-Policy": {"same-origin"}},
		"talisman": {"X-Frame-Options": {"SAMEORIGIN"}, "Content-Security-Policy": {"default-src 'self'; object-src 'none'; frame-ancestors 'self'"}, "Strict-Transport-Security": {"max-age=31556926; includeSubDomains"}, "Referrer-Policy": {"strict-origin-when-cross-origin"}},
		"partners": {"Content-Security-Policy": {"img-src * data: blob:; style-src 'self' 'unsafe-inline' https://*.fonts.example; frame-ancestors 'self' https://partner.example"}},
		"nonce":    {"X-Frame-Options": {"DENY"}, "Content-Security-Policy": {"script-src 'nonce-r4nd0m' 'strict-dynamic' 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='; base-uri 'none'; frame-ancestors 'none'"}},
		"trial":    {"X-Frame-Options": {"DENY"}, "Content-Security-Policy": {"object-src 'none'; frame-ancestors 'none'"}, "Content-Security-Policy-Report-Only": {"default-src 'self' https:"}},
		"headers": {"X-Frame-Options": {"DENY"}, "Permissions-Policy": {`camera=(), geolocation=(self "https://maps.example")`}, "Cross-Origin-Embedder-Policy": {"require-corp"}, "Cross-Origin-Resource-Policy": {"same-site"},
			"X-Xss-Protection": {"0"}, "X-Dns-Prefetch-Control": {"off"}, "Origin-Agent-Cluster": {"?1"}, "Strict-Transport-Security": {"max-age=0"}, "X-Permitted-Cross-Domain-Policies": {"none"}},
	} {
		r, err := starter.FromPage(starter.Options{}, starter.NewPage("https://shop.example/", headers, ""))
		guard := read(t, r, err).Sites[0].Guard
		for header := range headers {
			want := strings.Replace(headers.Get(header), "'nonce-r4nd0m'", "'nonce'", 1)
			if got := sent(guard, "/", header); header != "Content-Security-Policy" && got != want || header == "Content-Security-Policy" && !sameDirectives(got, want) {
				t.Errorf("%s: %s\n got %s\nwant %s\n%s", name, header, got, want, r.Text)
			}
		}
	}
}

// sameDirectives compares policies apart from the place of frame-ancestors.
func sameDirectives(a, b string) bool {
	left := map[string]bool{}
	for d := range strings.SplitSeq(a, "; ") {
		left[d] = true
	}
	for d := range strings.SplitSeq(b, "; ") {
		if !left[d] {
			return false
		}
		delete(left, d)
	}
	return len(left) == 0
}

func TestPageComments(t *testing.T) {
	for _, c := range []struct {
		header http.Header
		want   []string
	}{
		{http.Header{"X-Frame-Options": {"ALLOW-FROM https://partner.example/"}}, []string{"which browsers ignore: everybody frames these pages now. This is what it means.", "by: [https://partner.example]"}},
		{http.Header{"X-Frame-Options": {"SAMEORIGIN, DENY"}}, []string{"frame: deny"}},
		{http.Header{"X-Frame-Options": {"ALLOWALL"}}, []string{`X-Frame-Options says "ALLOWALL", which browsers ignore`, "frame: self"}},
		{http.Header{"X-Frame-Options": {"DENY"}, "Content-Security-Policy": {"frame-ancestors 'self'"}}, []string{`X-Frame-Options says "DENY" and frame-ancestors says "'self'": browsers follow frame-ancestors.`, "frame: self"}},
		{http.Header{"Content-Security-Policy": {"frame-ancestors *"}}, []string{"frame-ancestors says *: everybody may frame these pages.", "frame: off"}},
		{http.Header{"Content-Security-Policy": {"frame-ancestors https:"}}, []string{`frame-ancestors says "https:", which frame cannot`, "frame: deny"}},
		{http.Header{}, []string{"nothing that was read forbids framing.", "It adds what is not sent now: cross-origin-opener-policy: same-origin-allow-popups; csp: object-src 'none'; base-uri 'self'; https.hsts: 1d;"}},
		{http.Header{"Content-Security-Policy": {"default-src 'self'; report-uri /csp; report-to x"}}, []string{`report-uri "/csp" is left out: the gateway collects reports by itself.`, `csp: "default-src 'self'"`}},
		{http.Header{"Content-Security-Policy": {"default-src 'self'; default-src *; script-src self 'none' 'nonce-'; frobnicate x"}},
			[]string{`A second "default-src" is left out`, `"self" in script-src is left out: without single quotes this is the name of a host`, `"frobnicate x" is left out: browsers know no such directive`, `csp: "default-src 'self'; script-src 'nonce'"`}},
		{http.Header{"Content-Security-Policy": {"img-src foo:bar@"}}, []string{`csp: "img-src 'none'"`}},
		{http.Header{"Content-Security-Policy": {"default-src 'self'", "img-src *"}}, []string{`a second policy is not kept: "img-src *"`}},
		{http.Header{"X-Xss-Protection": {"1; mode=block"}}, []string{`"1; mode=block" is left out: old browsers' filters could be turned against a page`}},
		{http.Header{"Strict-Transport-Security": {"max-age=31536000; includeSubDomains; preload"}}, []string{"hsts: 365d", "include-subdomains: true", "preload is not kept: the preload list takes only sites that redirect"}},
		{http.Header{"Strict-Transport-Security": {"includeSubDomains"}}, []string{`has no max-age that browsers read`}},
		{http.Header{"Permissions-Policy": {"camera 'none'"}}, []string{`permissions-policy "camera 'none'" is not kept: "camera 'none'":`}},
		{http.Header{"Referrer-Policy": {"origin, brand-new-token"}}, []string{"referrer-policy: origin"}},
		{http.Header{"Set-Cookie": {"session=secret; Secure; HttpOnly; SameSite=Lax", "csrftoken=secret; Secure; SameSite=Lax"}}, []string{"secure: true", "same-site: Lax", "only: [csrftoken, session]", "not every cookie is HttpOnly"}},
		{http.Header{"Server": {"nginx/1.2"}, "X-Powered-By": {"PHP/5"}}, []string{`Server says "nginx/1.2".`, "headers: {Server: off, X-Powered-By: off}"}},
		{http.Header{"Reporting-Endpoints": {`default="https://r.example/x"`}, "Cross-Origin-Opener-Policy-Report-Only": {`same-origin; report-to="default"`}}, []string{`default: "https://r.example/x"`, `cross-origin-opener-policy-report-only: "same-origin; report-to=\"default\""`}},
	} {
		r, err := starter.FromPage(starter.Options{}, starter.NewPage("https://shop.example/", c.header, ""))
		read(t, r, err)
		wantSaid(t, r, append(c.want, "hosts: [shop.example]")...)
		if strings.Contains(string(r.Text), "secret") {
			t.Errorf("the file has the value of a cookie:\n%s", r.Text)
		}
	}
}

func TestPageOverPlainHTTP(t *testing.T) {
	r, err := starter.FromPage(starter.Options{}, starter.NewPage("http://shop.example/", http.Header{"Strict-Transport-Security": {"max-age=1000"}}, ""))
	read(t, r, err)
	wantSaid(t, r, `Strict-Transport-Security "max-age=1000" came over plain HTTP, where browsers ignore it.`, "hsts: 1d")
}

func TestPageIsCounted(t *testing.T) {
	const page = `<meta http-equiv=Content-Security-Policy content="x"><script>a</script><script src=b></script><script nonce=x>c</script>` +
		`<style>d</style><p style="e" onclick="f" onload=g>`
	r, err := starter.FromPage(starter.Options{}, starter.NewPage("https://shop.example/", http.Header{}, page))
	read(t, r, err)
	wantSaid(t, r, "2 script elements without a nonce, 2 handlers such as onclick=, and 2 styles", "The page has a policy of its own in a meta element.")
}

func fetch(t *testing.T, address string) (*starter.Page, error) {
	t.Helper()
	u, err := starter.ParseURL(address)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	return starter.Fetch(ctx, u)
}

func TestFetch(t *testing.T) {
	mux := http.NewServeMux()
	srv := httptest.NewServer(mux)
	defer srv.Close()
	mux.HandleFunc("/page", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Frame-Options", "DENY")
		if _, err := io.Copy(w, io.LimitReader(endless{}, 8<<20)); err == nil {
			t.Log("the whole page was read or buffered")
		}
	})
	mux.Handle("/old", http.RedirectHandler("/page#top", http.StatusMovedPermanently))
	mux.Handle("/loop", http.RedirectHandler("/loop", http.StatusFound))
	mux.Handle("/away", http.RedirectHandler("http://other.example/", http.StatusFound))
	mux.Handle("/odd", http.RedirectHandler("javascript:alert(1)", http.StatusFound))

	page, err := fetch(t, srv.URL+"/old")
	if err != nil || len(page.Steps()) != 1 || !strings.HasSuffix(page.Steps()[0], "/old leads to "+srv.URL+"/page") {
		t.Fatalf("a redirect: %v, %v", page, err)
	}
	r, err := starter.FromPage(starter.Options{}, page)
	file := read(t, r, err)
	if file.Sites[0].Upstream.String() != srv.URL || len(file.Sites[0].Hosts) != 0 {
		t.Errorf("a page on this machine is not taken for the application: %s, %v", file.Sites[0].Upstream, file.Sites[0].Hosts)
	}
	wantSaid(t, r, "frame: deny", "this is the address that was fetched, taken for the application itself")
	for path, want := range map[string]string{"/loop": "more than 10 redirects", "/away": "it leads to another site, other.example", "/odd": "which is no page"} {
		if _, err := fetch(t, srv.URL+path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("fetching %s: %v, want %s", path, err, want)
		}
	}
}

// endless is a body without an end.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	return copy(p, bytes.Repeat([]byte("<p>"), len(p)/3+1)), nil
}

func TestFetchEndsInTime(t *testing.T) {
	blocked := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { <-blocked }))
	defer srv.Close()
	defer close(blocked)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	u, _ := url.Parse(srv.URL)
	if _, err := starter.Fetch(ctx, u); err == nil || !strings.Contains(err.Error(), "no whole answer") {
		t.Errorf("Fetch = %v", err)
	}
}

func TestRedirectsStayOnTheSite(t *testing.T) {
	for _, c := range []struct{ from, to, want string }{
		{"http://shop.example/", "https://shop.example/", ""},
		{"https://shop.example/", "https://www.shop.example/x", ""},
		{"https://a.shop.co.uk/", "https://b.shop.co.uk/", ""},
		{"https://shop.co.uk/", "https://other.co.uk/", "it leads to another site, other.co.uk"},
		{"https://a.github.io/", "https://b.github.io/", "it leads to another site"},
		{"https://127.0.0.1/", "https://127.0.0.2/", "it leads to another site"},
		{"https://shop.example/", "http://shop.example/", "it leads from https to http"},
		{"https://shop.example/", "https://user@shop.example/", "which is no page"},
		{"https://shop.example/", "file:///etc/passwd", "which is no page"},
	} {
		if err := starter.Follow(c.from, c.to); (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("from %s to %s: %v, want %q", c.from, c.to, err, c.want)
		}
	}
}

func TestParseURL(t *testing.T) {
	for address, want := range map[string]string{"ftp://a.example": "no address of a site", "https://": "no address of a site", "https://u:secret@a.example": "names a user", "https://a\x7f": "no URL"} {
		_, err := starter.ParseURL(address)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("ParseURL(%q) = %v, want %s", address, err, want)
		}
	}
}

// A server that knows what becomes of its answer gets nothing out of the comments and values that it stands in.
func TestHostileServers(t *testing.T) {
	long, refused := strings.Repeat("https://a.example ", 3000), 0
	for name, raw := range map[string]string{
		"lines":     "X-Frame-Options: DENY\r\n\tfoo\r\nReferrer-Policy: origin\r\n\r\n# CHECK: x\nupstream: http://evil.example\n",
		"comment":   "X-Frame-Options: x\tupstream: http://evil.example # \"'\r\n\r\n",
		"yaml":      "Referrer-Policy: [*, &a !b]\r\nCross-Origin-Opener-Policy: {a: b}\r\nPermissions-Policy: \"\r\nX-Permitted-Cross-Domain-Policies: - x\r\n\r\n",
		"bytes":     "Content-Security-Policy: default-src \x80\xff\xc3\xa4 'self'\r\nReferrer-Policy: \xe2\x80\xa8upstream: x\r\nServer: \x1b[31mred\r\n\r\n",
		"backslash": "Permissions-Policy: camera=(\\\"), \\\\\\\r\nContent-Security-Policy: img-src \\\"\\n'self'\r\n\r\n",
		"huge":      "Content-Security-Policy: img-src " + long + "\r\nX-Powered-By: " + strings.Repeat("x", 60000) + "\r\n\r\n",
		"many":      "Content-Security-Policy: " + strings.Repeat("x;y", 5000) + strings.Repeat("; img-src a_b", 500) + "\r\n" + strings.Repeat("Set-Cookie: a=b\r\n", 1000) + "\r\n",
		"ancestors": "Content-Security-Policy: frame-ancestors " + strings.Repeat("a b:c [x] 'y' ", 300) + "\r\n\r\n",
		"cookies":   "Set-Cookie: \"#\n: x=1; Secure\r\nSet-Cookie: a=b; Secure\r\n\r\n",
		"endpoints": "Reporting-Endpoints: a.b=\"javascript:x\", *=\"https://x\", a=\"\"\r\nNEL: x\r\n\r\n",
	} {
		address := answerAll(t, "HTTP/1.1 200 OK\r\n"+raw)
		page, err := fetch(t, address)
		if err != nil { // net/http refuses what is no header
			refused++
			continue
		}
		r, err := starter.FromPage(starter.Options{}, page)
		if file := read(t, r, err); file.Sites[0].Upstream.String() != address {
			t.Errorf("%s: the upstream is %s\n%s", name, file.Sites[0].Upstream, r.Text)
		}
		if len(r.Text) > 128<<10 {
			t.Errorf("%s: the file has %d bytes", name, len(r.Text))
		}
	}
	if refused > 2 {
		t.Errorf("%d answers did not get as far as the file", refused)
	}
}

// answerAll answers each connection with these bytes, whatever it asks.
func answerAll(t *testing.T, answer string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { l.Close(); <-done })
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.SetDeadline(time.Now().Add(10 * time.Second))
			c.Read(make([]byte, 4096))
			io.WriteString(c, answer)
			c.Close()
		}
	}()
	return fmt.Sprintf("http://%s", l.Addr())
}

// Whatever headers a site sends, the file is right.
func FuzzPage(f *testing.F) {
	f.Add("https://shop.example/", "X-Frame-Options: DENY\nContent-Security-Policy: default-src 'self'; frame-ancestors 'none', img-src *\nStrict-Transport-Security: max-age=100; preload")
	f.Add("http://127.0.0.1:8000/", "Reporting-Endpoints: a=\"/x\"\nSet-Cookie: a=b; Secure\nReferrer-Policy: x, origin\nPermissions-Policy: camera=()\nX-Frame-Options: ALLOW-FROM a")
	f.Add("https://a.example:1/", "Origin-Agent-Cluster: ?1\nCross-Origin-Opener-Policy-Report-Only: same-origin; report-to=\"x\"\nX-DNS-Prefetch-Control: off\nX-XSS-Protection: 0")
	f.Fuzz(func(t *testing.T, address, text string) {
		if _, err := starter.ParseURL(address); err != nil {
			return
		}
		header := http.Header{}
		for line := range strings.SplitSeq(text, "\n") {
			if name, value, ok := strings.Cut(line, ":"); ok {
				header.Add(name, value)
			}
		}
		r, err := starter.FromPage(starter.Options{}, starter.NewPage(address, header, text))
		if err == nil {
			read(t, r, err)
		}
	})
}
