package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/merlon-sec/merlon"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/dash"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/demo"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/policyfile"
)

type demoFlags struct {
	port int
	data string
}

func newDemo() *cobra.Command {
	var f demoFlags
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Watch an attack work on a bare application and fail behind merlon",
		Long: `demo starts a deliberately vulnerable bank, the same bank behind merlon, an
attacker's site, a partner's site and the dashboard, each on its own port of
127.0.0.1, and says what to open and what to expect. Nothing is reachable from
other machines. Ctrl-C stops everything.`,
		Example: "  merlon demo\n  merlon demo --port 9000 --data demo-data",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.run(cmd.Context(), cmd.OutOrStdout(), newLog(cmd.ErrOrStderr()))
		},
	}
	cmd.Flags().IntVar(&f.port, "port", 8900, "first of six ports in a row; 0 takes free ones")
	cmd.Flags().StringVar(&f.data, "data", "", "keep the database in this directory")
	return cmd
}

// demoSites are the addresses of the demo, in the order of their ports.
type demoSites struct{ bare, protected, attacker, partner, third, dashboard net.Listener }

func (f demoFlags) run(ctx context.Context, out io.Writer, log *slog.Logger) (err error) {
	if f.port < 0 || f.port > 65535-5 {
		return usagef("--port %d: six ports in a row begin between 1 and 65530, or 0 takes free ones", f.port)
	}
	srv := &servers{log: log, limits: limitsOf(&policyfile.File{}), ending: ending{drain: defaultDrain}}
	defer srv.close()
	sites, err := f.listen(srv)
	if err != nil {
		return err
	}
	dir, remove, err := dataDir(f.data)
	if err != nil {
		return err
	}
	defer remove()
	s, err := openStack(ctx, dir, dash.Config{
		Notice: "This is the demo: every attack here is yours.", ReportURL: origin(sites.protected) + policyfile.ReportPath, Logger: log}, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close(context.WithoutCancel(ctx))) }()
	protected, err := demoSite(sites)
	if err != nil {
		return err
	}
	gw, err := s.gateway(&policyfile.File{Sites: []policyfile.Site{protected}}, log)
	if err != nil {
		return err
	}
	defer gw.Close()
	srv.handle(sites.protected, gw, nil)
	srv.handle(sites.dashboard, s.dashboard.Handler(), nil)
	for l, h := range demoHandlers(sites) {
		srv.handle(l, h, nil)
	}
	explainDemo(out, sites, s, f.data)
	return srv.run(ctx)
}

func (f demoFlags) listen(srv *servers) (demoSites, error) {
	var sites demoSites
	for i, part := range []struct {
		name string
		l    *net.Listener
	}{{"bank", &sites.bare}, {"gateway", &sites.protected}, {"attacker", &sites.attacker}, {"partner", &sites.partner}, {"third party", &sites.third}, {"dashboard", &sites.dashboard}} {
		port := f.port
		if port != 0 {
			port += i
		}
		l, err := srv.listen(part.name, "--port", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			return sites, err
		}
		*part.l = l
	}
	return sites, nil
}

func dataDir(chosen string) (dir string, remove func(), err error) {
	if chosen != "" {
		return chosen, func() {}, nil
	}
	dir, err = os.MkdirTemp("", "merlon-demo-")
	return dir, func() { os.RemoveAll(dir) }, err
}

func origin(l net.Listener) string { return "http://" + l.Addr().String() }

// demoSite is the bank behind merlon: strict enforced, and one route that a partner may frame.
func demoSite(sites demoSites) (policyfile.Site, error) {
	config := merlon.Strict()
	config.Reports = policyfile.ReportPath
	config.Routes = []merlon.RouteConfig{{Match: "GET /widget/", Frame: merlon.Frame{origin(sites.partner)}, Reason: "the partner shows the exchange rate"}}
	guard, err := merlon.New(config)
	if err != nil {
		return policyfile.Site{}, err
	}
	upstream, err := url.Parse(origin(sites.bare))
	return policyfile.Site{Name: "bank", Hosts: []string{sites.protected.Addr().String()}, App: policyfile.App{Upstream: upstream, Nonce: policyfile.Nonce{Forward: true}}, Guard: guard}, err
}

func demoHandlers(sites demoSites) map[net.Listener]http.Handler {
	return map[net.Listener]http.Handler{
		sites.bare: demo.NewBank(demo.BankConfig{ThirdPartyOrigin: origin(sites.third)}),
		sites.attacker: demo.NewAttacker(demo.AttackerConfig{Targets: []demo.Target{
			{Name: "the bare bank", URL: origin(sites.bare)}, {Name: "the bank behind merlon", URL: origin(sites.protected)}}}),
		sites.partner: demo.NewPartner(demo.PartnerConfig{Bank: origin(sites.protected)}),
		sites.third:   demo.NewThirdParty(),
	}
}

func explainDemo(out io.Writer, sites demoSites, s *stack, kept string) {
	_, port, _ := net.SplitHostPort(sites.dashboard.Addr().String())
	fmt.Fprintf(out, `merlon demo: one vulnerable bank, bare and behind merlon, and three other sites.
All are on 127.0.0.1, and only there. That is one site to a browser, so that the
bank's cookie is sent inside the attacker's frames: the attack is real.

  Open                      and expect
  %-25s the bank, bare: log in as alice
  %-25s the same bank and log-in, behind merlon
  %-25s the attacker: take the prize on both banks.
                            Bare: the hidden click moves 100 euro.
                            Behind merlon: the balance stays. "Show the
                            trick" shows what lies over the button.
                            Then the search link and the guest book:
                            the script runs only on the bare bank.
  %-25s the partner: its frame of /widget/ works,
                            its frame of the account does not
  %-25s what browsers reported about all that

  Log-in token of the dashboard: %s
`, origin(sites.bare), origin(sites.protected), origin(sites.attacker), origin(sites.partner), "http://localhost:"+port, s.token)
	fmt.Fprintf(out, "  For another log-in read %s\n", s.tokenFile)
	if kept != "" {
		fmt.Fprintf(out, "  The reports stay in %s: merlon reports issues --data %s\n", kept, kept)
	}
	fmt.Fprintln(out, "\nNext: merlon gateway before an application of yours (docs/start.md).\nCtrl-C stops everything.")
}
