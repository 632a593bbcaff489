package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/control"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

// removal are the flags of commands that remove something.
type removal struct {
	data, site, format string
	yes                bool
}

func (f *removal) add(cmd *cobra.Command) {
	dataFlag(cmd, &f.data)
	formatFlag(cmd, &f.format)
	cmd.Flags().StringVar(&f.site, "site", "", "only of this `site`")
	cmd.Flags().BoolVar(&f.yes, "yes", false, "do it, without a question")
}

func newPurge() *cobra.Command {
	var f removal
	var before, older string
	cmd := &cobra.Command{
		Use:   "purge (--before DATE | --older AGE)",
		Short: "Remove what was reported before a time",
		Long: `purge removes the issues that were last seen before a time, and all counts,
samples and points of time before it. It says what would go, and does it after a
yes. Counts of reports no longer add up to those of issues afterwards.`,
		Example: "  merlon reports purge --older 90d\n  merlon reports purge --before 2026-01-01 --site shop.example --yes",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			at, err := purgeTime(before, older, time.Now())
			if err != nil {
				return err
			}
			return f.run(cmd, "reports-purge", "before "+minute(at),
				func(ctx context.Context, db *store.Store) (store.Erased, error) {
					return db.WouldPurge(ctx, f.site, at)
				},
				func(ctx context.Context, m maintainer) (store.Erased, error) {
					return m.Purge(ctx, control.Purge{Site: f.site, Before: at})
				})
		},
	}
	f.add(cmd)
	cmd.Flags().StringVar(&before, "before", "", "this `day` (2026-01-31) or moment, in UTC")
	cmd.Flags().StringVar(&older, "older", "", "more than this `age` ago: 12h, 90d, 8w")
	return cmd
}

func purgeTime(before, older string, now time.Time) (time.Time, error) {
	if (before == "") == (older == "") {
		return time.Time{}, usagef("what is old? Give --before DATE or --older AGE (see merlon reports purge --help)")
	}
	if older != "" {
		age, ok := parseAge(older)
		if !ok {
			return time.Time{}, usagef("--older %s: write how long: 12h, 90d, 8w", older)
		}
		return now.Add(-age), nil
	}
	if t, ok := parseDay(before); ok {
		if t.After(now) { // a slip of the hand would remove everything
			return time.Time{}, usagef("--before %s: name a time that has been", before)
		}
		return t, nil
	}
	return time.Time{}, usagef("--before %s: write a day (2026-01-31) or a moment (2026-01-31T12:00:00Z)", before)
}

func newErase() *cobra.Command {
	var f removal
	var pattern string
	cmd := &cobra.Command{
		Use:   "erase --url PATTERN",
		Short: "Remove what reports say of a URL",
		Long: `erase removes a URL from all that is stored: an origin (https://a.example), a
path of pages or scripts (/account/*), or both. * stands for anything. Counts
stay, without what they were of, and the file is written anew, so that nothing
is left in it. Copies that were made before still have it.`,
		Example: "  merlon reports erase --url '/account/*'\n  merlon reports erase --url https://mallory.example --yes",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if pattern == "" {
				return usagef("what is to go? Give --url PATTERN (see merlon reports erase --help)")
			}
			if err := store.CheckPattern(pattern); err != nil {
				return usagef("--url: %w", err)
			}
			return f.run(cmd, "reports-erase", "about "+pattern,
				func(ctx context.Context, db *store.Store) (store.Erased, error) {
					return db.WouldErase(ctx, f.site, pattern)
				},
				func(ctx context.Context, m maintainer) (store.Erased, error) {
					return m.Erase(ctx, control.Erase{Site: f.site, URL: pattern})
				})
		},
	}
	f.add(cmd)
	cmd.Flags().StringVar(&pattern, "url", "", "the `pattern`: an origin, a path or both")
	return cmd
}

