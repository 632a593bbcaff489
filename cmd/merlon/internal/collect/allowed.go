package collect

import "sync"

// maxAllowed is how many answers are remembered, and so how many policies and addresses besides those in the caches of a site.
const maxAllowed = 4096

// question is whether a policy allows a URL on a page of an origin. Policies and places never change.
type question struct {
	policy            *policy
	url               *place
	origin, directive string
}

// allowed remembers answers to questions. The zero allowed is empty; it is safe for concurrent use.
type allowed struct {
	mu      sync.RWMutex
	answers map[question]bool
}

func (a *allowed) get(q question) (allows, known bool) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	allows, known = a.answers[q]
	return allows, known
}

// put forgets all when there are too many: to ask again costs less than to know which ones to keep.
func (a *allowed) put(q question, allows bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.answers == nil || len(a.answers) >= maxAllowed {
		a.answers = map[question]bool{}
	}
	a.answers[q] = allows
}
