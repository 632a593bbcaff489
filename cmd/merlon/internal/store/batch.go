package store

import (
	"cmp"
	"time"

	"github.com/merlon-sec/merlon/report"
)

// Batch collects what one transaction stores. Its size grows with distinct issues and facets, not with hits. The zero
// Batch is empty and ready to use; a Batch is not safe for concurrent use.
type Batch struct {
	// MayAdd is asked before somebody counts as having seen an issue that has no row on a crowded site: a network of [Hit], or a View, for
	// which the network that it came from is asked as well. Of those who may not, the reports are counted by what stands for the rest. nil means that everybody may.
	MayAdd func(witness uint64) bool

	issues    map[issueKey]*delta
	counters  map[counterKey]int64
	drops     map[dropKey]dropped
	policies  map[policyKey]policy
	documents map[documentKey]int64
	canaries  map[canaryKey]canary
	digests   map[Digest]time.Time
	keep      [2]time.Time // between which times digests are kept
	pushes    []push
}

// Digest identifies a batch of reports that a browser may send again.
type Digest [16]byte

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
	policyKey   struct{ site, hash string }
	documentKey struct {
		site, route, policy string
		hour                int64
	}
	canaryKey struct {
		site, browser string
		hour          int64
	}
)

type (
	policy struct {
		text  string
		first time.Time
	}
	canary  struct{ sent, received int64 }
	dropped struct {
		count int64
		last  time.Time
	}
)

// delta is what a batch adds to one issue.
type delta struct {
	hit         Hit // the first one, with the gravest verdict
	first, last time.Time
	total       tally
	hours       map[int64]*tally
	facets      map[facet]int64
	attested    int64
	networks    reach
	views       reach
	viewers     map[uint64]uint64 // the network that each view came from first, if it is known
	body        string
}

// tally counts reports by disposition.
type tally struct{ enforced, reported, unknown int64 }

func (t *tally) add(d report.Disposition, n int64) {
	switch d {
	case report.Enforce:
		t.enforced += n
	case report.ReportOnly:
		t.reported += n
	default:
		t.unknown += n
	}
}

func (t *tally) merge(o tally) {
	t.enforced, t.reported, t.unknown = t.enforced+o.enforced, t.reported+o.reported, t.unknown+o.unknown
}

// Add counts one report.
func (b *Batch) Add(h Hit) {
	if b.issues == nil {
		b.issues, b.counters = map[issueKey]*delta{}, map[counterKey]int64{}
	}
	h.Verdict, h.Weight = cmp.Or(h.Verdict, Actionable), max(h.Weight, 1)
	b.counters[counterKey{h.Site, h.Type, h.Directive, h.Class, h.Disposition, hour(h.At)}] += h.Weight
	if h.PolicyText != "" {
		b.Policy(h.Site, h.Policy, h.PolicyText, h.At)
	}
	key := issueKey{h.Site, h.Fingerprint}
	d := b.issues[key]
	if d == nil {
		d = &delta{hit: h, first: h.At, last: h.At, hours: map[int64]*tally{}, facets: map[facet]int64{}}
		d.hit.Rule = h.label()
		if h.Body != nil {
			d.body = h.Body()
		}
		b.issues[key] = d
	}
	d.add(h)
}

// add counts one report of the issue.
func (d *delta) add(h Hit) {
	d.first, d.last = earlier(d.first, h.At), later(d.last, h.At)
	d.hit.Sample = cmp.Or(d.hit.Sample, h.Sample)
	if h.Verdict.graver(d.hit.Verdict) {
		d.hit.Verdict, d.hit.Rule = h.Verdict, h.label()
	}
	d.total.add(h.Disposition, h.Weight)
	hour := hour(h.At)
	if d.hours[hour] == nil {
		d.hours[hour] = new(tally)
	}
	d.hours[hour].add(h.Disposition, h.Weight)
	for _, f := range h.facets() {
		if f.value != "" || f.kind == FacetRoute {
			d.count(f, h.Weight)
		}
	}
	if h.Network != 0 {
		d.networks, _ = d.networks.add(h.Network)
	}
	if h.View != 0 {
		d.attested += h.Weight
		d.viewed(h)
	}
}

func (d *delta) viewed(h Hit) {
	views, more := d.views.add(h.View)
	d.views = views
	if !more || h.Network == 0 {
		return
	}
	if d.viewers == nil {
		d.viewers = map[uint64]uint64{}
	}
	d.viewers[h.View] = h.Network
}

// merge adds what another one has, for two deltas that are counted as one issue.
func (d *delta) merge(o *delta) {
	d.first, d.last = earlier(d.first, o.first), later(d.last, o.last)
	if o.hit.Verdict.graver(d.hit.Verdict) {
		d.hit.Verdict, d.hit.Rule = o.hit.Verdict, o.hit.Rule
	}
	d.total.merge(o.total)
	d.attested += o.attested
	for hour, n := range o.hours {
		if d.hours[hour] == nil {
			d.hours[hour] = new(tally)
		}
		d.hours[hour].merge(*n)
	}
	for f, n := range o.facets {
		d.count(f, n)
	}
	d.networks.take(o.networks)
	d.views.take(o.views)
}

// maxBatchFacets bounds what one transaction remembers of one issue. What is beyond would be folded by MaxFacets anyway.
const maxBatchFacets = 8 * MaxFacets

func (d *delta) count(f facet, n int64) {
	if _, known := d.facets[f]; !known && len(d.facets) >= maxBatchFacets {
		f.value = ""
	}
	d.facets[f] += n
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

// Policy gives the text behind the hash that hits of the site name as their Policy.
func (b *Batch) Policy(site, hash, text string, at time.Time) {
	if b.policies == nil {
		b.policies = map[policyKey]policy{}
	}
	key := policyKey{site, hash}
	if _, known := b.policies[key]; !known {
		b.policies[key] = policy{text, at}
	}
}

// Documents counts n documents that were sent on a route of the site, under the policy with this hash.
func (b *Batch) Documents(site, route, policy string, at time.Time, n int64) {
	if b.documents == nil {
		b.documents = map[documentKey]int64{}
	}
	b.documents[documentKey{site, route, policy, hour(at)}] += n
}

// Canaries counts harmless violations that were put into pages for this family of browsers, and those whose report came.
func (b *Batch) Canaries(site, browser string, at time.Time, sent, received int64) {
	if b.canaries == nil {
		b.canaries = map[canaryKey]canary{}
	}
	key := canaryKey{site, browser, hour(at)}
	sum := b.canaries[key]
	b.canaries[key] = canary{sum.sent + sent, sum.received + received}
}

// Digest remembers that a batch of reports is part of this transaction, which forgets those that are not from the time between.
func (b *Batch) Digest(d Digest, at, after, before time.Time) {
	if b.digests == nil {
		b.digests = map[Digest]time.Time{}
	}
	b.digests[d], b.keep = at, [2]time.Time{after, before}
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
