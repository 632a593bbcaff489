// Package dash is the dashboard: HTML pages on the admin listener that show, to somebody who has logged in, what browsers
// reported. It works without JavaScript and sends none. Whatever a report says is text: it is escaped, its invisible
// characters are spelled out, and no link leads to it.
package dash

import (
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

// DefaultCookieName names the session cookie. Cookies are shared by all ports of a host, so the name is merlon's own.
const DefaultCookieName = "merlon-dashboard"

// Config says what the dashboard shows and to whom. Store and Tokens are required.
type Config struct {
	Store  *store.Store
	Tokens *Tokens

	Hosts      []string         // names under which the dashboard answers, on any port; nil: localhost, 127.0.0.1 and [::1]
	Logger     *slog.Logger     // nil: no log
	Now        func() time.Time // nil: time.Now
	CookieName string           // "": DefaultCookieName
	Notice     string           // a sentence above every page, e.g. that this is the demo; "": none
	Ready      func() error     // why no more requests should come to the sites, in words for /readyz; nil: they should
	Metrics    http.Handler     // answers /metrics; nil: there are none
	ReportURL  string           // where browsers send reports, for the help on the empty page; "": an example address

	// Reason says in words why an issue has its label, by the rules that are in force; "" where it has no words. nil: it never has.
	Reason func(store.Issue) string
}

// Dashboard serves the pages. It is safe for concurrent use.
type Dashboard struct {
	store     *store.Store
	tokens    *Tokens
	sessions  *sessions
	failures  *limiter
	hosts     hostSet
	log       *slog.Logger
	now       func() time.Time
	cookie    string
	notice    string
	reportURL string
	ready     func() error
	metrics   http.Handler
	reason    func(store.Issue) string
	templates map[string]*template.Template
	static    map[string]asset
	rules     rulebook
	handler   http.Handler
}

// New checks the configuration and makes the dashboard. All mistakes are reported at once.
func New(cfg Config) (*Dashboard, error) {
	cfg = cfg.withDefaults()
	hosts, err := newHostSet(cfg.Hosts)
	if err := errors.Join(cfg.check(), err); err != nil {
		return nil, err
	}
	d := &Dashboard{
		store: cfg.Store, tokens: cfg.Tokens, hosts: hosts, log: cfg.Logger, now: cfg.Now,
		sessions: newSessions(cfg.Now), failures: newLimiter(cfg.Now),
		cookie: cfg.CookieName, notice: cfg.Notice, reportURL: cfg.ReportURL, ready: cfg.Ready, metrics: cfg.Metrics, reason: cfg.Reason, rules: newRulebook(),
	}
	if d.static, err = loadStatic(); err != nil {
		return nil, fmt.Errorf("dashboard assets: %w", err)
	}
	if d.templates, err = d.parseTemplates(); err != nil {
		return nil, fmt.Errorf("dashboard templates: %w", err)
	}
	if d.handler, err = d.protect(d.routes()); err != nil {
		return nil, fmt.Errorf("dashboard headers: %w", err)
	}
	return d, nil
}

// Handler returns the dashboard, with its security headers and its checks of Host and origin around it.
func (d *Dashboard) Handler() http.Handler { return d.handler }

func (c Config) withDefaults() Config {
	if len(c.Hosts) == 0 {
		c.Hosts = []string{"localhost", "127.0.0.1", "[::1]"}
	}
	c.Hosts = slices.Clone(c.Hosts)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Ready == nil {
		c.Ready = func() error { return nil }
	}
	if c.Reason == nil {
		c.Reason = func(store.Issue) string { return "" }
	}
	if c.CookieName == "" {
		c.CookieName = DefaultCookieName
	}
	if c.ReportURL == "" {
		c.ReportURL = "https://www.example.com/.merlon/r"
	}
	return c
}

func (c Config) check() error {
	var errs []error
	if c.Store == nil {
		errs = append(errs, errors.New("dashboard: Store is missing"))
	}
	if c.Tokens == nil {
		errs = append(errs, errors.New("dashboard: Tokens is missing"))
	}
	if err := (&http.Cookie{Name: c.CookieName, Value: "x"}).Valid(); err != nil {
		errs = append(errs, fmt.Errorf("dashboard: CookieName %q: %w", c.CookieName, err))
	}
	return errors.Join(errs...)
}

func (d *Dashboard) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+healthPath, d.health)
	mux.HandleFunc("GET "+readyPath, d.readiness)
	if d.metrics != nil {
		mux.Handle("GET "+metricsPath, d.metrics)
	}
	mux.HandleFunc("GET /static/{name}", d.asset)
	mux.Handle("GET /login", d.page(d.loginForm))
	mux.Handle("POST /login", d.page(d.login))
	mux.Handle("POST /logout", d.page(d.logout))
	mux.Handle("GET /{$}", d.private(d.overview))
	mux.Handle("GET /issues", d.private(d.listIssues))
	mux.Handle("GET /issues/{id}", d.private(d.showIssue))
	mux.Handle("POST /issues/{id}/state", d.private(d.setState))
	mux.Handle("GET /drops", d.private(d.listDrops))
	return mux
}
