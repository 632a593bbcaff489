package gateway_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/merlon-sec/merlon"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/gateway"
)

// coded is what the application of FuzzCodings sends next.
type coded struct {
	text, coding string
	piece        int // is flushed after so many bytes
}

func (c *coded) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	var out interface {
		io.Writer
		Flush() error
	} = flushing{w}
	if c.coding != "" {
		w.Header().Set("Content-Encoding", c.coding)
		z := pools.NewWriter(c.coding, w)
		defer z.Close()
		out = z
	}
	for text := c.text; text != ""; {
		n := min(len(text), c.piece)
		io.WriteString(out, text[:n])
		out.Flush()
		http.NewResponseController(w).Flush()
		text = text[n:]
	}
}

type flushing struct{ http.ResponseWriter }

func (f flushing) Flush() error { return http.NewResponseController(f.ResponseWriter).Flush() }

// FuzzCodings holds that a page that comes and goes in codings is the one that comes and goes in none.
func FuzzCodings(f *testing.F) {
	var next atomic.Pointer[coded]
	app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { next.Load().ServeHTTP(w, r) })
	var gateways []*gateway.Gateway
	for _, n := range []gateway.Nonce{{Placeholder: secret}, {Inject: true}} {
		gateways = append(gateways, newGateway(f, merlon.Strict(), app, func(c *gateway.Config) { c.Sites[0].Nonce = n }))
	}
	for i, text := range []string{page, "", "@", "<script nonce=@>", strings.Repeat("<li>x", 100) + "<script nonce='@'>1</script>", "<svg><![CDATA[<script>]]></svg><script nonce=\"@\">", secret[:20]} {
		f.Add(text, uint8(i), uint8(i/2), i*7)
	}
	f.Fuzz(func(t *testing.T, text string, from, to uint8, n int) {
		text = strings.ReplaceAll(text, "@", secret)
		if len(text) > 8<<10 {
			return
		}
		names := append([]string{""}, codings...)
		c := coded{text, names[int(from)%len(names)], 1 + len(text)/8 + int(uint(n)%1000)}
		for i, g := range gateways {
			next.Store(&coded{text, "", len(text) + 1})
			_, plain := through(t, g, "identity")
			next.Store(&c)
			name, got := through(t, g, names[int(to)%len(names)])
			if got != plain {
				t.Fatalf("mode %d, from %q to %q in pieces of %d\ngot  %q\nwant %q", i, c.coding, name, c.piece, got, plain)
			}
			if gateways[0] == g && strings.Contains(got, secret) {
				t.Fatalf("the secret goes out: %q", got)
			}
		}
	})
}

// through asks for the page, and returns its coding and, with n in place of its nonce, what it is without.
func through(t *testing.T, g *gateway.Gateway, accept string) (name, text string) {
	t.Helper()
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Accept-Encoding", accept)
	w := httptest.NewRecorder()
	g.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		t.Fatalf("%d %v", w.Code, w.Header())
	}
	name = w.Header().Get("Content-Encoding")
	return name, strings.ReplaceAll(decoded(t, name, w.Body.String()), nonceOf(w.Header()), "n")
}
