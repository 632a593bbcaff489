// Package upkeep looks after the report database while a program runs: it removes what is beyond its time, and labels issues anew when
// the noise rules are others.
package upkeep

import (
	"context"
	"log/slog"
	"reflect"
	"sync"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/collect"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

// When maintenance runs: not while a program that has just started has its hands full, and then each hour.
const (
	first = 5 * time.Minute
	every = time.Hour
)

// Config says what an Upkeep works with.
type Config struct {
	Store  *store.Store     // required; the caller closes it, after Close
	Logger *slog.Logger     // nil discards
	Now    func() time.Time // nil is time.Now
}

// Task is what a policy file says about the database. The zero Task keeps things for the usual times.
type Task struct {
	Retention store.Retention
	Sites     []collect.Site // whose issues are labelled; of them, names and noise rules count
}

// Upkeep is one goroutine. It is safe for concurrent use.
type Upkeep struct {
	config Config
	stop   context.CancelFunc
	ended  chan struct{}
	wake   chan struct{} // with room for one: there is a new task

	mu   sync.Mutex
	next Task

	// Of the goroutine alone.
	labelled map[string][]collect.Rule // what the issues of a site have their labels by
	relabels trouble
	maintain trouble
	clock    clock
}

// New returns an Upkeep that works until Close. It labels nothing before it is told the sites.
func New(c Config) *Upkeep {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	ctx, stop := context.WithCancel(context.Background())
	u := &Upkeep{config: c, stop: stop, ended: make(chan struct{}), wake: make(chan struct{}, 1), labelled: map[string][]collect.Rule{},
		relabels: trouble{log: c.Logger, what: "labelling issues anew"}, maintain: trouble{log: c.Logger, what: "maintaining the report database"}}
	go u.run(ctx)
	return u
}

// Set puts a task in the place of the one before. Issues are labelled at once if the rules are others; it does not wait for that.
func (u *Upkeep) Set(t Task) {
	u.mu.Lock()
	u.next = t
	u.mu.Unlock()
	select {
	case u.wake <- struct{}{}:
	default: // it is awake already, and sees the task
	}
}

// Close ends what runs, between two of its transactions, and waits for that.
func (u *Upkeep) Close() {
	u.stop()
	<-u.ended
}

func (u *Upkeep) run(ctx context.Context) {
	defer close(u.ended)
	timer := time.NewTimer(first)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-u.wake:
			u.label(ctx, u.task())
		case <-timer.C:
			task := u.task()
			u.label(ctx, task) // what did not work before
			u.clean(ctx, task)
			timer.Reset(every)
		}
	}
}

func (u *Upkeep) task() Task {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.next
}

// label labels the issues of the sites whose rules are others than the last time. Since the start, that is all of them: the rules that merlon
// brings may be others as well.
func (u *Upkeep) label(ctx context.Context, t Task) {
	for _, site := range t.Sites {
		done, ever := u.labelled[site.Name]
		if ever && reflect.DeepEqual(done, site.Noise) {
			continue
		}
		n, err := u.config.Store.Relabel(ctx, site.Name, collect.NewLabels(site).Relabel)
		if n > 0 {
			u.config.Logger.Info("issues got other labels, as the noise rules are now", "site", site.Name, "issues", n)
		}
		if ctx.Err() != nil {
			return
		}
		if u.relabels.note(err); err != nil {
			return
		}
		u.labelled[site.Name] = site.Noise
	}
}

// clean removes what is beyond its time.
func (u *Upkeep) clean(ctx context.Context, t Task) {
	now := u.config.Now()
	if !u.clock.steady(now) {
		u.config.Logger.Warn("the clock was set: nothing old is removed from the report database for a day", "now", now.UTC().Format(time.RFC3339))
		return
	}
	done, err := u.config.Store.Maintain(ctx, now, t.Retention)
	if ctx.Err() != nil {
		return
	}
	if err == nil && done.OverCap {
		err = errOverCap
	}
	u.maintain.note(err)
	u.config.Logger.Debug("the report database was maintained", "samples", done.Samples, "issues", done.Issues, "facets", done.Facets, "hours", done.Hours,
		"old", done.Old, "bytes", done.Bytes, "longest", done.Longest)
}
