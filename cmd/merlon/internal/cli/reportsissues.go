package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/dash"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

// queryFlags select issues.
type queryFlags struct{ site, typ, directive, verdict, state, text, since string }

func (f *queryFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.site, "site", "", "only this `site`")
	flags.StringVar(&f.typ, "type", "", "only reports of this `type`, such as csp-violation")
	flags.StringVar(&f.directive, "directive", "", "only this `directive` and its family, such as script-src")
	flags.StringVar(&f.verdict, "verdict", "", "actionable, self-contradicting or noise")
	flags.StringVar(&f.state, "state", "", "new, acknowledged, accepted or ignored")
	flags.StringVar(&f.text, "text", "", "only with this `text` in what was blocked, a sample, a page or a script")
	flags.StringVar(&f.since, "since", "", "only what was seen since this day, or for so long: 24h, 7d")
}

// query checks the flags.
func (f queryFlags) query(now time.Time) (q store.Query, err error) {
	if err := oneOf("--verdict", f.verdict, values["verdict"]); err != nil {
		return q, err
	}
	if err := oneOf("--state", f.state, values["state"]); err != nil {
		return q, err
	}
	q = store.Query{Site: f.site, Type: f.typ, Directive: f.directive, Verdict: store.Verdict(f.verdict), State: store.State(f.state), Text: f.text, Now: now}
	if f.since != "" {
		q.Since, err = parseMoment("--since", f.since, now)
	}
	return q, err
}

// oneOf makes a flag's value that is none of a few a usage error.
func oneOf(flag, value string, allowed []string) error {
	if value == "" || slices.Contains(allowed, value) {
		return nil
	}
	last := len(allowed) - 1
	return usagef("%s %s: write %s or %s", flag, value, strings.Join(allowed[:last], ", "), allowed[last])
}

type issuesFlags struct {
	queryFlags
	data, format, sort string
	limit              int
}

