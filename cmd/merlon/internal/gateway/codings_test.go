package gateway_test

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/merlon-sec/merlon"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/coding"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/gateway"
)

// TestCodings asks for a page that comes in each coding, or in none, as clients that accept each of them.
func TestCodings(t *testing.T) {
	for _, mode := range []func(*gateway.Site){withPlaceholder, injecting} {
		for _, from := range append(codings, "") {
			addr := serve(t, merlon.Strict(), func(w http.ResponseWriter, r *http.Request) {
				text := encoded(t, from, page)
				h := w.Header()
				h.Set("Content-Type", "text/html; charset=utf-8")
				h.Set("Content-Length", fmt.Sprint(len(text)))
				h.Set("ETag", `"v1"`)
				h.Set("Last-Modified", "Mon, 05 Jan 2026 10:00:00 GMT")
				h.Set("Accept-Ranges", "bytes")
				h.Set("Content-Digest", "sha-256=:x:")
				if from != "" {
					h.Set("Content-Encoding", from)
				}
				io.WriteString(w, text)
			}, mode)
			for accept, to := range map[string]string{"": "", "identity": "", "gzip": "gzip", "br": "br", "zstd": "zstd", "deflate": "", "gzip;q=0.2, br;q=0.9": "br", "*": from, "identity;q=0, gzip": "gzip"} {
				if from == "" && accept != "identity;q=0, gzip" {
					to = ""
				}
				var headers []string
				if accept != "" {
					headers = []string{"Accept-Encoding", accept}
				}
				res, body, err := ask(t, "GET", "http://"+addr, headers...)
				h, nonce := res.Header, nonceOf(res.Header)
				if err != nil || h.Get("Content-Encoding") != to || (from+to != "") != (h.Get("Vary") == "Accept-Encoding") {
					t.Fatalf("from %q, accept %q: %v, %v; want %q", from, accept, err, h, to)
				}
				body = decoded(t, to, body)
				if nonce == "" || !strings.Contains(body, `<script nonce="`+nonce+`">a()`) || strings.Contains(body, secret) != injects(mode) {
					t.Errorf("from %q, accept %q: %s", from, accept, body)
				}
				if !strings.HasPrefix(h.Get("ETag"), `W/"v1-`) || h.Get("Last-Modified")+h.Get("Accept-Ranges")+h.Get("Content-Digest") != "" {
					t.Errorf("from %q, accept %q: %v", from, accept, h)
				}
				head, none, err := ask(t, "HEAD", "http://"+addr, headers...)
				if err != nil || none != "" {
					t.Fatal(none, err)
				}
				for _, headers := range []http.Header{h, head.Header} { // what every response has anew, and what net/http adds to small ones
					maps.DeleteFunc(headers, func(name string, _ []string) bool {
						return name == "Date" || name == "Content-Length" || strings.HasPrefix(name, "Content-Security-Policy")
					})
				}
				if diff := cmp.Diff(h, head.Header); diff != "" || head.ContentLength > 0 {
					t.Errorf("from %q, accept %q: HEAD says another thing than GET (-GET +HEAD), and the length %d:\n%s", from, accept, head.ContentLength, diff)
				}
			}
		}
	}
}

// What is no page is scrubbed inside its coding where there is a placeholder, and otherwise goes through byte for byte.
func TestOtherBodies(t *testing.T) {
	text := `{"nonce":"` + secret + `"}`
	app := func(w http.ResponseWriter, r *http.Request) {
		name := strings.Trim(r.URL.Path, "/")
		h := w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("ETag", `"v1"`)
		h.Set("Last-Modified", "Mon, 05 Jan 2026 10:00:00 GMT")
		h.Set("Accept-Ranges", "bytes")
		h.Set("Content-Digest", "sha-256=:x:")
		body := text
		if name != "" {
			h.Set("Content-Encoding", name)
			if name != "deflate" {
				body = encoded(t, name, text)
			}
		}
		h.Set("Content-Length", fmt.Sprint(len(body)))
		io.WriteString(w, body)
	}
	plain := httptest.NewServer(http.HandlerFunc(app))
	defer plain.Close()
	placed, injected := serve(t, merlon.Strict(), app, withPlaceholder), serve(t, merlon.Strict(), app, injecting)
	for _, name := range append(codings, "") {
		res, body, err := ask(t, "GET", "http://"+placed+"/"+name, "Accept-Encoding", name)
		if err != nil || res.Header.Get("Content-Encoding") != name || decoded(t, name, body) != strings.ReplaceAll(text, secret, strings.Repeat("x", len(secret))) {
			t.Errorf("%q: %v %v %q", name, err, res.Header, body)
		}
		tag := map[bool]string{true: `"v1"`, false: `W/"v1-merlon-s"`}[name == ""]
		if res.Header.Get("ETag") != tag || res.Header.Get("Accept-Ranges") != "" || (name == "") != (res.Header.Get("Content-Digest") != "") || res.Header.Get("Last-Modified") == "" {
			t.Errorf("%q: %v", name, res.Header)
		}
	}
	for _, name := range append(codings, "", "deflate") {
		got, body, err := ask(t, "GET", "http://"+injected+"/"+name, "Accept-Encoding", name)
		want, whole, _ := ask(t, "GET", plain.URL+"/"+name)
		if err != nil || body != whole {
			t.Errorf("%q: %v, %q, want %q", name, err, body, whole)
		}
		for header, values := range want.Header {
			if diff := cmp.Diff(values, got.Header[header]); diff != "" && header != "Date" {
				t.Errorf("%q: %s differs (-application +client):\n%s", name, header, diff)
			}
		}
	}
}

