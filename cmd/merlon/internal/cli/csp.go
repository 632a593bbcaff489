package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/cspcase"
	"github.com/merlon-sec/merlon/csp"
)

func newCSP() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "csp",
		Short: "Ask the Content-Security-Policy engine",
		Long: `csp asks what browsers make of a Content-Security-Policy: how they read it, what
it allows and blocks, why, and what changes from one policy to another.

The mode says whose reading counts: spec (the text of CSP Level 3), chromium,
firefox, webkit, strictest (blocked by any of them) or laxest.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newCSPParse(), newCSPDecide(), newCSPExplain(), newCSPDiff(), newCSPHash())
	return cmd
}

func modeFlag(cmd *cobra.Command, mode *string, standard csp.Mode) {
	cmd.Flags().StringVar(mode, "mode", standard.String(), "spec, chromium, firefox, webkit, strictest or laxest")
}

func parseMode(name string) (csp.Mode, error) {
	m, ok := csp.ParseMode(name)
	if !ok {
		return 0, usagef("--mode %s: write spec, chromium, firefox, webkit, strictest or laxest", name)
	}
	return m, nil
}

func newCSPParse() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:     "parse POLICY",
		Short:   "Print a policy as browsers read it, and what they pass over",
		Example: `  merlon csp parse "script-src self 'nonce-abc'; img-src *"`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkFormat(format); err != nil {
				return err
			}
			return printParsed(cmd.OutOrStdout(), args[0], format)
		},
	}
	formatFlag(cmd, &format)
	return cmd
}

// printParsed ends with a findings error when an author has made mistakes.
func printParsed(out io.Writer, text, format string) error {
	policies := csp.NewList(csp.Delivered{Value: text}).Policies(csp.Spec)
	var mistakes []string
	for policy := range strings.SplitSeq(text, ",") {
		if err := csp.Check(policy, "'nonce'"); err != nil {
			mistakes = append(mistakes, strings.Split(err.Error(), "\n")...)
		}
	}
	if format == "json" {
		texts := []string{}
		for _, p := range policies {
			texts = append(texts, p.String())
		}
		if err := writeJSON(out, map[string]any{"schema": "merlon/csp-parse", "version": 1, "policies": texts, "mistakes": append([]string{}, mistakes...)}); err != nil {
			return err
		}
	} else {
		for _, p := range policies {
			for _, d := range p.Directives {
				fmt.Fprintln(out, strings.Join(append([]string{d.Name}, d.Value...), " "))
			}
		}
		for _, m := range mistakes {
			fmt.Fprintln(out, "! "+m)
		}
	}
	if len(mistakes) > 0 {
		return errFindings
	}
	return nil
}

func newCSPDiff() *cobra.Command {
	var mode, self, format string
	cmd := &cobra.Command{
		Use:   "diff BEFORE AFTER",
		Short: "Say what one policy allows and another blocks, with examples",
		Example: `  merlon csp diff "default-src 'self'" "default-src 'self'; img-src https:"
  merlon csp diff --self https://shop.example \
    "img-src 'self'" "img-src shop.example"`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			m, err := parseMode(mode)
			if err == nil {
				err = checkFormat(format)
			}
			if err != nil {
				return err
			}
			page, err := cspcase.ParseURL(self)
			if err != nil || page.Origin().Opaque() {
				return usagef("--self %s: write the page's origin, such as https://shop.example", self)
			}
			return printDiff(cmd.OutOrStdout(), m, page.Origin(), args[0], args[1], format)
		},
	}
	modeFlag(cmd, &mode, csp.Spec)
	cmd.Flags().StringVar(&self, "self", "https://example.com", "origin of the page")
	formatFlag(cmd, &format)
	return cmd
}

// printDiff ends with a findings error when the second policy allows more.
func printDiff(out io.Writer, m csp.Mode, self csp.Origin, before, after, format string) error {
	a, b := csp.NewList(csp.Delivered{Value: before}), csp.NewList(csp.Delivered{Value: after})
	looser, stricter := csp.Differences(m, self, a, b), csp.Differences(m, self, b, a)
	if format == "json" {
		type change struct {
			Directive string `json:"directive"`
			Example   string `json:"example"`
		}
		list := func(ds []csp.Difference) []change {
			out := []change{}
			for _, d := range ds {
				out = append(out, change{d.Directive, d.Witness})
			}
			return out
		}
		if err := writeJSON(out, map[string]any{"schema": "merlon/csp-diff", "version": 1, "mode": m.String(), "allowed": list(looser), "blocked": list(stricter)}); err != nil {
			return err
		}
	} else {
		for _, d := range looser {
			fmt.Fprintf(out, "+ %s now allows %s\n", d.Directive, d.Witness)
		}
		for _, d := range stricter {
			fmt.Fprintf(out, "- %s now blocks %s\n", d.Directive, d.Witness)
		}
		if len(looser)+len(stricter) == 0 {
			fmt.Fprintln(out, "Both allow the same.")
		}
	}
	if len(looser) > 0 {
		return errFindings
	}
	return nil
}
