// Package alert tells people when browsers' reports say that something happens: by webhook and by e-mail, once when it begins and
// once when it is over.
//
// What to look for is a list of values ([Conditions]), each a pure function of what the store says at one moment. What was said is
// kept in the store before it is sent, so that a restart neither repeats nor forgets it. Reports are forgeable and their texts
// hostile: no text of theirs becomes a link, markup or a mention, noise never alerts, and each target hears of a site a bounded
// number of times an hour.
package alert

import (
	"cmp"
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/notify"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

// Config says what to look at and whom to tell. A zero number or time means its default.
type Config struct {
	Sites    []string      // names of the sites; reports of others do not count
	Critical []string      // patterns of Go's ServeMux for paths, such as /checkout/; others panic
	Silence  time.Duration // without reports; 0 means 6 hours
	Jump     float64       // how many times the usual a jump is; 0 means 3
	JumpFrom int64         // reports that a jump has at least; 0 means 10
	PerHour  int           // messages that one target gets of one site; 0 means 20
	Targets  []Target      // with names that differ
}

// A Target is where alerts go.
type Target interface {
	Name() string                                     // without spaces
	Send(ctx context.Context, m notify.Message) error // the error holds no secret
}

// The defaults. Those of a jump are PostHog's.
const (
	defaultSilence  = 6 * time.Hour
	defaultJump     = 3
	defaultJumpFrom = 10
	defaultPerHour  = 20
)

func (c Config) withDefaults() Config {
	c.Silence, c.Jump = cmp.Or(c.Silence, defaultSilence), cmp.Or(c.Jump, defaultJump)
	c.JumpFrom, c.PerHour = cmp.Or(c.JumpFrom, defaultJumpFrom), cmp.Or(c.PerHour, defaultPerHour)
	c.Sites, c.Critical, c.Targets = slices.Clone(c.Sites), slices.Clone(c.Critical), slices.Clone(c.Targets)
	return c
}

// Health is how storing reports goes. The database cannot tell: when it is full it takes no word either.
type Health struct {
	Failing bool  // the last attempt to store failed
	Refused int64 // reports that were answered 503 since the start
	Waiting int   // reports that wait to be stored
	Max     int   // as many may
}

// Options says what an Alerter works with.
type Options struct {
	Store  *store.Store     // required; the caller closes it, after Run
	Health func() Health    // nil: storing goes well
	Logger *slog.Logger     // nil discards
	Now    func() time.Time // nil is time.Now
}

// Alerter looks, and tells. Use may be called at any time; Run and Round by one goroutine.
type Alerter struct {
	store  *store.Store
	health func() Health
	log    *slog.Logger
	now    func() time.Time

	started time.Time
	refused int64 // what Health said at the last round

	mu      sync.Mutex
	config  Config
	swapped bool          // since the last round
	wake    chan struct{} // holds one token: there is a new Config

	ledger *ledger
	posts  map[string]*post
}

// New returns an Alerter that has nobody to tell yet, see [Alerter.Use].
func New(o Options) *Alerter {
	a := &Alerter{store: o.Store, health: o.Health, log: o.Logger, now: o.Now, ledger: newLedger(o.Store), posts: map[string]*post{}, wake: make(chan struct{}, 1)}
	if a.health == nil {
		a.health = func() Health { return Health{} }
	}
	if a.log == nil {
		a.log = slog.New(slog.DiscardHandler)
	}
	if a.now == nil {
		a.now = time.Now
	}
	a.started = a.now()
	return a
}

// Use puts a Config in the place of the one before. What a target has yet to hear it hears under the new one, if it is still there.
func (a *Alerter) Use(c Config) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.config, a.swapped = c.withDefaults(), true
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

// interval is how often an Alerter looks.
const interval = time.Minute

// Run looks every minute, and when there is a new Config, until ctx ends. It returns when nothing is being sent any more.
func (a *Alerter) Run(ctx context.Context) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-a.wake:
		}
		if err := a.Round(ctx); err != nil && ctx.Err() == nil {
			a.log.Error("alerts: not everything was looked at", "error", err)
		}
	}
}

// Round looks once and sends what is due. What is new is stored before it is sent. It does nothing while there is no target. The error
// joins what could not be read or stored; what could be is told all the same.
func (a *Alerter) Round(ctx context.Context) error {
	a.mu.Lock()
	c, swapped := a.config, a.swapped
	a.swapped = false
	a.mu.Unlock()
	if len(c.Targets) == 0 {
		return nil
	}
	if swapped {
		a.meet(c.Targets)
	}
	now := a.now()
	seen, err := a.look(ctx, c, now)
	if ctx.Err() != nil { // what could not be read for that reason says nothing
		return ctx.Err()
	}
	a.ledger.settle(now, seen, c)
	if saveErr := a.ledger.save(ctx, now); saveErr != nil {
		a.log.Error("alerts: not stored, so a restart may repeat them", "error", saveErr)
	}
	a.deliver(ctx, c, now)
	return err
}

// meet makes a post for each target, one that takes messages at once: a new address may be a better one.
func (a *Alerter) meet(targets []Target) {
	before := maps.Clone(a.posts)
	clear(a.posts)
	for _, t := range targets {
		p := before[t.Name()]
		if p == nil {
			p = &post{windows: map[string]*window{}}
		}
		p.failures, p.next = 0, time.Time{}
		a.posts[t.Name()] = p
	}
}
