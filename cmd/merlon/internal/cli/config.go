package cli

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/policyfile"
)

func newConfig() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Check, print and compare policy files",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newConfigCheck(), newConfigJSON(), newConfigDiff())
	return cmd
}

func readPolicy(name string) (*policyfile.File, error) {
	file, err := policyfile.Read(name)
	if err != nil {
		return nil, &usageError{err}
	}
	return file, nil
}

func newConfigCheck() *cobra.Command {
	return &cobra.Command{
		Use:   "check FILE...",
		Short: "Say whether policy files are right, and what they protect",
		Long: `check reads policy files as the gateway does and lists every mistake with its
line and column. Of files without one it says how far each site is protected.`,
		Example: "  merlon config check merlon.yaml",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			for i, name := range args {
				file, err := readPolicy(name)
				if err != nil {
					return err
				}
				if i > 0 {
					fmt.Fprintln(cmd.OutOrStdout())
				}
				own, err := ownCertificates(file)
				if err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s is right\n", name)
				printCertificates(cmd.OutOrStdout(), file)
				for _, warning := range certificateWarnings(own, file) {
					fmt.Fprintf(cmd.OutOrStdout(), "warning: %s\n", warning)
				}
				for _, site := range file.Sites {
					printSite(cmd.OutOrStdout(), file, site)
					printLooser(cmd.OutOrStdout(), site)
				}
			}
			return nil
		},
	}
}

// printLooser lists the routes that are looser than their site, with the reason.
func printLooser(out io.Writer, site policyfile.Site) {
	for _, r := range site.Guard.Routes() {
		if r.Looser {
			printWrapped(out, "  looser: ", r.String())
		}
	}
}

func newConfigJSON() *cobra.Command {
	var host string
	cmd := &cobra.Command{
		Use:   "json FILE",
		Short: "Print a site's configuration as a Go program can embed it",
		Long: `json prints the whole configuration of a site, with what its preset gives filled
in. A Go program reads it with merlon.ParseConfig.`,
		Example: "  merlon config json merlon.yaml > policy.json\n  merlon config json merlon.yaml --host shop.example",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			file, err := readPolicy(args[0])
			if err != nil {
				return err
			}
			var names []string
			for _, site := range file.Sites {
				if len(file.Sites) == 1 && host == "" || slices.Contains(site.Hosts, host) || site.Name == host {
					return writeJSON(cmd.OutOrStdout(), site.Guard.Config())
				}
				names = append(names, site.Name)
			}
			return usagef("--host %s: name one of the sites: %s", cmp.Or(host, "is missing"), strings.Join(names, ", "))
		},
	}
	cmd.Flags().StringVar(&host, "host", "", "a host of the site, where the file has several")
	return cmd
}

func newConfigDiff() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "diff BEFORE AFTER",
		Short: "Say what one policy file allows and another blocks",
		Long: `diff compares two policy files site by site and route by route: settings that
differ, and for policies and framing an example of what is allowed now and was
blocked before, or the other way round. Exit code 1 if a policy or framing lets
more in, or a protection is taken out. Other values (a referrer policy, proxies,
listeners) are shown and not judged.`,
		Example: "  git show HEAD:merlon.yaml > old.yaml; merlon config diff old.yaml merlon.yaml",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkFormat(format); err != nil {
				return err
			}
			before, err := readPolicy(args[0])
			if err != nil {
				return err
			}
			after, err := readPolicy(args[1])
			if err != nil {
				return err
			}
			return printConfigDiff(cmd.OutOrStdout(), compareFiles(before, after), format)
		},
	}
	formatFlag(cmd, &format)
	return cmd
}
