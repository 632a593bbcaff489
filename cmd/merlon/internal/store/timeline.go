package store

import (
	"context"
	"database/sql"
	"slices"
	"time"
)

// Span is a time from Since on, in steps. The zero Span is all that there is, by days.
type Span struct {
	Since time.Time
	Step  time.Duration // whole hours; 0 means a day. What is older than a week is kept by days, whatever the step.
}

// maxPoints is how many steps an answer has; of more, the last ones.
const maxPoints = 1000

func (s Span) step() int64 {
	if s.Step < time.Hour {
		return (24 * time.Hour).Milliseconds()
	}
	return s.Step.Truncate(time.Hour).Milliseconds()
}

// since is the beginning of the step that Since is in. In the hour 0 stands what is older than all that is kept by days.
func (s Span) since() int64 {
	ms := max(optionalMillis(s.Since), 0)
	return max(ms-ms%s.step(), 1)
}

// Point is the number of reports in one step of time. Steps without reports have no Point.
type Point struct {
	At       time.Time // the beginning
	Enforced int64
	Reported int64
	Unknown  int64
}

const timelineText = `SELECT hour - hour % ?1 AS step, sum(enforced), sum(reported), sum(unknown)
	FROM timeline WHERE issue = ?2 AND hour >= ?3 GROUP BY step ORDER BY step DESC LIMIT ?4`

// Timeline returns the reports of an issue over time, from the first on.
func (s *Store) Timeline(ctx context.Context, issue int64, span Span) ([]Point, error) {
	return s.points(ctx, timelineText, span.step(), issue, span.since(), maxPoints)
}

const siteTimelineText = `SELECT hour - hour % ?1 AS step, coalesce(sum(count) FILTER (WHERE disposition = 'enforce'), 0),
		coalesce(sum(count) FILTER (WHERE disposition = 'report'), 0), coalesce(sum(count) FILTER (WHERE disposition = 'unknown'), 0)
	FROM counters WHERE site IN (SELECT value FROM json_each(?2)) AND hour >= ?3 GROUP BY step ORDER BY step DESC LIMIT ?4`

// SiteTimeline returns the reports of a site over time, by the exact counters. Site "" means all sites.
func (s *Store) SiteTimeline(ctx context.Context, site string, span Span) ([]Point, error) {
	sites, err := s.chosen(ctx, site)
	if err != nil {
		return nil, err
	}
	return s.points(ctx, siteTimelineText, span.step(), sites, span.since(), maxPoints)
}

func (s *Store) points(ctx context.Context, text string, args ...any) (points []Point, err error) {
	err = s.ask(ctx, "timeline", func(ctx context.Context, tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, text, args...)
		return eachRow(rows, err, func(scan func(...any) error) error {
			var p Point
			var at int64
			err := scan(&at, &p.Enforced, &p.Reported, &p.Unknown)
			p.At = fromMillis(at)
			points = append(points, p)
			return err
		})
	})
	slices.Reverse(points)
	return points, err
}
