package cli

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/control"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

type stateFlags struct{ data, set, until, note string }

func newState() *cobra.Command {
	var f stateFlags
	cmd := &cobra.Command{
		Use:   "state ID",
		Short: "Say or set what is decided about an issue",
		Long: `state prints the state of an issue, and with --set changes it:

  new            nobody has looked at it
  acknowledged   somebody looks into it
  accepted       a risk that is taken
  ignored        no alert, and not among the dashboard's new ones, until --until
                 or for good

A state changes no policy and hides no count.`,
		Example: `  merlon reports state 12
  merlon reports state 12 --set ignored --until 30d --note "their next release"`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := issueArg(args[0])
			if err != nil {
				return err
			}
			return f.run(cmd.Context(), cmd.OutOrStdout(), id, time.Now())
		},
	}
	dataFlag(cmd, &f.data)
	cmd.Flags().StringVar(&f.set, "set", "", "new, acknowledged, accepted or ignored")
	cmd.Flags().StringVar(&f.until, "until", "", "when ignored ends: a day, or so long: 30d")
	cmd.Flags().StringVar(&f.note, "note", "", "why, in a few words")
	return cmd
}

func (f stateFlags) run(ctx context.Context, out io.Writer, id int64, now time.Time) error {
	if err := oneOf("--set", f.set, values["state"]); err != nil {
		return err
	}
	if f.set == "" && (f.until != "" || f.note != "") {
		return usagef("--until and --note belong to --set")
	}
	if f.set != "" {
		if err := f.change(ctx, id, now); err != nil {
			return err
		}
	}
	db, err := readReports(ctx, f.data)
	if err != nil {
		return err
	}
	defer db.Close()
	issue, err := db.Issue(ctx, id)
	if err != nil {
		return issueError(id, err)
	}
	fmt.Fprintf(out, "issue %d is %s%s\n", id, issue.Effective(now), until(issue))
	if issue.StateNote != "" {
		fmt.Fprintf(out, "note: %s\n", visible(issue.StateNote, store.MaxNote))
	}
	return nil
}

func (f stateFlags) change(ctx context.Context, id int64, now time.Time) error {
	d := control.Decision{Issue: id, State: store.State(f.set), Note: f.note}
	if f.until != "" {
		age, ok := parseAge(f.until)
		if d.Until = now.Add(age); !ok {
			day, err := time.Parse(time.DateOnly, f.until)
			if err != nil {
				return usagef("--until %s: write a day (2026-01-31) or how long (12h, 30d)", f.until)
			}
			d.Until = day
		}
	}
	return issueError(id, maintain(ctx, f.data, func(m maintainer) error { return m.SetState(ctx, d) }))
}
