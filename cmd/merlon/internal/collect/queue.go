package collect

import (
	"context"
	"errors"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

// The reasons why a report that is wanted is not taken now.
var (
	errBusy    = errors.New("too many reports wait to be stored")
	errClosing = errors.New("the collector is closing")
)

func newRound() *round { return &round{done: make(chan struct{})} }

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

// submit adds hits to the next transaction and waits for its end. If ctx ends before, they are stored all the same.
func (c *Collector) submit(ctx context.Context, hits []store.Hit) error {
	r, err := c.enqueue(hits)
	if err != nil {
		return err
	}
	select {
	case <-r.done:
		return r.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (c *Collector) enqueue(hits []store.Hit) (*round, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closing:
		return nil, errClosing
	case c.pending.reports+len(hits) > c.maxReports:
		return nil, errBusy
	}
	c.touch()
	c.pending.reports += len(hits)
	for _, h := range hits {
		c.pending.batch.Add(h)
	}
	if c.pending.reports >= gatherReports {
		c.signal()
	}
	return c.pending, nil
}

// touch marks the pending round as one to commit. The caller holds mu.
func (c *Collector) touch() {
	if c.pending.dirty {
		return
	}
	c.pending.dirty, c.pending.since = true, time.Now()
	c.signal()
}

// signal wakes the goroutine up, once for any number of calls.
func (c *Collector) signal() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// run commits one round after the other until Close.
func (c *Collector) run() {
	defer close(c.ended)
	failing := false
	for {
		c.gather()
		r, last := c.take()
		if r != nil {
			failing = c.commit(r, failing)
		}
		if last {
			return
		}
	}
}

// gather returns when the pending round is to be committed: it is full enough, old enough, or the last one.
func (c *Collector) gather() {
	<-c.wake
	for {
		c.mu.Lock()
		wait := gatherTime - time.Since(c.pending.since)
		ready := c.closing || c.pending.reports >= gatherReports || !c.pending.dirty
		c.mu.Unlock()
		if ready || wait <= 0 {
			return
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-c.wake:
			timer.Stop()
		}
	}
}

// take starts a new round and returns the one before, and whether it was the last. It returns nil if there is nothing to do yet.
func (c *Collector) take() (*round, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.pending.dirty && !c.closing {
		return nil, false
	}
	r := c.pending
	c.pending = newRound()
	return r, c.closing
}

// commit stores the round, tells those who wait, and returns whether it failed. The log hears of it when that changes.
func (c *Collector) commit(r *round, failing bool) bool {
	ctx, cancel := context.WithTimeout(context.Background(), commitTimeout)
	defer cancel()
	r.err = c.store.Commit(ctx, &r.batch)
	close(r.done)
	switch failed := r.err != nil; {
	case failed && !failing:
		c.log.Error("reports are not being stored; browsers are asked to send them again", "err", r.err)
	case !failed && failing:
		c.log.Info("reports are being stored again")
	}
	if r.err != nil {
		c.mu.Lock()
		c.pending.batch.TakeDrops(&r.batch) // their senders will not come again; they wait for the next round
		c.mu.Unlock()
	}
	return r.err != nil
}
