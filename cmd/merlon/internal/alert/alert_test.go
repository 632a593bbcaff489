package alert_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/alert"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/notify"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
	"github.com/merlon-sec/merlon/report"
)

// noon is in the middle of an hour, on a Wednesday.
var noon = time.Date(2026, 3, 4, 12, 30, 0, 0, time.UTC)

// target keeps what it was sent.
type target struct {
	name string

	mu   sync.Mutex
	got  []notify.Message
	fail bool
}

func (g *target) Name() string { return g.name }

func (g *target) Send(_ context.Context, m notify.Message) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.fail {
		return errors.New("out of order")
	}
	g.got = append(g.got, m)
	return nil
}

func (g *target) setFail(fail bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.fail = fail
}

// take returns the headlines since the last call.
func (g *target) take() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	var out []string
	for _, m := range g.got {
		out = append(out, m.Headline)
	}
	g.got = nil
	return out
}

// fixture is an Alerter on a database of its own, with a clock that the test moves.
type fixture struct {
	t       *testing.T
	path    string
	store   *store.Store
	alerter *alert.Alerter
	target  *target
	config  alert.Config
	now     time.Time
	health  alert.Health
}

func start(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{t: t, path: filepath.Join(t.TempDir(), "reports.db"), target: &target{name: "webhook"}, now: noon}
	f.config = alert.Config{Sites: []string{"shop"}, Targets: []alert.Target{f.target}}
	f.open()
	t.Cleanup(func() { f.store.Close() })
	return f
}

// open opens the database, after an earlier process has ended.
func (f *fixture) open() {
	f.t.Helper()
	if f.store != nil {
		f.store.Close()
	}
	var err error
	if f.store, err = store.Open(f.t.Context(), f.path); err != nil {
		f.t.Fatal(err)
	}
	f.alerter = alert.New(alert.Options{Store: f.store, Now: func() time.Time { return f.now }, Health: func() alert.Health { return f.health }})
	f.alerter.Use(f.config)
}

// round moves the clock, looks, and returns what was told.
func (f *fixture) round(later time.Duration) []string {
	f.t.Helper()
	f.now = f.now.Add(later)
	if err := f.alerter.Round(f.t.Context()); err != nil {
		f.t.Error(err)
	}
	return f.target.take()
}

// want fails unless the headlines are, in order, those that hold the texts.
func (f *fixture) want(when string, got []string, texts ...string) {
	f.t.Helper()
	ok := len(got) == len(texts)
	for i := range min(len(got), len(texts)) {
		ok = ok && strings.Contains(got[i], texts[i])
	}
	if !ok {
		f.t.Errorf("%s: told %q, want %q", when, got, texts)
	}
}

// hit is a report of a script of an origin, of one client.
func hit(origin string, at time.Time) store.Hit {
	h := store.Hit{Site: "shop", Type: report.TypeViolation, Directive: "script-src-elem", Class: "origin", Blocked: origin, Disposition: report.ReportOnly,
		At: at, Route: "/", Network: 1}
	h.Fingerprint.Sum = sum(origin)
	return h
}

func sum(text string) [16]byte {
	sum := sha256.Sum256([]byte(text))
	return [16]byte(sum[:16])
}

// add stores reports, each n times.
func (f *fixture) add(n int, hits ...store.Hit) {
	f.t.Helper()
	var b store.Batch
	for _, h := range hits {
		for range n {
			b.Add(h)
		}
	}
	if err := f.store.Commit(f.t.Context(), &b); err != nil {
		f.t.Fatal(err)
	}
}

// from is the report from another client.
func from(h store.Hit, network uint64) store.Hit {
	h.Network = network
	return h
}

func TestOneMessagePerChange(t *testing.T) {
	f := start(t)
	f.want("nothing there", f.round(0))
	f.add(1, hit("https://evil.example", f.now))
	f.want("one client", f.round(time.Minute), "[merlon] shop: scripts from a new origin: hxxps://evil[.]example by script-src-elem (unconfirmed)")
	f.add(5, hit("https://evil.example", f.now))
	f.want("the same again", f.round(time.Minute))
	f.add(1, from(hit("https://evil.example", f.now), 2))
	if got := f.round(time.Minute); len(got) != 1 || strings.Contains(got[0], "unconfirmed") {
		t.Errorf("a second client: told %q, want one message without unconfirmed", got)
	}
	f.want("the same again", f.round(time.Minute))
	f.open()
	f.want("after a restart", f.round(time.Minute))
	f.want("a week later it is no news", f.round(7*24*time.Hour))
	f.want("what is gone for a moment is still on", f.round(9*time.Minute))
	f.want("over", f.round(2*time.Minute), "[merlon] over: shop: scripts from a new origin")
	f.want("and that was it", f.round(time.Minute))
	f.open()
	f.want("also after a restart", f.round(time.Minute))
}

// A target that fails hears of it later, the other one at once, and a restart forgets nothing.
func TestFailuresAreTriedAgain(t *testing.T) {
	f := start(t)
	mail := &target{name: "email", fail: true}
	f.config.Targets = append(f.config.Targets, mail)
	f.alerter.Use(f.config)
	f.add(1, hit("https://evil.example", f.now))
	f.want("the one that works", f.round(0), "evil")
	f.want("not again", f.round(time.Minute))
	notices, err := f.store.Notices(t.Context())
	if err != nil || len(notices) != 1 || !notices[0].SentAt.IsZero() || !slices.Equal(notices[0].Pending, []string{"email"}) {
		t.Errorf("stored: %+v, %v, want one that waits for email", notices, err)
	}
	mail.setFail(false)
	f.round(30 * time.Second)
	f.want("it rests", mail.take())
	f.open()
	f.want("the one that has heard", f.round(0))
	f.want("the other, after a restart", mail.take(), "evil")
	if notices, err = f.store.Notices(t.Context()); err != nil || notices[0].SentAt.IsZero() || len(notices[0].Pending) != 0 {
		t.Errorf("stored: %+v, %v, want one that everybody has heard", notices, err)
	}
}

