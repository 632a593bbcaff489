// Package cli has merlon's commands. It is the only place that knows the arguments, the environment and exit codes, and
// the place where the other packages meet.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

// Exit codes, the same in every command.
const (
	exitFine     = 0
	exitFindings = 1 // a check found something
	exitUsage    = 2 // the command line or a configuration is wrong
	exitFailed   = 3 // it could not be done
)

// Main runs the command that the process was started for and exits.
func Main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(Run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// Run runs one command until it is done or ctx ends, and returns the exit code.
func Run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	checkShells(root)
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil:
		return exitFine
	case errors.Is(err, errFindings): // printed already
		return exitFindings
	}
	for line := range strings.SplitSeq(err.Error(), "\n") {
		fmt.Fprintln(stderr, "merlon: "+line)
	}
	if usage := (*usageError)(nil); errors.As(err, &usage) {
		return exitUsage
	}
	return exitFailed
}

// errFindings ends a command that has printed what it found: exit code 1.
var errFindings = errors.New("findings")

// usageError is a mistake of the person who called: exit code 2.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error { return &usageError{fmt.Errorf(format, args...)} }

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "merlon",
		Short: "HTTP security headers for any web application, and the proof that they work",
		Long: `merlon protects web applications with HTTP security headers, and proves that
the protection works.

New here? merlon demo shows an attack succeed on a bare application and fail on
the same application behind merlon, on this machine and in your browser.

Exit codes: 0 fine, 1 a check found something, 2 wrong usage or configuration,
3 could not do it.`,
		Version:       readBuild().Version,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		text, _, _ := strings.Cut(err.Error(), ": strconv.") // which says in Go's words what the text says already
		return usagef("%s (see %s --help)", text, cmd.CommandPath())
	})
	root.SetVersionTemplate("merlon {{.Version}}\n")
	root.SetUsageTemplate(strings.ReplaceAll(root.UsageTemplate(), ".FlagUsages", ".FlagUsagesWrapped "+strconv.Itoa(width)))
	root.AddCommand(newDemo(), newGateway(), newCollect(), newReports(), newAlerts(), newExplain(), newConfig(), newSchema(), newInit(), newCSP(), newVersion())
	wrapArgs(root)
	complete(root)
	return root
}

// wrapArgs makes wrong arguments of cmd and its subcommands usage errors.
func wrapArgs(cmd *cobra.Command) {
	check := cmd.Args
	cmd.SuggestionsMinimumDistance = 2
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if check == nil {
			return nil
		}
		err := check(cmd, args)
		if err == nil {
			return nil
		}
		switch {
		case len(args) == 0:
			return usagef("an argument is missing: %s (see %s --help)", cmd.UseLine(), cmd.CommandPath())
		case !cmd.HasSubCommands():
			return usagef("%w: %s (see %s --help)", unexpected(err, args), cmd.UseLine(), cmd.CommandPath())
		}
		if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
			return usagef("%w (did you mean %s?)", err, strings.Join(near, " or "))
		}
		return usagef("%w (see %s --help)", err, cmd.CommandPath())
	}
	for _, sub := range cmd.Commands() {
		wrapArgs(sub)
	}
}

// unexpected is cobra's word on arguments, which takes the first one of a command without subcommands for such.
func unexpected(err error, args []string) error {
	if strings.HasPrefix(err.Error(), "unknown command") {
		return fmt.Errorf("%q is not expected here", args[0])
	}
	return err
}
