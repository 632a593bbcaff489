package store

import (
	"context"
	"database/sql"
	"time"
)

// Overview says how things stand: whether reports arrive, and what needs a look first.
type Overview struct {
	LastReport time.Time // when a report was last accepted; zero: never
	Day, Week  Window    // the last 24 hours and 7 days
	New        []Issue   // first seen in the last 24 hours, without noise; by reach, at most ten
	NewCount   int64     // how many there are
	Breaking   []Breaking
}

// Window is what came in a time, counted by whole hours.
type Window struct {
	Totals
	Drops []Drop  // by reason
	Other float64 // the share of accepted reports that are of no issue of their own; above a tenth, somebody may be inventing reports
}

// Breaking is an issue that kept something from loading in this hour or the one before.
type Breaking struct {
	Issue   Issue
	Reports int64         // enforced, in Span
	Span    time.Duration // from the beginning of the last hour until now
	Usual   float64       // enforced reports per hour in the 7 days before
}

// PerHour is the rate of enforced reports now.
func (b Breaking) PerHour() float64 { return float64(b.Reports) / b.Span.Hours() }

// Jumped reports whether it breaks more than usual: three times as often, and at least ten times.
func (b Breaking) Jumped() bool { return b.Reports >= 10 && b.PerHour() >= 3*b.Usual }

const (
	maxNew      = 10
	maxBreaking = 20
)

// Overview answers for a site, or for all sites together for "".
func (s *Store) Overview(ctx context.Context, site string, now time.Time) (o Overview, err error) {
	sites, err := s.chosen(ctx, site)
	if err != nil {
		return o, err
	}
	if o.Day, err = s.window(ctx, site, sites, now.Add(-24*time.Hour)); err != nil {
		return o, err
	}
	if o.Week, err = s.window(ctx, site, sites, now.Add(-7*24*time.Hour)); err != nil {
		return o, err
	}
	fresh := Query{Site: site, Verdict: Actionable, FirstFrom: now.Add(-24 * time.Hour), Sort: ByReach, Limit: maxNew}
	if o.New, err = s.Issues(ctx, fresh); err != nil {
		return o, err
	}
	if o.NewCount, err = s.Count(ctx, fresh); err != nil {
		return o, err
	}
	if o.LastReport, err = s.lastReport(ctx, sites); err != nil {
		return o, err
	}
	o.Breaking, err = s.breaking(ctx, sites, now)
	return o, err
}

func (s *Store) window(ctx context.Context, site, sites string, since time.Time) (w Window, err error) {
	if w.Totals, err = s.TotalsSince(ctx, site, since); err != nil {
		return w, err
	}
	if w.Drops, err = s.DropsSince(ctx, site, since); err != nil {
		return w, err
	}
	w.Other, err = s.otherShare(ctx, sites, since)
	return w, err
}

const otherText = `SELECT coalesce(sum(n) FILTER (WHERE folded), 0), coalesce(sum(n), 0)
	FROM (SELECT issue, enforced + reported + unknown AS n FROM timeline WHERE site IN (SELECT value FROM json_each(?)) AND hour >= ?)
	JOIN issues ON issues.id = issue`

func (s *Store) otherShare(ctx context.Context, sites string, since time.Time) (share float64, err error) {
	return share, s.ask(ctx, "overview", func(ctx context.Context, tx *sql.Tx) error {
		var folded, all int64
		err := tx.QueryRowContext(ctx, otherText, sites, sinceHour(since)).Scan(&folded, &all)
		if all > 0 {
			share = float64(folded) / float64(all)
		}
		return err
	})
}

const lastReportText = `SELECT coalesce(max((SELECT max(last_seen) FROM issues WHERE site = value)), 0) FROM json_each(?)`

func (s *Store) lastReport(ctx context.Context, sites string) (at time.Time, err error) {
	return at, s.ask(ctx, "overview", func(ctx context.Context, tx *sql.Tx) error {
		var last int64
		err := tx.QueryRowContext(ctx, lastReportText, sites).Scan(&last)
		at = optional(last)
		return err
	})
}

// breakingText reads issues that were enforced from ?2 on, and how often in the 7 days before, from ?3 on. What people ignore or
// accept, and noise, is not news.
const breakingText = `SELECT t.issue, sum(t.enforced) AS now,
		coalesce((SELECT sum(b.enforced) FROM timeline AS b WHERE b.issue = t.issue AND b.hour >= ?3 AND b.hour < ?2), 0)
	FROM timeline AS t JOIN issues ON issues.id = t.issue
	WHERE t.site IN (SELECT value FROM json_each(?1)) AND t.hour >= ?2 AND t.enforced > 0 AND verdict = 'actionable'
		AND iif(state = 'ignored' AND state_until <> 0 AND state_until <= ?4, 'new', state) IN ('new', 'acknowledged')
	GROUP BY t.issue ORDER BY now DESC, t.issue LIMIT ?5`

func (s *Store) breaking(ctx context.Context, sites string, now time.Time) (list []Breaking, err error) {
	from := now.Add(-time.Hour).UTC().Truncate(time.Hour)
	return list, s.ask(ctx, "overview", func(ctx context.Context, tx *sql.Tx) error {
		var ids []int64
		rows, err := tx.QueryContext(ctx, breakingText, sites, from.UnixMilli(), from.Add(-7*24*time.Hour).UnixMilli(), now.UnixMilli(), maxBreaking)
		err = eachRow(rows, err, func(scan func(...any) error) error {
			b := Breaking{Span: now.Sub(from)}
			var before int64
			err := scan(&b.Issue.ID, &b.Reports, &before)
			b.Usual = float64(before) / (7 * 24)
			ids, list = append(ids, b.Issue.ID), append(list, b)
			return err
		})
		if err != nil {
			return err
		}
		return describeBreaking(ctx, tx, list, ids)
	})
}

// describeBreaking fills in the issues, of which the ids are known.
func describeBreaking(ctx context.Context, tx *sql.Tx, list []Breaking, ids []int64) error {
	issues, err := issuesWithPages(ctx, tx, selectIssues+" WHERE id IN (SELECT value FROM json_each(?))", []any{array(ids)}, topPages)
	if err != nil {
		return err
	}
	byID := map[int64]Issue{}
	for _, i := range issues {
		byID[i.ID] = i
	}
	for n := range list {
		list[n].Issue = byID[list[n].Issue.ID]
	}
	return nil
}
