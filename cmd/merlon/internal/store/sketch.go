package store

import (
	"hash/maphash"
	"slices"
)

// sketch is where new issues of crowded sites wait until somebody else has seen them too. It has a fixed number of places for all
// sites together, so that a flood of distinct issues costs a fixed amount of memory, and how long one may wait does not depend on
// its count: an issue that few people see from time to time is confirmed while some 500,000 others come in between.
//
// Counters of the frequent (Space-Saving and its kin) would do the opposite: in a flood of distinct keys each is as frequent as the
// next, and what is kept is what came last.
type sketch struct {
	seed  maphash.Seed // so that nobody can aim at the place of another one
	cells []cell
	clock uint32 // counts offers
}

const (
	sketchCells = 1 << 19 // 24 MiB, taken when the first site is half full
	sketchWays  = 8       // places that one key can have; a power of two

	cellNetworks = 3
	cellViews    = 2
)

// cell is an issue that waits. The zero cell is free.
type cell struct {
	networks [cellNetworks]uint64
	views    [cellViews]uint64
	tag      uint32
	seen     uint32 // the sketch's clock
}

func newSketch(cells int) *sketch {
	return &sketch{seed: maphash.MakeSeed(), cells: make([]cell, cells)}
}

// offer notes who has seen the issue, as far as they may add one, and returns everybody who has. With nobody, nothing is kept.
func (s *sketch) offer(key issueKey, d *delta, may func(witness uint64) bool) (networks, views reach) {
	set, tag := s.place(key)
	s.clock++
	c, fresh := find(set, tag), cell{tag: tag}
	known := c != nil
	if !known {
		c = &fresh
	}
	add(c.networks[:], d.networks, may)
	add(c.views[:], d.views, func(view uint64) bool {
		network, known := d.viewers[view]
		return (!known || may(network)) && may(view)
	})
	networks, views = witnesses(c.networks[:]), witnesses(c.views[:])
	if len(networks)+len(views) == 0 {
		return nil, nil
	}
	c.seen = s.clock
	if !known {
		*s.least(set) = fresh
	}
	return networks, views
}

// remove frees the place of an issue that waits no longer.
func (s *sketch) remove(key issueKey) {
	if c := find(s.place(key)); c != nil {
		*c = cell{}
	}
}

func (s *sketch) place(key issueKey) (set []cell, tag uint32) {
	hash := maphash.Comparable(s.seed, key)
	at := int(hash%uint64(len(s.cells)/sketchWays)) * sketchWays
	return s.cells[at : at+sketchWays], uint32(hash>>32) | 1 // a free cell has the tag 0
}

func find(set []cell, tag uint32) *cell {
	for i := range set {
		if set[i].tag == tag {
			return &set[i]
		}
	}
	return nil
}

// least returns a free cell or the one to give up: the one not seen for longest, where whoever saw it adds to its time.
func (s *sketch) least(set []cell) *cell {
	best, bestAge := &set[0], int64(-1<<62)
	for i := range set {
		c := &set[i]
		if c.tag == 0 {
			return c
		}
		age := int64(s.clock-c.seen) - int64(max(len(witnesses(c.networks[:])), len(witnesses(c.views[:])))*len(s.cells)/2)
		if age > bestAge {
			best, bestAge = c, age
		}
	}
	return best
}

// add puts hashes into free places, those that may be added.
func add(places []uint64, hashes reach, may func(uint64) bool) {
	for _, hash := range hashes {
		free := slices.Index(places, 0)
		if free < 0 {
			return
		}
		if hash != 0 && !slices.Contains(places, hash) && may(hash) {
			places[free] = hash
		}
	}
}

// witnesses are the places that are taken: the first ones.
func witnesses(places []uint64) reach {
	if free := slices.Index(places, 0); free >= 0 {
		places = places[:free]
	}
	return places
}
