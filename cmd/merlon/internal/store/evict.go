package store

import (
	"container/heap"
	"slices"
	"time"
)

// worth is what an issue is compared by when one has to go.
type worth struct {
	noise           bool
	networks, views int64
	last            int64 // Unix milliseconds
}

// staleAfter is when an issue that nobody has seen since may go for another one that as many have seen.
const staleAfter = time.Hour

func (w worth) confirmed() bool { return w.networks > 1 || w.views > 1 }
func (w worth) reach() int64    { return max(w.networks, w.views) }

// class is the first thing that counts, from what goes first: unconfirmed noise, then other unconfirmed ones.
func (w worth) class() int {
	class := 0
	if w.confirmed() {
		class = 2
	}
	if !w.noise {
		class++
	}
	return class
}

func (w worth) less(than worth) bool {
	switch {
	case w.class() != than.class():
		return w.class() < than.class()
	case w.reach() != than.reach():
		return w.reach() < than.reach()
	}
	return w.last < than.last
}

// displaces reports whether a confirmed newcomer takes the place of a resident. Among equals the resident stays: otherwise a stream of
// issues from two networks each would carry away all that have been seen from no more.
func (w worth) displaces(resident worth) bool {
	switch {
	case w.class() != resident.class():
		return w.class() > resident.class()
	case w.reach() != resident.reach() && w.reach() < cellNetworks:
		return w.reach() > resident.reach()
	}
	// The sketch counts no further, so the newcomer's reach may be any.
	return w.reach() > resident.reach() || w.reach() >= cellNetworks && w.last-resident.last > staleAfter.Milliseconds()
}

// ranking is a heap whose first issue is the one worth least.
type ranking []*liveIssue

// Len, Less, Swap, Push and Pop are for package heap.
func (r ranking) Len() int           { return len(r) }
func (r ranking) Less(i, j int) bool { return r[i].worth.less(r[j].worth) }
func (r ranking) Swap(i, j int)      { r[i], r[j] = r[j], r[i]; r[i].rank, r[j].rank = i, j }
func (r *ranking) Push(x any)        { i := x.(*liveIssue); i.rank = len(*r); *r = append(*r, i) }
func (r *ranking) Pop() any {
	last := len(*r) - 1
	i := (*r)[last]
	(*r)[last], i.rank = nil, -1
	*r = (*r)[:last]
	return i
}

func (r *ranking) add(i *liveIssue) { heap.Push(r, i) }
func (r *ranking) remove(i *liveIssue) {
	if i.rank >= 0 {
		heap.Remove(r, i.rank)
	}
}

// appraise notes what an issue is worth now.
func (i *liveIssue) appraise(w worth) {
	w.last = max(w.last, i.worth.last)
	i.worth = w
	if w.confirmed() && !i.since.IsZero() {
		i.site.lane.leave(i)
		i.site.least.add(i)
	} else if i.rank >= 0 {
		heap.Fix(&i.site.least, i.rank)
	}
}

// lane has unconfirmed issues of directives that run code, in the order in which they came.
type lane struct {
	queue []*liveIssue // some may have left
	n     int
}

func (l *lane) enter(i *liveIssue, now time.Time) {
	i.site.least.remove(i)
	i.since = now
	if len(l.queue) > 2*l.n+16 {
		l.queue = slices.DeleteFunc(l.queue, func(i *liveIssue) bool { return i.since.IsZero() })
	}
	l.queue = append(l.queue, i)
	l.n++
}

func (l *lane) leave(i *liveIssue) {
	if !i.since.IsZero() {
		i.since = time.Time{}
		l.n--
	}
}

func (l *lane) oldest() *liveIssue {
	for len(l.queue) > 0 && l.queue[0].since.IsZero() {
		l.queue = l.queue[1:]
	}
	if len(l.queue) == 0 {
		return nil
	}
	return l.queue[0]
}

// evict folds the issue that is worth least, if it may go.
func (c *commit) evict(site *siteIssues, may func(worth) bool) bool {
	for len(site.least) > 0 && c.err == nil && may(site.least[0].worth) {
		if c.withdraw(site.least[0]) {
			return true
		}
	}
	return false
}

// withdraw takes the row of an issue away and folds its counts, unless somebody has decided about it: then it stays for good, and
// withdraw returns false.
func (c *commit) withdraw(i *liveIssue) bool {
	d, decided := c.read(i)
	switch {
	case c.err != nil:
		return false
	case decided:
		i.site.lane.leave(i)
		i.site.least.remove(i)
		return false
	case d != nil: // else it was purged
		c.exec(deleteIssue, i.id)
		c.rest(issueKey{d.hit.Site, i.fp}, d)
	}
	i.site.drop(i.fp)
	return true
}

// read returns all that is counted of an issue, in the form in which a batch brings it, nil if it has no row; and whether somebody has
// decided about it.
func (c *commit) read(i *liveIssue) (d *delta, decided bool) {
	c.each(readIssue, func(scan func(...any) error) error {
		d = &delta{hours: map[int64]*tally{}, facets: map[facet]int64{}}
		var first, last int64
		var networks, views []byte
		err := scan(&d.hit.Site, &d.hit.Type, &d.hit.Directive, &d.hit.Class, &d.hit.Verdict, &d.hit.Rule, &first, &last,
			&d.total.enforced, &d.total.reported, &d.total.unknown, &d.attested, &networks, &views, &decided)
		d.first, d.last, d.networks, d.views = fromMillis(first), fromMillis(last), reachOf(networks), reachOf(views)
		return err
	}, i.id)
	c.each(readTimeline, func(scan func(...any) error) error {
		var hour int64
		n := &tally{}
		err := scan(&hour, &n.enforced, &n.reported, &n.unknown)
		d.hours[hour] = n
		return err
	}, i.id)
	c.each(sumFacets, func(scan func(...any) error) error {
		var kind string
		var n int64
		err := scan(&kind, &n)
		d.facets[facet{kind, ""}] = n
		return err
	}, i.id)
	return d, decided
}
