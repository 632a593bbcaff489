package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/dash"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

func newShow() *cobra.Command {
	var data, format string
	cmd := &cobra.Command{
		Use:   "show ID",
		Short: "Show all that is known of an issue",
		Long: `show prints an issue with what it means in plain words, what to do, when and
where it was seen, the policy that blocked it and up to ten reports as they
came. Their text is anybody's: it is cleaned, and still not to be believed.`,
		Example: "  merlon reports show 12\n  merlon reports show 12 --format json",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := issueArg(args[0])
			if err == nil {
				err = checkFormat(format)
			}
			if err != nil {
				return err
			}
			return showIssue(cmd.Context(), cmd.OutOrStdout(), data, id, format)
		},
	}
	dataFlag(cmd, &data)
	formatFlag(cmd, &format)
	return cmd
}

func showIssue(ctx context.Context, out io.Writer, data string, id int64, format string) error {
	db, err := readReports(ctx, data)
	if err != nil {
		return err
	}
	defer db.Close()
	now := time.Now()
	d, err := readDossier(ctx, db, id)
	if err != nil {
		return issueError(id, err)
	}
	if format == "json" {
		return writeJSON(out, d.json(now))
	}
	d.print(out, paletteFor(out), now)
	return nil
}

// dossier is all that is known of an issue.
type dossier struct {
	issue    store.Issue
	rates    []store.Rate
	points   []store.Point // by days
	facets   []store.Facet
	samples  []store.Sample
	policies []store.Policy
	engine   []string
}

func readDossier(ctx context.Context, db *store.Store, id int64) (d dossier, err error) {
	if d.issue, err = db.Issue(ctx, id); err != nil {
		return d, err
	}
	if d.rates, err = db.Rates(ctx, id); err != nil {
		return d, err
	}
	if d.points, err = db.Timeline(ctx, id, store.Span{}); err != nil {
		return d, err
	}
	if d.facets, err = db.Facets(ctx, id); err != nil {
		return d, err
	}
	if d.samples, err = db.Samples(ctx, id); err != nil {
		return d, err
	}
	if d.policies, err = policiesOf(ctx, db, d.issue.Site, d.facets); err != nil {
		return d, err
	}
	d.engine, err = dash.EngineWords(ctx, db, d.issue, d.samples)
	return d, err
}

