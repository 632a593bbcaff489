package demo_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/demo"
)

func TestLenientPathsReachAdmin(t *testing.T) {
	c := newBank(t)
	paths := []string{
		"/admin", "//admin", "/admin/", "/admin;v=1", "/./admin", "/widget/../admin",
		"/widget/..%2Fadmin", "/widget/.%2e/admin", "/widget/x/..%5c../admin", "/%61dmin",
	}
	for _, f := range demo.FramePages() {
		if strings.HasPrefix(f.Path, "/widget/") && f.Path != "/widget/" {
			paths = append(paths, f.Path)
		}
	}
	if len(paths) < 16 {
		t.Fatalf("got %d spellings, want those of FramePages among them", len(paths))
	}
	for _, p := range paths {
		if !c.get(p).wants(http.StatusOK).has("section#admin") {
			t.Errorf("GET %s: not the administration", p)
		}
	}
}

func TestLenientPathsStayLenientOnly(t *testing.T) {
	c := newBank(t)
	for _, p := range []string{"/widget/", "/widget", "/widget/x/.."} {
		if page := c.get(p).wants(http.StatusOK); !page.has("section#widget") {
			t.Errorf("GET %s: not the widget", p)
		}
	}
	// Decoded once, not twice.
	c.get("/widget/..%252fadmin").wants(http.StatusNotFound)
	c.get("/widget/admin").wants(http.StatusNotFound)
	if got := c.get("/a/..%2fsearch?q=kept").wants(http.StatusOK).text("#result"); !strings.Contains(got, "kept") {
		t.Errorf("query after a lenient path: got %q, want it kept", got)
	}
}

func TestWidgetShowsNothingPrivate(t *testing.T) {
	page := loggedIn(t).get("/widget/").wants(http.StatusOK)
	for _, selector := range []string{"#balance", "input", "form", "a"} {
		if page.has(selector) {
			t.Errorf("widget: got an element %s, want none", selector)
		}
	}
	if strings.Contains(page.body, "2500") || strings.Contains(page.body, "alice") {
		t.Errorf("widget shows the account:\n%s", page.body)
	}
}
