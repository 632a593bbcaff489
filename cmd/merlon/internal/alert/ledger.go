package alert

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

// ledger knows what is on and who has heard of it. What is stored is a copy, so that a database that is full does not silence the
// alert about it.
type ledger struct {
	store  *store.Store
	loaded bool

	mu      sync.Mutex // targets are told at the same time
	alerts  map[key]*store.Notice
	gone    map[key]time.Time // since when what is on was not found
	unsaved map[key]bool
}

type key struct{ site, kind, subject string }

func keyOf(a *store.Notice) key { return key{a.Site, a.Kind, a.Subject} }

const (
	// hold is how long something has to be gone before it is over: what comes and goes is one alert.
	hold = 10 * time.Minute

	// maxOn is how many alerts of one kind a site can have on. A made-up report is one of those that wait for their turn; confirmed ones
	// have as much room again.
	maxOn = 200

	// keep is how long what is over stays in the store.
	keep = 30 * day

	// moreSubject is that of the finding that stands for those beyond maxOn.
	moreSubject = "more"
)

func newLedger(s *store.Store) *ledger {
	return &ledger{store: s, alerts: map[key]*store.Notice{}, gone: map[key]time.Time{}, unsaved: map[key]bool{}}
}

// load reads what was said before the start, once.
func (l *ledger) load(ctx context.Context) error {
	if l.loaded {
		return nil
	}
	alerts, err := l.store.Notices(ctx)
	if err != nil {
		return err
	}
	for _, a := range alerts {
		if l.alerts[keyOf(&a)] == nil { // or else it began since
			l.alerts[keyOf(&a)] = &a
		}
	}
	l.loaded = true
	return nil
}

// sighting is what a look at a condition of a site found.
type sighting struct {
	site, kind string
	findings   []Finding
}

// settle turns what was found into changes. What could not be looked at stays as it is, unless its site is none any more.
func (l *ledger) settle(now time.Time, seen []sighting, c Config) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range seen {
		there := map[string]bool{}
		for _, f := range l.fitting(s) {
			l.on(now, s, f, c)
			there[f.Subject] = true
		}
		for k, a := range l.alerts {
			if k.site == s.site && k.kind == s.kind && a.State != store.Resolved && !there[k.subject] {
				l.off(now, k, c)
			}
		}
	}
	for k, a := range l.alerts {
		l.tidy(now, k, a, c)
	}
}

// fitting are the findings for which there is room, and one that stands for the others.
func (l *ledger) fitting(s sighting) []Finding {
	open := 0
	for k, a := range l.alerts {
		if k.site == s.site && k.kind == s.kind && a.State != store.Resolved && k.subject != moreSubject {
			open++
		}
	}
	var out []Finding
	beyond := 0
	for _, f := range s.findings {
		a := l.alerts[key{s.site, s.kind, f.Subject}]
		known := a != nil && a.State != store.Resolved
		room := maxOn
		if !f.Unconfirmed {
			room = 2 * maxOn
		}
		if !known && open >= room {
			beyond++
			continue
		}
		if !known {
			open++
		}
		out = append(out, f)
	}
	if beyond > 0 {
		out = append(out, Finding{Subject: moreSubject, What: "and more", Why: fmt.Sprintf("There are %d besides those that are told one by one. Somebody may be making them up.", beyond)})
	}
	return out
}

// on notes a finding. It is news when it begins, and when it turns out to be more than one client's word.
func (l *ledger) on(now time.Time, s sighting, f Finding, c Config) {
	k := key{s.site, s.kind, f.Subject}
	state := store.Firing
	if f.Unconfirmed {
		state = store.Unconfirmed
	}
	delete(l.gone, k)
	a := l.alerts[k]
	begins := a == nil || a.State == store.Resolved
	if !begins && (a.State == state || state == store.Unconfirmed) {
		return
	}
	fired := now
	if !begins {
		fired = a.Fired
	}
	l.alerts[k] = &store.Notice{Site: s.site, Kind: s.kind, Subject: f.Subject, State: state, Since: now, Fired: fired, Issue: f.Issue, What: f.What, Why: f.Why,
		Pending: names(c.Targets)}
	l.unsaved[k] = true
}

