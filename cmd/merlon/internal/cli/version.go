package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// build is what the Go toolchain recorded of this program.
type build struct {
	Version  string `json:"version"` // the tag of a release, or (devel)
	Go       string `json:"go"`
	System   string `json:"system"`
	Commit   string `json:"commit,omitempty"` // "" where the program was not built in a checkout
	Time     string `json:"commit_time,omitempty"`
	Modified bool   `json:"modified"` // the checkout had changes that no commit has
}

func readBuild() build {
	b := build{Version: "(devel)", Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	if info.Main.Version != "" {
		b.Version = info.Main.Version
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Commit = s.Value
		case "vcs.time":
			b.Time = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	return b
}

func newVersion() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Print the version of merlon",
		Example: "  merlon version\n  merlon version --format json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch format {
			case "text":
				_, err := fmt.Fprintln(cmd.OutOrStdout(), "merlon "+readBuild().Version)
				return err
			case "json":
				return writeJSON(cmd.OutOrStdout(), readBuild())
			}
			return usagef("--format %s: write text or json", format)
		},
	}
	formatFlag(cmd, &format)
	return cmd
}
