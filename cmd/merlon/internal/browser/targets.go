package browser

import (
	"context"
	"encoding/json"
	"fmt"
)

// watch has the browser attach us to every page there is and will be, and stop each new one
// until its events are on. The pages that scripts open count too: a dialog in one that
// nobody answers stops its opener as well.
func (b *Browser) watch(ctx context.Context) error {
	return b.call(ctx, "Target.setAutoAttach", map[string]any{
		"autoAttach": true, "waitForDebuggerOnStart": true, "flatten": true,
		"filter": []any{map[string]any{"type": "page"}},
	}, nil)
}

// event hands an event to its page. It runs on the connection's reader.
func (b *Browser) event(session, method string, raw json.RawMessage) error {
	b.mu.Lock()
	p := b.pages[session]
	b.mu.Unlock()
	switch {
	case p != nil:
		return p.event(method, raw)
	case method == "Target.attachedToTarget":
		return decodeTo(b.attached, raw)
	case method == "Target.detachedFromTarget":
		return decodeTo(b.detached, raw)
	}
	return nil
}

type attached struct {
	SessionID string `json:"sessionId"`
	Info      struct {
		TargetID  string `json:"targetId"`
		OpenerID  string `json:"openerId"`
		ContextID string `json:"browserContextId"`
	} `json:"targetInfo"`
}

// attached makes a Page of a new target, and lets it run when its events are on.
func (b *Browser) attached(e attached) {
	p := newPage(&Context{b: b, id: e.Info.ContextID}, e.Info.TargetID, e.SessionID)
	opener := b.page(e.Info.OpenerID)
	b.mu.Lock()
	b.pages[p.session] = p
	b.mu.Unlock()
	if opener != nil {
		opener.opened(p)
	}
	b.work.Go(func() { p.begin(context.Background()) })
}

type detached struct {
	SessionID string `json:"sessionId"`
}

// detached ends the page whose target is gone, closed by us or by a script.
func (b *Browser) detached(e detached) {
	b.mu.Lock()
	p := b.pages[e.SessionID]
	delete(b.pages, e.SessionID)
	b.mu.Unlock()
	if p != nil {
		p.end(fmt.Errorf("page: %w", ErrClosed))
	}
}

// page returns the page with a target id, nil if there is none.
func (b *Browser) page(target string) *Page {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, p := range b.pages {
		if p.target == target {
			return p
		}
	}
	return nil
}
