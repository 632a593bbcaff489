package cli

import (
	"cmp"
	"log/slog"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/merlon-sec/merlon"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/policyfile"
)

// What the gateway uses where neither the command line nor the policy file says.
const (
	defaultListen = "127.0.0.1:8080"
	defaultAdmin  = "127.0.0.1:7780"
	defaultData   = "merlon-data"
)

// programFlags are those of every program; they win over the policy file.
type programFlags struct {
	config, listen, admin, data             string
	logFormat, accessLog, drain, drainDelay string
}

func (f *programFlags) add(flags *pflag.FlagSet, listen string) {
	flags.StringVar(&f.config, "config", "", "policy file")
	flags.StringVar(&f.listen, "listen", "", "public listener (default "+listen+")")
	flags.StringVar(&f.admin, "admin", "", "dashboard, probes and metrics (default "+defaultAdmin+")")
	flags.StringVar(&f.data, "data", "", "directory of the database (default "+defaultData+")")
	flags.StringVar(&f.logFormat, "log-format", "", "text or json (default text)")
	flags.StringVar(&f.accessLog, "access-log", "", "off, on for standard output, or a `file` (default off)")
	flags.StringVar(&f.drain, "drain", "", "`time` for requests in flight at the end (default "+defaultDrain.String()+")")
	flags.StringVar(&f.drainDelay, "drain-delay", "", "`time` to go on after /readyz says no (default 0s)")
}

// read reads the policy file for the named program.
func (f *programFlags) read(program string, read func(string) (*policyfile.File, error)) (*policyfile.File, error) {
	info, err := os.Stat(f.config)
	if err == nil && !info.Mode().IsRegular() {
		return nil, usagef("--config %s: no regular file (the %s reads it again and again, so write the policy into a file)", f.config, program)
	}
	file, err := read(f.config)
	if err != nil {
		return nil, &usageError{err}
	}
	return file, nil
}

// over puts the flags over the file and the defaults under it.
func (f *programFlags) over(file *policyfile.File, listen string) (*policyfile.File, error) {
	file.Listen = cmp.Or(f.listen, file.Listen, listen)
	file.Admin = cmp.Or(f.admin, file.Admin, defaultAdmin)
	file.Data = cmp.Or(f.data, file.Data, defaultData)
	return file, f.operations(file)
}

type gatewayFlags struct {
	programFlags
	upstream string
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
address and a log-in token. In the repository docs/start.md leads to an enforced
policy, and docs/gateway.md has the rest.`,
		Example: `  merlon gateway --upstream http://127.0.0.1:8000 --listen 127.0.0.1:8080
  merlon gateway --config merlon.yaml`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.program().run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f.add(cmd.Flags(), defaultListen)
	cmd.Flags().StringVar(&f.upstream, "upstream", "", "the application, such as http://127.0.0.1:8000")
	return cmd
}

func (f *gatewayFlags) program() program {
	return program{name: "gateway", forwards: true, config: f.config, read: f.file, greet: greet,
		build: func(s *stack, file *policyfile.File, log *slog.Logger) (answerer, error) { return s.gateway(file, log) }}
}

// file is the policy file with the flags over it and the defaults under it.
func (f *gatewayFlags) file() (*policyfile.File, error) {
	switch {
	case f.config == "" && f.upstream == "":
		return nil, usagef("which application? Give --upstream URL or --config FILE (see merlon gateway --help)")
	case f.config != "" && f.upstream != "":
		return nil, usagef("--upstream and --config exclude each other: the policy file names the upstream")
	case f.config != "":
		file, err := f.read("gateway", policyfile.Read)
		if err != nil {
			return nil, err
		}
		return f.over(file, defaultListen)
	}
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
	return f.over(&policyfile.File{Sites: []policyfile.Site{{Name: "default", App: policyfile.App{Upstream: upstream, Nonce: policyfile.Nonce{Forward: true}}, Guard: guard}}}, defaultListen)
}
