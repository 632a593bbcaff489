package merlontest_test

import (
	"crypto/rand"
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon"
	"github.com/merlon-sec/merlon/merlontest"
)

// page executes a template with the function nonce, and whatever reaches the browser streams as it is made.
func page(text string) http.Handler {
	parsed := template.Must(template.New("").Funcs(template.FuncMap{"nonce": func() string { return "" }}).Parse(text))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		clone := template.Must(parsed.Clone())
		_ = clone.Funcs(merlon.TemplateFuncs(r.Context())).Execute(w, nil)
	})
}

const good = `<!doctype html><title>a <script> in a title</title><!-- <script>off()</script> -->
<link rel="icon stylesheet" href=/main.css><LINK nonce="{{nonce}}" rel=stylesheet href="https://cdn.example/a.css">
<style nonce={{nonce}}>p { color: red }</style><script nonce='{{nonce}}'>if (a<b) "<style>"</script>
<script type="application/json">{"a": 1}</script><textarea><script>text</script></textarea>`

func TestNoncePasses(t *testing.T) {
	for name, c := range map[string]merlon.Config{"strict": merlon.Strict(), "compat": merlon.Compat()} {
		t.Run(name, func(t *testing.T) {
			merlontest.Nonce(t, mustGuard(t, c).Handler(page(good)), get("https://shop.example/"))
		})
	}
}

func TestAttestedNoncePasses(t *testing.T) {
	key, err := merlon.NewNonceKey(make([]byte, 32), "shop.example")
	if err != nil {
		t.Fatal(err)
	}
	guard, err := merlon.NewHooked(merlon.Strict(), merlon.Hooks{NonceKey: func() *merlon.NonceKey { return key }})
	if err != nil {
		t.Fatal(err)
	}
	merlontest.Nonce(t, guard.Handler(page(good)), get("https://shop.example/"))
}

// Characters of base64 are escaped in attributes, and hashes let through what they name.
func TestNonceByHand(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		nonce := strings.ToLower(rand.Text())[:22] + "+/=="
		w.Header().Set("Content-Security-Policy", "script-src 'nonce-"+nonce+"' 'sha256-tvLLNrQS1Fbj3zoKeCKKBMePOpUPqSzpkWaKKJ+Sv1Y='")
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, "<script nonce=%s>greet()</script><style>p{}</style>", template.HTMLEscapeString(nonce))
	})
	merlontest.Nonce(t, h, get("/"))
}

func TestNonceFails(t *testing.T) {
	strict := mustGuard(t, merlon.Strict())
	behind := func(text string) http.Handler { return strict.Handler(page(text)) }
	const policy = "Content-Security-Policy: script-src 'nonce-AAAAAAAAAAAAAAAAAAAAAA'"
	for _, tc := range []struct {
		name string
		h    http.Handler
		want []string
	}{
		{"forgotten", behind(`<script nonce={{nonce}}></script><script src="/app.js"></script>`), []string{`<script src="/app.js"> without a nonce`}},
		{"inline", behind(`<script nonce={{nonce}}></script><style>p{}</style>`), []string{"<style> without a nonce"}},
		{"module", behind(`<script nonce={{nonce}}></script><script type="Module">1</script>`), []string{`<script type="Module"> without a nonce`}},
		{"stylesheet", behind(`<script nonce={{nonce}}></script><link rel=StyleSheet href=//cdn.example/a.css>`), []string{`href="//cdn.example/a.css"> without a nonce`}},
		{"in noscript", behind(`<script nonce={{nonce}}></script><noscript><style>p{}</style></noscript>`), []string{"<style> without a nonce"}},
		{"literal", behind(`<script nonce={{nonce}}></script><script nonce="abc">1</script>`), []string{`with the nonce "abc"`}},
		{"empty", behind(`<script nonce={{nonce}}></script><script nonce>1</script>`), []string{`with the nonce ""`}},
		{"twice an attribute", behind(`<script nonce={{nonce}} async async>1</script>`), []string{"whose nonce does not count"}},
		{"none at all", behind(`<p>hello`), []string{"a page without a script"}},
		{"from a file", strict.Handler(with(`<script nonce="{{nonce}}">1</script>`)), []string{`with the nonce "{{nonce}}"`, "a page without"}},
		{"no guard", page(good), []string{"'nonce-...' in a policy"}},
		{"JSON", strict.Handler(with("{}", "Content-Type: application/json")), []string{"'nonce-...' in a policy"}},
		{"cached", with("<script nonce=AAAAAAAAAAAAAAAAAAAAAA>", policy), []string{"in two responses"}},
		{"short", with("<script nonce=abc>", "Content-Security-Policy: script-src 'nonce-abc'"), []string{`the nonce "abc"`}},
		{"two", with("<script nonce=abc>", policy, "Content-Security-Policy: script-src 'nonce-BBBBBBBBBBBBBBBBBBBBBB'"), []string{"one nonce"}},
		{"compressed", with("\x1f\x8b", policy, "Content-Encoding: gzip"), []string{"Accept-Encoding"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var f failures
			merlontest.Nonce(&f, tc.h, get("https://shop.example/"))
			f.wants(t, tc.want...)
		})
	}
}
