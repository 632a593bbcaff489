package cli

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"github.com/merlon-sec/merlon"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/collect"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/gateway"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/hostport"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/policyfile"
)

// defaultCollect is where a collector alone listens: beside its dashboard, and not where applications are.
const defaultCollect = "127.0.0.1:7781"

type collectFlags struct {
	programFlags
	hosts []string
}

func newCollect() *cobra.Command {
	var f collectFlags
	cmd := &cobra.Command{
		Use:   "collect (--config FILE | --host HOST[,HOST])",
		Short: "Collect reports beside a server that sends the headers",
		Long: `collect takes the reports that browsers send to /.merlon/r, stores them and
shows them on the dashboard. It is for applications that another server stands
in front of: that server passes this one path on, and sends the headers itself.
It forwards nothing, and answers every other path with 404.

With --host it takes reports about the pages of these hosts, and counts those
about others as foreign. A policy file can say of several sites what belongs to
which; it is the gateway's, but upstream may be left out, and what it says of
headers is not sent. With several sites the Host of a request chooses the site.

An answer of 204 means that the report is on the disk, or is not wanted and was
counted by reason. In the repository docs/collect.md has what nginx, Caddy and
CDNs need to pass the path on.`,
		Example: `  merlon collect --host shop.example
  merlon collect --config merlon.yaml --listen 127.0.0.1:7781`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p := program{name: "collector", config: f.config, read: f.file, greet: greetCollect, build: newCollectors}
			return p.run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f.add(cmd.Flags(), defaultCollect)
	cmd.Flags().StringSliceVar(&f.hosts, "host", nil, "the `hosts` whose pages report, such as shop.example")
	return cmd
}

// file is the policy file, or a site of the hosts, with the flags over it and the defaults under it.
func (f *collectFlags) file() (*policyfile.File, error) {
	switch {
	case f.config == "" && len(f.hosts) == 0:
		return nil, usagef("whose reports? Give --host HOST or --config FILE (see merlon collect --help)")
	case f.config != "" && len(f.hosts) > 0:
		return nil, usagef("--host and --config exclude each other: the policy file names the hosts")
	case f.config != "":
		file, err := f.read("collector", policyfile.ReadForCollector)
		if err != nil {
			return nil, err
		}
		return f.over(file, defaultCollect)
	}
	var hosts []string
	known := hostport.Map[bool]{}
	for _, host := range f.hosts {
		if err := known.Add(host, true); err != nil {
			return nil, usagef("--host: %w (write shop.example, shop.example:8443 or *.shop.example, each once and without a scheme)", err)
		}
		hosts = append(hosts, strings.ToLower(host))
	}
	return f.over(&policyfile.File{Sites: []policyfile.Site{{Name: hosts[0], Hosts: hosts, Guard: new(merlon.Guard)}}}, defaultCollect)
}

// collectors answer the report path for each site. It is all that a collector alone has.
type collectors struct {
	sites hostport.Map[http.Handler]
	rest  http.Handler // where no site has the host
}

// newCollectors makes what answers in a collector alone. A site that is alone gets every report, whatever the request's host: a proxy may
// have put another there, and the reports name the documents.
func newCollectors(s *stack, file *policyfile.File, _ *slog.Logger) (answerer, error) {
	c := &collectors{sites: hostport.Map[http.Handler]{}}
	s.collector.SetLimits(reportLimits(file.ReportLimits))
	s.keep(file)
	for _, site := range file.Sites {
		h := gateway.Observed(site.Name, site.Guard, s.collected(reportedSite(site)))
		if len(file.Sites) == 1 {
			c.rest = h
			break
		}
		for _, host := range site.Hosts {
			if err := c.sites.Add(host, h); err != nil {
				return nil, err
			}
		}
	}
	if c.rest == nil {
		c.rest = s.collected(nobody())
	}
	guard, err := merlon.New(ownHeaders())
	if err != nil {
		return nil, err
	}
	return closer{guard.Handler(c)}, nil
}

// collected takes the reports and the counts of documents of one site.
func (s *stack) collected(site collect.Site) http.Handler {
	mux := http.NewServeMux()
	mux.Handle(policyfile.ReportPath, s.collector.Handler(site))
	mux.Handle(policyfile.DocumentsPath, s.collector.Documents(site))
	return mux
}

// nobody is a site without documents, for what comes under a host of no site: nobody's page is on a host drawn by lot in a domain that is
// never given out (RFC 2606 §2). So its reports are foreign, and answered 204, or Chromium would send them again.
func nobody() collect.Site {
	return collect.Site{Name: "none", Hosts: []string{strings.ToLower(rand.Text()) + ".invalid"}}
}

// ownHeaders are those of a collector: what is best for answers without pages. It does not decide about HTTPS on a host that is
// another server's.
func ownHeaders() merlon.Config {
	c := merlon.API()
	c.HTTPS.HSTS = merlon.Remove
	return c
}

func (c *collectors) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != policyfile.ReportPath && r.URL.Path != policyfile.DocumentsPath {
		http.Error(w, "Browsers' reports are collected at "+policyfile.ReportPath+", counts of documents at "+policyfile.DocumentsPath+". Nothing else is here.", http.StatusNotFound)
		return
	}
	h := c.rest
	if len(c.sites) > 0 {
		name, port, _ := hostport.Split(r.Host)
		if site, ok := c.sites.Get(name, port); ok {
			h = site
		}
	}
	h.ServeHTTP(w, r)
}

// closer is a handler with nothing to close.
type closer struct{ http.Handler }

func (closer) Close() {}

func greetCollect(out io.Writer, file *policyfile.File, s *stack, p ports) {
	fmt.Fprintf(out, "merlon collect listens on %s\n", address(file, p.public))
	if p.plain != nil {
		fmt.Fprintf(out, "and for plain HTTP on http://%s\n", p.plain.Addr())
	}
	printCertificates(out, file)
	fmt.Fprintf(out, "\nIt takes reports at %s, about the pages of\n", policyfile.ReportPath)
	for _, site := range file.Sites {
		fmt.Fprintf(out, "  %s\n", cmp.Or(strings.Join(site.Hosts, ", "), "the host that they are sent to"))
	}
	greetReader(out, s, p)
}
