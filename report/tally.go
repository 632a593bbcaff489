package report

import (
	"net/url"
	"sync"
	"time"
)

// Documents is how many documents were sent on a route under a policy.
type Documents struct {
	Route  string `json:"route"`  // as [Route] makes it, or [Rest]
	Policy string `json:"policy"` // a hash of the policies, as the Guard's hook names them, or [Rest]
	Count  int64  `json:"count"`
}

// Rest stands for all routes that are not counted by themselves. No route begins like it.
const Rest = "*"

const (
	maxRoutes = 200  // of a Tally; documents on others count as Rest
	maxPairs  = 1000 // of routes and policies
)

// Tally counts documents by route and policy in bounded memory. The zero Tally is empty and ready to use, and safe for concurrent use.
//
// It counts 200 routes by themselves. Strangers can ask for paths that nobody has, so error pages belong to Rest, and which routes
// are counted is decided anew each day.
type Tally struct {
	mu     sync.Mutex
	day    int64
	counts map[pair]int64
	routes map[string]bool
	pairs  map[pair]bool
}

type pair struct{ route, policy string }

// Add counts a document at the URL u, under a policy, with a status.
func (t *Tally) Add(u *url.URL, policy string, status int) {
	p := pair{Rest, policy}
	if status < 400 {
		p.route = Route(u)
	}
	if len(policy) > maxPolicyHash || !visible(policy) {
		p.policy = Rest
	}
	t.add(p, 1)
}

// Return counts again what Take took: it could not be stored.
func (t *Tally) Return(taken []Documents) {
	for _, d := range taken {
		t.add(pair{d.Route, d.Policy}, d.Count)
	}
}

func (t *Tally) add(p pair, n int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.routes == nil {
		t.counts, t.routes, t.pairs = map[pair]int64{}, map[string]bool{Rest: true}, map[pair]bool{}
	}
	if !t.routes[p.route] && len(t.routes) > maxRoutes {
		p.route = Rest
	}
	if !t.pairs[p] && len(t.pairs) >= maxPairs {
		p = pair{Rest, Rest}
	}
	t.routes[p.route], t.pairs[p] = true, true
	t.counts[p] += n
}

// Take returns what was counted since the last call.
func (t *Tally) Take(now time.Time) []Documents {
	t.mu.Lock()
	counts := t.counts
	t.counts = map[pair]int64{}
	day := now.Unix() / (24 * 60 * 60)
	if day != t.day && t.day != 0 {
		t.routes, t.pairs = map[string]bool{Rest: true}, map[pair]bool{}
	}
	t.day = day
	t.mu.Unlock()
	var out []Documents
	for p, n := range counts {
		out = append(out, Documents{p.route, p.policy, n})
	}
	return out
}
