package collect

import (
	"context"
	"errors"
	"runtime"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

// The reasons why a report that is wanted is not taken now.
var (
	errBusy    = errors.New("too many reports wait to be stored")
	errClosing = errors.New("the collector is closing")
)

func (c *Collector) newRound() *round {
	r := &round{done: make(chan struct{}), bySite: map[string]int{}}
	r.batch.MayAdd = func(witness uint64) bool { return c.newIssues.spend(witness, 1, c.now()) }
	return r
}

// drop counts n reports that were not accepted. Nobody waits for it: their sender is not to send them again in any case.
func (c *Collector) drop(site, reason string, n int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing {
		return
	}
	at := c.now()
	c.touch()
	c.pending.batch.Drop(site, reason, at, n)
	c.dropped(site, reason, n)
}

// submit adds hits to the next transaction and waits for its end, also for a sender who has gone: a wait that ends early would cost each of
// the others a second channel. A batch that is known by its id is not stored again: submit waits for what has become of it.
func (c *Collector) submit(hits []store.Hit, id *batchID) (repeated bool, err error) {
	r, repeated, err := c.enqueue(hits, id)
	if err != nil || r == nil {
		return repeated, err
	}
	<-r.done
	return repeated, r.err
}

// enqueue returns the round to wait for, nil if there is none.
func (c *Collector) enqueue(hits []store.Hit, id *batchID) (r *round, repeated bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now, site := c.now(), hits[0].Site
	if id != nil {
		if r, known := c.digests.find(id, now); known {
			return r, true, nil
		}
	}
	switch {
	case c.closing:
		return nil, false, errClosing
	case c.pending.reports+len(hits) > c.maxReports, c.pending.bySite[site]+len(hits) > c.siteShare():
		c.health.refused.Add(int64(len(hits)))
		return nil, false, errBusy
	}
	c.touch()
	c.pending.reports += len(hits)
	c.pending.bySite[site] += len(hits)
	for _, h := range hits {
		c.pending.batch.Add(h)
	}
	if id != nil {
		c.digests.add(id, c.pending, now)
	}
	return c.pending, false, nil
}

// siteShare is how many reports of one site may wait: some places remain for the others. The caller holds mu.
func (c *Collector) siteShare() int {
	if len(c.sites) <= 1 {
		return c.maxReports
	}
	return c.maxReports - c.maxReports/4
}

// touch marks the pending round as one to commit. The caller holds mu.
func (c *Collector) touch() {
	if c.pending.dirty {
		return
	}
	c.pending.dirty = true
	c.signal()
}

// signal wakes the goroutine up, once for any number of calls.
func (c *Collector) signal() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// run commits one round after the other until Close. A round is what came in while the one before was committed, so that its size follows
// from how much comes in and how long the disk takes; a single report waits for nothing.
func (c *Collector) run() {
	defer close(c.ended)
	failing := false
	for {
		c.gather()
		r, last := c.take()
		switch {
		case r != nil:
			failing = c.commit(r, failing)
		case !last:
			<-c.wake
		}
		if last {
			return
		}
	}
}

// enough is how many reports a round has when it is not worth while to gather more: what a commit costs by itself is then little for each.
const enough = 256

// gather lets everybody go first who can run, as long as that brings more reports. What a commit costs it costs once, so that larger rounds save
// time when there is none to lose; when there is, nobody else can run, and gather returns at once.
func (c *Collector) gather() {
	for before := 0; ; {
		n := c.waiting()
		if n <= before || n >= enough {
			return
		}
		before = n
		runtime.Gosched()
	}
}

// waiting is how many reports the next round has.
func (c *Collector) waiting() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pending.reports
}

// take starts a new round and returns the one before, and whether it was the last. It returns nil if there is nothing to do yet.
func (c *Collector) take() (*round, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.pending.dirty && !c.closing {
		return nil, false
	}
	r := c.pending
	c.pending = c.newRound()
	return r, c.closing
}

// commit stores the round, tells those who wait, and returns whether it failed. The log hears of it when that changes.
func (c *Collector) commit(r *round, failing bool) bool {
	ctx, cancel := context.WithTimeout(context.Background(), commitTimeout)
	defer cancel()
	r.err = c.store.Commit(ctx, &r.batch)
	c.settle(r)
	c.health.failing.Store(r.err != nil)
	if r.err != nil {
		c.health.refused.Add(int64(r.reports))
	} else {
		for site, n := range r.bySite {
			c.stored(site, n)
		}
	}
	close(r.done)
	switch failed := r.err != nil; {
	case failed && !failing:
		c.log.Error("reports are not being stored; browsers are asked to send them again", "error", r.err)
	case !failed && failing:
		c.log.Info("reports are being stored again")
	}
	return r.err != nil
}

// settle notes how the round ended, before anybody hears of it: who is told that it failed may send everything again at once.
func (c *Collector) settle(r *round) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.digests.settle(r)
	if r.err != nil {
		c.pending.batch.TakeDrops(&r.batch) // their senders will not come again; they wait for the next round
	}
}
