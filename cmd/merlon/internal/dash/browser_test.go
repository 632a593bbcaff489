package dash_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/browser"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/dash"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/need"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

// tab is a page of a real browser that has logged in to a rig's dashboard by the form.
type tab struct {
	*browser.Page
	t       testing.TB
	address string
}

func (r *rig) openTab() tab {
	r.t.Helper()
	path := need.Chromium(r.t)
	server := httptest.NewServer(r.handler)
	r.t.Cleanup(server.Close)
	ctx := r.t.Context()
	b, err := browser.Start(ctx, browser.Options{Path: path})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { b.Close() })
	page, err := b.NewPage(ctx)
	if err != nil {
		r.t.Fatal(err)
	}
	p := tab{page, r.t, strings.Replace(server.URL, "127.0.0.1", "localhost", 1)}
	p.visit("/")
	p.must(page.Fill(ctx, "#token", r.fileToken()))
	p.must(page.WaitLoad(ctx, func() error { return page.ClickOn(ctx, "form button") }))
	return p
}

func (p tab) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p tab) visit(target string) {
	p.t.Helper()
	p.must(p.Navigate(p.t.Context(), p.address+target))
}

func eval[T any](p tab, expression string) (value T) {
	p.t.Helper()
	p.must(p.Eval(p.t.Context(), expression, &value))
	return value
}

// quiet fails if the browser had anything to say about our pages.
func (p tab) quiet() {
	p.t.Helper()
	for _, e := range p.Console() {
		// Chromium says "info" when a click came before the autofocus.
		if e.Level != "info" && !strings.Contains(e.Text, "404 (Not Found)") && !strings.Contains(e.Text, "422 (Unprocessable Entity)") {
			p.t.Errorf("console: %+v", e)
		}
	}
	if dialogs := p.Dialogs(); len(dialogs) != 0 {
		p.t.Errorf("dialogs %+v: reported text has run", dialogs)
	}
	for _, res := range p.Responses() {
		if !strings.HasPrefix(res.URL, p.address+"/") {
			p.t.Errorf("the pages loaded %s", res.URL)
		}
	}
}

// In a real browser: look at every page with hostile text in it. Nothing runs, and the browser finds nothing in our own pages
// that their policy forbids.
func TestHostileTextInABrowser(t *testing.T) {
	r := newRig(t)
	r.seedHostile()
	p := r.openTab()
	p.visit("/issues?state=all")
	if rows := eval[int](p, `document.querySelectorAll("table.rows tbody tr").length`); rows != 2*len(hostile) {
		t.Fatalf("%d rows, want %d", rows, 2*len(hostile))
	}
	for _, target := range []string{"/", "/issues", "/issues?state=all", "/issues/1", "/issues/2", "/issues/9", "/drops", "/none"} {
		p.visit(target)
		if title := eval[string](p, "document.title"); !strings.HasSuffix(title, " · merlon") {
			t.Errorf("%s: title %q: reported text has run", target, title)
		}
		if !eval[bool](p, `getComputedStyle(document.querySelector(".top")).display === "flex"`) {
			t.Errorf("%s: the style sheet is not applied", target)
		}
	}
	p.quiet()
	if cookies := eval[string](p, "document.cookie"); strings.Contains(cookies, dash.DefaultCookieName) {
		t.Errorf("scripts see the cookies %q", cookies)
	}
}

// A decision is made by the form alone, in a browser that tells where a request comes from.
func TestStateInABrowser(t *testing.T) {
	r := newRig(t)
	r.realistic()
	p := r.openTab()
	ctx := t.Context()
	p.visit("/issues/1")
	p.must(p.ClickOn(ctx, "label[for=state-acknowledged]"))
	p.must(p.Fill(ctx, "#note", "the shop's images move in May"))
	p.must(p.WaitLoad(ctx, func() error { return p.ClickOn(ctx, ".decide button") }))
	if got := eval[string](p, "location.pathname + location.hash"); got != "/issues/1#state" {
		t.Errorf("after the form: %s", got)
	}
	if issue, err := r.store.Issue(ctx, 1); err != nil || issue.State != store.Acknowledged || issue.StateNote != "the shop's images move in May" {
		t.Errorf("stored: %q, %q, %v", issue.State, issue.StateNote, err)
	}
	p.picture("decided-wide", screens[0].screen)
	p.quiet()
}

// Without a mouse: the first key leads past the navigation, and what has the focus shows it.
func TestKeyboardInABrowser(t *testing.T) {
	r := newRig(t)
	r.realistic()
	p := r.openTab()
	p.visit("/issues")
	if got := eval[string](p, `(() => { const a = document.querySelector("a, button, input"); a.focus();
		return a.hash + " " + (a.getBoundingClientRect().left >= 0) + " " + getComputedStyle(a).outlineStyle })()`); got != "#main true solid" {
		t.Errorf("the first thing to focus: %q, want the visible link to the content", got)
	}
	if got := eval[[]string](p, `[...document.querySelectorAll("th:not([scope])")].map(e => e.outerHTML)`); len(got) > 0 {
		t.Errorf("headers without a scope: %q", got)
	}
}
