package store

import (
	"context"
	"database/sql"
	"slices"
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
	return s.DropsSince(ctx, site, time.Time{})
}

const dropsText = `SELECT site, reason, sum(count) AS total, max(last_seen) FROM drops
	WHERE site IN (SELECT value FROM json_each(?)) AND hour >= ? GROUP BY +site, +reason ORDER BY total DESC, site, reason`

// DropsSince is [Store.Drops] from the hour of a time on.
func (s *Store) DropsSince(ctx context.Context, site string, since time.Time) (drops []Drop, err error) {
	sites, err := s.chosen(ctx, site)
	if err != nil {
		return nil, err
	}
	return drops, s.ask(ctx, "drops", func(ctx context.Context, tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, dropsText, sites, sinceHour(since))
		return eachRow(rows, err, func(scan func(...any) error) error {
			var d Drop
			var last int64
			err := scan(&d.Site, &d.Reason, &d.Count, &last)
			d.LastSeen = fromMillis(last)
			drops = append(drops, d)
			return err
		})
	})
}

// sinceHour is the beginning of the hour of t, 0 for the zero time.
func sinceHour(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return hour(t)
}

// Totals sums up the exact counters and the drops: every report that was acknowledged is in one of the four.
type Totals struct {
	Enforced int64
	Reported int64
	Unknown  int64
	Dropped  int64
}

// Accepted is how many reports were stored.
func (t Totals) Accepted() int64 { return t.Enforced + t.Reported + t.Unknown }

// Totals returns the sums of a site, or of all sites for "".
func (s *Store) Totals(ctx context.Context, site string) (Totals, error) {
	return s.TotalsSince(ctx, site, time.Time{})
}

const totalsText = `SELECT coalesce(sum(count) FILTER (WHERE disposition = 'enforce'), 0),
		coalesce(sum(count) FILTER (WHERE disposition = 'report'), 0), coalesce(sum(count) FILTER (WHERE disposition = 'unknown'), 0),
		(SELECT coalesce(sum(count), 0) FROM drops WHERE site IN (SELECT value FROM json_each(?1)) AND hour >= ?2)
	FROM counters WHERE site IN (SELECT value FROM json_each(?1)) AND hour >= ?2`

// TotalsSince is [Store.Totals] from the hour of a time on.
func (s *Store) TotalsSince(ctx context.Context, site string, since time.Time) (t Totals, err error) {
	sites, err := s.chosen(ctx, site)
	if err != nil {
		return Totals{}, err
	}
	return t, s.ask(ctx, "totals", func(ctx context.Context, tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, totalsText, sites, sinceHour(since)).Scan(&t.Enforced, &t.Reported, &t.Unknown, &t.Dropped)
	})
}

// sitesText reads the sites of one table, which has an index that begins with site, by leaping from one to the next.
func sitesText(table string) string {
	return `WITH RECURSIVE found(site) AS (SELECT min(site) FROM ` + table + `
			UNION ALL SELECT (SELECT min(site) FROM ` + table + ` AS t WHERE t.site > found.site) FROM found WHERE found.site IS NOT NULL)
		SELECT site FROM found WHERE site IS NOT NULL`
}

// siteTables are the tables with sites. Those that hang on an issue have none beside its.
func siteTables() []string {
	return []string{"issues", "counters", "drops", "policies", "documents", "canaries", "alerts"}
}

// Sites lists the sites that anything is known of, in alphabetical order.
func (s *Store) Sites(ctx context.Context) (sites []string, err error) {
	err = s.ask(ctx, "sites", func(ctx context.Context, tx *sql.Tx) error {
		for _, table := range siteTables() {
			rows, err := tx.QueryContext(ctx, sitesText(table))
			err = eachRow(rows, err, func(scan func(...any) error) error {
				var site string
				err := scan(&site)
				sites = append(sites, site)
				return err
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	slices.Sort(sites)
	return slices.Compact(sites), err
}

// chosen is the array of the sites that a question is about: the one, or for "" all. With names in place of "all", the indexes
// that begin with the site serve every question.
func (s *Store) chosen(ctx context.Context, site string) (string, error) {
	if site != "" {
		return array([]string{site}), nil
	}
	sites, err := s.Sites(ctx)
	return array(sites), err
}
