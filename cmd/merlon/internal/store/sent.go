package store

import (
	"context"
	"database/sql"
	"time"
)

// Documents is the number of documents that a site sent on a route under a policy.
type Documents struct {
	Route  string // "*" for the sum of the routes beyond the cap
	Policy string // the hash that the Guard's hook gives
	Count  int64
}

// maxDocuments is how many routes and policies an answer has.
const maxDocuments = 1000

// The signs keep SQLite from reading all hours of the site in the order of its primary key, to spare itself the grouping.
const documentsText = `SELECT route, policy, sum(count) AS total FROM documents WHERE site = ? AND hour >= ?
	GROUP BY +route, +policy ORDER BY total DESC, route, policy LIMIT ?`

// Documents sums up the documents that a site sent from the hour of a time on, for each route and policy, the most first.
func (s *Store) Documents(ctx context.Context, site string, since time.Time) (sums []Documents, err error) {
	return sums, s.ask(ctx, "documents", func(ctx context.Context, tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, documentsText, site, sinceHour(since), maxDocuments)
		return eachRow(rows, err, func(scan func(...any) error) error {
			var d Documents
			err := scan(&d.Route, &d.Policy, &d.Count)
			sums = append(sums, d)
			return err
		})
	})
}

// Canary says what became of the harmless violations that were put into pages for one family of browsers.
type Canary struct {
	Browser  string
	Sent     int64
	Received int64
	Last     time.Time // the hour of the last one that was sent or received
}

const canariesText = `SELECT browser, sum(sent), sum(received), max(hour) FROM canaries WHERE site = ? AND hour >= ?
	GROUP BY browser ORDER BY browser LIMIT ?`

// Canaries sums up the canaries of a site from the hour of a time on, for each family of browsers.
func (s *Store) Canaries(ctx context.Context, site string, since time.Time) (sums []Canary, err error) {
	return sums, s.ask(ctx, "canaries", func(ctx context.Context, tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, canariesText, site, sinceHour(since), maxDocuments)
		return eachRow(rows, err, func(scan func(...any) error) error {
			var c Canary
			var last int64
			err := scan(&c.Browser, &c.Sent, &c.Received, &last)
			c.Last = fromMillis(last)
			sums = append(sums, c)
			return err
		})
	})
}

// Rate is how often an issue comes up: its reports against the documents that were sent.
type Rate struct {
	Route     string // "" for all routes whose documents were counted
	Reports   int64
	Documents int64
}

// PerThousand is the number of reports per 1,000 documents. False: no documents were counted, so there is no denominator.
func (r Rate) PerThousand() (float64, bool) {
	if r.Documents == 0 {
		return 0, false
	}
	return 1000 * float64(r.Reports) / float64(r.Documents), true
}

// ratesText sets the reports of issue ?1 on its routes against the documents sent there, from the hour on in which both were
// counted. Facets have no time: where documents were counted later than reports, each route has its share of the reports since.
const ratesText = `WITH
	issue AS (SELECT site, first_seen - first_seen % 3600000 AS first, enforced + reported + unknown AS total FROM issues WHERE id = ?1),
	span AS (SELECT issue.site, max(first, coalesce((SELECT min(hour) FROM documents WHERE site = issue.site), 0)) AS since, total FROM issue),
	seen AS (SELECT span.*, coalesce((SELECT sum(enforced + reported + unknown) FROM timeline WHERE issue = ?1 AND hour >= since), 0) AS reports FROM span)
	SELECT f.value, iif(reports >= total, f.count, CAST(round(1.0 * f.count * reports / total) AS INTEGER)), coalesce((SELECT sum(d.count) FROM documents AS d
		WHERE d.site = seen.site AND d.route = f.value AND d.hour >= since), 0)
	FROM facets AS f, seen WHERE f.issue = ?1 AND f.kind = 'route' AND f.value <> '' ORDER BY f.count DESC, f.value`

// Rates returns how often an issue comes up on each of its routes, after the rate of all routes with a denominator together.
func (s *Store) Rates(ctx context.Context, issue int64) (rates []Rate, err error) {
	rates = []Rate{{}}
	return rates, s.ask(ctx, "rates", func(ctx context.Context, tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, ratesText, issue)
		return eachRow(rows, err, func(scan func(...any) error) error {
			var r Rate
			err := scan(&r.Route, &r.Reports, &r.Documents)
			if r.Documents > 0 {
				rates[0].Reports += r.Reports
				rates[0].Documents += r.Documents
			}
			rates = append(rates, r)
			return err
		})
	})
}