// What nobody here can decode is refused where a placeholder could hide in it, and else left alone.
func TestUnknownCodings(t *testing.T) {
	app := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.Header()["Content-Encoding"] = strings.Split(r.URL.Query().Get("c"), ";")
		io.WriteString(w, page)
	}
	placed, injected := serve(t, merlon.Strict(), app, withPlaceholder), serve(t, merlon.Strict(), app, injecting)
	for _, name := range []string{"deflate", "gzip,gzip", "dcb", "gzip,br"} {
		if res, body, _ := ask(t, "GET", "http://"+placed+"/?c="+name); res.StatusCode != 502 || strings.Contains(body, secret) {
			t.Errorf("%s: %d", name, res.StatusCode)
		}
		if res, body, _ := ask(t, "GET", "http://"+injected+"/?c="+name); res.StatusCode != 200 || body != page || res.Header.Get("Content-Encoding") != name {
			t.Errorf("%s: %d %v %s", name, res.StatusCode, res.Header, body)
		}
	}
}

// A body that is corrupt or cut off never ends as if it were whole.
func TestBrokenCodings(t *testing.T) {
	long := page + strings.Repeat("<p>and so on", 20_000)
	for _, mode := range []func(*gateway.Site){withPlaceholder, injecting} {
		for _, name := range codings {
			whole := encoded(t, name, long)
			addr := serve(t, merlon.Strict(), func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "text/html")
				w.Header().Set("Content-Encoding", name)
				text := whole
				switch r.URL.Path {
				case "/cut":
					text = whole[:len(whole)-3]
				case "/half":
					text = whole[:len(whole)/2]
				case "/behind":
					text = whole + page
				case "/plain":
					text = long
				}
				io.WriteString(w, text)
			}, mode)
			for _, path := range []string{"/cut", "/half", "/behind", "/plain"} {
				for _, accept := range append(codings, "identity") {
					if _, body, err := ask(t, "GET", "http://"+addr+path, "Accept-Encoding", accept); err == nil || strings.Contains(body, secret) && !injects(mode) {
						t.Errorf("%s in %s for %s: %d bytes, %v", path, name, accept, len(body), err)
					}
				}
			}
			if _, body, err := ask(t, "GET", "http://"+addr+"/whole", "Accept-Encoding", name); err != nil || !strings.HasSuffix(decoded(t, name, body), "<p>and so on") {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// What the application flushes arrives before anything follows, through the coding on both sides.
func TestPagesStream(t *testing.T) {
	for _, mode := range []func(*gateway.Site){withPlaceholder, injecting} {
		for _, from := range append(codings, "") {
			for _, to := range append(codings, "") {
				if from == "" && to != "" {
					continue
				}
				next := make(chan struct{})
				addr := serve(t, merlon.Strict(), func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("Content-Type", "text/html; charset=utf-8")
					var out io.Writer = w
					if from != "" {
						w.Header().Set("Content-Encoding", from)
						z := pools.NewWriter(from, w)
						defer z.Close()
						out = z
					}
					for range 3 {
						io.WriteString(out, "<script nonce="+secret+"></script>\n")
						if z, ok := out.(*coding.Writer); ok {
							z.Flush()
						}
						w.(http.Flusher).Flush()
						<-next
					}
				}, mode)
				r, _ := http.NewRequest("GET", "http://"+addr, nil)
				r.Header.Set("Accept-Encoding", to+",x")
				res, err := http.DefaultTransport.RoundTrip(r)
				if err != nil {
					t.Fatal(err)
				}
				body := res.Body
				if to != "" {
					body = pools.NewReader(to, res.Body)
				}
				// In mode inject an attribute without quotes gets them.
				line := "<script nonce=" + nonceOf(res.Header) + "></script>\n"
				if mode2 := strings.Replace(line, "="+nonceOf(res.Header), `="`+nonceOf(res.Header)+`"`, 1); injects(mode) {
					line = mode2
				}
				got := make([]byte, len(line))
				for range 3 {
					if _, err := io.ReadFull(body, got); err != nil || string(got) != line {
						t.Fatalf("from %q to %q: %q, %v", from, to, got, err)
					}
					next <- struct{}{}
				}
				body.Close()
			}
		}
	}
}

func injects(mode func(*gateway.Site)) bool {
	var s gateway.Site
	mode(&s)
	return s.Nonce.Inject
}

// A few kilobytes that stand for very many go through without being kept.
func TestBombThroughTheGateway(t *testing.T) {
	const size = 64 << 20
	for _, name := range codings {
		var bomb bytes.Buffer
		z := pools.NewWriter(name, &bomb)
		for range size / len(make([]byte, 1<<20)) {
			z.Write(make([]byte, 1<<20))
		}
		z.Close()
		addr := serve(t, merlon.Strict(), func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.Header().Set("Content-Encoding", name)
			w.Write(bomb.Bytes())
		}, withPlaceholder)
		var before, now runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		res, err := http.Get("http://" + addr) // which asks for gzip, and decodes it
		if err != nil {
			t.Fatal(err)
		}
		total, most, p := 0, uint64(0), make([]byte, 32<<10)
		for i := 0; err == nil; i++ {
			var n int
			n, err = res.Body.Read(p)
			if total += n; i%1000 == 0 {
				runtime.GC()
				runtime.ReadMemStats(&now)
				most = max(most, now.HeapAlloc)
			}
		}
		res.Body.Close()
		if grown := int64(most) - int64(before.HeapAlloc); err != io.EOF || total != size || grown > 16<<20 {
			t.Errorf("%s: %d bytes, %d of them kept, %v", name, total, grown, err)
		}
	}
}
