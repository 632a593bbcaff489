package store

import (
	"context"
	"database/sql/driver"
	"fmt"
	"slices"
)

// Commit stores the batch in one transaction. When it returns nil the batch is on stable storage, when it returns an error nothing
// of it is to be seen. Calls follow one another; an open reader does not delay them.
func (s *Store) Commit(ctx context.Context, b *Batch) error {
	if err := s.writable(); err != nil {
		return fmt.Errorf("storing reports: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sites == nil {
		if err := s.loadIssues(ctx); err != nil {
			return fmt.Errorf("storing reports: %w", err)
		}
	}
	c := &commit{ctx: context.WithoutCancel(ctx), store: s, may: b.MayAdd}
	if c.may == nil {
		c.may = func(uint64) bool { return true }
	}
	err := s.transact(ctx, func() error {
		c.batch(b)
		return c.err
	})
	if err != nil {
		s.sites = nil // what they say is not in the file; the next Commit reads them again
		return fmt.Errorf("storing reports: %w", err)
	}
	s.mindLog()
	return nil
}

// commit is one transaction. The first error stays and makes the rest do nothing.
type commit struct {
	ctx    context.Context
	store  *Store
	may    func(witness uint64) bool
	folded map[issueKey]*delta // what is counted for issues without rows
	err    error
}

func (c *commit) batch(b *Batch) {
	for key, d := range b.issues {
		c.issue(key, d)
	}
	for key, d := range c.folded {
		c.other(key, d)
	}
	for k, n := range b.counters {
		c.exec(addCounter, k.site, k.typ, k.directive, k.class, k.disposition.String(), k.hour, n)
	}
	for k, d := range b.drops {
		c.exec(addDrop, k.site, k.reason, k.hour, d.count, d.last.UnixMilli())
	}
	for k, p := range b.policies {
		c.policy(k, p)
	}
	for k, n := range b.documents {
		c.exec(addDocuments, k.site, k.route, k.policy, k.hour, n)
	}
	for k, n := range b.canaries {
		c.exec(addCanaries, k.site, k.browser, k.hour, n.sent, n.received)
	}
	for _, p := range b.pushes {
		c.pushed(p)
	}
	if len(b.digests) > 0 {
		c.exec(forgetDigests, b.keep[0].UnixMilli(), b.keep[1].UnixMilli())
	}
	for d, at := range b.digests {
		c.exec(addDigest, d[:], at.UnixMilli())
	}
}

// issue adds d to its issue: the one that is there, a new one, or the one that stands for the rest.
func (c *commit) issue(key issueKey, d *delta) {
	site := c.store.site(key.site)
	issue := site.byKey[key.fp]
	if issue == nil {
		issue = c.admit(site, key, d)
	}
	if issue == nil {
		c.rest(key, d)
		return
	}
	c.count(key.site, issue, d)
}

// other adds d to the issue that stands for the rest of its kind.
func (c *commit) other(key issueKey, d *delta) {
	site := c.store.site(key.site)
	issue := site.byKey[key.fp]
	if issue == nil {
		issue = c.insert(site, key, d, true)
	}
	c.count(key.site, issue, d)
}

// count adds d to an issue that has a row.
func (c *commit) count(site string, issue *liveIssue, d *delta) {
	c.add(issue, d)
	c.facets(site, issue, d)
	for hour, n := range d.hours {
		c.exec(addTimeline, site, issue.id, hour, n.enforced, n.reported, n.unknown)
	}
	c.sample(site, issue, d)
}

// add adds the counts of d to the row of its issue.
func (c *commit) add(issue *liveIssue, d *delta) {
	args := [...]any{d.first.UnixMilli(), d.last.UnixMilli(), d.total.enforced, d.total.reported, d.total.unknown, d.attested, d.hit.Sample, issue.id}
	r := c.recall(issue)
	switch {
	case r == nil || !r.covers(d) && !(r.networks.whole() && r.views.whole()):
		var known label
		var networks, views []byte
		c.each(addAndReadIssue, func(scan func(...any) error) error { return scan(&known.verdict, &known.rule, &networks, &views) }, args[:]...)
		c.describe(issue, d, known, reachOf(networks), reachOf(views))
	case r.covers(d):
		c.exec(addIssue, args[:]...)
		w := issue.worth
		w.last = d.last.UnixMilli()
		issue.appraise(w)
	default:
		c.exec(addIssue, args[:]...)
		c.describe(issue, d, r.label, slices.Clone(r.networks.all), slices.Clone(r.views.all))
	}
}

type label struct {
	verdict Verdict
	rule    string
}

// describe adds to what is known of an issue, and writes it if that says something new.
func (c *commit) describe(issue *liveIssue, d *delta, known label, networks, views reach) {
	graver := d.hit.Verdict.graver(known.verdict)
	if graver {
		known = label{d.hit.Verdict, d.hit.Rule}
	}
	more := networks.take(d.networks)
	further := views.take(d.views)
	if graver || more || further {
		c.exec(setReach, known.verdict, known.rule, networks.count(), networks.blob(), views.count(), views.blob(), issue.id)
	}
	issue.appraise(worth{known.verdict == Noise, networks.count(), views.count(), d.last.UnixMilli()})
	issue.recalled = recalled{true, c.store.updates, known, sightOf(networks), sightOf(views)}
}

// insert makes the row of an issue, with no reports yet.
func (c *commit) insert(site *siteIssues, key issueKey, d *delta, folded bool) *liveIssue {
	h := &d.hit
	result := c.exec(insertIssue, key.site, key.fp.Version, key.fp.Sum[:], folded, h.Type, h.Directive, h.Class, h.Blocked, h.Sample, h.Verdict, h.Rule,
		d.first.UnixMilli(), d.last.UnixMilli())
	issue := &liveIssue{folded: folded, fresh: true, recalled: recalled{known: true, updates: c.store.updates, label: label{h.Verdict, h.Rule}}}
	if c.err == nil {
		issue.id, c.err = result.LastInsertId()
	}
	site.put(key.fp, issue)
	return issue
}

// exec runs a statement.
func (c *commit) exec(n int, args ...any) (result driver.Result) {
	if c.err == nil {
		result, c.err = c.store.prepared.exec(c.ctx, n, args)
	}
	return result
}

// each runs a statement that returns rows, and calls add for each.
func (c *commit) each(n int, add func(scan func(...any) error) error, args ...any) {
	if c.err == nil {
		c.err = c.store.prepared.each(c.ctx, n, args, add)
	}
}
