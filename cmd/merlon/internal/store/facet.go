package store

import (
	"time"
)

// The bounds of what is kept beside an issue's counts.
const (
	MaxFacets   = 32  // values of one kind with one issue; then one row with the value ""
	MaxSamples  = 10  // whole reports of one issue: the first and the last
	MaxPolicies = 200 // texts of policies of one site

	sampleInterval = time.Minute // between the last samples of an issue
)

// facet adds n to a value of the issue, or to the sum of those that have no row.
func (c *commit) facet(site string, issue int64, f facet, n int64) {
	result := c.exec(addFacet, n, issue, f.kind, f.value)
	if c.err != nil {
		return
	}
	if updated, _ := result.RowsAffected(); updated > 0 {
		return
	}
	if f.value != "" {
		var rows int
		c.each(countFacets, func(scan func(...any) error) error { return scan(&rows) }, issue, f.kind)
		if rows >= MaxFacets {
			f.value = ""
		}
	}
	c.exec(insertFacet, site, issue, f.kind, f.value, n)
}

// sample keeps a report as it came, cleaned. The first of an issue and its newest stay.
func (c *commit) sample(site string, issue *liveIssue, d *delta) {
	if d.body == "" || d.last.Sub(issue.sampled) < sampleInterval && d.last.After(issue.sampled) {
		return
	}
	issue.sampled = d.last
	c.exec(insertSample, site, issue.id, d.last.UnixMilli(), d.body)
	c.exec(trimSamples, issue.id, MaxSamples/2)
}
