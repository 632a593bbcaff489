package store

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"
)

// The bounds of what has a row. Beyond, reports are counted by one "other" issue for each type, directive and class.
const (
	MaxIssues    = 5000    // issues of a site
	MaxAllIssues = 100_000 // of all sites, each with the same share if there are more than 20

	// laneShare of a site's issues is kept for directives that run code: what those report is shown at once.
	laneShare = 10 // a tenth

	// laneStay is how long an issue in a full lane stays at least.
	laneStay = 10 * time.Minute
)

// FoldedBlocked is what [Issue.Blocked] says for an issue that stands for those that have no row.
const FoldedBlocked = "other"

// siteIssues are the issues of a site that have rows. Only the goroutine that commits uses them.
type siteIssues struct {
	byKey map[Fingerprint]*liveIssue
	live  int     // those that are not folded
	lane  lane    // of those, the unconfirmed ones in the lane
	least ranking // the others, but for those that people have decided about
}

// liveIssue is what a commit has to know of an issue before it looks at the row.
type liveIssue struct {
	fp      Fingerprint
	id      int64
	folded  bool
	sampled time.Time // when a sample was last kept
	site    *siteIssues
	worth   worth
	rank    int       // index in the ranking, -1: not in it
	since   time.Time // when it came into the lane; zero: not in it

	fresh    bool // its row is new and has no facets
	recalled recalled
}

// limit is how many issues one site may have.
func (s *Store) limit() int { return min(s.maxIssues, s.maxAllIssues/max(1, len(s.sites))) }

// admit returns the row for an issue that has none yet, or nil if its reports are to be folded.
//
// While the site has less than half of what it may have, every issue gets one. From then on an issue must have been seen from two
// networks or in two attested page views; one of a directive that runs code gets a place in the lane before that. Where there is no
// place left, the issue that is worth least goes, if it is worth less.
func (c *commit) admit(site *siteIssues, key issueKey, d *delta) *liveIssue {
	limit := c.store.limit()
	if site.live < limit/2 {
		return c.insert(site, key, d, false)
	}
	known := len(d.networks)+len(d.views) > 0
	networks, views := c.store.waiting().offer(key, d, c.may)
	newcomer := worth{d.hit.Verdict == Noise, int64(len(networks)), int64(len(views)), d.last.UnixMilli()}
	switch {
	case newcomer.confirmed():
		if !c.room(site, newcomer, limit) {
			return nil
		}
		c.store.waiting().remove(key)
		d.networks.take(networks)
		d.views.take(views)
		return c.insert(site, key, d, false)
	case runsCode(d.hit.Directive) && (!known || newcomer.reach() > 0) && c.laneRoom(site, d.last, limit):
		issue := c.insert(site, key, d, false)
		site.lane.enter(issue, d.last)
		return issue
	}
	return nil
}

// runsCode reports whether the directive is about what runs, or about where what was entered goes.
func runsCode(directive string) bool {
	switch directive {
	case "script-src", "script-src-elem", "script-src-attr", "connect-src", "form-action", "base-uri", "object-src", "worker-src", "frame-src":
		return true
	}
	return false
}

// room makes room for an issue of this worth outside of the lane.
func (c *commit) room(site *siteIssues, newcomer worth, limit int) bool {
	for range 2 { // two go for one where the limit has come down
		if site.live-site.lane.n < limit-limit/laneShare {
			return true
		}
		if !c.evict(site, newcomer.displaces) {
			return false
		}
	}
	return true
}

// laneRoom makes room in the lane.
func (c *commit) laneRoom(site *siteIssues, now time.Time, limit int) bool {
	if site.lane.n >= limit/laneShare {
		oldest := site.lane.oldest()
		if oldest == nil || now.Sub(oldest.since).Abs() < laneStay || !c.withdraw(oldest) {
			return false
		}
	}
	// Issues that were confirmed in the lane have left it, and may have filled the site.
	return site.live < limit || c.evict(site, func(worth) bool { return true })
}

// waiting returns the sketch, which is there when it is first needed.
func (s *Store) waiting() *sketch {
	if s.sketch == nil {
		s.sketch = newSketch(sketchCells)
	}
	return s.sketch
}

// fold turns the delta of an issue that has no row into one of the issue that stands for its kind.
func fold(key issueKey, d *delta) (issueKey, *delta) {
	folded := *d
	folded.hit.Blocked, folded.hit.Sample, folded.body = FoldedBlocked, "", ""
	sum := sha256.Sum256(fmt.Appendf(nil, "folded %q %q %q", d.hit.Type, d.hit.Directive, d.hit.Class))
	key.fp.Sum = [16]byte(sum[:16])
	return key, &folded
}

// rest adds the delta of an issue that has no row to what this transaction counts for the rest of its kind.
func (c *commit) rest(key issueKey, d *delta) {
	key, d = fold(key, d)
	if c.folded == nil {
		c.folded = map[issueKey]*delta{}
	}
	if sum := c.folded[key]; sum != nil {
		sum.merge(d)
		return
	}
	c.folded[key] = d
}

// loadIssues finds out which issues each site has. Commit keeps that from then on.
func (s *Store) loadIssues(ctx context.Context) error {
	s.sites = map[string]*siteIssues{}
	rows, err := s.write.QueryContext(ctx, `SELECT site, fingerprint_version, fingerprint, id, folded, verdict = 'noise', networks, views, last_seen,
		state <> 'new' FROM issues`)
	err = eachRow(rows, err, func(scan func(...any) error) error {
		var site string
		var fp Fingerprint
		var sum []byte
		var decided bool
		i := &liveIssue{}
		err := scan(&site, &fp.Version, &sum, &i.id, &i.folded, &i.worth.noise, &i.worth.networks, &i.worth.views, &i.worth.last, &decided)
		copy(fp.Sum[:], sum)
		s.site(site).put(fp, i)
		if decided {
			i.site.least.remove(i)
		}
		return err
	})
	if err != nil {
		s.sites = nil // to be tried again
	}
	return err
}

// site returns the issues of a site.
func (s *Store) site(name string) *siteIssues {
	issues := s.sites[name]
	if issues == nil {
		issues = &siteIssues{byKey: map[Fingerprint]*liveIssue{}}
		s.sites[name] = issues
	}
	return issues
}

// note tells what is known of a site about a change that is in the file, unless it is to be read again anyway.
func (s *Store) note(site string, change func(*siteIssues)) {
	if s.sites != nil {
		change(s.site(site))
	}
}

func (s *siteIssues) put(fp Fingerprint, i *liveIssue) {
	i.fp, i.site, i.rank = fp, s, -1
	s.byKey[fp] = i
	if !i.folded {
		s.live++
		s.least.add(i)
	}
}

// drop forgets an issue whose row is gone.
func (s *siteIssues) drop(fp Fingerprint) {
	i := s.byKey[fp]
	if i == nil {
		return
	}
	if !i.folded {
		s.live--
	}
	s.lane.leave(i)
	s.least.remove(i)
	delete(s.byKey, fp)
}
