package demo_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/demo"
	"golang.org/x/net/html"
)

// bareScripts returns the text of the scripts that have no nonce.
func bareScripts(r reply) []string {
	var found []string
	for _, n := range r.all("script") {
		if _, ok := attr(n, "nonce"); !ok {
			found = append(found, text(n))
		}
	}
	return found
}

func withNonce(r *http.Request) { r.Header.Set("Merlon-Nonce", "bm9uY2Vub25jZW5vbmNlMQ") }

func TestSearchReflectsUnescaped(t *testing.T) {
	c := newBank(t)
	target := strings.TrimPrefix(demo.ReflectedURL("http://127.0.0.1:8081"), "http://127.0.0.1:8081")
	page := c.do(http.MethodGet, target, nil, withNonce).wants(http.StatusOK)
	if !strings.Contains(page.body, demo.ReflectedPayload) {
		t.Fatalf("search: the payload is not in the page as sent:\n%s", page.body)
	}
	scripts := bareScripts(page)
	if len(scripts) != 1 || !strings.Contains(scripts[0], demo.DefacedID) {
		t.Errorf("search: got scripts without a nonce %q, want the attacker's alone", scripts)
	}
	c.get("/search?q=" + strings.Repeat("x", 5000)).wants(http.StatusRequestURITooLong)
}

func TestCommentIsStoredUnescaped(t *testing.T) {
	c := loggedIn(t)
	cookie := c.cookie
	c.cookie = nil // anybody may write
	c.post("/comment", "text", demo.StoredPayload).wants(http.StatusSeeOther)
	c.cookie = cookie
	page := c.get("/account")
	if !strings.Contains(page.body, demo.StoredPayload) {
		t.Fatalf("account: the payload is not in the page as sent:\n%s", page.body)
	}
	if got := page.attr("img[src=x]", "onerror"); !strings.Contains(got, demo.DefacedID) {
		t.Errorf("planted image: got onerror %q, want the attacker's script", got)
	}
}

func TestCommentsAreBounded(t *testing.T) {
	c := loggedIn(t)
	c.post("/comment", "text", "").wants(http.StatusBadRequest)
	c.post("/comment", "text", strings.Repeat("x", 2049)).wants(http.StatusBadRequest)
	for range 19 {
		c.post("/comment", "text", "filler").wants(http.StatusSeeOther)
	}
	c.post("/comment", "text", strings.Repeat("y", 2048)).wants(http.StatusSeeOther)
	page := c.get("/account")
	if got := len(page.all("li")); got != 20 {
		t.Errorf("comments shown: got %d, want 20", got)
	}
	list := page.text("#comments")
	if strings.Contains(list, "Carol") || !strings.HasSuffix(list, "yyy") {
		t.Errorf("comments: got %.60q ..., want the oldest gone and the newest last", list)
	}
}

func TestNonceIsPrintedWhenThereIsOne(t *testing.T) {
	c := loggedIn(t)
	bare := c.get("/account")
	if got := bareScripts(bare); len(got) != 1 || !strings.Contains(got[0], "greeting") {
		t.Errorf("without the header: got scripts %q, want the greeting without a nonce", got)
	}
	behind := c.do(http.MethodGet, "/account", nil, withNonce)
	if got := behind.attr("script", "nonce"); got != "bm9uY2Vub25jZW5vbmNlMQ" {
		t.Errorf("with the header: got nonce %q, want the one sent", got)
	}
	hostile := c.do(http.MethodGet, "/account", nil, func(r *http.Request) {
		r.Header.Set("Merlon-Nonce", `"><b id=hurt>`)
	})
	if hostile.has("#hurt") {
		t.Error("a nonce was printed unescaped")
	}
}

// A strict policy breaks what the pages name as their own weak spots, and
// nothing else: one event handler, one foreign image, one foreign form.
func TestPagesAreReadyForAStrictPolicy(t *testing.T) {
	c := loggedIn(t)
	var handlers, foreign []string
	for _, path := range []string{"/", "/account", "/transfer", "/search?q=x", "/widget/", "/admin", "/nowhere"} {
		page := c.do(http.MethodGet, path, nil, withNonce)
		if got := bareScripts(page); len(got) > 0 {
			t.Errorf("GET %s: scripts without the nonce: %q", path, got)
		}
		for n := range page.root.Descendants() {
			h, f := weakSpots(n)
			handlers, foreign = append(handlers, h...), append(foreign, f...)
			if _, ok := attr(n, "style"); ok || n.Data == "style" {
				t.Errorf("GET %s: inline style on <%s>", path, n.Data)
			}
		}
	}
	if len(handlers) != 1 || handlers[0] != "onclick" {
		t.Errorf("event handler attributes: got %q, want one onclick", handlers)
	}
	want := thirdParty + "/newsletter " + thirdParty + "/pixel.png"
	if got := strings.Join(foreign, " "); got != want {
		t.Errorf("foreign addresses: got %q, want %q", got, want)
	}
}

func weakSpots(n *html.Node) (handlers, foreign []string) {
	for _, a := range n.Attr {
		if strings.HasPrefix(a.Key, "on") {
			handlers = append(handlers, a.Key)
		}
		if u, err := url.Parse(a.Val); err == nil && u.Host != "" {
			foreign = append(foreign, a.Val)
		}
	}
	return handlers, foreign
}
