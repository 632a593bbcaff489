package gateway

import (
	"log/slog"
	"sync"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/rewrite"
)

// teller logs what operators should know about a page, once for each: pages are served many times.
type teller struct {
	log  *slog.Logger
	mu   sync.Mutex
	told map[string]bool
}

// maxTold bounds how many pages are spoken of.
const maxTold = 1000

func (t *teller) result(path string, r rewrite.Result) {
	if r.GaveUp {
		t.once("a page has places where nobody can tell whether a script may have a nonce; it got none from there on", path)
	}
	if r.Policies > 0 {
		t.once("a page has a policy of its own in a meta element; browsers enforce it beside the site's, and it gets no nonce", path)
	}
}

func (t *teller) once(what, path string) {
	t.mu.Lock()
	again := t.told[what+path] || len(t.told) >= maxTold
	if !again {
		if t.told == nil {
			t.told = map[string]bool{}
		}
		t.told[what+path] = true
	}
	t.mu.Unlock()
	if !again {
		t.log.Warn(what, "path", path)
	}
}
