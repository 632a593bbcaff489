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

	"github.com/merlon-sec/merlon/cmd/merlon/internal/dash"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

type statsFlags struct{ data, site, since, format string }

func newStats() *cobra.Command {
	var f statsFlags
	cmd := &cobra.Command{
		Use:   "stats",
		Short: "Count what came in, and say why reports were not stored",
		Long: `stats counts, for each site and in total, the reports that were stored (by type,
directive, class and disposition: exact, whatever became of their issues) and
those that were not, each reason with what it means. A report that was answered
is in one of the two. Page views, canaries and the size of the database follow.`,
		Example: "  merlon reports stats\n  merlon reports stats --since 24h --format json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.run(cmd.Context(), cmd.OutOrStdout(), time.Now())
		},
	}
	dataFlag(cmd, &f.data)
	formatFlag(cmd, &f.format)
	cmd.Flags().StringVar(&f.site, "site", "", "only this `site`")
	cmd.Flags().StringVar(&f.since, "since", "", "only from the hour of this day or moment on, or for so long: 24h, 7d")
	return cmd
}

func (f statsFlags) run(ctx context.Context, out io.Writer, now time.Time) (err error) {
	if err := checkFormat(f.format); err != nil {
		return err
	}
	var since time.Time
	if f.since != "" {
		if since, err = parseMoment("--since", f.since, now); err != nil {
			return err
		}
	}
	db, err := readReports(ctx, f.data)
	if err != nil {
		return err
	}
	defer db.Close()
	stats, err := readStats(ctx, db, f.site, since, now)
	if err != nil {
		return err
	}
	if f.format == "json" {
		return writeJSON(out, stats)
	}
	unknown, err := unknownSite(ctx, db, f.site)
	if err != nil {
		return err
	}
	if unknown != "" {
		_, err := fmt.Fprintln(out, wrapped(strings.Fields(unknown), " ", 80, ""))
		return err
	}
	return stats.print(out, paletteFor(out), now, cmp.Or(f.site, "All sites"))
}

// statsVersion counts changes of the JSON that its readers should know of.
const statsVersion = 1

type statsJSON struct {
	Schema   string      `json:"schema"`
	Version  int         `json:"version"`
	Since    *time.Time  `json:"since"` // null: all that there is
	Total    totalsJSON  `json:"total"`
	Sites    []siteStats `json:"sites"`
	Database sizeJSON    `json:"database"`
}

type totalsJSON struct {
	Accepted int64 `json:"accepted"`
	Enforced int64 `json:"enforced"`
	Reported int64 `json:"report_only"`
	Unknown  int64 `json:"disposition_unknown"`
	Dropped  int64 `json:"dropped"`
}

type siteStats struct {
	Site       string         `json:"site"` // empty: of what no site got
	LastReport *time.Time     `json:"last_report"`
	Totals     totalsJSON     `json:"totals"`
	Other      float64        `json:"other_share_7_days"` // of reports without an issue of their own
	Accepted   []acceptedJSON `json:"accepted"`
	Dropped    []reasonJSON   `json:"dropped"`
	PageViews  int64          `json:"page_views"`
	Canaries   []canaryJSON   `json:"canaries"`
}

type acceptedJSON struct {
	Type        string `json:"type"`
	Directive   string `json:"directive"`
	Class       string `json:"class"`
	Disposition string `json:"disposition"`
	Count       int64  `json:"count"`
}

type reasonJSON struct {
	Reason   string    `json:"reason"`
	Count    int64     `json:"count"`
	LastSeen time.Time `json:"last_seen"`
	Headline string    `json:"headline"`
	Means    string    `json:"means"`
	Do       []string  `json:"do"`
}

type canaryJSON struct {
	Browser  string    `json:"browser"`
	Sent     int64     `json:"sent"`
	Received int64     `json:"received"`
	LastHour time.Time `json:"last_hour"`
}

type sizeJSON struct {
	Bytes int64            `json:"bytes"`
	Rows  map[string]int64 `json:"rows"`
}

func jsonTotals(t store.Totals) totalsJSON {
	return totalsJSON{t.Accepted(), t.Enforced, t.Reported, t.Unknown, t.Dropped}
}

