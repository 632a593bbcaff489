package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/merlon-sec/merlon/csp"
)

type explainFlags struct {
	mode, self, as, nonce, integrity string
	byScript                         bool
	redirects                        int
}

func newCSPExplain() *cobra.Command {
	var f explainFlags
	cmd := &cobra.Command{
		Use:   "explain POLICY URL",
		Short: "Say whether a policy lets a page load a URL, and why",
		Example: `  merlon csp explain "default-src 'self'; img-src https:" http://cdn.example/logo.png --as image
  merlon csp explain "script-src 'nonce-abc' 'strict-dynamic'" https://cdn.example/lib.js --as script --nonce abc`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd.OutOrStdout(), args[0], args[1]) },
	}
	modeFlag(cmd, &f.mode, csp.Strictest)
	cmd.Flags().StringVar(&f.self, "self", "https://example.com", "origin of the page")
	cmd.Flags().StringVar(&f.as, "as", "", "what loads it: script, style, image, font, iframe, worker, ...; empty for fetch() and WebSockets")
	cmd.Flags().StringVar(&f.nonce, "nonce", "", "nonce of the element")
	cmd.Flags().StringVar(&f.integrity, "integrity", "", "integrity of the element")
	cmd.Flags().BoolVar(&f.byScript, "by-script", false, "a script has made the element")
	cmd.Flags().IntVar(&f.redirects, "redirects", 0, "how many redirects led to the URL")
	return cmd
}

func (f explainFlags) run(out io.Writer, policy, target string) error {
	m, err := parseMode(f.mode)
	if err != nil {
		return err
	}
	u, err := csp.ParseURL(target)
	if err != nil {
		return usagef("%s: %w", target, err)
	}
	self := csp.ParseOrigin(f.self)
	r := csp.Request{URL: u, Destination: f.as, Nonce: f.nonce, Integrity: f.integrity, ParserInserted: !f.byScript, Redirects: f.redirects}
	e := csp.NewList(csp.Delivered{Value: policy}).ExplainRequest(m, self, &r)
	verdict := "allowed"
	if e.Blocked {
		verdict = "blocked"
	}
	fmt.Fprintf(out, "%s is %s for a page of %s\n", u, verdict, self)
	for _, p := range e.Policies {
		printPolicy(out, p)
	}
	for _, b := range e.Differ {
		fmt.Fprintf(out, "%s decides otherwise.\n", b)
	}
	if e.Blocked {
		return errFindings
	}
	return nil
}

func printPolicy(out io.Writer, p csp.PolicyExplanation) {
	switch {
	case p.By == "":
		fmt.Fprintf(out, "  no directive governs %s\n", p.Directive)
		return
	case len(p.Missing) > 0:
		fmt.Fprintf(out, "  %s decides, because there is no %s\n", p.By, strings.Join(p.Missing, " and no "))
	default:
		fmt.Fprintf(out, "  %s decides\n", p.By)
	}
	for _, s := range p.Sources {
		fmt.Fprintf(out, "    %-24s %s\n", s.Source, s.Why)
	}
	if p.Matched != "" {
		fmt.Fprintf(out, "    %s lets it through\n", p.Matched)
	} else if len(p.Sources) == 0 && !p.Allowed {
		fmt.Fprintln(out, "    it has no sources")
	}
}
