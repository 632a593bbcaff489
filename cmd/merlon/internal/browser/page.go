package browser

import (
	"context"
	"fmt"
	"slices"
	"sync"
)

// Page is one page with its frames, and the record of what happened in it. It is safe for
// concurrent use, but two navigations or two clicks at a time make no sense.
type Page struct {
	c       *Context
	target  string // also the id of the main frame
	session string
	alone   bool // in a context of its own

	life context.Context // ends with the page; its cause says why
	end  context.CancelCauseFunc

	mu       sync.Mutex
	changed  chan struct{} // closed and replaced at each event
	ready    bool          // it runs, and its events are on
	failed   error         // why they are not
	popups   []*Page
	main     document
	worlds   map[string]string   // frame id → its script context, as far as there is one
	requests map[string]Response // by id: what is under way, at most maxRecords
	record
}

// document is what is known about the main frame's documents.
type document struct {
	commits []string // loader ids of the last maxCommits documents, the current one at the end
	count   int      // of all commits
	loaded  bool     // the current one's load event has fired
	failed  string   // why the current one is an error page; empty if it is none
	request string   // the id of the last request for a document
	netErr  string   // how that one failed
}

// maxCommits is how many documents of a page are remembered while one waits for a navigation.
const maxCommits = 64

func newPage(c *Context, target, session string) *Page {
	p := &Page{c: c, target: target, session: session, changed: make(chan struct{}), worlds: map[string]string{}, requests: map[string]Response{}}
	p.life, p.end = context.WithCancelCause(context.Background())
	return p
}

// begin turns on the page's events, then lets the page run.
func (p *Page) begin(ctx context.Context) {
	err := p.prepare(ctx)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ready, p.failed = true, err
	p.wake()
}

// opened records a page that this one opened.
func (p *Page) opened(popup *Page) {
	p.mu.Lock()
	defer p.mu.Unlock()
	keep(&p.popups, popup)
	p.wake()
}

// Popups returns the pages that this one opened so far, those included that are closed.
func (p *Page) Popups() []*Page {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.popups)
}

// WaitPopups waits until this page has opened n pages. It is bounded by ctx alone.
func (p *Page) WaitPopups(ctx context.Context, n int) error {
	if err := p.await(ctx, func() bool { return len(p.popups) >= n }); err != nil {
		return fmt.Errorf("waiting for %d popups: %w", n, err)
	}
	return nil
}

// prepare turns on the events that the record is made from. The page waits until the last call.
func (p *Page) prepare(ctx context.Context) error {
	calls := []struct {
		method string
		params map[string]any
	}{
		{"Page.enable", nil},
		{"Page.setLifecycleEventsEnabled", map[string]any{"enabled": true}},
		{"Network.enable", nil},
		{"Log.enable", nil},
		{"Inspector.enable", nil}, // says when the renderer crashed
		{"Runtime.enable", nil},
		// Several pages are driven at a time, and only one window can really have the focus.
		{"Emulation.setFocusEmulationEnabled", map[string]any{"enabled": true}},
		{"Emulation.setDeviceMetricsOverride", map[string]any{
			"width": p.c.b.options.Width, "height": p.c.b.options.Height, "deviceScaleFactor": 1, "mobile": false}},
		{"Runtime.runIfWaitingForDebugger", nil},
	}
	for _, c := range calls {
		if err := p.call(ctx, c.method, c.params, nil); err != nil {
			return err
		}
	}
	return nil
}

// Close closes the page, and its context when it came from Browser.NewPage.
func (p *Page) Close(ctx context.Context) error {
	var err error
	if p.alone {
		err = p.c.Close(ctx)
	} else {
		err = p.c.b.call(ctx, "Target.closeTarget", map[string]any{"targetId": p.target}, nil)
	}
	if err == nil {
		p.end(fmt.Errorf("page: %w", ErrClosed))
	}
	return err
}

// call is a call to this page. It ends with ctx, with the page, and after callLimit.
func (p *Page) call(ctx context.Context, method string, params, out any) error {
	ctx, cancel := p.bound(ctx)
	defer cancel()
	return p.c.b.conn.call(ctx, p.session, method, params, out)
}

// bound is ctx, ended with the page at the latest.
func (p *Page) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(p.life, func() { cancel(context.Cause(p.life)) })
	return ctx, func() { stop(); cancel(nil) }
}

// await returns when ready says so, which it asks with p.mu held, now and after each event.
// It ends with ctx, and with the page.
func (p *Page) await(ctx context.Context, ready func() bool) error {
	ctx, cancel := p.bound(ctx)
	defer cancel()
	for {
		p.mu.Lock()
		ok, changed := ready(), p.changed
		p.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// Navigate goes to url and waits until the document has loaded; when it goes on by itself
// before that, until the last one has. An error of the network, such as
// net::ERR_CONNECTION_REFUSED, is an error. A status such as 404 is none.
func (p *Page) Navigate(ctx context.Context, url string) error {
	ctx, cancel := limit(ctx)
	defer cancel()
	var nav struct {
		LoaderID  string `json:"loaderId"`
		ErrorText string `json:"errorText"`
	}
	if err := p.call(ctx, "Page.navigate", map[string]any{"url": url}, &nav); err != nil {
		return fmt.Errorf("navigating to %s: %w", url, err)
	}
	if nav.ErrorText != "" {
		return fmt.Errorf("navigating to %s: %s", url, nav.ErrorText)
	}
	if nav.LoaderID == "" {
		return nil // within the document: nothing loads
	}
	err := p.await(ctx, func() bool { return p.main.loaded && slices.Contains(p.main.commits, nav.LoaderID) })
	if err != nil {
		return fmt.Errorf("navigating to %s: waiting for load: %w", url, err)
	}
	return nil
}

// WaitLoad runs action, which makes the page go elsewhere (a click, a submit), and waits
// until the new document has loaded. It is an error when that is the browser's error page.
// A step within the document, a download and an answer 204 make no new document.
func (p *Page) WaitLoad(ctx context.Context, action func() error) error {
	ctx, cancel := limit(ctx)
	defer cancel()
	p.mu.Lock()
	before := p.main.count
	p.mu.Unlock()
	if err := action(); err != nil {
		return err
	}
	var failed string
	err := p.await(ctx, func() bool {
		failed = p.main.failed
		return p.main.count > before && p.main.loaded
	})
	switch {
	case err != nil:
		return fmt.Errorf("waiting for a document to load: %w", err)
	case failed != "":
		return fmt.Errorf("waiting for a document to load: %s", failed)
	}
	return nil
}

// Screenshot returns the viewport as a PNG.
func (p *Page) Screenshot(ctx context.Context) ([]byte, error) {
	// A window in the background is not painted, and capturing it waits for ever.
	if err := p.call(ctx, "Page.bringToFront", nil, nil); err != nil {
		return nil, err
	}
	var shot struct {
		Data []byte `json:"data"`
	}
	err := p.call(ctx, "Page.captureScreenshot", map[string]any{"format": "png"}, &shot)
	return shot.Data, err
}

// Browser is the browser that the page is in.
func (p *Page) Browser() *Browser {
	return p.c.b
}
