package cli

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/merlon-sec/merlon"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/gateway"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/policyfile"
)

type responseFlags struct {
	config, preset, format, peer string
	request, response            []string
	status                       int
	live                         bool
}

func newExplain() *cobra.Command {
	var f responseFlags
	cmd := &cobra.Command{
		Use:   "explain [METHOD] URL (--config FILE | --preset NAME)",
		Short: "Show how a response gets its headers, step by step",
		Long: `explain runs a request through a policy and shows each step from the request to
the response: what changed, which setting or route caused it, and what a browser
will do with it.

The application's response is an empty page, with the headers that --response
gives it. With --live it is fetched from the site's upstream.`,
		Example: `  merlon explain https://shop.example/widget/1 --config merlon.yaml
  merlon explain POST http://shop.example/ --config merlon.yaml
  merlon explain https://shop.example/ --preset strict \
    --response 'X-Frame-Options: SAMEORIGIN'
  merlon explain https://shop.example/ --config merlon.yaml --live`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			method := http.MethodGet
			if len(args) == 2 {
				method = args[0]
			}
			return f.run(cmd, method, args[len(args)-1])
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.config, "config", "", "policy file")
	flags.StringVar(&f.preset, "preset", "", "strict, compat or api, in place of a file")
	flags.BoolVar(&f.live, "live", false, "ask the site's upstream for the response")
	flags.StringArrayVar(&f.request, "request", nil, "a header of the request, such as 'X-Forwarded-Proto: https'")
	flags.StringArrayVar(&f.response, "response", nil, "a header that the application sets")
	flags.IntVar(&f.status, "status", http.StatusOK, "status of the application's response")
	flags.StringVar(&f.peer, "peer", "192.0.2.1:1234", "address that the request comes from; @ for a Unix socket")
	formatFlag(cmd, &f.format)
	return cmd
}

func (f responseFlags) run(cmd *cobra.Command, method, target string) error {
	if err := checkFormat(f.format); err != nil {
		return err
	}
	r, err := f.newRequest(method, target)
	if err != nil {
		return err
	}
	app, err := f.application()
	if err != nil {
		return err
	}
	g, err := f.gateway(app)
	if err != nil {
		return err
	}
	defer g.Close()
	e := g.Explain(r.WithContext(cmd.Context()))
	if app.failed != nil {
		return fmt.Errorf("asking %s: %w", app.to, app.failed)
	}
	if f.format == "json" {
		return writeJSON(cmd.OutOrStdout(), responseJSON(method, target, e))
	}
	printResponse(cmd.OutOrStdout(), method, target, e)
	return nil
}

func (f responseFlags) newRequest(method, target string) (*http.Request, error) {
	u, err := url.Parse(target)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, usagef("%s: write a URL such as https://shop.example/account", target)
	}
	if method == "" || strings.ToUpper(method) != method || strings.Trim(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return nil, usagef("%s: write a method such as GET or POST", method)
	}
	header, err := parseHeader("--request", f.request)
	if err != nil {
		return nil, err
	}
	r := &http.Request{Method: method, URL: &url.URL{Path: u.Path, RawPath: u.RawPath, RawQuery: u.RawQuery}, Host: u.Host, Header: header, RemoteAddr: f.peer,
		RequestURI: u.RequestURI(), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Body: http.NoBody}
	if r.URL.Path == "" {
		r.URL.Path = "/"
	}
	if u.Scheme == "https" {
		r.TLS = &tls.ConnectionState{}
	}
	return r, nil
}

func parseHeader(flag string, lines []string) (http.Header, error) {
	out := http.Header{}
	for _, line := range lines {
		name, value, ok := strings.Cut(line, ":")
		if name = strings.TrimSpace(name); !ok || name == "" || strings.ContainsAny(line, "\r\n") {
			return nil, usagef("%s %s: write a header as 'Name: value'", flag, line)
		}
		out.Add(name, strings.TrimSpace(value))
	}
	return out, nil
}

// gateway is the one that the policy makes, with app behind it.
func (f responseFlags) gateway(app *application) (*gateway.Gateway, error) {
	c := gateway.Config{Logger: slog.New(slog.DiscardHandler), Timeouts: gateway.Timeouts{Header: liveTimeout}, Transport: app.instead}
	switch {
	case f.config == "" && f.preset == "":
		return nil, usagef("name a policy with --config, or a preset with --preset")
	case f.config != "" && f.preset != "":
		return nil, usagef("--config and --preset exclude each other: the policy file names the preset")
	case f.live && f.config == "":
		return nil, usagef("--live: only a policy file has an upstream")
	case f.preset != "":
		guard, err := merlon.New(merlon.Config{Preset: f.preset, Reports: policyfile.ReportPath})
		if err != nil {
			return nil, usagef("--preset %s: write strict, compat, api or off", f.preset)
		}
		c.Sites = []gateway.Site{{App: gateway.App{Upstream: &url.URL{Scheme: "http", Host: "application.invalid"}}, Guard: guard, ReportPath: policyfile.ReportPath}}
		return gateway.New(c)
	}
	file, err := policyfile.Read(f.config)
	if err != nil {
		return nil, usagef("%w", err)
	}
	for _, s := range file.Sites {
		site, err := gatewaySite(s)
		if err != nil {
			return nil, err
		}
		c.Sites = append(c.Sites, site)
	}
	return gateway.New(c)
}

const liveTimeout = 30 * time.Second

// application is what stands behind the gateway: the real one, or a response that was made up.
type application struct {
	response *http.Response // nil for the real one
	to       *url.URL       // that was asked last
	failed   error          // why it gave no response
}

func (f responseFlags) application() (*application, error) {
	header, err := parseHeader("--response", f.response)
	switch {
	case err != nil:
		return nil, err
	case f.live:
		return &application{}, nil
	case f.status < 200 || f.status > 599:
		return nil, usagef("--status %d: write a number from 200 to 599", f.status)
	}
	if header.Get("Content-Type") == "" {
		header.Set("Content-Type", "text/html; charset=utf-8")
	}
	return &application{response: &http.Response{StatusCode: f.status, Header: header, Body: http.NoBody}}, nil
}

// instead is for gateway.Config.Transport.
func (a *application) instead(to *url.URL, usual http.RoundTripper) http.RoundTripper {
	return roundTrip(func(r *http.Request) (*http.Response, error) {
		a.to = to
		if a.response != nil {
			res := *a.response
			res.Request = r
			return &res, nil
		}
		res, err := usual.RoundTrip(r)
		a.failed = err
		return res, err
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
