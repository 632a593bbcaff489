package collect

import "sync/atomic"

// Health is how storing goes. The database cannot tell: when it is full it takes no word either.
type Health struct {
	Failing bool  // the last attempt to store failed
	Refused int64 // reports that were answered 503 since the start
	Waiting int   // reports that wait to be stored
	Max     int   // as many may
}

// health is what a Collector counts for Health.
type health struct {
	failing atomic.Bool
	refused atomic.Int64
}

// Health tells how storing goes. It may be called at any time, also after Close.
func (c *Collector) Health() Health {
	c.mu.Lock()
	waiting := c.pending.reports
	c.mu.Unlock()
	return Health{Failing: c.health.failing.Load(), Refused: c.health.refused.Load(), Waiting: waiting, Max: c.maxReports}
}
