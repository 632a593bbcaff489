package gateway_test

import (
	"compress/gzip"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/gateway"
)

const secret = "n0123456789abcdef0123456789abcdef"

func withPlaceholder(s *gateway.Site) { s.Nonce = gateway.Nonce{Placeholder: secret} }

func injecting(s *gateway.Site) { s.Nonce = gateway.Nonce{Inject: true} }

const page = `<!doctype html><title>x</title><script nonce="` + secret + `">a()</script><p title="` + secret + `">` + secret + `</p><!--` + secret + `--><script>b()</script>`

// get sends a GET and returns the answer with the nonce of its policy.
func get(t *testing.T, addr, headers string) (res *http.Response, body, nonce string) {
	t.Helper()
	res, body = send(t, addr, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"+headers+"\r\n")
	if m := regexp.MustCompile(`'nonce-([^']+)'`).FindStringSubmatch(res.Header.Get("Content-Security-Policy")); m != nil {
		nonce = m[1]
	}
	return res, body, nonce
}

func TestPlaceholder(t *testing.T) {
	addr := serve(t, merlon.Strict(), func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") != "identity" || r.Header.Get("Range")+r.Header.Get("If-Range") != "" {
			t.Errorf("the application is asked with %v", r.Header)
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("ETag", `"1"`)
		w.Header().Set("X-Echo", secret)
		w.Header().Set("Content-Length", fmt.Sprint(len(page)))
		w.Write([]byte(page))
	}, withPlaceholder)
	res, body, nonce := get(t, addr, "Accept-Encoding: gzip\r\nRange: bytes=0-10\r\nIf-Range: x\r\n")
	if nonce == "" || res.StatusCode != 200 || res.Header.Get("ETag") != "" {
		t.Fatalf("%d %v", res.StatusCode, res.Header)
	}
	if !strings.Contains(body, `<script nonce="`+nonce+`">a()`) || strings.Count(body, nonce) != 1 || !strings.Contains(body, "<script>b()") {
		t.Errorf("the page is %s", body)
	}
	if strings.Contains(body, secret) || strings.Contains(fmt.Sprint(res.Header), secret) {
		t.Errorf("the secret goes out: %v\n%s", res.Header, body)
	}
	_, again, second := get(t, addr, "")
	if second == nonce || strings.Contains(again, nonce) {
		t.Errorf("two pages share the nonce %s", nonce)
	}
}

// Wherever the application says it, no client sees the secret, and no client may say it.
func TestPlaceholderIsNeverSeen(t *testing.T) {
	var asked int
	addr := serve(t, merlon.Strict(), func(w http.ResponseWriter, r *http.Request) {
		asked++
		switch r.URL.Path {
		case "/json":
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprintf(w, "%q", secret)
		case "/chunks":
			w.Header().Set("Content-Type", "text/plain")
			for i := range secret {
				w.Write([]byte{secret[i]})
				w.(http.Flusher).Flush()
			}
		case "/error":
			http.Error(w, secret, http.StatusInternalServerError)
		case "/redirect":
			w.Header().Set("Location", "/x?"+secret)
			w.WriteHeader(http.StatusFound)
		case "/part":
			w.Header().Set("Content-Range", "bytes 0-9/100")
			w.WriteHeader(http.StatusPartialContent)
			w.Write([]byte(secret[:10]))
		case "/gzip":
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			z.Write([]byte(secret))
			z.Close()
		case "/trailer":
			w.Header().Set("Trailer", "X-Sum")
			w.Write([]byte("x"))
			w.Header().Set("X-Sum", secret)
		case "/hints":
			w.Header().Set("Link", "</"+secret+".css>; rel=preload")
			w.WriteHeader(http.StatusEarlyHints)
			w.Write([]byte("x"))
		}
	}, withPlaceholder)
	for path, status := range map[string]int{"/json": 200, "/chunks": 200, "/error": 500, "/redirect": 302, "/part": 502, "/gzip": 502, "/trailer": 200, "/hints": 103} {
		res, body := send(t, addr, "GET "+path+" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
		if res.StatusCode != status || strings.Contains(fmt.Sprint(res.Header, res.Trailer), secret) || strings.Contains(body, secret[:12]) {
			t.Errorf("%s: %d %v %v %q", path, res.StatusCode, res.Header, res.Trailer, body)
		}
	}
	asked = 0
	for _, request := range []string{"GET /?q=" + secret + " HTTP/1.1\r\nHost: a\r\n", "GET / HTTP/1.1\r\nHost: a\r\nCookie: x=" + secret + "\r\n", "GET / HTTP/1.1\r\nHost: a\r\nX-" + secret + ": 1\r\n"} {
		if res, body := send(t, addr, request+"Connection: close\r\n\r\n"); res.StatusCode != 400 || strings.Contains(body, secret) || asked > 0 {
			t.Errorf("%q: %d, %d reached the application", request, res.StatusCode, asked)
		}
	}
}

func TestInject(t *testing.T) {
	html := `<!doctype html><title><script>x</script></title><script>a()</script><style>p{}</style><!--<script>--><div data-x="<script>"></div>`
	addr := serve(t, merlon.Compat(), func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/text":
			w.Header().Set("Content-Type", "text/plain")
		case "/gzip":
			w.Header().Set("Content-Encoding", "gzip")
		}
		if r.URL.Path == "/" {
			w.Header().Set("Content-Type", "text/html")
		}
		w.Write([]byte(html))
	}, injecting, func(s *gateway.Site) {
		config := merlon.Compat()
		config.CSP = "script-src 'nonce'; style-src 'nonce'"
		s.Guard, _ = merlon.New(config)
	})
	_, body, nonce := get(t, addr, "")
	if want := `<!doctype html><title><script>x</script></title><script nonce="` + nonce + `">a()</script><style nonce="` + nonce + `">p{}</style><!--<script>--><div data-x="<script>"></div>`; nonce == "" || body != want {
		t.Errorf("the page is\n%s, want\n%s", body, want)
	}
	for _, path := range []string{"/text", "/gzip"} {
		if _, body := send(t, addr, "GET "+path+" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"); body != html {
			t.Errorf("%s became %s", path, body)
		}
	}
}

func TestWeakPlaceholdersAreRefused(t *testing.T) {
	guard, err := merlon.New(merlon.Strict())
	if err != nil {
		t.Fatal(err)
	}
	for _, weak := range []string{"x", "SECRET", "n0123456789abcdef\"", "nonce placeholder of many words"} {
		_, err := gateway.New(gateway.Config{Sites: []gateway.Site{{Upstream: mustParse(t, "http://127.0.0.1:1"), Guard: guard, Nonce: gateway.Nonce{Placeholder: weak}}}})
		if err == nil || strings.Contains(err.Error(), weak) && len(weak) > 5 {
			t.Errorf("%q: %v", weak, err)
		}
	}
}

func mustParse(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}
