package cli

import (
	"context"
	"sync"
	"time"
)

// defaultDrain is how long requests in flight may take to complete; with it the whole process ends within 5 s.
const defaultDrain = 4 * time.Second

// ending is how a process ends.
type ending struct {
	delay, drain time.Duration // until the listeners stop; for requests in flight
	begun        func()        // is told that the end has begun; nil: nobody
	inFlight     func() int64  // counts the requests of the public listeners; nil: nobody counts
	leave        func()        // tells those whose connections have no end of their own
	cutOff       func()        // ends what http.Server.Close does not know
}

// checkInterval is how often the end of connections that were handed over is looked for: nothing signals it.
const checkInterval = 20 * time.Millisecond

// end ends the servers: the public ones when their requests are complete or the time is over, then the others, which tell
// meanwhile how it goes.
func (s *servers) end(delay bool) {
	if s.ending.begun != nil {
		s.ending.begun()
	}
	if delay {
		time.Sleep(s.ending.delay)
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.ending.drain)
	defer cancel()
	if s.ending.leave != nil {
		s.ending.leave()
	}
	s.shutdown(ctx, false)
	if s.ending.inFlight != nil {
		s.settle(ctx)
	}
	s.shutdown(ctx, true)
}

// shutdown ends the servers that are last, or the others. Those whose requests do not complete in time are closed by settle.
func (s *servers) shutdown(ctx context.Context, last bool) {
	var wg sync.WaitGroup
	for _, srv := range s.list {
		if srv.last != last {
			continue
		}
		wg.Go(func() {
			if srv.Shutdown(ctx) != nil && (last || s.ending.inFlight == nil) {
				srv.Close()
			}
		})
	}
	wg.Wait()
}

// settle waits for the requests that still run, and cuts them off when the time is over.
func (s *servers) settle(ctx context.Context) {
	tick := time.NewTicker(checkInterval)
	defer tick.Stop()
	for s.ending.inFlight() > 0 {
		select {
		case <-tick.C:
			continue
		case <-ctx.Done():
		}
		s.log.Warn("requests still in flight are cut off", "requests", s.ending.inFlight(), "after", s.ending.drain.String())
		break
	}
	for _, srv := range s.list {
		if !srv.last {
			srv.Close()
		}
	}
	s.ending.cutOff()
}
