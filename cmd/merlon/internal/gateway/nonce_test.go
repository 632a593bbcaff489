package gateway_test

import (
	"compress/gzip"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
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
	return res, body, nonceOf(res.Header)
}

func TestPlaceholder(t *testing.T) {
	addr := serve(t, merlon.Strict(), func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") != map[bool]string{true: "gzip", false: "identity"}[r.Header.Get("X-Zip") != ""] || r.Header.Get("Range")+r.Header.Get("If-Range") != "" {
			t.Errorf("the application is asked with %v", r.Header)
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("ETag", `"1"`)
		w.Header().Set("X-Echo", secret)
		w.Header().Set("Content-Length", fmt.Sprint(len(page)))
		w.Write([]byte(page))
	}, withPlaceholder)
	res, body, nonce := get(t, addr, "X-Zip: 1\r\nAccept-Encoding: gzip, deflate\r\nRange: bytes=0-10\r\nIf-Range: x\r\n")
	if nonce == "" || res.StatusCode != 200 || !strings.HasPrefix(res.Header.Get("ETag"), `W/"1-`) {
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
		case "/deflate":
			w.Header().Set("Content-Encoding", "deflate")
			w.Write([]byte("x"))
		case "/lines":
			w.Header()["Content-Encoding"] = []string{"gzip", "gzip"}
			w.Write([]byte("x"))
		case "/empty-line":
			w.Header()["Content-Encoding"] = []string{"", "identity, dcb"}
			w.Write([]byte("x"))
		case "/identity":
			w.Header()["Content-Encoding"] = []string{"identity", "Identity,"}
			w.Write([]byte(secret))
		case "/name":
			w.Header().Set("X-"+secret, "1")
		case "/upper":
			w.Header().Set("X-Up", strings.ToUpper(secret))
		case "/trailer-name":
			w.Header().Set("Trailer", "X-"+secret)
			w.Write([]byte("x"))
			w.Header().Set("X-"+secret, "y")
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
	for path, status := range map[string]int{"/json": 200, "/chunks": 200, "/error": 500, "/redirect": 302, "/part": 502, "/gzip": 200, "/deflate": 502, "/trailer": 200, "/hints": 103,
		"/lines": 502, "/empty-line": 502, "/identity": 200, "/name": 200, "/upper": 200, "/trailer-name": 200} {
		res, body := send(t, addr, "GET "+path+" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
		if res.StatusCode != status || strings.Contains(strings.ToLower(fmt.Sprint(res.Header, res.Trailer)), secret) || strings.Contains(body, secret[:12]) {
			t.Errorf("%s: %d %v %v %q", path, res.StatusCode, res.Header, res.Trailer, body)
		}
	}
	asked = 0
	for _, request := range []string{"GET /?q=" + secret + " HTTP/1.1\r\nHost: a\r\n", "GET / HTTP/1.1\r\nHost: a\r\nCookie: x=" + secret + "\r\n", "GET / HTTP/1.1\r\nHost: a\r\nX-" + secret + ": 1\r\n",
		"GET /%6e" + secret[1:] + " HTTP/1.1\r\nHost: a\r\n", "GET /?%zz&q=%6E" + secret[1:] + "% HTTP/1.1\r\nHost: a\r\n", "GET / HTTP/1.1\r\nHost: a\r\nCookie: x=%6e" + secret[1:] + "\r\n"} {
		if res, body := send(t, addr, request+"Connection: close\r\n\r\n"); res.StatusCode != 400 || strings.Contains(body, secret) || asked > 0 {
			t.Errorf("%q: %d, %d reached the application", request, res.StatusCode, asked)
		}
	}
}

// A client whose words the application repeats learns nothing about the secret from them: not where they end the body, and
// not from how many of them come at a flush.
func TestPlaceholderIsNotGuessed(t *testing.T) {
	for _, contentType := range []string{"text/plain", "text/html; charset=utf-8"} {
		read := make(chan bool)
		addr := serve(t, merlon.Strict(), func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", contentType)
			w.Write([]byte("<p>" + r.FormValue("q")))
			if r.FormValue("flush") != "" {
				w.(http.Flusher).Flush()
				<-read
			}
		}, withPlaceholder)
		for n := 1; n <= len(secret)/2; n++ {
			for _, guess := range []string{secret[:n], secret[:n-1] + "y"} {
				if _, body := send(t, addr, "GET /?q="+guess+" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"); body != "<p>"+guess {
					t.Errorf("%s: %q is answered with %q", contentType, guess, body)
				}
				res, err := http.Get("http://" + addr + "/?flush=1&q=" + guess)
				if err != nil {
					t.Fatal(err)
				}
				first := make([]byte, 100)
				got, _ := res.Body.Read(first)
				read <- true
				res.Body.Close()
				if string(first[:got]) != "<p>" {
					t.Errorf("%s: at a flush behind %q, %q goes out", contentType, guess, first[:got])
				}
			}
		}
	}
}

