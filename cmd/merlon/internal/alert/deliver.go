package alert

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/notify"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

// post is the way to one target.
type post struct {
	failures int       // in a row
	next     time.Time // not before
	windows  map[string]*window
}

// window is an hour of messages about one site.
type window struct {
	begin time.Time
	sent  int
	held  []store.Notice // what the budget had no room for
}

const (
	firstPause = time.Minute
	longPause  = time.Hour

	// giveUp is how old news can get. Who hears of a target's silence earlier reads the log.
	giveUp = day

	// sending bounds all that one round sends to one target.
	sending = 50 * time.Second
)

// deliver sends what is due, to all targets at the same time: one that is slow keeps no other waiting.
func (a *Alerter) deliver(ctx context.Context, c Config, now time.Time) {
	var wg sync.WaitGroup
	for _, t := range c.Targets {
		p := a.posts[t.Name()]
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, sending)
			defer cancel()
			d := delivery{alerter: a, target: t, post: p, perHour: c.PerHour, now: now}
			d.run(ctx)
		})
	}
	wg.Wait()
}

// delivery is what one target gets in one round.
type delivery struct {
	alerter *Alerter
	target  Target
	post    *post
	perHour int
	now     time.Time
}

func (d *delivery) run(ctx context.Context) {
	if d.now.Before(d.post.next) {
		return
	}
	sites := map[string][]store.Notice{}
	var order []string
	for _, a := range d.alerter.ledger.pending(d.target.Name()) {
		if d.now.Sub(a.Since) > giveUp {
			d.alerter.log.Error("alerts: given up", "target", d.target.Name(), "site", a.Site, "kind", a.Kind, "what", a.What)
			d.note(ctx, []store.Notice{a}, false)
			continue
		}
		if sites[a.Site] == nil {
			order = append(order, a.Site)
		}
		sites[a.Site] = append(sites[a.Site], a)
	}
	for _, site := range order {
		if err := d.site(ctx, site, sites[site]); err != nil {
			d.failed(ctx, err)
			return
		}
	}
}

// site tells of one site, as far as the hour's budget goes.
func (d *delivery) site(ctx context.Context, site string, alerts []store.Notice) error {
	w := d.window(site)
	if d.now.Sub(w.begin) >= time.Hour {
		held := w.held
		*w = window{begin: d.now, held: held}
	}
	if still := both(alerts, w.held); w.sent == 0 && len(still) > 0 {
		if err := d.send(ctx, w, digest(still, d.now), still); err != nil {
			return err
		}
		alerts = slices.DeleteFunc(alerts, func(a store.Notice) bool { return contains(still, a) })
		w.held = nil
	}
	for _, a := range alerts {
		switch {
		case w.sent < d.room(a):
			if err := d.send(ctx, w, single(a, d.now), []store.Notice{a}); err != nil {
				return err
			}
		case !contains(w.held, a):
			w.held = append(w.held, a)
		}
	}
	return nil
}

// room is how many messages of the hour may go before this alert: half of them are kept for what is on and more than one client stands for. That
// something is over may wait, the more so as made-up alerts end too.
func (d *delivery) room(a store.Notice) int {
	if a.State != store.Firing {
		return (d.perHour + 1) / 2
	}
	return d.perHour
}

// window is that of the site. After a start it holds what the store knows.
func (d *delivery) window(site string) *window {
	w := d.post.windows[site]
	if w == nil {
		w = &window{begin: d.now, sent: d.alerter.ledger.heardSince(site, d.now.Add(-time.Hour))}
		d.post.windows[site] = w
	}
	return w
}

func (d *delivery) send(ctx context.Context, w *window, m notify.Message, alerts []store.Notice) error {
	if err := d.target.Send(ctx, m); err != nil {
		return err
	}
	w.sent++
	if d.post.failures > 0 {
		d.alerter.log.Info("alerts: the target takes messages again", "target", d.target.Name())
		d.post.failures = 0
	}
	d.note(ctx, alerts, true)
	return nil
}

// note keeps what was told, also when the end has come meanwhile.
func (d *delivery) note(ctx context.Context, alerts []store.Notice, heard bool) {
	if err := d.alerter.ledger.told(context.WithoutCancel(ctx), d.target.Name(), alerts, d.now, heard); err != nil {
		d.alerter.log.Error("alerts: not stored, so a restart may repeat them", "error", err)
	}
}

// failed lets the target rest, longer each time.
func (d *delivery) failed(ctx context.Context, err error) {
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return // the end has come: the next start sends it
	}
	pause := min(firstPause<<min(d.post.failures, 10), longPause)
	d.post.failures++
	d.post.next = d.now.Add(pause)
	d.alerter.log.Error("alerts: not sent", "target", d.target.Name(), "error", err, "again in", pause.String())
}

func contains(list []store.Notice, a store.Notice) bool {
	return slices.ContainsFunc(list, func(b store.Notice) bool { return same(a, b) })
}

func same(a, b store.Notice) bool {
	return keyOf(&a) == keyOf(&b) && a.State == b.State && a.Since.Equal(b.Since)
}

// both are the alerts of the first list that are in the second.
func both(list, other []store.Notice) []store.Notice {
	var out []store.Notice
	for _, a := range list {
		if contains(other, a) {
			out = append(out, a)
		}
	}
	return out
}
