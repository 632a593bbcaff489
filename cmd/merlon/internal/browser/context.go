package browser

import (
	"context"
	"fmt"
)

// Context is a set of pages that share cookies and storage, apart from all other contexts.
type Context struct {
	b  *Browser
	id string
}

// NewContext returns an empty context. Its pages cannot download files.
func (b *Browser) NewContext(ctx context.Context) (*Context, error) {
	var made struct {
		BrowserContextID string `json:"browserContextId"`
	}
	if err := b.call(ctx, "Target.createBrowserContext", nil, &made); err != nil {
		return nil, err
	}
	c := &Context{b: b, id: made.BrowserContextID}
	deny := map[string]any{"behavior": "deny", "browserContextId": c.id}
	return c, b.call(ctx, "Browser.setDownloadBehavior", deny, nil)
}

// Close closes the context's pages and forgets its cookies and storage.
func (c *Context) Close(ctx context.Context) error {
	return c.b.call(ctx, "Target.disposeBrowserContext", map[string]any{"browserContextId": c.id}, nil)
}

// NewPage opens a page in this context, in a window of its own, showing about:blank.
func (c *Context) NewPage(ctx context.Context) (*Page, error) {
	var made struct {
		TargetID string `json:"targetId"`
	}
	create := map[string]any{"url": "about:blank", "browserContextId": c.id, "newWindow": true}
	if err := c.b.call(ctx, "Target.createTarget", create, &made); err != nil {
		return nil, err
	}
	p := c.b.page(made.TargetID)
	if p == nil { // the browser attaches us before it answers
		return nil, fmt.Errorf("opening a page: the browser did not attach to it")
	}
	var failed error
	if err := p.await(ctx, func() bool { failed = p.failed; return p.ready }); err != nil {
		return nil, fmt.Errorf("opening a page: %w", err)
	}
	return p, failed
}

// NewPage opens a page in a new context: without cookies, and sharing none. Page.Close
// closes the context too.
func (b *Browser) NewPage(ctx context.Context) (*Page, error) {
	c, err := b.NewContext(ctx)
	if err != nil {
		return nil, err
	}
	p, err := c.NewPage(ctx)
	if err != nil {
		return nil, err
	}
	p.alone = true
	return p, nil
}