// What follows a switch of protocols is not looked at, so there is none.
func TestPlaceholderAndWebSocket(t *testing.T) {
	addr := serve(t, merlon.Strict(), func(w http.ResponseWriter, r *http.Request) {
		c, b, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		fmt.Fprintf(b, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n%s", secret)
		b.Flush()
	}, withPlaceholder)
	res, body := send(t, addr, "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n\r\n")
	if res.StatusCode != http.StatusBadGateway || strings.Contains(body, secret) {
		t.Errorf("%d %v %q", res.StatusCode, res.Header, body)
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

// What operators should know of a page is told once, not each time that somebody asks for it.
func TestPagesAreToldOfOnce(t *testing.T) {
	var log strings.Builder
	g := newGateway(t, merlon.Strict(), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		io.WriteString(w, "<meta http-equiv=Content-Security-Policy content=\"script-src 'nonce-"+secret+"'\"><frameset>")
	}), func(c *gateway.Config) {
		withPlaceholder(&c.Sites[0])
		c.Logger = slog.New(slog.NewTextHandler(&log, nil))
	})
	for _, path := range []string{"/a", "/a", "/b", "/a"} {
		g.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", path, nil))
	}
	for _, what := range []string{"policy of its own in a meta element", "nobody can tell whether a script may have a nonce"} {
		if got := strings.Count(log.String(), what); got != 2 {
			t.Errorf("%q is told %d times, want once for each of two paths:\n%s", what, got, log.String())
		}
	}
	if strings.Contains(log.String(), secret) {
		t.Error("the secret is in the log")
	}
}

func TestWeakPlaceholdersAreRefused(t *testing.T) {
	guard, err := merlon.New(merlon.Strict())
	if err != nil {
		t.Fatal(err)
	}
	for _, weak := range []string{"x", "SECRET", "n0123456789abcdef\"", "nonce placeholder of many words"} {
		_, err := gateway.New(gateway.Config{Sites: []gateway.Site{{App: gateway.App{Upstream: mustParse(t, "http://127.0.0.1:1"), Nonce: gateway.Nonce{Placeholder: weak}}, Guard: guard}}})
		if err == nil || strings.Contains(err.Error(), weak) && len(weak) > 5 {
			t.Errorf("%q: %v", weak, err)
		}
	}
}

// Markup that somebody injected and left open swallows the tag behind it, and must not get its nonce.
func TestDanglingMarkupGetsNoNonce(t *testing.T) {
	for _, injected := range []string{"<script src=//evil.example/x.js ", "<script src='//evil.example/x.js' data-x='", "<script src=//evil.example/x.js\n"} {
		addr := serve(t, merlon.Strict(), func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			fmt.Fprintf(w, `<p>%s</p><script nonce="%s" id='a'>a()</script>`, injected, secret)
		}, withPlaceholder)
		if _, body, nonce := get(t, addr, ""); nonce == "" || strings.Contains(body, nonce) || strings.Contains(body, secret) {
			t.Errorf("%s: the page is %s", injected, body)
		}
	}
}
