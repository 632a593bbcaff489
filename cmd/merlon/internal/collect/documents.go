package collect

import (
	"context"
	"sync"
	"time"

	"github.com/merlon-sec/merlon"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
	"github.com/merlon-sec/merlon/report"
)

// tallyEvery is how often counted documents are stored. What a process that is killed has counted since is lost.
const tallyEvery = 5 * time.Second

// Tallies counts the documents and canaries that the Guards of this process send, and hands them to the collector every few seconds. It is
// safe for concurrent use.
type Tallies struct {
	collector *Collector
	stop      context.CancelFunc
	ended     chan struct{}

	mu       sync.Mutex
	sites    map[string]*report.Tally
	canaries map[canaryOf]int64
}

// NewTallies returns Tallies that run one goroutine until Close, which comes before the collector's.
func NewTallies(c *Collector) *Tallies {
	ctx, stop := context.WithCancel(context.Background())
	t := &Tallies{collector: c, stop: stop, ended: make(chan struct{}), sites: map[string]*report.Tally{}, canaries: map[canaryOf]int64{}}
	go t.run(ctx)
	return t
}

// Hook counts the documents of a site; it is for [merlon.Hooks]. The same site may have several, as after a reload.
func (t *Tallies) Hook(site string) func(merlon.Committed) {
	t.mu.Lock()
	defer t.mu.Unlock()
	tally := t.sites[site]
	if tally == nil {
		tally = new(report.Tally)
		t.sites[site] = tally
	}
	return func(c merlon.Committed) {
		if c.PageView() {
			tally.Add(c.Request.URL, c.Policy, c.Status)
		}
	}
}

// Close stores what is counted and ends the goroutine.
func (t *Tallies) Close(ctx context.Context) error {
	t.stop()
	<-t.ended
	return t.flush(ctx)
}

func (t *Tallies) run(ctx context.Context) {
	defer close(t.ended)
	ticker := time.NewTicker(tallyEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			_ = t.flush(context.Background()) // a commit has its own limit; the collector's log has its error, and the counts are kept
		case <-ctx.Done():
			return
		}
	}
}

// flush stores what is counted. What cannot be stored is counted again next time.
func (t *Tallies) flush(ctx context.Context) error {
	at := t.collector.now()
	counted, canaries := t.take(at)
	if len(counted) == 0 && len(canaries) == 0 {
		return nil
	}
	err := t.collector.add(ctx, func(b *store.Batch) {
		for name, documents := range counted {
			for _, d := range documents {
				b.Documents(name, d.Route, d.Policy, at, d.Count)
			}
		}
		for of, n := range canaries {
			b.Canaries(of.site, of.family, at, n, 0)
		}
	})
	if err != nil && ctx.Err() == nil { // at the end of ctx the commit goes on
		t.giveBack(counted, canaries)
	}
	return err
}

func (t *Tallies) take(at time.Time) (counted map[string][]report.Documents, canaries map[canaryOf]int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	counted = map[string][]report.Documents{}
	for name, tally := range t.sites {
		if documents := tally.Take(at); len(documents) > 0 {
			counted[name] = documents
		}
	}
	canaries, t.canaries = t.canaries, map[canaryOf]int64{}
	return counted, canaries
}

func (t *Tallies) giveBack(counted map[string][]report.Documents, canaries map[canaryOf]int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for name, documents := range counted {
		t.sites[name].Return(documents)
	}
	for of, n := range canaries {
		t.canaries[of] += n
	}
}

// add adds to the next transaction and waits for its end. If ctx ends before, it is stored all the same.
func (c *Collector) add(ctx context.Context, to func(*store.Batch)) error {
	c.mu.Lock()
	if c.closing {
		c.mu.Unlock()
		return errClosing
	}
	c.touch()
	to(&c.pending.batch)
	r := c.pending
	c.mu.Unlock()
	select {
	case <-r.done:
		return r.err
	case <-ctx.Done():
		return ctx.Err()
	}
}
