package cli

import (
	"cmp"
	"os"

	"github.com/spf13/cobra"

	"github.com/merlon-sec/merlon"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/policyfile"
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
address and a log-in token. In the repository docs/start.md leads to an enforced
policy, and docs/gateway.md has the rest.`,
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

// file is the policy file with the flags over it and the defaults under it.
func (f gatewayFlags) file() (*policyfile.File, error) {
	var file *policyfile.File
	switch {
	case f.config == "" && f.upstream == "":
		return nil, usagef("which application? Give --upstream URL or --config FILE (see merlon gateway --help)")
	case f.config != "" && f.upstream != "":
		return nil, usagef("--upstream and --config exclude each other: the policy file names the upstream")
	case f.config != "":
		info, err := os.Stat(f.config)
		if err == nil && !info.Mode().IsRegular() {
			return nil, usagef("--config %s: no regular file (the gateway reads it again and again, so write the policy into a file)", f.config)
		}
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
