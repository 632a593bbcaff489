package rewrite_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/rewrite"
)

// shop is a page of about 100 KB as shops and news sites have it: a list of cards with icons, and some inline code.
func shop() []byte {
	var b strings.Builder
	b.WriteString(expand(`<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Shop</title>
<link rel="stylesheet" href="/static/app.css" nonce="@"><script src="/static/app.js" nonce="@" defer></script>
<style nonce="@">` + strings.Repeat(".card > a:hover { color: #204a87; margin: 0 auto }\n", 60) + "</style></head><body>\n"))
	for i := 0; b.Len() < 100_000; i++ {
		fmt.Fprintf(&b, `<article class="card card--wide" id="item-%d" data-price="19.95">
  <a class="card__link" href="/items/%d?ref=list&amp;page=2"><img class="card__image" src="/media/%d.webp" alt="A cup" width="320" height="240" loading="lazy"></a>
  <h2 class="card__title">Cup number %d, glazed &amp; fired</h2>
  <p>A cup for tea or coffee, made by hand in a small workshop by the sea. It holds a third of a litre, keeps it warm for
  a while, and survives the dishwasher. Colours differ a little from one piece to the next.</p>
  <button type="button" class="button" aria-label="Add"><svg viewBox="0 0 24 24" width="24"><title>Add</title><path d="M12 5v14M5 12h14"/></svg></button>
</article>
`, i, i, i, i)
		if i%20 == 0 {
			b.WriteString(expand("<script nonce=\"@\">" + strings.Repeat("for (let i = 0; i < list.length; i++) { render(list[i], '<b>') }\n", 10) + "</script>\n"))
		}
	}
	b.WriteString("</body></html>\n")
	return []byte(b.String())
}

type pipe struct {
	name string
	wrap func(io.Writer) io.WriteCloser
}

type plainCopy struct{ io.Writer }

func (plainCopy) Close() error { return nil }

// naive is what people write first: it needs the whole page, and takes text for tags.
type naive struct {
	dst  io.Writer
	page bytes.Buffer
}

var nonceAttr = regexp.MustCompile(`(<(?i:script|style|link)\b[^>]*\snonce=")` + secret + `"`)

func (n *naive) Write(p []byte) (int, error) { return n.page.Write(p) }
func (n *naive) Close() error {
	_, err := n.dst.Write(nonceAttr.ReplaceAll(n.page.Bytes(), []byte("${1}"+nonce+`"`)))
	return err
}

func pipes() []pipe {
	charset := func(o rewrite.Options) rewrite.Options { o.Charset = "utf-8"; return o }
	return []pipe{
		{"copy", func(w io.Writer) io.WriteCloser { return plainCopy{w} }},
		{"placeholder", func(w io.Writer) io.WriteCloser { return rewrite.NewWriter(w, charset(placing)) }},
		{"inject", func(w io.Writer) io.WriteCloser { return rewrite.NewWriter(w, charset(injecting)) }},
		{"scrubber", func(w io.Writer) io.WriteCloser { return rewrite.NewScrubber(w, secret) }},
		{"regexp", func(w io.Writer) io.WriteCloser { return &naive{dst: w} }},
	}
}

// send writes page in the pieces in which a reverse proxy copies it.
func send(w io.WriteCloser, page []byte) error {
	for len(page) > 0 {
		n := min(len(page), 32<<10)
		if _, err := w.Write(page[:n]); err != nil {
			return err
		}
		page = page[n:]
	}
	return w.Close()
}

// BenchmarkAlone is the cost of the rewriting itself.
func BenchmarkAlone(b *testing.B) {
	page := shop()
	for _, p := range pipes() {
		b.Run(p.name, func(b *testing.B) {
			b.SetBytes(int64(len(page)))
			b.ReportAllocs()
			for b.Loop() {
				if err := send(p.wrap(io.Discard), page); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkServed sends the page over HTTP, as a gateway does.
func BenchmarkServed(b *testing.B) {
	page := shop()
	for _, p := range pipes() {
		b.Run(p.name, func(b *testing.B) {
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if err := send(p.wrap(w), page); err != nil {
					b.Error(err)
				}
			}))
			defer srv.Close()
			b.SetBytes(int64(len(page)))
			for b.Loop() {
				resp, err := srv.Client().Get(srv.URL)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := io.Copy(io.Discard, resp.Body); err != nil {
					b.Fatal(err)
				}
				resp.Body.Close()
			}
		})
	}
}

func TestShop(t *testing.T) {
	page := string(shop())
	for _, n := range []int{len(page), 1, 1000} {
		out, r := rewritten(t, placing, page, n)
		if want := strings.ReplaceAll(page, secret, nonce); out != want || r.GaveUp || r.Scrubbed > 0 {
			t.Errorf("in chunks of %d: %+v", n, r)
		}
	}
}

func TestAllocations(t *testing.T) {
	page := shop()
	for _, p := range pipes()[1:4] {
		got := testing.AllocsPerRun(20, func() {
			if err := send(p.wrap(io.Discard), page); err != nil {
				t.Fatal(err)
			}
		})
		if got > 20 {
			t.Errorf("%s: %v allocations for a page", p.name, got)
		}
	}
}

// TestMemory writes endless versions of everything that is held back or remembered.
func TestMemory(t *testing.T) {
	for _, unit := range []string{"<", "</", "<!-", "<![CDATA[", `<script a="`, "<script a", "<g>", "<svg>", "<svg><title>x</title>", "<a", "a",
		"<svg><title></title><q%d>", "<svg><foreignObject><svg><q%d>", "<select><template>", "<script><!--<script", secret[:20], "<" + strings.Repeat("x", 30)} {
		unit = strings.Repeat(unit, 1000)
		w, s := rewrite.NewWriter(io.Discard, placing), rewrite.NewScrubber(io.Discard, secret)
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		for i := range 500 {
			part := strings.ReplaceAll(unit, "%d", fmt.Sprint(i))
			if _, err := io.WriteString(io.MultiWriter(w, s), part); err != nil {
				t.Fatal(err)
			}
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 128<<10 {
			t.Errorf("%.20q...: %d bytes are kept", unit, grown)
		}
		runtime.KeepAlive(w)
		runtime.KeepAlive(s)
	}
}
