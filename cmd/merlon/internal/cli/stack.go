package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"sync/atomic"

	"github.com/merlon-sec/merlon"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/collect"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/control"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/dash"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/gateway"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/keys"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/metrics"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/policyfile"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/upkeep"
)

const databaseName = "merlon.db"

// stack is what stands behind a gateway: the data directory with its database, the collector and the dashboard.
type stack struct {
	dir       string
	lock      *store.Lock
	store     *store.Store
	keys      *keys.Keys
	collector *collect.Collector
	tallies   *collect.Tallies
	control   *control.Server // nil where there are no sockets for it
	upkeep    *upkeep.Upkeep
	labels    atomic.Pointer[labels] // by the file in force
	dashboard *dash.Dashboard
	metrics   *metrics.Metrics // nil: nobody counts
	token     string           // for the first log-in
	tokenFile string           // holds the token for the next one
}

// openStack opens the data directory and everything that works in it. view says what the dashboard is to its readers; m counts, or
// is nil.
func openStack(ctx context.Context, dir string, view dash.Config, m *metrics.Metrics) (*stack, error) {
	s := &stack{dir: dir, metrics: m}
	if err := s.open(ctx, view); err != nil {
		return nil, errors.Join(err, s.close(ctx))
	}
	return s, nil
}

func (s *stack) open(ctx context.Context, view dash.Config) (err error) {
	if s.lock, err = store.LockDir(s.dir); err != nil {
		return err
	}
	if s.store, err = store.Open(ctx, filepath.Join(s.dir, databaseName)); err != nil {
		return err
	}
	if s.keys, err = keys.Open(s.dir, nil, view.Logger); err != nil {
		return err
	}
	counted := collect.Config{Store: s.store, Logger: view.Logger, Secret: keys.Daily(s.keys, "sent batches", func(p keys.Pair) collect.Secret {
		return collect.Secret{Current: p.Current, Previous: p.Previous}
	})}
	if s.metrics != nil {
		counted.Stored, counted.Dropped = s.metrics.Reports, s.metrics.Dropped
		s.metrics.Database(filepath.Join(s.dir, databaseName))
	}
	if s.collector, err = collect.New(counted); err != nil {
		return err
	}
	s.tallies = collect.NewTallies(s.collector)
	s.upkeep = upkeep.New(upkeep.Config{Store: s.store, Logger: view.Logger})
	rules := newLabels(nil)
	s.labels.Store(&rules)
	tokens, token, err := dash.NewTokens(s.dir)
	if err != nil {
		return fmt.Errorf("writing the log-in token: %w", err)
	}
	s.token, s.tokenFile = token, tokens.Path()
	view.Store, view.Tokens, view.CookieName = s.store, tokens, gateway.DashboardCookie
	view.Reason = func(i store.Issue) string { return s.labels.Load().reason(i) }
	if s.dashboard, err = dash.New(view); err != nil {
		return err
	}
	if s.control, err = control.Serve(s.dir, s.store, view.Logger); errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	return err
}

// adminHosts are the names under which the dashboard answers: this machine's, and the one that the operator chose.
func adminHosts(addr string) []string {
	hosts := []string{"localhost", "127.0.0.1", "[::1]"}
	if host, _, err := net.SplitHostPort(addr); err == nil && host != "" && !net.ParseIP(host).IsUnspecified() {
		hosts = append(hosts, host)
	}
	return hosts
}

// close commits what is queued and lets go of the data directory. It closes what was opened, however far that came.
func (s *stack) close(ctx context.Context) error {
	var errs []error
	if s.control != nil {
		errs = append(errs, s.control.Close())
	}
	if s.upkeep != nil {
		s.upkeep.Close()
	}
	if s.tallies != nil {
		errs = append(errs, s.tallies.Close(ctx))
	}
	if s.collector != nil {
		errs = append(errs, s.collector.Close(ctx))
	}
	if s.store != nil {
		errs = append(errs, s.store.Close())
	}
	if s.lock != nil {
		errs = append(errs, s.lock.Release())
	}
	return errors.Join(errs...)
}

// gateway makes the gateway for the sites of the file, with their reports collected.
func (s *stack) gateway(file *policyfile.File, log *slog.Logger) (*gateway.Gateway, error) {
	c := gateway.Config{Timeouts: gateway.Timeouts(file.Timeouts), NetHTTP: file.NetHTTP, Logger: log}
	for _, site := range file.Sites {
		out, err := gatewaySite(site)
		if err != nil {
			return nil, err
		}
		if err := s.attach(&out, site); err != nil {
			return nil, err
		}
		c.Sites = append(c.Sites, out)
	}
	s.collector.SetLimits(reportLimits(file.ReportLimits))
	s.keep(file)
	return gateway.New(c)
}

// clientOf finds out whose a request is: the proxies are the Guard's.
func clientOf(guard *merlon.Guard) func(*http.Request) netip.Addr {
	return collect.Behind(guard.TrustsPeer, max(guard.Config().HTTPS.Proxies.Hops, 1))
}

// reportLimits lets a network have at once what it gets in a few minutes or hours.
func reportLimits(l policyfile.ReportLimits) collect.Limits {
	rate := func(r policyfile.Rate, burst int) collect.Rate { return collect.Rate{N: r.N, Per: r.Per, Burst: burst} }
	return collect.Limits{Reports: rate(l.Reports, 5*l.Reports.N), NewIssues: rate(l.NewIssues, 5*l.NewIssues.N/2)}
}

// gatewaySite is the gateway's form of a site, without a collector for its reports.
func gatewaySite(s policyfile.Site) (gateway.Site, error) {
	app, err := gatewayApp(s.Name, s.App)
	out := gateway.Site{Name: s.Name, Hosts: s.Hosts, App: app, Routes: map[string]gateway.App{}, Guard: s.Guard, ReportPath: policyfile.ReportPath}
	for _, r := range s.Routes {
		if err == nil {
			out.Routes[r.Match], err = gatewayApp(s.Name, r.App)
		}
	}
	return out, err
}

func gatewayApp(site string, a policyfile.App) (gateway.App, error) {
	nonce, err := gatewayNonce(site, a.Nonce)
	return gateway.App{Upstream: a.Upstream, Roots: a.Roots, Nonce: nonce, MaxBody: a.MaxBody, MayLoosen: a.MayLoosen}, err
}