func readStats(ctx context.Context, db *store.Store, site string, since, now time.Time) (s statsJSON, err error) {
	s = statsJSON{Schema: "merlon/reports-stats", Version: statsVersion, Since: optionalTime(since), Sites: []siteStats{}, Database: sizeJSON{Rows: map[string]int64{}}}
	sites := []string{site}
	if site == "" {
		if sites, err = db.Sites(ctx); err != nil {
			return s, err
		}
	}
	totals, err := db.TotalsSince(ctx, site, since)
	if err != nil {
		return s, err
	}
	s.Total = jsonTotals(totals)
	drops, err := db.DropsSince(ctx, site, since)
	if err != nil {
		return s, err
	}
	for _, name := range sites {
		one, err := readSiteStats(ctx, db, name, since, now)
		if err != nil {
			return s, err
		}
		one.Dropped = jsonReasons(name, drops)
		s.Sites = append(s.Sites, one)
	}
	size, err := db.Size(ctx)
	s.Database.Bytes = size.Bytes
	for _, t := range size.Rows {
		s.Database.Rows[t.Table] = t.Count
	}
	return s, err
}

// readSiteStats reads all of a site but its drops.
func readSiteStats(ctx context.Context, db *store.Store, site string, since, now time.Time) (s siteStats, err error) {
	s = siteStats{Site: site, Accepted: []acceptedJSON{}, Canaries: []canaryJSON{}}
	if site == "" { // to the store the name of all sites; nothing but drops is ever of no site
		return s, nil
	}
	overview, err := db.Overview(ctx, site, now)
	if err != nil {
		return s, err
	}
	s.LastReport, s.Other = optionalTime(overview.LastReport), overview.Week.Other
	totals, err := db.TotalsSince(ctx, site, since)
	if err != nil {
		return s, err
	}
	s.Totals = jsonTotals(totals)
	counted, err := db.Counters(ctx, site, since)
	if err != nil {
		return s, err
	}
	for _, c := range counted {
		s.Accepted = append(s.Accepted, acceptedJSON(c))
	}
	documents, err := db.Documents(ctx, site, since)
	if err != nil {
		return s, err
	}
	for _, d := range documents {
		s.PageViews += d.Count
	}
	canaries, err := db.Canaries(ctx, site, since)
	for _, c := range canaries {
		s.Canaries = append(s.Canaries, canaryJSON{c.Browser, c.Sent, c.Received, c.Last.UTC()})
	}
	return s, err
}

func jsonReasons(site string, drops []store.Drop) []reasonJSON {
	list := []reasonJSON{}
	for _, d := range drops {
		if d.Site == site {
			words := dash.ReasonWords(d.Reason)
			list = append(list, reasonJSON{d.Reason, d.Count, d.LastSeen.UTC(), words.Headline, words.Means, words.Do})
		}
	}
	return list
}

func (s statsJSON) print(out io.Writer, p palette, now time.Time, what string) error {
	fmt.Fprintf(out, "%s %d stored (%d blocked, %d report-only, %d unknown), %d not stored\n", p.bold(visible(what, 60)+":"), s.Total.Accepted,
		s.Total.Enforced, s.Total.Reported, s.Total.Unknown, s.Total.Dropped)
	for _, site := range s.Sites {
		if err := site.print(out, p, now); err != nil {
			return err
		}
	}
	title(out, p, fmt.Sprintf("Database: %.1f MB", float64(s.Database.Bytes)/1e6))
	var tables []string
	for name, n := range s.Database.Rows {
		tables = append(tables, fmt.Sprintf("%s %d", name, n))
	}
	slices.Sort(tables)
	fmt.Fprintf(out, "  rows: %s\n", wrapped(tables, ", ", 70, "        "))
	return nil
}

func (s siteStats) print(out io.Writer, p palette, now time.Time) error {
	title(out, p, visible(cmp.Or(s.Site, "Of no site"), 60))
	if s.Site != "" {
		last := "never"
		if s.LastReport != nil {
			last = age(now.Sub(*s.LastReport)) + " ago"
		}
		fmt.Fprintf(out, "  last report %s; %d page views counted\n  %.0f %% of a week's reports are in issues that stand for the rest\n", last, s.PageViews, 100*s.Other)
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, a := range s.Accepted {
		fmt.Fprintf(w, "  %d\t%s\t%s\t%s\t%s\n", a.Count, visible(a.Type, 30), visible(a.Directive, 30), a.Class, a.Disposition)
	}
	for _, c := range s.Canaries {
		fmt.Fprintf(w, "  %d of %d\tcanaries back from %s\n", c.Received, c.Sent, visible(c.Browser, 30))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if len(s.Dropped) > 0 {
		fmt.Fprintln(out, "  not stored:")
	}
	for _, d := range s.Dropped {
		fmt.Fprintf(out, "  %7d  %s, last %s ago\n", d.Count, p.bold(visible(d.Reason, 30)), age(now.Sub(d.LastSeen)))
		fmt.Fprintf(out, "           %s\n", wrapped(strings.Fields(strings.ReplaceAll(d.Headline+". "+d.Means+" "+strings.Join(d.Do, " "), "`", "")), " ", 68, "           "))
	}
	return nil
}
