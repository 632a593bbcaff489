package collect

import (
	"sync"
	"time"
)

// Limits bound what one network of clients, an IPv4 /24 or an IPv6 /48, gets counted. Loopback and private networks are not bounded: there, a
// proxy stands for everybody. The zero Limits are the defaults.
type Limits struct {
	Reports   Rate // the zero Rate: 600 a minute, 3,000 at once; 16 KiB of a body cost as much as a report
	NewIssues Rate // on sites that have half of the issues that they may have; the zero Rate: 20 an hour, 50 at once
}

// Rate is a number of things in a time. A negative number means that there is no bound.
type Rate struct {
	N     int
	Per   time.Duration
	Burst int // at once, after some rest
}

func (r Rate) or(usual Rate) Rate {
	if r == (Rate{}) {
		return usual
	}
	return r
}

func (l Limits) orDefault() Limits {
	return Limits{Reports: l.Reports.or(Rate{600, time.Minute, 3000}), NewIssues: l.NewIssues.or(Rate{20, time.Hour, 50})}
}

// budget knows what each of the last networks has left. It takes a fixed amount of memory: when there are too many networks, the ones that
// have spent least are forgotten. It counts as GCRA does, https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm.
type budget struct {
	mu    sync.Mutex
	every time.Duration // gives one back; 0: no bound
	most  time.Duration // to give back all
	start time.Time
	spent []spent
}

// spent says when a network has everything back, after budget.start.
type spent struct {
	who   uint64
	until time.Duration
}

const (
	budgetCells = 1 << 16 // 1 MiB
	budgetWays  = 8       // places that one network can have
)

func newBudget(rate Rate, start time.Time) *budget {
	b := &budget{start: start, spent: make([]spent, budgetCells)}
	b.set(rate)
	return b
}

func (b *budget) set(rate Rate) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.every, b.most = 0, 0
	if rate.N > 0 {
		b.every = rate.Per / time.Duration(rate.N)
		b.most = b.every * time.Duration(max(rate.Burst, 1))
	}
}

// has reports whether there is anything left.
func (b *budget) has(who uint64, now time.Time) bool { return b.take(who, 1, now, false) }

// spend takes n, or nothing if there is less.
func (b *budget) spend(who uint64, n int, now time.Time) bool { return b.take(who, n, now, true) }

func (b *budget) take(who uint64, n int, now time.Time, keep bool) bool {
	if who&1 == 0 {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.every == 0 {
		return true
	}
	at := now.Sub(b.start) // by the monotonic clock: nobody waits because somebody has set the time
	cell := b.cell(who)
	until := at
	if cell.who == who && cell.until <= at+b.most { // else the clock has gone back, and nobody can say what was spent
		until = max(cell.until, at)
	}
	until += time.Duration(n) * b.every
	if until > at+b.most {
		return false
	}
	if keep {
		*cell = spent{who, until}
	}
	return true
}

// cell returns the place of a network, or the one to give to it.
func (b *budget) cell(who uint64) *spent {
	set := b.spent[(who>>1)%(budgetCells/budgetWays)*budgetWays:][:budgetWays]
	least := &set[0]
	for i := range set {
		if set[i].who == who {
			return &set[i]
		}
		if set[i].until < least.until {
			least = &set[i]
		}
	}
	return least
}
