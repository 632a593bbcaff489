package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/merlon-sec/merlon"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/dash"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/gateway"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/policyfile"
	"github.com/merlon-sec/merlon/csp"
)

// What the gateway uses where neither the command line nor the policy file says.
const (
	defaultListen = "127.0.0.1:8080"
	defaultAdmin  = "127.0.0.1:7780"
	defaultData   = "merlon-data"
)

type gatewayFlags struct {
	config, upstream, listen, admin, data string

	logFormat, accessLog, drain, drainDelay string
}

func newGateway() *cobra.Command {
	var f gatewayFlags
	cmd := &cobra.Command{
		Use:   "gateway (--config FILE | --upstream URL)",
		Short: "Stand in front of a web application and protect it",
		Long: `gateway is a reverse proxy that puts security headers on every response of an
application in any language, collects what browsers report, and shows it on a
dashboard.

With --upstream alone it enforces the compat preset, which existing sites
survive, and sends the strict preset as a trial: browsers report what strict
would block and block nothing of it. The application is told each response's
nonce, in the request header Merlon-Nonce, and can print it already. A policy
file says more:

  version: 1
  hosts: [shop.example]
  upstream: http://127.0.0.1:8000
  preset: strict
  nonce: forward            # the application prints the request header
                            # Merlon-Nonce into its script and style elements
  routes:
    - match: GET /widget/
      frame: {by: [https://partner.example]}
      reason: contract 114

Flags win over the policy file. At its start the gateway shows the dashboard's
address and a log-in token. docs/gateway.md in the repository has the rest.`,
		Example: `  merlon gateway --upstream http://127.0.0.1:8000 --listen 127.0.0.1:8080
  merlon gateway --config merlon.yaml`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	cmd.Flags().StringVar(&f.config, "config", "", "policy file")
	cmd.Flags().StringVar(&f.upstream, "upstream", "", "the application, such as http://127.0.0.1:8000")
	cmd.Flags().StringVar(&f.listen, "listen", "", "public listener (default "+defaultListen+")")
	cmd.Flags().StringVar(&f.admin, "admin", "", "dashboard, probes and metrics (default "+defaultAdmin+")")
	cmd.Flags().StringVar(&f.data, "data", "", "directory of the database (default "+defaultData+")")
	cmd.Flags().StringVar(&f.logFormat, "log-format", "", "text or json (default text)")
	cmd.Flags().StringVar(&f.accessLog, "access-log", "", "off, on for standard output, or a `file` (default off)")
	cmd.Flags().StringVar(&f.drain, "drain", "", "`time` for requests in flight at the end (default "+defaultDrain.String()+")")
	cmd.Flags().StringVar(&f.drainDelay, "drain-delay", "", "`time` to go on after /readyz says no (default 0s)")
	return cmd
}

func (f gatewayFlags) run(ctx context.Context, stdout, stderr io.Writer) (err error) {
	var before strings.Builder
	contentsInto(&before, f.config)
	file, err := f.file()
	if err != nil {
		return err
	}
	if _, err := ownCertificates(file); err != nil {
		return err
	}
	logs, err := newLogs(file.Log, stdout, stderr)
	if err != nil {
		return err
	}
	defer logs.close()
	log, manager, o := logs.error, newSystemd(os.Getenv), newObserver(logs)
	srv := &servers{log: log, ending: o.ending(file.Shutdown, manager)}
	defer srv.close()
	if srv.passed, err = newSockets(os.Getenv); err != nil {
		return err
	}
	public, err := srv.take(partPublic, "gateway", "--listen", file.Listen)
	if err != nil {
		return err
	}
	var plain net.Listener // for clients that have yet to learn of HTTPS
	if file.TLS.HTTP != "" || srv.passed[partPlain] != nil {
		if plain, err = srv.take(partPlain, "listener for plain HTTP", "tls.http", file.TLS.HTTP); err != nil {
			return err
		}
	}
	admin, err := srv.take(partAdmin, "dashboard", "--admin", file.Admin)
	if err != nil {
		return err
	}
	s, err := openStack(ctx, file.Data, dash.Config{Hosts: adminHosts(file.Admin), ReportURL: address(file, public) + policyfile.ReportPath, Logger: log,
		Ready: o.phase.err, Metrics: o.metrics.Handler()}, o.metrics)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close(context.WithoutCancel(ctx))) }()
	l := &live{log: log, flags: f, certs: newCertificates(file, log), observer: o, manager: manager, build: func(file *policyfile.File) (*gateway.Gateway, error) { return s.gateway(file, log) }}
	if err := l.load(file); err != nil {
		return err
	}
	defer func() { l.gateway.Load().Close() }()
	defer closeCertificates(l.certs)
	var now strings.Builder
	if contentsInto(&now, f.config); now.String() == before.String() { // or else what was read is not what is there
		l.seen = l.state()
	}
	o.handler.Next = l
	o.serve(srv, partPublic, public, o.handler, configOf(l.certs))
	if plain != nil {
		o.serve(srv, partPlain, plain, l.certs.Challenges(o.handler), nil)
	}
	srv.handle(admin, s.dashboard.Handler(), nil)
	srv.of(admin).last = true
	hangup := make(chan os.Signal, 1) // before anybody can know that the gateway is there
	if f.config != "" {
		signal.Notify(hangup, syscall.SIGHUP)
		defer signal.Stop(hangup)
	}
	var greeting strings.Builder
	greet(&greeting, file, s, public, plain, admin)
	logs.announce(stdout, greeting.String())
	manager.notify(stateReady)
	defer manager.watch()()
	watching, stop := context.WithCancel(ctx)
	var watcher sync.WaitGroup
	watcher.Go(func() { l.watch(watching, hangup) })
	defer watcher.Wait()
	defer stop()
	return srv.run(ctx)
}

