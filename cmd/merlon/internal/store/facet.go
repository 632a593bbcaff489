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

// facets adds the values that d has. An issue without any has room for a few.
func (c *commit) facets(site string, issue *liveIssue, d *delta) {
	room := issue.fresh && len(d.facets) <= MaxFacets
	issue.fresh = false
	for f, n := range d.facets {
		if room {
			c.exec(insertFacet, site, issue.id, f.kind, f.value, n)
		} else {
			c.facet(site, issue.id, f, n)
		}
	}
}

// facet adds n to a value of the issue, or to the sum of those that have no row.
func (c *commit) facet(site string, issue int64, f facet, n int64) {
	result := c.exec(addFacet, n, issue, f.kind, f.value)
	if c.err != nil {
		return
	}
	if updated, _ := result.RowsAffected(); updated > 0 {
		return
	}
	if f.value != "" && !c.facetRoom(site, issue, f.kind, n) {
		f.value = ""
	}
	c.exec(insertFacet, site, issue, f.kind, f.value, n)
}

// facetRoom makes room for a value with n reports. Where there is none, the value with the least goes into the sum, unless it has more: who comes
// first with so many made-up values must not keep out those that are real, such as the page that an alert waits for.
func (c *commit) facetRoom(site string, issue int64, kind string, n int64) bool {
	var rows int
	var count int64
	var value string
	c.each(leastFacet, func(scan func(...any) error) error { return scan(&rows, &count, &value) }, issue, kind)
	switch {
	case rows < MaxFacets:
		return true
	case n < count:
		return false
	}
	c.exec(dropFacet, issue, kind, value)
	c.exec(insertFacet, site, issue, kind, "", count)
	return true
}

// policy keeps the text of a policy. A site that has as many as it may gives up any one: that of a crowd of made-up ones is gone for good, and
// one that the site sends comes again with its next report.
func (c *commit) policy(k policyKey, p policy) {
	var rows int
	var known bool
	c.each(countPolicies, func(scan func(...any) error) error { return scan(&rows, &known) }, k.site, k.hash)
	if known {
		return
	}
	if rows >= MaxPolicies {
		c.exec(dropPolicy, k.site, k.hash)
	}
	c.exec(addPolicy, k.site, k.hash, p.text, p.first.UnixMilli())
}

// sample keeps a report as it came, cleaned. The first of an issue and its newest stay.
func (c *commit) sample(site string, issue *liveIssue, d *delta) {
	if d.body == "" || d.last.Sub(issue.sampled) < sampleInterval && d.last.After(issue.sampled) {
		return
	}
	issue.sampled = d.last
	c.exec(insertSample, site, issue.id, d.last.UnixMilli(), d.body)
	c.exec(trimSamples, issue.id)
}
