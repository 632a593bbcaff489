package browser_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/browser"
)

func TestManyPages(t *testing.T) {
	srv := serve(t, map[string]reply{"/": {html: "<p>hello"}})
	b := start(t, browser.Options{})
	ctx := within(t)
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			if err := visit(ctx, b, srv.URL, i); err != nil {
				t.Errorf("page %d: %v", i, err)
			}
		})
	}
	all.Wait()
}

// visit sets a cookie in a new page and reads back all there are: one.
func visit(ctx context.Context, b *browser.Browser, url string, i int) error {
	p, err := b.NewPage(ctx)
	if err != nil {
		return err
	}
	if err := p.Navigate(ctx, url); err != nil {
		return err
	}
	if err := p.Eval(ctx, fmt.Sprintf("document.cookie = 'c%d=v'", i), nil); err != nil {
		return err
	}
	if shot, err := p.Screenshot(ctx); err != nil || len(shot) == 0 {
		return fmt.Errorf("Screenshot: %d bytes, %w", len(shot), err)
	}
	var cookies string
	if err := p.Eval(ctx, "document.cookie", &cookies); err != nil {
		return err
	}
	if want := fmt.Sprintf("c%d=v", i); cookies != want {
		return fmt.Errorf("cookies %q, want %q: contexts are not apart", cookies, want)
	}
	return p.Close(ctx)
}

func TestContextShares(t *testing.T) {
	srv := serve(t, map[string]reply{"/": {}})
	b, ctx := start(t, browser.Options{}), within(t)
	c, err := b.NewContext(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var pages [2]*browser.Page
	for i := range pages {
		if pages[i], err = c.NewPage(ctx); err != nil {
			t.Fatal(err)
		}
		if err := pages[i].Navigate(ctx, srv.URL); err != nil {
			t.Fatal(err)
		}
	}
	eval[string](t, pages[0], "document.cookie = 'shared=1'")
	if got := eval[string](t, pages[1], "document.cookie"); got != "shared=1" {
		t.Errorf("cookies of the other page: %q, want shared=1", got)
	}
	if err := pages[0].Close(ctx); err != nil {
		t.Errorf("Close of a page: %v", err)
	}
	if err := pages[0].Eval(ctx, "1", nil); !errors.Is(err, browser.ErrClosed) {
		t.Errorf("Eval in a closed page: %v; want ErrClosed", err)
	}
	eval[int](t, pages[1], "1") // goes on
	if err := c.Close(ctx); err != nil {
		t.Errorf("Close of the context: %v", err)
	}
}
