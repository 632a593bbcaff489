package gateway_test

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"strings"
	"testing"
	"time"

	"github.com/merlon-sec/merlon"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/access"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/gateway"
)

// shopPage is a page of about 100 KB: cards, some inline code.
func shopPage() string {
	var b strings.Builder
	b.WriteString(`<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Shop</title><script src="/app.js" nonce="` + secret + `" defer></script></head><body>` + "\n")
	for i := 0; b.Len() < 100_000; i++ {
		fmt.Fprintf(&b, `<article class="card card--wide" id="item-%d" data-price="19.95">
  <a class="card__link" href="/items/%d?ref=list&amp;page=2"><img class="card__image" src="/media/%d.webp" alt="A cup" width="320" height="240" loading="lazy"></a>
  <h2 class="card__title">Cup number %d, glazed &amp; fired</h2>
  <p>A cup for tea or coffee, made by hand in a small workshop by the sea. It holds a third of a litre, keeps it warm for
  a while, and survives the dishwasher. Colours differ a little from one piece to the next.</p>
</article>
`, i, i, i, i)
		if i%20 == 0 {
			fmt.Fprintf(&b, "<script nonce=\"%s\">for (let i = 0; i < list.length; i++) { render(list[i], '<b>') }</script>\n", secret)
		}
	}
	return b.String()
}

// BenchmarkPage sends a page of 100 KB through a bare ReverseProxy, the gateway, and the gateway in each mode that rewrites.
func BenchmarkPage(b *testing.B) {
	text := shopPage()
	bodies := map[string]string{"": text, "gzip": encoded(b, "gzip", text), "br": encoded(b, "br", text), "zstd": encoded(b, "zstd", text)}
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := r.URL.Query().Get("c")
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Length", fmt.Sprint(len(bodies[name])))
		if name != "" {
			w.Header().Set("Content-Encoding", name)
		}
		io.WriteString(w, bodies[name])
	}))
	defer upstream.Close()
	target := mustParse(b, upstream.URL)
	guard, err := merlon.New(merlon.Strict())
	if err != nil {
		b.Fatal(err)
	}
	through := func(n gateway.Nonce) http.Handler {
		g, err := gateway.New(gateway.Config{Sites: []gateway.Site{{App: gateway.App{Upstream: target, Nonce: n}, Guard: guard}}, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			b.Fatal(err)
		}
		return g
	}
	bare := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }, Transport: &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}}
	for _, tt := range []struct {
		name, coding string
		handler      http.Handler
	}{
		{"bare", "", bare}, {"forward", "", through(gateway.Nonce{Forward: true})}, {"placeholder", "", through(gateway.Nonce{Placeholder: secret})}, {"inject", "", through(gateway.Nonce{Inject: true})},
		{"bare-gzip", "gzip", bare}, {"placeholder-gzip", "gzip", through(gateway.Nonce{Placeholder: secret})},
		{"placeholder-br", "br", through(gateway.Nonce{Placeholder: secret})}, {"placeholder-zstd", "zstd", through(gateway.Nonce{Placeholder: secret})},
	} {
		b.Run(tt.name, func(b *testing.B) {
			srv := httptest.NewServer(tt.handler)
			defer srv.Close()
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			client := &http.Client{Transport: &http.Transport{DisableCompression: true}}
			r, _ := http.NewRequest("GET", srv.URL+"/?c="+tt.coding, nil)
			r.Header.Set("Accept-Encoding", tt.coding)
			for b.Loop() {
				res, err := client.Do(r)
				if err != nil {
					b.Fatal(err)
				}
				if n, err := io.Copy(io.Discard, res.Body); err != nil || tt.coding == "" && n < 90_000 {
					b.Fatal(n, err)
				}
				res.Body.Close()
			}
		})
	}
}

// BenchmarkSmallPage is what the gateway itself costs for a page of 1 KiB: the server and the application do next to nothing.
func BenchmarkSmallPage(b *testing.B) {
	page := "HTTP/1.1 200 OK\r\nServer: app\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\nContent-Type: text/html; charset=utf-8\r\n" +
		"Content-Length: 1024\r\nCache-Control: no-cache\r\nConnection: keep-alive\r\n\r\n" + strings.Repeat("p", 1024)
	guard, err := merlon.New(merlon.Strict())
	if err != nil {
		b.Fatal(err)
	}
	g, err := gateway.New(gateway.Config{Sites: []gateway.Site{{App: gateway.App{Upstream: mustParse(b, rawApp(b, page))}, Guard: guard}}, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	defer g.Close()
	r := httptest.NewRequestWithContext(b.Context(), "GET", "/items/1", nil)
	r.Host, r.Header = "shop.example:8080", http.Header{"User-Agent": {"bench"}, "Accept": {"text/html"}, "Accept-Encoding": {"gzip"}, "Cookie": {"session=0123456789abcdef"}}
	h := &access.Handler{Next: g}
	b.ReportAllocs()
	for b.Loop() {
		w := &serverWriter{header: http.Header{}}
		if h.ServeHTTP(w, r); w.status != 200 || w.size != 1024 {
			b.Fatal(w.status, w.size)
		}
	}
}

// rawApp answers each request with the text, without allocating.
func rawApp(b *testing.B, answer string) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				for in := bufio.NewReader(c); ; {
					line, err := in.ReadSlice('\n')
					if err != nil {
						return
					}
					if len(line) == 2 {
						io.WriteString(c, answer)
					}
				}
			}()
		}
	}()
	return "http://" + l.Addr().String()
}

// serverWriter is what net/http's server hands to handlers, as far as they can tell, and counts.
type serverWriter struct {
	header       http.Header
	status, size int
}

func (w *serverWriter) Header() http.Header              { return w.header }
func (w *serverWriter) WriteHeader(status int)           { w.status = status }
func (w *serverWriter) Write(b []byte) (int, error)      { w.size += len(b); return len(b), nil }
func (w *serverWriter) Flush()                           {}
func (w *serverWriter) SetReadDeadline(time.Time) error  { return nil }
func (w *serverWriter) SetWriteDeadline(time.Time) error { return nil }