func newIssues() *cobra.Command {
	var f issuesFlags
	cmd := &cobra.Command{
		Use:   "issues",
		Short: "List the issues: violations that one change would fix, together",
		Long: `issues lists what browsers reported, grouped: an issue is a set of violations
that one change would fix. The last seen comes first. It may be run while the
gateway runs. Issues of all states are listed; --state new leaves out those that
somebody has decided about. merlon reports show says what one means.

Reach is how many clients have seen an issue: networks, or page views that
merlon can prove. Per 1,000 sets its reports against the page views on its
routes; - says that nobody counted those: there is no denominator.

Below the issues stand the reports that were not stored, by reason: merlon
reports stats explains each. They are counted, so that silence can be told from
loss.`,
		Example: `  merlon reports issues --data merlon-data
  merlon reports issues --verdict actionable --state new --sort reach
  merlon reports issues --directive script-src --since 7d --format json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.run(cmd.Context(), cmd.OutOrStdout())
		},
	}
	f.add(cmd.Flags())
	dataFlag(cmd, &f.data)
	formatFlag(cmd, &f.format)
	cmd.Flags().StringVar(&f.sort, "sort", "last", "what comes first: last (seen), reach, count or new")
	cmd.Flags().IntVar(&f.limit, "limit", 100, "at most this many issues")
	return cmd
}

func (f issuesFlags) run(ctx context.Context, out io.Writer) error {
	now := time.Now()
	q, err := f.query(now)
	if err == nil {
		err = checkFormat(f.format)
	}
	if err == nil {
		err = oneOf("--sort", cmp.Or(f.sort, "?"), values["sort"])
	}
	if err != nil {
		return err
	}
	if f.limit < 1 {
		return usagef("--limit %d: write a number from 1", f.limit)
	}
	if q.Limit = f.limit; f.sort != "last" {
		q.Sort = store.Sort(f.sort)
	}
	db, err := readReports(ctx, f.data)
	if err != nil {
		return err
	}
	defer db.Close()
	list, err := listIssues(ctx, db, q)
	if err != nil {
		return err
	}
	if f.format == "json" {
		return writeJSON(out, list.json(now))
	}
	return list.print(out, paletteFor(out), now)
}

// issueList is an answer to a query.
type issueList struct {
	issues []store.Issue
	rates  []store.Rate // of each issue
	count  int64        // how many there are, beyond the limit too
	drops  []store.Drop
	all    bool   // whether the query was about everything
	site   string // what is to be said of a site that nothing is known of
}

func listIssues(ctx context.Context, db *store.Store, q store.Query) (l issueList, err error) {
	if l.issues, err = db.Issues(ctx, q); err != nil {
		return l, err
	}
	for _, i := range l.issues {
		rates, err := db.Rates(ctx, i.ID)
		if err != nil {
			return l, err
		}
		l.rates = append(l.rates, rates[0])
	}
	if l.count, err = db.Count(ctx, q); err != nil {
		return l, err
	}
	l.all = q.Type == "" && q.Directive == "" && q.Verdict == "" && q.State == "" && q.Text == "" && q.Since.IsZero()
	if l.site, err = unknownSite(ctx, db, q.Site); err != nil {
		return l, err
	}
	l.drops, err = db.Drops(ctx, q.Site)
	return l, err
}

// unknownSite says that nothing is known of a site, and of which there is: a name that is written wrong looks like a quiet site.
func unknownSite(ctx context.Context, db *store.Store, site string) (string, error) {
	sites, err := db.Sites(ctx)
	sites = slices.DeleteFunc(sites, func(name string) bool { return name == "" })
	if err != nil || site == "" || len(sites) == 0 || slices.Contains(sites, site) {
		return "", err
	}
	var names []string
	for _, name := range sites[:min(len(sites), 10)] {
		names = append(names, visible(name, 40))
	}
	if len(sites) > len(names) {
		names = append(names, fmt.Sprintf("%d more", len(sites)-len(names)))
	}
	return fmt.Sprintf("Nothing is known of site %s, but of %s.", visible(site, 40), strings.Join(names, ", ")), nil
}

const issueRow = "%6s  %s %6s %8s %9s  %-8s %s\n"

func (l issueList) print(out io.Writer, p palette, now time.Time) error {
	switch {
	case len(l.issues) == 0 && l.site != "":
		fmt.Fprintln(out, wrapped(strings.Fields("No issue matches. "+l.site), " ", 80, ""))
	case len(l.issues) == 0 && l.all:
		fmt.Fprintln(out, "No browser has reported anything yet. The dashboard says how to find out whether\nreports arrive.")
	case len(l.issues) == 0:
		fmt.Fprintln(out, "No issue matches.")
	default:
		fmt.Fprint(out, p.bold(fmt.Sprintf(issueRow, "ID", fmt.Sprintf("%-18s", "VERDICT"), "REACH", "REPORTS", "PER 1,000", "LAST", "FIRST")))
	}
	for n, i := range l.issues {
		printIssue(out, p, i, l.rates[n], now)
	}
	if more := l.count - int64(len(l.issues)); more > 0 {
		fmt.Fprintf(out, "and %d more: --limit %d\n", more, l.count)
	}
	if len(l.issues) > 0 {
		fmt.Fprintln(out, p.faint("merlon reports show ID says what one means and what to do."))
	}
	if slices.ContainsFunc(l.rates, func(r store.Rate) bool { return r.Documents == 0 }) {
		fmt.Fprintln(out, "\nPER 1,000 page views on the same routes; -: no denominator, nobody counted them.")
	}
	return printDrops(out, l.drops, now)
}

func printIssue(out io.Writer, p palette, i store.Issue, rate store.Rate, now time.Time) {
	fmt.Fprintf(out, issueRow, fmt.Sprint(i.ID), p.verdict(i, fmt.Sprintf("%-18s", i.Verdict)), fmt.Sprint(i.Reach()), fmt.Sprint(i.Total()),
		perThousand(rate), age(now.Sub(i.LastSeen)), i.FirstSeen.UTC().Format(time.DateOnly))
	fmt.Fprintf(out, "        %s  %s\n", p.bold(visible(i.Directive, 40)), visible(dash.ThingWords(i), 70-min(len(i.Directive), 40)))
	fmt.Fprintf(out, "        %s\n", p.faint(issueNotes(i, now)))
	if i.Sample != "" {
		fmt.Fprintf(out, "        sample: %s\n", visible(i.Sample, 60))
	}
	if len(i.Pages) > 0 {
		var pages []string
		for _, page := range i.Pages[:min(len(i.Pages), 3)] {
			pages = append(pages, fmt.Sprintf("%s (%d)", visible(cmp.Or(page.Route, "other pages"), 60), page.Count))
		}
		fmt.Fprintf(out, "        on %s\n", wrapped(pages, ", ", 69, "           "))
	}
}

// issueNotes say in a line how an issue is to be read.
func issueNotes(i store.Issue, now time.Time) string {
	labels, _ := dash.BadgeWords(i, "")
	parts := []string{fmt.Sprintf("%d blocked, %d report-only", i.Enforced, i.Reported+i.Unknown)}
	if i.Verdict == store.Noise {
		parts = append(parts, visible(labels[0], 30))
	}
	parts = append(parts, labels[1:]...)
	if s := i.Effective(now); s != store.New {
		parts = append(parts, string(s))
	}
	return strings.Join(parts, "; ")
}

// verdict paints text as that of an issue: what calls for somebody stands out, noise steps back.
func (p palette) verdict(i store.Issue, text string) string {
	switch {
	case i.Verdict == store.Noise:
		return p.faint(text)
	case i.Verdict == store.SelfContradicting:
		return p.cyan(text)
	case i.Enforced > 0:
		return p.red(text)
	}
	return p.yellow(text)
}

func perThousand(r store.Rate) string {
	per, ok := r.PerThousand()
	switch {
	case !ok:
		return "-"
	case per > 0 && per < 0.01:
		return "<0.01"
	case per < 100:
		return fmt.Sprintf("%.2f", per)
	}
	return fmt.Sprintf("%.0f", per)
}

// wrapped joins texts in lines of a width, all but the first indented.
func wrapped(texts []string, between string, width int, indent string) string {
	var b strings.Builder
	at := 0
	for n, text := range texts {
		length := len([]rune(text)) + len(between)
		switch {
		case n == 0:
		case at+length > width:
			b.WriteString(strings.TrimRight(between, " ") + "\n" + indent)
			at = 0
		default:
			b.WriteString(between)
		}
		b.WriteString(text)
		at += length
	}
	return b.String()
}

func printDrops(out io.Writer, drops []store.Drop, now time.Time) error {
	if len(drops) == 0 {
		return nil
	}
	fmt.Fprintln(out, "\nNot stored, counted by reason (merlon reports stats explains them):")
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, d := range drops {
		fmt.Fprintf(w, "  %s\t%d\tlast %s ago\n", d.Reason, d.Count, age(now.Sub(d.LastSeen)))
	}
	return w.Flush()
}
