package store

import (
	"cmp"
	"time"

	"github.com/merlon-sec/merlon/report"
)

// Fingerprint says which reports make one issue. The version is that of the rule that made the sum: issues of different versions
// stay apart, so that a better rule does not mix its groups with the old ones.
type Fingerprint struct {
	Version int
	Sum     [16]byte
}

// Hit is one report that was accepted. Directive and Class come from small fixed sets, since the exact counters have a row for
// each combination; the other strings are bounded and cleaned by the caller.
type Hit struct {
	Site        string
	Fingerprint Fingerprint
	Type        string
	Directive   string
	Class       string
	Blocked     string
	Sample      string
	Route       string // of the document, "" if not known
	Disposition report.Disposition
	At          time.Time // of receipt
}

// Batch collects hits and drops for one transaction. Its size grows with distinct issues and routes, not with hits. The zero
// Batch is empty and ready to use; a Batch is not safe for concurrent use.
type Batch struct {
	issues   map[issueKey]*delta
	counters map[counterKey]int64
	drops    map[dropKey]dropped
}

type (
	issueKey struct {
		site string
		fp   Fingerprint
	}
	counterKey struct {
		site, typ, directive, class string
		disposition                 report.Disposition
		hour                        int64
	}
	dropKey struct {
		site, reason string
		hour         int64
	}
)

// delta is what a batch adds to one issue.
type delta struct {
	hit                         Hit // the first one
	first, last                 time.Time
	enforced, reported, unknown int64
	pages                       map[string]int64
}

type dropped struct {
	count int64
	last  time.Time
}

// Add counts one report.
func (b *Batch) Add(h Hit) {
	if b.issues == nil {
		b.issues, b.counters = map[issueKey]*delta{}, map[counterKey]int64{}
	}
	b.counters[counterKey{h.Site, h.Type, h.Directive, h.Class, h.Disposition, hour(h.At)}]++
	key := issueKey{h.Site, h.Fingerprint}
	d := b.issues[key]
	if d == nil {
		d = &delta{hit: h, first: h.At, last: h.At, pages: map[string]int64{}}
		b.issues[key] = d
	}
	d.first, d.last = earlier(d.first, h.At), later(d.last, h.At)
	d.hit.Sample = cmp.Or(d.hit.Sample, h.Sample)
	d.pages[h.Route]++
	switch h.Disposition {
	case report.Enforce:
		d.enforced++
	case report.ReportOnly:
		d.reported++
	default:
		d.unknown++
	}
}

// Drop counts n reports of the site that were not accepted. Reasons come from a small fixed set.
func (b *Batch) Drop(site, reason string, at time.Time, n int64) {
	b.drop(dropKey{site, reason, hour(at)}, dropped{n, at})
}

// TakeDrops moves the drops of another batch, one that could not be stored, into b.
func (b *Batch) TakeDrops(from *Batch) {
	for key, d := range from.drops {
		b.drop(key, d)
	}
	from.drops = nil
}

func (b *Batch) drop(key dropKey, d dropped) {
	if b.drops == nil {
		b.drops = map[dropKey]dropped{}
	}
	sum := b.drops[key]
	b.drops[key] = dropped{sum.count + d.count, later(sum.last, d.last)}
}

func hour(t time.Time) int64 { return t.UTC().Truncate(time.Hour).UnixMilli() }

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
