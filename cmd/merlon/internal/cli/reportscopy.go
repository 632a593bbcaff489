package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

func newBackup() *cobra.Command {
	var data string
	cmd := &cobra.Command{
		Use:   "backup FILE",
		Short: "Copy the database to a file",
		Long: `backup writes a copy of the database to a file that is not there yet, for its
owner only. Reports are taken meanwhile. The copy needs no other file: to
restore it, end merlon, put it in the data directory as merlon.db, and remove
merlon.db-wal and merlon.db-shm there.`,
		Example: "  merlon reports backup reports-2026-01-31.db",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			db, err := readReports(cmd.Context(), data)
			if err != nil {
				return err
			}
			defer db.Close()
			bar := progress(cmd.ErrOrStderr(), -1, "copying")
			err = db.Backup(cmd.Context(), args[0])
			_ = bar.Clear() // it is only for the eye
			if err != nil {
				return err
			}
			info, err := os.Stat(args[0])
			if err == nil {
				fmt.Fprintf(cmd.OutOrStdout(), "%s: %d bytes\n", args[0], info.Size())
			}
			return err
		},
	}
	dataFlag(cmd, &data)
	return cmd
}

type exportFlags struct {
	queryFlags
	data, format, output string
}

func newExport() *cobra.Command {
	var f exportFlags
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write issues as JSON lines or CSV",
		Long: `export writes the issues that the flags select, one a line. JSON lines have the
facets too: pages, browsers, scripts, policies. In CSV, what a spreadsheet would
take for a formula begins with an apostrophe.`,
		Example: "  merlon reports export > issues.jsonl\n  merlon reports export --format csv --output issues.csv --state new",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.run(cmd.Context(), cmd.OutOrStdout())
		},
	}
	f.add(cmd.Flags())
	dataFlag(cmd, &f.data)
	cmd.Flags().StringVar(&f.format, "format", "jsonl", "jsonl or csv")
	cmd.Flags().StringVar(&f.output, "output", "", "write to this `file`, which must not be there yet")
	return cmd
}

func (f exportFlags) run(ctx context.Context, out io.Writer) (err error) {
	q, err := f.query(time.Now())
	if err == nil && f.format != "jsonl" && f.format != "csv" {
		err = usagef("--format %s: write jsonl or csv", f.format)
	}
	if err != nil {
		return err
	}
	db, err := readReports(ctx, f.data)
	if err != nil {
		return err
	}
	defer db.Close()
	if f.output == "" {
		return db.Export(ctx, out, store.Format(f.format), q)
	}
	file, err := os.OpenFile(f.output, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return usagef("--output %s: the file is there already: choose another name", f.output)
	}
	if err != nil {
		return err
	}
	if err = errors.Join(db.Export(ctx, file, store.Format(f.format), q), file.Close()); err != nil {
		os.Remove(f.output)
	}
	return err
}
