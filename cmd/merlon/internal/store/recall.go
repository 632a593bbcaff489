package store

import (
	"math"
	"slices"
)

// recalled is what a commit still knows of a row that it has read or written, so that it need not read it again: to read costs as much as
// three statements that do not. The zero recalled knows nothing.
type recalled struct {
	known           bool
	updates         int64 // of the store when it was known, see Store.updates
	label           label
	networks, views sight
}

// sight is what is known of a reach: all of it if it is small, else from where on a hash would change nothing.
type sight struct {
	all  reach
	most uint64 // 0 where all is known; the greatest number where any hash may change it
}

// recalledHashes is how many hashes of a reach are kept in memory: of 100,000 issues with two of them, 26 MB.
const recalledHashes = 16

func sightOf(r reach) sight {
	switch {
	case len(r) <= recalledHashes:
		return sight{all: slices.Clone(r)}
	case len(r) < reachSize:
		return sight{most: math.MaxUint64}
	}
	return sight{most: r[reachSize-1]}
}

// whole reports whether all of the reach is known.
func (s sight) whole() bool { return s.most == 0 }

// holds reports whether the hashes, in their order, would surely not change the reach.
func (s sight) holds(more reach) bool {
	if !s.whole() {
		return len(more) == 0 || more[0] >= s.most
	}
	for _, hash := range more {
		if _, there := slices.BinarySearch(s.all, hash); !there {
			return false
		}
	}
	return true
}

// covers reports whether d says nothing new of the issue but counts and times.
func (r *recalled) covers(d *delta) bool {
	return !d.hit.Verdict.graver(r.label.verdict) && r.networks.holds(d.networks) && r.views.holds(d.views)
}

// recall returns what is known of the issue's row, nil if nothing is, or if somebody else may have written it since.
func (c *commit) recall(issue *liveIssue) *recalled {
	if !issue.recalled.known || issue.recalled.updates != c.store.updates {
		return nil
	}
	return &issue.recalled
}