// off notes that what is on was not found.
func (l *ledger) off(now time.Time, k key, c Config) {
	since, known := l.gone[k]
	if !known {
		l.gone[k] = now
		return
	}
	if now.Sub(since) >= hold {
		l.resolve(now, k, names(c.Targets))
	}
}

func (l *ledger) resolve(now time.Time, k key, tell []string) {
	over := *l.alerts[k]
	over.State, over.Since, over.SentAt, over.Pending = store.Resolved, now, time.Time{}, tell
	l.alerts[k], l.unsaved[k] = &over, true
	delete(l.gone, k)
}

// tidy takes leave of targets and sites that are no more, and of what is long over.
func (l *ledger) tidy(now time.Time, k key, a *store.Notice, c Config) {
	if a.State != store.Resolved && k.site != "" && !slices.Contains(c.Sites, k.site) {
		l.resolve(now, k, nil)
		return
	}
	waits := len(a.Pending)
	a.Pending = slices.DeleteFunc(a.Pending, func(name string) bool { return !slices.Contains(names(c.Targets), name) })
	if len(a.Pending) < waits {
		l.unsaved[k] = true
	}
	if a.State == store.Resolved && len(a.Pending) == 0 && now.Sub(a.Since) > keep {
		delete(l.alerts, k)
		delete(l.unsaved, k)
	}
}

func names(targets []Target) []string {
	var out []string
	for _, t := range targets {
		out = append(out, t.Name())
	}
	return out
}

// save stores what has changed. What cannot be stored is tried again with the next change or round.
func (l *ledger) save(ctx context.Context, now time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.unsaved) == 0 {
		return nil
	}
	var changed []store.Notice
	for k := range l.unsaved {
		changed = append(changed, *l.alerts[k])
	}
	if err := l.store.SaveNotices(ctx, changed, now.Add(-keep)); err != nil {
		return err
	}
	clear(l.unsaved)
	return nil
}

// pending are copies of the alerts that the target has yet to hear of, the surest and then the oldest first.
func (l *ledger) pending(target string) []store.Notice {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []store.Notice
	for _, a := range l.alerts {
		if slices.Contains(a.Pending, target) {
			out = append(out, *a)
		}
	}
	rank := func(s store.NoticeState) int {
		return slices.Index([]store.NoticeState{store.Firing, store.Unconfirmed, store.Resolved}, s)
	}
	slices.SortFunc(out, func(a, b store.Notice) int {
		return cmp.Or(rank(a.State)-rank(b.State), a.Since.Compare(b.Since), cmp.Compare(a.Site, b.Site), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Subject, b.Subject))
	})
	return out
}

// told notes that the target has heard of the alerts as they were, or never will.
func (l *ledger) told(ctx context.Context, target string, alerts []store.Notice, now time.Time, heard bool) error {
	l.mu.Lock()
	for _, was := range alerts {
		k := keyOf(&was)
		a := l.alerts[k]
		if a == nil || a.State != was.State || !a.Since.Equal(was.Since) {
			continue // the next state is another message
		}
		next := *a
		next.Pending = slices.DeleteFunc(slices.Clone(a.Pending), func(name string) bool { return name == target })
		if heard && len(next.Pending) == 0 {
			next.SentAt = now
		}
		l.alerts[k], l.unsaved[k] = &next, true
	}
	l.mu.Unlock()
	return l.save(ctx, now)
}

// heardSince counts the alerts of the site that were told since then: what a restart knows of the hour before it.
func (l *ledger) heardSince(site string, since time.Time) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, a := range l.alerts {
		if a.Site == site && a.SentAt.After(since) {
			n++
		}
	}
	return n
}
