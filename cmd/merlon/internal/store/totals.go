package store

import (
	"context"
	"fmt"
	"time"
)

// Drop counts reports that were answered and not stored, by reason.
type Drop struct {
	Site     string
	Reason   string
	Count    int64
	LastSeen time.Time
}

// Drops lists the reasons why reports of the site were not stored, the most frequent first. Site "" means all sites.
func (s *Store) Drops(ctx context.Context, site string) ([]Drop, error) {
	var drops []Drop
	rows, err := s.read.QueryContext(ctx, `SELECT site, reason, sum(count) AS total, max(last_seen) FROM drops
		WHERE ? IN ('', site) GROUP BY site, reason ORDER BY total DESC, site, reason`, site)
	err = eachRow(rows, err, func(scan func(...any) error) error {
		var d Drop
		var last int64
		err := scan(&d.Site, &d.Reason, &d.Count, &last)
		d.LastSeen = fromMillis(last)
		drops = append(drops, d)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading drops: %w", err)
	}
	return drops, nil
}

// Totals sums up the exact counters and the drops: every report that was acknowledged is in one of the four.
type Totals struct {
	Enforced int64
	Reported int64
	Unknown  int64
	Dropped  int64
}

// Totals returns the sums of a site, or of all sites for "".
func (s *Store) Totals(ctx context.Context, site string) (Totals, error) {
	var t Totals
	row := s.read.QueryRowContext(ctx, `SELECT coalesce(sum(count) FILTER (WHERE disposition = 'enforce'), 0),
		coalesce(sum(count) FILTER (WHERE disposition = 'report'), 0), coalesce(sum(count) FILTER (WHERE disposition = 'unknown'), 0),
		(SELECT coalesce(sum(count), 0) FROM drops WHERE ?1 IN ('', site)) FROM counters WHERE ?1 IN ('', site)`, site)
	if err := row.Scan(&t.Enforced, &t.Reported, &t.Unknown, &t.Dropped); err != nil {
		return Totals{}, fmt.Errorf("reading totals: %w", err)
	}
	return t, nil
}

// Sites lists the sites that have issues or drops, in alphabetical order.
func (s *Store) Sites(ctx context.Context) ([]string, error) {
	var sites []string
	rows, err := s.read.QueryContext(ctx, "SELECT site FROM issues UNION SELECT site FROM drops ORDER BY site")
	err = eachRow(rows, err, func(scan func(...any) error) error {
		var site string
		err := scan(&site)
		sites = append(sites, site)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading sites: %w", err)
	}
	return sites, nil
}
