package demo_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/demo"
	"golang.org/x/net/html"
)

const thirdParty = "http://127.0.0.1:8084"

// client is a browser without scripts: it keeps the bank's cookie.
type client struct {
	t      *testing.T
	h      http.Handler
	cookie *http.Cookie
}

func newBank(t *testing.T) *client {
	return &client{t: t, h: demo.NewBank(demo.BankConfig{ThirdPartyOrigin: thirdParty + "/"})}
}

func loggedIn(t *testing.T) *client {
	c := newBank(t)
	r := c.post("/login", "user", "alice", "password", "wonderland")
	r.wants(http.StatusSeeOther)
	return c
}

// do sends a request; edit, if not nil, changes it first.
func (c *client) do(method, target string, form url.Values, edit func(*http.Request)) reply {
	c.t.Helper()
	r := httptest.NewRequest(method, "http://127.0.0.1:8081"+target, strings.NewReader(form.Encode()))
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if c.cookie != nil {
		r.AddCookie(c.cookie)
	}
	if edit != nil {
		edit(r)
	}
	w := httptest.NewRecorder()
	c.h.ServeHTTP(w, r)
	res := w.Result()
	for _, k := range res.Cookies() {
		c.cookie = k
	}
	return newReply(c.t, method+" "+target, res)
}

func (c *client) get(target string) reply {
	c.t.Helper()
	return c.do(http.MethodGet, target, nil, nil)
}

func (c *client) post(target string, pairs ...string) reply {
	c.t.Helper()
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return c.do(http.MethodPost, target, form, nil)
}

// transfer posts the form that the transfer page holds.
func (c *client) transfer(to, amount string) reply {
	c.t.Helper()
	token := c.get("/transfer").attr("input#transfer-token", "value")
	return c.post("/transfer", "token", token, "to", to, "amount", amount)
}

// reply is a response and its parsed page.
type reply struct {
	t    *testing.T
	call string
	*http.Response
	body string
	root *html.Node
}

func newReply(t *testing.T, call string, res *http.Response) reply {
	t.Helper()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatalf("%s: reading the body: %v", call, err)
	}
	root, err := html.Parse(strings.NewReader(string(b)))
	if err != nil {
		t.Fatalf("%s: parsing the page: %v", call, err)
	}
	return reply{t, call, res, string(b), root}
}

func (r reply) wants(status int) reply {
	r.t.Helper()
	if r.StatusCode != status {
		r.t.Fatalf("%s: got status %d, want %d; body:\n%s", r.call, r.StatusCode, status, r.body)
	}
	return r
}

// all returns the elements that match a selector of the forms tag, #id, tag#id
// and tag[name=value], in the order of the page.
func (r reply) all(selector string) []*html.Node {
	var found []*html.Node
	for n := range r.root.Descendants() {
		if n.Type == html.ElementNode && matches(n, selector) {
			found = append(found, n)
		}
	}
	return found
}

func (r reply) has(selector string) bool { return len(r.all(selector)) > 0 }

func (r reply) one(selector string) *html.Node {
	r.t.Helper()
	found := r.all(selector)
	if len(found) != 1 {
		r.t.Fatalf("%s: got %d elements %s, want 1; body:\n%s", r.call, len(found), selector, r.body)
	}
	return found[0]
}

func (r reply) text(selector string) string {
	r.t.Helper()
	return text(r.one(selector))
}

func (r reply) attr(selector, name string) string {
	r.t.Helper()
	v, ok := attr(r.one(selector), name)
	if !ok {
		r.t.Fatalf("%s: element %s has no attribute %s", r.call, selector, name)
	}
	return v
}

func matches(n *html.Node, selector string) bool {
	if s, rest, ok := strings.Cut(selector, "["); ok {
		name, value, _ := strings.Cut(strings.TrimSuffix(rest, "]"), "=")
		v, has := attr(n, name)
		return n.Data == s && has && v == value
	}
	tag, id, _ := strings.Cut(selector, "#")
	v, _ := attr(n, "id")
	return (tag == "" || n.Data == tag) && (id == "" || v == id)
}

func attr(n *html.Node, name string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val, true
		}
	}
	return "", false
}

func text(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			fmt.Fprint(&b, d.Data)
		}
	}
	return strings.TrimSpace(b.String())
}
