package collect

import (
	"net/http"
	"strconv"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
	"github.com/merlon-sec/merlon/report"
)

// Sample lets the tests of this package reach the cleaning by itself.
func Sample(s string) string { return sample(s) }

// Glob is glob.
func Glob(pattern, s string) bool { return glob(pattern, s) }

// Browser is browserOf.
func Browser(header string) string { return browserOf(header) }

// A Sorter makes hits of reports without storing them.
type Sorter struct{ site *hosts }

// NewSorter returns one for the site.
func NewSorter(site Site) *Sorter { return &Sorter{newHosts(site, 1, newPolicies())} }

// Hits returns what would be stored, and why the rest would not.
func (s *Sorter) Hits(r *http.Request, reports []report.Report, at time.Time) (hits []store.Hit, refused []string) {
	req := s.site.request(r, reports)
	for i := range reports {
		if reason := req.refuse(&reports[i]); reason != "" {
			refused = append(refused, reason)
			continue
		}
		hits = append(hits, req.hit(req.event(&reports[i]), at))
	}
	return hits, refused
}

// Policy returns hash and normal form of a policy.
func (s *Sorter) Policy(text string) (hash, normal string) {
	p := s.site.policy(text)
	if p == nil {
		return "", ""
	}
	return p.hash, p.text
}

// Cached is how many texts are remembered in all.
func (s *Sorter) Cached() int {
	h := s.site
	return len(h.places.young) + len(h.places.old) + len(h.policies.young) + len(h.policies.old) + len(h.agents.young) + len(h.agents.old)
}

// Waiting is how many reports the next round has.
func (c *Collector) Waiting() int { return c.waiting() }

// Round stands for the round that fills; it is another one when that has been taken to be committed.
func (c *Collector) Round() any {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pending
}

// Budget lets the tests reach the budgets by themselves.
type Budget struct{ b *budget }

func NewBudget(rate Rate, start time.Time) Budget { return Budget{newBudget(rate, start)} }

func (b Budget) Spend(who uint64, n int, now time.Time) bool { return b.b.spend(who, n, now) }

// View lets the tests of this package ask by which page view a policy counts.
func View(attests func(nonce string) bool) func(policy string) uint64 {
	return newViews(attests, maxPerView).of
}

// Word is word.
func Word(s string) string { return word(s) }

// CacheBytes is how much text the handlers of so many sites remember at most.
func CacheBytes(c *Collector, sites int) (n int) {
	n = 2 * c.policies.size
	for i := range sites {
		h := c.Handler(Site{Name: strconv.Itoa(i)}).(*handler)
		n += 2 * (h.site.places.size + h.site.agents.size)
	}
	return n
}