// run says what would go, asks, and lets remove do it. schema is the name of the JSON's.
func (f removal) run(cmd *cobra.Command, schema, what string, preview func(context.Context, *store.Store) (store.Erased, error),
	remove func(context.Context, maintainer) (store.Erased, error)) error {
	if err := checkFormat(f.format); err != nil {
		return err
	}
	ctx, note := cmd.Context(), cmd.ErrOrStderr()
	would, err := f.preview(ctx, preview)
	if err != nil {
		return err
	}
	fmt.Fprintf(note, "Of what was reported %s, this would go: %s\n", what, erasedWords(would))
	if would == (store.Erased{}) && !f.yes { // with it, bytes go that an earlier run had to leave
		return f.print(cmd.OutOrStdout(), schema, would)
	}
	if err := f.confirm(cmd.InOrStdin(), note); err != nil {
		return err
	}
	bar := progress(note, -1, "removing")
	defer bar.Close()
	var done store.Erased
	err = maintain(ctx, f.data, func(m maintainer) (err error) {
		done, err = remove(ctx, m)
		return err
	})
	_ = bar.Clear() // it is only for the eye
	if err != nil {
		return err
	}
	err = f.print(cmd.OutOrStdout(), schema, done)
	if done.Held { // so it is not done: a script must not take it for that
		err = errors.Join(err, errors.New("another process reads the database and keeps old bytes in its log: end that one (merlon reports backup?) and do this again"))
	}
	return err
}

// print says what was removed.
func (f removal) print(out io.Writer, schema string, done store.Erased) error {
	if f.format == "json" {
		return writeJSON(out, jsonErased(schema, done))
	}
	_, err := fmt.Fprintf(out, "removed: %s\n", erasedWords(done))
	return err
}

func (f removal) preview(ctx context.Context, preview func(context.Context, *store.Store) (store.Erased, error)) (store.Erased, error) {
	db, err := readReports(ctx, f.data)
	if err != nil {
		return store.Erased{}, err
	}
	defer db.Close()
	return preview(ctx, db)
}

// confirm returns nil if it is to be done: by --yes, or by a yes on a terminal.
func (f removal) confirm(in io.Reader, note io.Writer) error {
	if f.yes {
		return nil
	}
	if !isTerminal(in) {
		return usagef("nothing was removed: add --yes to do it")
	}
	fmt.Fprint(note, "Write yes to do it: ")
	answer, err := bufio.NewReader(io.LimitReader(in, 100)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if strings.TrimSpace(answer) != "yes" {
		return usagef("nothing was removed")
	}
	return nil
}

// counted is a number and what it counts.
func counted(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func erasedWords(e store.Erased) string {
	var parts []string
	for _, p := range []struct {
		n         int64
		one, many string
	}{
		{e.Issues, "issue", "issues"}, {e.Facets, "page or script", "pages or scripts"}, {e.Samples, "sample", "samples"}, {e.Fields, "text", "texts"},
		{e.Documents, "count of page views", "counts of page views"}, {e.Policies, "policy", "policies"}, {e.Alerts, "alert", "alerts"}, {e.Counters, "counter", "counters"},
	} {
		if p.n > 0 {
			parts = append(parts, counted(p.n, p.one, p.many))
		}
	}
	if len(parts) == 0 {
		return "nothing"
	}
	return strings.Join(parts, ", ")
}

type erasedJSON struct {
	Schema    string `json:"schema"`
	Version   int    `json:"version"`
	Issues    int64  `json:"issues"`
	Facets    int64  `json:"facets"`
	Samples   int64  `json:"samples"`
	Fields    int64  `json:"fields"`
	Documents int64  `json:"page_views"`
	Policies  int64  `json:"policies"`
	Alerts    int64  `json:"alerts"`
	Counters  int64  `json:"counters"`
	Held      bool   `json:"held"` // a reader keeps old bytes in the log: do it again
}

func jsonErased(schema string, e store.Erased) erasedJSON {
	return erasedJSON{"merlon/" + schema, 1, e.Issues, e.Facets, e.Samples, e.Fields, e.Documents, e.Policies, e.Alerts, e.Counters, e.Held}
}
