package store

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"time"
)

// AlertQuery asks for what alerts on a site are decided by. Times before the present are rounded down to the hour.
type AlertQuery struct {
	Site   string
	Now    time.Time
	Recent time.Time // since when something counts as happening now
	Quiet  time.Time // since when reports may be missing
	Since  time.Time // the begin of what to compare with
	Routes bool      // whether the routes of what was blocked lately are asked for
	Busy   int64     // from how many recent reports on the past of an issue is asked for
}

// AlertFacts are the answer, of one moment.
type AlertFacts struct {
	Issues   []AlertIssue // actionable ones that nobody has accepted or ignores, the last seen first
	First    time.Time    // hour of the site's first report; zero: there is none
	Reports  []HourCount  // of the site, of all verdicts
	Folded   int64        // recent reports without an issue of their own
	Recent   int64        // recent reports
	Sent     int64        // documents since Quiet
	Counted  bool         // whether documents were counted since Since
	Canaries []CanaryHour
}

// AlertIssue is an issue, without its pages, and what became of it lately.
type AlertIssue struct {
	Issue
	Recent         int64 // reports
	RecentEnforced int64
	Routes         []string    // if they were asked for
	Hours          []HourCount // if its past was
}

// HourCount is the number of reports in the hour that begins at Hour.
type HourCount struct {
	Hour  time.Time
	Count int64
}

// CanaryHour is what became of the harmless violations of an hour.
type CanaryHour struct {
	Browser        string
	Hour           time.Time
	Sent, Received int64
}

// maxAlertDetails bounds of how many issues routes and past are read.
const maxAlertDetails = 500

// AlertFacts answers the query.
func (s *Store) AlertFacts(ctx context.Context, q AlertQuery) (facts AlertFacts, err error) {
	return facts, s.ask(ctx, "what alerts go by", func(ctx context.Context, tx *sql.Tx) error {
		r := &alertReader{ctx: ctx, tx: tx, q: q}
		r.issues()
		r.details()
		r.totals()
		r.canaries()
		facts = r.out
		return r.err
	})
}

// alertReader reads in one transaction. The first error stays and makes the rest do nothing.
type alertReader struct {
	ctx context.Context
	tx  *sql.Tx
	q   AlertQuery
	out AlertFacts
	err error
}

// each asks and calls add for each row.
func (r *alertReader) each(text string, add func(scan func(...any) error) error, args ...any) {
	if r.err != nil {
		return
	}
	rows, err := r.tx.QueryContext(r.ctx, text, args...)
	r.err = eachRow(rows, err, add)
}

func (r *alertReader) issues() {
	r.each(`SELECT id, site, type, directive, class, blocked, first_seen, last_seen, enforced, reported, unknown, verdict, networks, views, state,
			(SELECT coalesce(sum(enforced + reported + unknown), 0) FROM timeline WHERE issue = issues.id AND hour >= ?1),
			(SELECT coalesce(sum(enforced), 0) FROM timeline WHERE issue = issues.id AND hour >= ?1)
		FROM issues WHERE site = ?2 AND last_seen >= ?3 AND folded = 0 AND verdict = 'actionable'
			AND (state IN ('new', 'acknowledged') OR state = 'ignored' AND state_until BETWEEN 1 AND ?4)
		ORDER BY last_seen DESC, id DESC LIMIT ?5`, func(scan func(...any) error) error {
		var i AlertIssue
		var first, last int64
		err := scan(&i.ID, &i.Site, &i.Type, &i.Directive, &i.Class, &i.Blocked, &first, &last, &i.Enforced, &i.Reported, &i.Unknown, &i.Verdict,
			&i.Networks, &i.Views, &i.State, &i.Recent, &i.RecentEnforced)
		if i.State == Ignored { // and the time for that is over
			i.State = New
		}
		i.FirstSeen, i.LastSeen = fromMillis(first), fromMillis(last)
		r.out.Issues = append(r.out.Issues, i)
		return err
	}, hour(r.q.Recent), r.q.Site, r.q.Since.UnixMilli(), r.q.Now.UnixMilli(), maxLimit)
}

// details reads more of those issues that something happens to, of those that most have seen first: one client can make up any number, and
// have them seen last.
func (r *alertReader) details() {
	order := make([]*AlertIssue, len(r.out.Issues))
	for n := range r.out.Issues {
		order[n] = &r.out.Issues[n]
	}
	slices.SortStableFunc(order, func(a, b *AlertIssue) int { return cmp.Compare(max(b.Networks, b.Views), max(a.Networks, a.Views)) })
	routes, pasts := maxAlertDetails, maxAlertDetails
	for _, i := range order {
		if r.q.Routes && i.RecentEnforced > 0 && routes > 0 {
			routes--
			r.each(`SELECT value FROM facets WHERE issue = ? AND kind = 'route' AND value <> '' ORDER BY count DESC, value`, func(scan func(...any) error) error {
				i.Routes = append(i.Routes, "")
				return scan(&i.Routes[len(i.Routes)-1])
			}, i.ID)
		}
		if r.q.Busy > 0 && i.Recent >= r.q.Busy && pasts > 0 {
			pasts--
			r.hours(&i.Hours, `SELECT hour, enforced + reported + unknown FROM timeline WHERE issue = ? AND hour >= ? ORDER BY hour`, i.ID, hour(r.q.Since))
		}
	}
}

func (r *alertReader) hours(into *[]HourCount, text string, args ...any) {
	r.each(text, func(scan func(...any) error) error {
		var at, n int64
		err := scan(&at, &n)
		*into = append(*into, HourCount{fromMillis(at), n})
		return err
	}, args...)
}

func (r *alertReader) totals() {
	site, recent, since := r.q.Site, hour(r.q.Recent), hour(r.q.Since)
	r.hours(&r.out.Reports, `SELECT hour, sum(count) FROM counters WHERE site = ? AND hour >= ? GROUP BY hour ORDER BY hour`, site, since)
	r.each(`SELECT coalesce(min(hour), 0) FROM counters WHERE site = ?`, func(scan func(...any) error) error {
		var first int64
		err := scan(&first)
		r.out.First = optional(first)
		return err
	}, site)
	r.each(`SELECT coalesce(sum(t.enforced + t.reported + t.unknown), 0) FROM issues i JOIN timeline t ON t.issue = i.id
		WHERE i.site = ? AND i.last_seen >= ? AND i.folded = 1 AND t.hour >= ?`, func(scan func(...any) error) error { return scan(&r.out.Folded) }, site, recent, recent)
	r.each(`SELECT coalesce(sum(count), 0), EXISTS (SELECT 1 FROM documents WHERE site = ?1 AND hour >= ?2) FROM documents WHERE site = ?1 AND hour >= ?3`,
		func(scan func(...any) error) error { return scan(&r.out.Sent, &r.out.Counted) }, site, since, hour(r.q.Quiet))
	for _, h := range r.out.Reports {
		if h.Hour.UnixMilli() >= recent {
			r.out.Recent += h.Count
		}
	}
}

func (r *alertReader) canaries() {
	r.each(`SELECT browser, hour, sent, received FROM canaries WHERE site = ? AND hour >= ? ORDER BY browser, hour`, func(scan func(...any) error) error {
		var c CanaryHour
		var at int64
		err := scan(&c.Browser, &at, &c.Sent, &c.Received)
		c.Hour = fromMillis(at)
		r.out.Canaries = append(r.out.Canaries, c)
		return err
	}, r.q.Site, hour(r.q.Since))
}
