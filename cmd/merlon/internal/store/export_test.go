package store

import (
	"context"
	"database/sql"
	"time"
)

// Asked is a statement that runs for each view of a page, with arguments.
type Asked struct {
	Name, Text string
	Args       []any
}

// AskedPerView lists the statements behind the pages of one site.
func AskedPerView(site string, issue int64, now time.Time) []Asked {
	sites, since := array([]string{site}), sinceHour(now.Add(-24*time.Hour))
	asked := []Asked{
		{"facets", facetsText, []any{issue}},
		{"samples", samplesText, []any{issue, MaxSamples}},
		{"policy", policyText, []any{site, "h"}},
		{"pages", pagesText, []any{array([]int64{issue}), topPages}},
		{"timeline", timelineText, []any{1, issue, since, maxPoints}},
		{"site timeline", siteTimelineText, []any{1, sites, since, maxPoints}},
		{"drops", dropsText, []any{sites, since}},
		{"totals", totalsText, []any{sites, since}},
		{"documents", documentsText, []any{site, since, maxDocuments}},
		{"canaries", canariesText, []any{site, since, maxDocuments}},
		{"rates", ratesText, []any{issue}},
		{"other", otherText, []any{sites, since}},
		{"last report", lastReportText, []any{sites}},
		{"breaking", breakingText, []any{sites, since, since, since, maxBreaking}},
	}
	for _, table := range siteTables() {
		asked = append(asked, Asked{"sites of " + table, sitesText(table), nil})
	}
	for name, q := range map[string]Query{
		"issues": {}, "issues of a site": {Site: site}, "new issues": {Site: site, Sort: ByFirstSeen, FirstFrom: now},
		"more issues": {Site: site, After: Cursor{1, 1}}, "issues by reach": {Site: site, Sort: ByReach},
		"issues with a text": {Site: site, Text: "x", State: New, Now: now, Directive: "img-src"},
	} {
		text, args := q.statement()
		asked = append(asked, Asked{name, text, args})
	}
	return asked
}

// SetMaxIssues changes the bound of a site, for tests that want it near.
func (s *Store) SetMaxIssues(n int) { s.maxIssues = n }

// SetMaxAllIssues changes the bound of all sites.
func (s *Store) SetMaxAllIssues(n int) { s.maxAllIssues = n }

// LaneStay is how long an issue in a full lane stays at least.
const LaneStay = laneStay

// LimitLog sets the size from which on the write-ahead log is begun anew, which is tried at each commit.
func (s *Store) LimitLog(bytes int64) { s.logLimit, s.logEvery = bytes, 0 }

// Hold asks a question that goes on until f returns.
func (s *Store) Hold(ctx context.Context, f func()) error {
	return s.ask(ctx, "a test", func(ctx context.Context, tx *sql.Tx) error {
		var n int
		err := tx.QueryRowContext(ctx, "SELECT count(*) FROM issues").Scan(&n)
		f()
		return err
	})
}