// policiesOf reads the texts of the policies that the facets name. Some may be gone.
func policiesOf(ctx context.Context, db *store.Store, site string, facets []store.Facet) (list []store.Policy, err error) {
	for _, f := range facets {
		if f.Kind != store.FacetPolicy || f.Value == "" {
			continue
		}
		p, err := db.Policy(ctx, site, f.Value)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, nil
}

func (d dossier) print(out io.Writer, p palette, now time.Time) {
	i, words := d.issue, dash.IssueWords(d.issue)
	fmt.Fprintf(out, "%s\n%s  %s\n\n", p.bold(fmt.Sprintf("Issue %d of %s: %s", i.ID, visible(i.Site, 60), words.Headline)),
		visible(i.Directive, 40), visible(dash.ThingWords(i), 200))
	labels, help := dash.BadgeWords(i, newLabels(nil).reason(i))
	for n, label := range labels {
		if n == 0 {
			label = p.verdict(i, label)
		}
		paragraph(out, label+": "+help[n])
	}
	fmt.Fprintln(out)
	paragraph(out, words.Means)
	for _, do := range words.Do {
		paragraph(out, "- "+do)
	}
	d.printFacts(out, p, now)
	d.printTimeline(out, p)
	d.printFacets(out, p)
	d.printPolicies(out, p)
	d.printSamples(out, p)
}

func (d dossier) printFacts(out io.Writer, p palette, now time.Time) {
	i := d.issue
	title(out, p, "How much")
	fmt.Fprintf(out, "  %d reports: %d blocked, %d report-only, %d unknown\n", i.Total(), i.Enforced, i.Reported, i.Unknown)
	fmt.Fprintf(out, "  reach %d: %s, %s\n", i.Reach(), counted(i.Networks, "network", "networks"), counted(i.Views, "proven page view", "proven page views"))
	if _, ok := d.rates[0].PerThousand(); ok {
		fmt.Fprintf(out, "  %s per 1,000 page views (%d counted)\n", perThousand(d.rates[0]), d.rates[0].Documents)
	} else {
		fmt.Fprintln(out, "  no denominator: nobody counted the page views of these routes")
	}
	fmt.Fprintf(out, "  first %s, last %s (%s ago)\n", minute(i.FirstSeen), minute(i.LastSeen), age(now.Sub(i.LastSeen)))
	name, meaning := dash.StateWords(i.Effective(now))
	title(out, p, "State")
	fmt.Fprintf(out, "  %s: %s\n", name, meaning)
	if !i.StateAt.IsZero() {
		fmt.Fprintf(out, "  set %s%s\n", minute(i.StateAt), until(i))
	}
	if i.StateNote != "" {
		fmt.Fprintf(out, "  note: %s\n", visible(i.StateNote, store.MaxNote))
	}
	if i.Sample != "" {
		title(out, p, "Code")
		fmt.Fprintf(out, "  %s\n", visible(i.Sample, 200))
	}
}

func until(i store.Issue) string {
	if i.StateUntil.IsZero() {
		return ""
	}
	return ", until " + minute(i.StateUntil)
}

// maxDays is how many days a timeline in text has, and barWidth the length of the longest bar.
const (
	maxDays  = 30
	barWidth = 40
)

func (d dossier) printTimeline(out io.Writer, p palette) {
	title(out, p, "When")
	points := d.points[max(len(d.points)-maxDays, 0):]
	var most int64 = 1
	for _, at := range points {
		most = max(most, at.Enforced+at.Reported+at.Unknown)
	}
	for _, at := range points {
		blocked := int(at.Enforced * barWidth / most)
		all := max(int((at.Enforced+at.Reported+at.Unknown)*barWidth/most), 1)
		fmt.Fprintf(out, "  %s %s%s %d\n", at.At.UTC().Format(time.DateOnly), p.red(strings.Repeat("#", blocked)), p.yellow(strings.Repeat("=", all-blocked)),
			at.Enforced+at.Reported+at.Unknown)
	}
	fmt.Fprintln(out, p.faint("  # blocked, = would be blocked"))
}

// shownFacets is how many values of each kind the text has. JSON has all.
const shownFacets = 8

func (d dossier) printFacets(out io.Writer, p palette) {
	titles := map[string]string{store.FacetRoute: "On which pages", store.FacetBrowser: "In which browsers", store.FacetSource: "From which script",
		store.FacetApp: "In which version of the application", store.FacetVerdict: "With which verdict", store.FacetPolicy: "Under which policy"}
	for _, kind := range []string{store.FacetRoute, store.FacetBrowser, store.FacetSource, store.FacetPolicy, store.FacetApp, store.FacetVerdict} {
		shown := 0
		var rest int64
		for _, f := range d.facets {
			if f.Kind != kind {
				continue
			}
			if shown == 0 {
				title(out, p, titles[kind])
			}
			if shown++; shown > shownFacets {
				rest += f.Count
				continue
			}
			fmt.Fprintf(out, "  %7d  %s\n", f.Count, visible(cmp.Or(f.Value, "(the others together)"), 68))
		}
		if rest > 0 {
			fmt.Fprintf(out, "  %7d  (%d more: --format json)\n", rest, shown-shownFacets)
		}
	}
}

func (d dossier) printPolicies(out io.Writer, p palette) {
	for _, policy := range d.policies[:min(len(d.policies), 3)] {
		title(out, p, "Policy "+policy.Hash)
		for directive := range strings.SplitSeq(policy.Text, ";") {
			fmt.Fprintf(out, "  %s\n", visible(strings.TrimSpace(directive), 500))
		}
	}
	if len(d.engine) > 0 {
		title(out, p, "What the policy says of it")
		for _, line := range d.engine {
			fmt.Fprintf(out, "  %s\n", visible(line, 500))
		}
	}
}

func (d dossier) printSamples(out io.Writer, p palette) {
	if len(d.samples) == 0 {
		return
	}
	title(out, p, fmt.Sprintf("Reports as they came, cleaned (%d)", len(d.samples)))
	for _, s := range d.samples {
		fmt.Fprintf(out, "  %s  %s\n", s.At.UTC().Format("2006-01-02 15:04:05"), visible(s.Body, 2000))
	}
}

func title(out io.Writer, p palette, text string) { fmt.Fprintf(out, "\n%s\n", p.bold(text)) }

// paragraph prints our own text in lines that fit.
func paragraph(out io.Writer, text string) {
	fmt.Fprintf(out, "  %s\n", wrapped(strings.Fields(strings.ReplaceAll(text, "`", "")), " ", width-4, "  "))
}
