package cli

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// values has what shells complete for flags that take one of a few values.
var values = map[string][]string{
	"access-log": {"on", "off"},
	"algorithm":  {"sha256", "sha384", "sha512"},
	"as":         {"script", "style", "image", "font", "iframe", "worker", "form", "base"},
	"format":     {"text", "json"},
	"inline":     {"script", "style", "handler", "style-attribute", "javascript-url"},
	"log-format": {"text", "json"},
	"mode":       {"spec", "chromium", "firefox", "webkit", "strictest", "laxest"},
	"preset":     {"strict", "compat", "api"},
	"sort":       {"last", "reach", "count", "new"},
	"state":      {"new", "acknowledged", "accepted", "ignored"},
	"verdict":    {"actionable", "self-contradicting", "noise"},
}

// policyFiles are the endings of policy files.
var policyFiles = []string{"yaml", "yml"}

// complete tells the shells what arguments and flags of cmd and its subcommands can be. Nothing else is completed: a shell's
// own guess is the files of the directory.
func complete(cmd *cobra.Command) {
	cmd.ValidArgsFunction = argumentsOf(cmd)
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Value.Type() == "bool" {
			return
		}
		_ = cmd.RegisterFlagCompletionFunc(f.Name, flagValues(cmd.Name(), f.Name)) // it fails for a flag that is registered already
	})
	for _, sub := range cmd.Commands() {
		complete(sub)
	}
}

// checkShells makes a shell that cobra's command for completion does not know a usage error. Cobra makes that command when the
// output is set, and checks the arguments of commands that run only.
func checkShells(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		if cmd.Name() == "completion" {
			cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
			wrapArgs(cmd)
		}
	}
}

func argumentsOf(cmd *cobra.Command) cobra.CompletionFunc {
	arguments, _, _ := strings.Cut(cmd.Use, "--")
	switch {
	case cmd.HasParent() && cmd.Parent().Name() == "config":
		return cobra.FixedCompletions(policyFiles, cobra.ShellCompDirectiveFilterFileExt)
	case strings.Contains(arguments, "FILE"):
		return cobra.FixedCompletions(nil, cobra.ShellCompDirectiveDefault)
	}
	return cobra.NoFileCompletions
}

// flagValues are those of a flag of the named command.
func flagValues(command, name string) cobra.CompletionFunc {
	switch {
	case name == "format" && command == "export":
		return cobra.FixedCompletions([]string{"jsonl", "csv"}, cobra.ShellCompDirectiveNoFileComp)
	case name == "set":
		return cobra.FixedCompletions(values["state"], cobra.ShellCompDirectiveNoFileComp)
	}
	switch name {
	case "config":
		return cobra.FixedCompletions(policyFiles, cobra.ShellCompDirectiveFilterFileExt)
	case "data":
		return cobra.FixedCompletions(nil, cobra.ShellCompDirectiveFilterDirs)
	case "access-log", "output":
		return cobra.FixedCompletions(values[name], cobra.ShellCompDirectiveDefault) // or a file
	}
	return cobra.FixedCompletions(values[name], cobra.ShellCompDirectiveNoFileComp)
}