func TestPausesGrow(t *testing.T) {
	f := start(t)
	f.target.setFail(true)
	f.add(1, hit("https://evil.example", f.now))
	tries := 0
	counting := &counter{target: f.target, tries: &tries}
	f.config.Targets = []alert.Target{counting}
	f.alerter.Use(f.config)
	for range 24 * 12 {
		f.round(5 * time.Minute)
	}
	if tries < 20 || tries > 40 { // some while the pauses double, then one each hour
		t.Errorf("%d attempts in a day", tries)
	}
	f.target.setFail(false)
	f.want("a day later it is no news", f.round(2*time.Hour))
}

type counter struct {
	*target
	tries *int
}

func (c *counter) Send(ctx context.Context, m notify.Message) error {
	*c.tries++
	return c.target.Send(ctx, m)
}

func TestBudget(t *testing.T) {
	f := start(t)
	f.config.PerHour = 6 // and half of it for what one client says
	f.config.Sites = []string{"shop", "blog"}
	f.alerter.Use(f.config)
	for n := range 10 {
		f.add(1, hit(fmt.Sprintf("https://e%d.example", n), f.now))
	}
	other := hit("https://other.example", f.now)
	other.Site = "blog"
	f.add(1, other)
	got := f.round(0)
	if len(got) != 4 || !slices.ContainsFunc(got, func(s string) bool { return strings.Contains(s, "blog: ") }) {
		t.Errorf("told %q, want three of shop, half of the budget, and one of blog", got)
	}
	f.want("the budget is spent", f.round(30*time.Minute))
	f.want("an hour later", f.round(30*time.Minute), "shop: 7 more alerts")
	f.want("told is told", f.round(time.Minute))
	f.want("and an hour later", f.round(time.Hour))
	f.add(1, hit("https://late.example", f.now))
	f.want("there is a budget again", f.round(0), "late")
	f.open()
	for n := range 4 {
		f.add(1, hit(fmt.Sprintf("https://l%d.example", n), f.now))
	}
	if got := f.round(time.Minute); len(got) != 2 {
		t.Errorf("after a restart within the hour: told %q, want the two that are left of three", got)
	}
}

// A flood of made-up origins does not keep a confirmed one from being told, and rows are bounded.
func TestFlood(t *testing.T) {
	f := start(t)
	var hits []store.Hit
	for n := range 1000 {
		hits = append(hits, hit(fmt.Sprintf("https://e%d.example", n), f.now))
	}
	f.add(1, hits...)
	f.round(0)
	real := hit("https://real.example", f.now)
	f.add(1, real, from(real, 2))
	f.want("in the midst of it", f.round(time.Minute), "real")
	notices, err := f.store.Notices(t.Context())
	if err != nil || len(notices) != 202 || !slices.ContainsFunc(notices, func(n store.Notice) bool { return strings.Contains(n.What, "real") && !n.SentAt.IsZero() }) {
		t.Errorf("%d rows, %v, want 200, one for those beyond, and the confirmed one, told", len(notices), err)
	}
}

// What is over may wait: the end of made-up alerts does not take the budget from what begins.
func TestBudgetOfWhatIsOver(t *testing.T) {
	f := start(t)
	f.config.PerHour = 6
	f.alerter.Use(f.config)
	for n := range 10 {
		f.add(1, hit(fmt.Sprintf("https://e%d.example", n), f.now))
	}
	f.round(0)
	f.round(time.Hour) // the rest of them together
	f.round(7 * 24 * time.Hour)
	if got := f.round(11 * time.Minute); len(got) != 3 {
		t.Errorf("ten are over: told %q, want three, half of the budget", got)
	}
	real := hit("https://real.example", f.now)
	f.add(1, real, from(real, 2))
	f.want("what begins", f.round(time.Minute), "real")
}

func TestReload(t *testing.T) {
	f := start(t)
	f.target.setFail(true)
	f.add(1, hit("https://evil.example", f.now))
	f.round(0)
	next := &target{name: "webhook"}
	f.config.Targets = []alert.Target{next}
	f.alerter.Use(f.config)
	f.round(time.Second)
	f.want("a new address is tried at once", next.take(), "evil")
	f.config.Sites = []string{"blog"}
	f.alerter.Use(f.config)
	f.round(time.Hour)
	f.want("a site that is gone ends without a word", next.take())
	notices, err := f.store.Notices(t.Context())
	if err != nil || len(notices) != 1 || notices[0].State != store.Resolved {
		t.Errorf("stored: %+v, %v, want one that is over", notices, err)
	}
	f.config.Targets = nil
	f.alerter.Use(f.config)
	f.want("nobody", f.round(time.Minute))
}

// When nothing can be read or stored, that itself is told.
func TestDatabaseIsGone(t *testing.T) {
	f := start(t)
	f.add(1, hit("https://evil.example", f.now))
	f.want("before", f.round(0), "evil")
	f.store.Close()
	f.health = alert.Health{Failing: true}
	f.now = f.now.Add(time.Minute)
	if err := f.alerter.Round(t.Context()); err == nil {
		t.Error("no error")
	}
	f.want("told without a database", f.target.take(), "this gateway: reports are not being stored")
	f.alerter.Round(t.Context())
	f.want("once", f.target.take())
}

func TestRunEnds(t *testing.T) {
	f := start(t)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		f.alerter.Run(ctx)
		close(ended)
	}()
	cancel()
	<-ended
	f.want("an end is no failure of the database", f.target.take())
}
