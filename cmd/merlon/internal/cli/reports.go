package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

func newReports() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "reports",
		Short: "Read what browsers reported",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newIssues())
	return cmd
}

type issuesFlags struct {
	data, site, format string
	limit              int
}

func newIssues() *cobra.Command {
	var f issuesFlags
	cmd := &cobra.Command{
		Use:   "issues",
		Short: "List the issues: violations that one change would fix, together",
		Long: `issues lists what browsers reported, grouped: an issue is a set of violations
that one change would fix. The last seen comes first. It may be run while the
gateway runs.

Below the issues stand the reports that were not stored, by reason: foreign
(about a page of another site), not-json, too-large, too-many, type (not about a
policy), and so on. They are counted, so that silence can be told from loss.`,
		Example: "  merlon reports issues --data merlon-data\n  merlon reports issues --data merlon-data --format json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.run(cmd.Context(), cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringVar(&f.data, "data", defaultData, "directory of the database")
	cmd.Flags().StringVar(&f.site, "site", "", "only this site")
	cmd.Flags().StringVar(&f.format, "format", "text", "text or json")
	cmd.Flags().IntVar(&f.limit, "limit", 100, "at most this many issues")
	return cmd
}

func (f issuesFlags) run(ctx context.Context, out io.Writer) error {
	if f.format != "text" && f.format != "json" {
		return usagef("--format %s: write text or json", f.format)
	}
	if f.limit < 1 {
		return usagef("--limit %d: write a number from 1", f.limit)
	}
	db, err := store.OpenReader(ctx, filepath.Join(f.data, databaseName))
	if err != nil {
		return err
	}
	defer db.Close()
	issues, err := db.Issues(ctx, store.Query{Site: f.site, Limit: f.limit})
	if err != nil {
		return err
	}
	drops, err := db.Drops(ctx, f.site)
	if err != nil {
		return err
	}
	if f.format == "json" {
		return writeIssuesJSON(out, issues, drops)
	}
	return writeIssuesText(out, issues, drops, time.Now())
}

// issuesVersion counts changes of the JSON that break its readers.
const issuesVersion = 1

type issuesJSON struct {
	Schema  string      `json:"schema"`
	Version int         `json:"version"`
	Issues  []issueJSON `json:"issues"`
	Dropped []dropJSON  `json:"dropped"`
}

type issueJSON struct {
	ID        int64      `json:"id"`
	Site      string     `json:"site"`
	Type      string     `json:"type"`
	Directive string     `json:"directive"`
	Class     string     `json:"class"`
	Blocked   string     `json:"blocked"`
	Sample    string     `json:"sample"`
	FirstSeen time.Time  `json:"first_seen"`
	LastSeen  time.Time  `json:"last_seen"`
	Enforced  int64      `json:"enforced"`
	Reported  int64      `json:"report_only"`
	Unknown   int64      `json:"disposition_unknown"`
	Pages     []pageJSON `json:"pages"`
}

type pageJSON struct {
	Route string `json:"route"` // empty for the rest of the pages together
	Count int64  `json:"count"`
}

type dropJSON struct {
	Site     string    `json:"site"`
	Reason   string    `json:"reason"`
	Count    int64     `json:"count"`
	LastSeen time.Time `json:"last_seen"`
}

func writeIssuesJSON(out io.Writer, issues []store.Issue, drops []store.Drop) error {
	doc := issuesJSON{Schema: "merlon/reports-issues", Version: issuesVersion, Issues: []issueJSON{}, Dropped: []dropJSON{}}
	for _, i := range issues {
		pages := []pageJSON{}
		for _, p := range i.Pages {
			pages = append(pages, pageJSON(p))
		}
		doc.Issues = append(doc.Issues, issueJSON{i.ID, i.Site, i.Type, i.Directive, i.Class, i.Blocked, i.Sample,
			i.FirstSeen.UTC(), i.LastSeen.UTC(), i.Enforced, i.Reported, i.Unknown, pages})
	}
	for _, d := range drops {
		doc.Dropped = append(doc.Dropped, dropJSON{d.Site, d.Reason, d.Count, d.LastSeen.UTC()})
	}
	return writeJSON(out, doc)
}

func writeIssuesText(out io.Writer, issues []store.Issue, drops []store.Drop, now time.Time) error {
	if len(issues) == 0 {
		fmt.Fprintln(out, "No browser has reported anything yet.")
	}
	for _, i := range issues {
		fmt.Fprintf(out, "%d  %s  %s\n", i.ID, i.Directive, visible(cmp.Or(i.Blocked, i.Class), 50))
		fmt.Fprintf(out, "    %d blocked, %d report-only; last %s ago, first %s\n", i.Enforced, i.Reported+i.Unknown,
			age(now.Sub(i.LastSeen)), i.FirstSeen.UTC().Format("2006-01-02 15:04"))
		if i.Sample != "" {
			fmt.Fprintf(out, "    sample: %s\n", visible(i.Sample, 64))
		}
		for _, p := range i.Pages[:min(len(i.Pages), 3)] {
			fmt.Fprintf(out, "    on %s (%d)\n", visible(cmp.Or(p.Route, "other pages"), 60), p.Count)
		}
	}
	if len(drops) == 0 {
		return nil
	}
	fmt.Fprintln(out, "\nNot stored, counted by reason:")
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, d := range drops {
		fmt.Fprintf(w, "  %s\t%d\tlast %s ago\n", d.Reason, d.Count, age(now.Sub(d.LastSeen)))
	}
	return w.Flush()
}

// visible cuts text from a report to a length and spells out what could fool a terminal or an eye.
func visible(s string, length int) string {
	var b strings.Builder
	for i, r := range []rune(s) {
		switch {
		case i == length:
			return b.String() + "..."
		case strconv.IsGraphic(r):
			b.WriteRune(r)
		default:
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		}
	}
	return b.String()
}

func age(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", max(int(d.Seconds()), 0))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}
