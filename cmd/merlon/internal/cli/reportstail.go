package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/dash"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

type tailFlags struct {
	queryFlags
	data, format string
}

func newTail() *cobra.Command {
	var f tailFlags
	cmd := &cobra.Command{
		Use:   "tail",
		Short: "Follow reports as they arrive",
		Long: `tail prints a line for each issue that gets reports, for each new issue, and for
each reason for which reports are not stored. It looks once a second. With
--format json each line is an object. Ctrl-C ends it.`,
		Example: "  merlon reports tail\n  merlon reports tail --verdict actionable --format json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	cmd.Flags().StringVar(&f.site, "site", "", "only this `site`")
	cmd.Flags().StringVar(&f.directive, "directive", "", "only this `directive` and its family, such as script-src")
	cmd.Flags().StringVar(&f.verdict, "verdict", "", "actionable, self-contradicting or noise")
	cmd.Flags().StringVar(&f.text, "text", "", "only with this `text` in what was blocked, a sample, a page or a script")
	dataFlag(cmd, &f.data)
	formatFlag(cmd, &f.format)
	return cmd
}

// tailInterval is how often the database is looked at.
const tailInterval = time.Second

func (f tailFlags) run(ctx context.Context, out, note io.Writer) error {
	q, err := f.query(time.Now())
	if err == nil {
		err = checkFormat(f.format)
	}
	if err != nil {
		return err
	}
	db, err := readReports(ctx, f.data)
	if err != nil {
		return err
	}
	defer db.Close()
	t := &follower{db: db, query: q, known: map[int64]int64{}, drops: map[[2]string]int64{}}
	t.emit = func(tailEvent) error { return nil }
	if err := t.look(ctx, time.Now()); err == nil { // what was there before
		fmt.Fprintln(note, "merlon: following; Ctrl-C ends")
		t.emit = f.writer(out)
		err = t.follow(ctx)
		if !errors.Is(err, context.Canceled) {
			return err
		}
	} else if ctx.Err() == nil {
		return err
	}
	return nil
}

// tailVersion counts changes of the JSON that its readers should know of.
const tailVersion = 1

// tailEvent is a line of tail.
type tailEvent struct {
	Schema  string     `json:"schema"`
	Version int        `json:"version"`
	Kind    string     `json:"kind"` // issue: a new one; reports: more of one; dropped
	At      time.Time  `json:"at"`
	Site    string     `json:"site"`
	Reports int64      `json:"reports"` // how many came
	Issue   *issueJSON `json:"issue,omitempty"`
	Reason  string     `json:"reason,omitempty"` // of dropped
}

func (f tailFlags) writer(out io.Writer) func(tailEvent) error {
	if f.format == "json" {
		lines := json.NewEncoder(out)
		lines.SetEscapeHTML(false)
		return func(e tailEvent) error { return lines.Encode(e) }
	}
	p := paletteFor(out)
	return func(e tailEvent) error {
		_, err := fmt.Fprintln(out, e.line(p))
		return err
	}
}

func (e tailEvent) line(p palette) string {
	at := e.At.UTC().Format(time.TimeOnly)
	if e.Kind == "dropped" {
		return p.faint(fmt.Sprintf("%s  %-9s +%d  %s  %s", at, e.Kind, e.Reports, cmp.Or(visible(e.Site, 40), "no site"), visible(e.Reason, 30)))
	}
	kind := fmt.Sprintf("%-9s", e.Kind)
	if e.Kind == "issue" {
		kind = p.bold("new issue")
	}
	i := e.Issue
	where := ""
	if len(i.Pages) > 0 {
		where = "  on " + visible(cmp.Or(i.Pages[0].Route, "other pages"), 40)
	}
	return fmt.Sprintf("%s  %s +%d  %d  %s  %s  %s  %s%s", at, kind, e.Reports, i.ID, visible(i.Site, 40),
		p.verdict(store.Issue{Verdict: store.Verdict(i.Verdict), Enforced: i.Enforced}, i.Verdict), visible(i.Directive, 40), visible(dash.ThingWords(store.Issue{Class: i.Class, Blocked: i.Blocked}), 60), where)
}

// follower knows what was there when it last looked.
type follower struct {
	db    *store.Store
	query store.Query
	known map[int64]int64     // reports of each issue
	drops map[[2]string]int64 // by site and reason
	last  time.Time           // when the newest report came
	emit  func(tailEvent) error
}

func (t *follower) follow(ctx context.Context) error {
	tick := time.NewTicker(tailInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case now := <-tick.C:
			if err := t.look(ctx, now); err != nil {
				return cmp.Or(ctx.Err(), err)
			}
		}
	}
}

// overlap is how long before the newest one a report may have come that is stored after it.
const overlap = 10 * time.Second

// look reads what has come since the last look. The first look reads everything.
func (t *follower) look(ctx context.Context, now time.Time) error {
	q := t.query
	q.Limit, q.Now = 500, now
	if !t.last.IsZero() {
		q.Since = t.last.Add(-overlap)
	}
	var fresh []store.Issue
	for {
		issues, err := t.db.Issues(ctx, q)
		if err != nil {
			return err
		}
		fresh = append(fresh, issues...)
		if len(issues) < q.Limit {
			break
		}
		q.After = q.Cursor(issues[len(issues)-1])
	}
	for n := range fresh { // the oldest first
		if err := t.issue(fresh[len(fresh)-1-n], now); err != nil {
			return err
		}
	}
	return t.dropped(ctx, now)
}

func (t *follower) issue(i store.Issue, now time.Time) error {
	before, known := t.known[i.ID]
	t.known[i.ID] = i.Total()
	if i.LastSeen.After(t.last) {
		t.last = i.LastSeen
	}
	if known && i.Total() <= before {
		return nil
	}
	kind := "reports"
	if !known {
		kind = "issue"
	}
	j := jsonIssue(i, store.Rate{}, now)
	return t.emit(tailEvent{"merlon/reports-tail", tailVersion, kind, i.LastSeen.UTC(), i.Site, i.Total() - before, &j, ""})
}

func (t *follower) dropped(ctx context.Context, now time.Time) error {
	drops, err := t.db.Drops(ctx, t.query.Site)
	if err != nil {
		return err
	}
	for _, d := range drops {
		key := [2]string{d.Site, d.Reason}
		more := d.Count - t.drops[key]
		t.drops[key] = d.Count
		if more <= 0 {
			continue
		}
		if err := t.emit(tailEvent{"merlon/reports-tail", tailVersion, "dropped", d.LastSeen.UTC(), d.Site, more, nil, d.Reason}); err != nil {
			return err
		}
	}
	return nil
}