// file is the policy file with the flags over it and the defaults under it.
func (f gatewayFlags) file() (*policyfile.File, error) {
	var file *policyfile.File
	switch {
	case f.config == "" && f.upstream == "":
		return nil, usagef("which application? Give --upstream URL or --config FILE (see merlon gateway --help)")
	case f.config != "" && f.upstream != "":
		return nil, usagef("--upstream and --config exclude each other: the policy file names the upstream")
	case f.config != "":
		var err error
		if file, err = policyfile.Read(f.config); err != nil {
			return nil, &usageError{err}
		}
	default:
		upstream, err := policyfile.ParseUpstream(f.upstream)
		if err != nil {
			return nil, usagef("--upstream: %w", err)
		}
		config := merlon.Compat()
		config.Reports = policyfile.ReportPath
		guard, err := merlon.New(config)
		if err != nil {
			return nil, err
		}
		file = &policyfile.File{Sites: []policyfile.Site{{Name: "default", App: policyfile.App{Upstream: upstream, Nonce: policyfile.Nonce{Forward: true}}, Guard: guard}}}
	}
	file.Listen = cmp.Or(f.listen, file.Listen, defaultListen)
	file.Admin = cmp.Or(f.admin, file.Admin, defaultAdmin)
	file.Data = cmp.Or(f.data, file.Data, defaultData)
	return file, f.operations(file)
}

// greet says what is protected and how far, in plain words.
func greet(out io.Writer, file *policyfile.File, s *stack, public, plain, admin net.Listener) {
	fmt.Fprintf(out, "merlon gateway listens on %s\n", address(file, public))
	if plain != nil {
		fmt.Fprintf(out, "and for plain HTTP on http://%s\n", plain.Addr())
	}
	printCertificates(out, file)
	printSites(out, file)
	fmt.Fprintf(out, "\nReports: %s\n", s.dir)
	fmt.Fprintf(out, "Dashboard: http://%s\n  "+tokenLine+" %s\n  "+tokenFileLine+" %s\n", dashboardHost(admin.Addr()), s.token, s.tokenFile)
}

// printSites says of each site how far it is protected.
func printSites(out io.Writer, file *policyfile.File) {
	for _, site := range file.Sites {
		hosts := strings.Join(site.Hosts, ", ")
		fmt.Fprintf(out, "\n%s -> %s\n", cmp.Or(hosts, "every host"), site.Upstream)
		c := site.Guard.Config()
		fmt.Fprintf(out, "  clickjacking: %s\n", framingState(c))
		fmt.Fprintf(out, "  XSS: %s\n", scriptState(c))
		if c.HTTPS.Redirect && !file.TLS.On() && len(c.HTTPS.Proxies.CIDR) == 0 {
			fmt.Fprintln(out, "  https: EVERY REQUEST IS REDIRECTED: none can arrive over HTTPS (write tls, or https: {proxies: {cidr: [...]}})")
		}
		if strings.Contains(c.CSP, "'nonce'") && site.Nonce == (policyfile.Nonce{}) {
			fmt.Fprintln(out, "  nonces: NOT FORWARDED: the policy blocks every script that has none (write nonce: forward)")
		}
	}
}

// address is the URL of the public listener.
func address(file *policyfile.File, public net.Listener) string {
	if file.TLS.On() {
		return "https://" + public.Addr().String()
	}
	return "http://" + public.Addr().String()
}

// dashboardHost prefers a name to 127.0.0.1, so that the session's cookie reaches no other port of that address.
func dashboardHost(addr net.Addr) string {
	host, port, err := net.SplitHostPort(addr.String())
	if ip := net.ParseIP(host); err == nil && (ip.IsLoopback() || ip.IsUnspecified()) {
		return net.JoinHostPort("localhost", port)
	}
	return addr.String()
}

func framingState(c merlon.Config) string {
	switch {
	case len(c.Frame) == 1 && c.Frame[0] == "deny":
		return "no site may frame these pages"
	case len(c.Frame) == 1 && c.Frame[0] == "self":
		return "only the site itself may frame these pages"
	case len(c.Frame) == 1 && c.Frame[0] == merlon.Remove:
		return "NOT PROTECTED: every site may frame these pages"
	}
	return "these may frame the pages: " + strings.Join(c.Frame, ", ")
}

func scriptState(c merlon.Config) string {
	if sources, ok := csp.Parse(c.CSP).Governing("script-src"); ok && c.CSP != merlon.Remove {
		if runsInjected(sources) {
			return "NOT PROTECTED: the enforced policy lets injected scripts run"
		}
		return "the policy is enforced"
	}
	if _, ok := csp.Parse(c.Trial).Governing("script-src"); ok && c.Trial != merlon.Remove {
		return "reporting only (browsers report what the trial would block, and block nothing of it)"
	}
	return "NOT PROTECTED: no policy governs scripts"
}

// runsInjected reports whether a script that somebody injects runs: inline, unless browsers ignore 'unsafe-inline', or
// from everywhere.
func runsInjected(sources []string) bool {
	open := false
	for _, w := range sources {
		w = strings.ToLower(w)
		if w == "'strict-dynamic'" || strings.HasPrefix(w, "'nonce") || strings.HasPrefix(w, "'sha") || w == "'hashes'" {
			return false
		}
		open = open || w == "'unsafe-inline'" || w == "*" || w == "data:" || w == "https:" || w == "http:"
	}
	return open
}
