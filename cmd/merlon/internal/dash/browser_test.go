package dash_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/browser"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/dash"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/need"
)

// In a real browser: log in by the form, and look at every page with hostile text in it. Nothing runs, and the
// browser finds nothing in our own pages that their policy forbids.
func TestHostileTextInABrowser(t *testing.T) {
	path := need.Chromium(t)
	r := newRig(t)
	r.seedHostile()
	server := httptest.NewServer(r.handler)
	t.Cleanup(server.Close)
	ctx := t.Context()
	b, err := browser.Start(ctx, browser.Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	page, err := b.NewPage(ctx)
	if err != nil {
		t.Fatal(err)
	}
	address := strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
	steps := []func() error{
		func() error { return page.Navigate(ctx, address+"/") },
		func() error { return page.Fill(ctx, "#token", r.token) },
		func() error { return page.WaitLoad(ctx, func() error { return page.ClickOn(ctx, "form button") }) },
	}
	for i, step := range steps {
		if err := step(); err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
	}
	var rows int
	if err := page.Eval(ctx, `document.querySelectorAll("table.rows tbody tr").length`, &rows); err != nil || rows != 2*len(hostile) {
		t.Fatalf("after the log-in: %d rows, %v, want %d", rows, err, 2*len(hostile))
	}
	for _, target := range []string{"/", "/issues/1", "/issues/3", "/issues/9", "/drops", "/none"} {
		if err := page.Navigate(ctx, address+target); err != nil {
			t.Fatal(err)
		}
		var title string
		if err := page.Eval(ctx, "document.title", &title); err != nil || !strings.HasSuffix(title, " · merlon") {
			t.Errorf("%s: title %q, %v: reported text has run", target, title, err)
		}
		var styled bool
		if err := page.Eval(ctx, `getComputedStyle(document.querySelector(".top")).display === "flex"`, &styled); err != nil || !styled {
			t.Errorf("%s: styled %v, %v, want the style sheet applied", target, styled, err)
		}
	}
	for _, e := range page.Console() {
		// Chromium says "info" when a click came before the autofocus.
		if e.Level != "info" && !strings.Contains(e.Text, "404 (Not Found)") {
			t.Errorf("console: %+v", e)
		}
	}
	if dialogs := page.Dialogs(); len(dialogs) != 0 {
		t.Errorf("dialogs %+v: reported text has run", dialogs)
	}
	for _, res := range page.Responses() {
		if !strings.HasPrefix(res.URL, address+"/") {
			t.Errorf("the pages loaded %s", res.URL)
		}
	}
	var cookies string
	if err := page.Eval(ctx, "document.cookie", &cookies); err != nil || strings.Contains(cookies, dash.DefaultCookieName) {
		t.Errorf("scripts see the cookies %q, %v", cookies, err)
	}
}
