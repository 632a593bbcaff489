package cli

import (
	"github.com/spf13/cobra"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/policyfile"
)

func newSchema() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of the policy file, for editors",
		Long: `schema prints the JSON Schema of the policy file. Editors complete keys from it
and underline mistakes; for editors with yaml-language-server, begin the file
with

  # yaml-language-server: $schema=merlon.schema.json`,
		Example: "  merlon schema > merlon.schema.json",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return writeJSON(cmd.OutOrStdout(), policyfile.Schema()) },
	}
}
