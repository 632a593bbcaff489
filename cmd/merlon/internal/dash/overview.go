package dash

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

const (
	maxCards   = 8   // sites that are shown whole; the others are links
	attackFrom = 0.1 // share of reports beyond the limit of issues from which somebody may be making reports up
	maxBrief   = 5   // issues in a list of the overview
)

// overviewView is the first page.
type overviewView struct {
	Unwritable bool
	Sites      []siteView
	More       []siteLink
	Nowhere    []dropCount // what no site got
	Empty      *emptyView
}

// siteLink leads to the overview of one site.
type siteLink struct{ Name, Link string }

// siteView says how a site stands.
type siteView struct {
	store.Overview
	ID       string // of its heading
	Name     string
	Link     string // to its issues
	Pulse    string // class: live, quiet
	Said     string // what Pulse means
	Chart    chart
	Drops    []dropCount
	Canaries []canaryView
	Fresh    brief
	Breaks   brief
}

// brief is the beginning of a list of issues.
type brief struct {
	Issues []briefIssue
	Link   string // to all of them, "" if these are all
}

type briefIssue struct {
	issueView
	Breaking *store.Breaking // nil in lists of other things
}

// canaryView is a row of the canaries' table.
type canaryView struct {
	store.Canary
	Share string
}

// emptyView is the help for a dashboard without reports.
type emptyView struct {
	ReportURL, Origin string
}

func (d *Dashboard) empty() *emptyView {
	return &emptyView{ReportURL: d.reportURL, Origin: originOf(d.reportURL)}
}

// originOf is the scheme and host of one of our own addresses.
func originOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

func (d *Dashboard) overview(w http.ResponseWriter, r *http.Request) error {
	names, err := d.store.Sites(r.Context())
	if err != nil {
		return err
	}
	body := overviewView{Unwritable: d.unwritable(r.Context())}
	if body.Nowhere, err = d.nowhere(r.Context(), names); err != nil {
		return err
	}
	names = slices.DeleteFunc(names, func(name string) bool { return name == "" })
	if site := r.URL.Query().Get("site"); slices.Contains(names, site) {
		names = append([]string{site}, slices.DeleteFunc(names, func(name string) bool { return name == site })...)
	}
	if err := body.fill(r.Context(), d, names); err != nil {
		return err
	}
	return d.render(w, r, view{Name: "overview", Title: "Overview", Body: body})
}

// fill adds the sites, those at the beginning of names whole.
func (v *overviewView) fill(ctx context.Context, d *Dashboard, names []string) error {
	v.Empty = d.empty()
	for i, name := range names {
		if i >= maxCards {
			v.More = append(v.More, siteLink{name, "/?" + url.Values{"site": {name}}.Encode()})
			v.Empty = nil
			continue
		}
		site, err := d.site(ctx, name)
		if err != nil {
			return err
		}
		site.ID = fmt.Sprintf("site-%d", i)
		v.Sites = append(v.Sites, site)
		if !site.LastReport.IsZero() {
			v.Empty = nil
		}
	}
	return nil
}

// unwritable reports whether reports cannot be stored now.
func (d *Dashboard) unwritable(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	err := d.store.Writable(ctx)
	if err != nil && ctx.Err() == nil {
		d.log.Error("dashboard: the database cannot be written", "error", err)
	}
	return err != nil
}

// nowhere counts what arrived for no site: "" among the names.
func (d *Dashboard) nowhere(ctx context.Context, names []string) ([]dropCount, error) {
	if !slices.Contains(names, "") {
		return nil, nil
	}
	day, err := d.store.DropsSince(ctx, "", d.now().Add(-24*time.Hour))
	if err != nil {
		return nil, err
	}
	week, err := d.store.DropsSince(ctx, "", d.now().Add(-7*24*time.Hour))
	return dropCounts(ofNoSite(day), ofNoSite(week)), err
}

func ofNoSite(drops []store.Drop) []store.Drop {
	return slices.DeleteFunc(drops, func(d store.Drop) bool { return d.Site != "" })
}

func (d *Dashboard) site(ctx context.Context, name string) (v siteView, err error) {
	now := d.now()
	v.Name, v.Link = name, filter{Site: name}.Link()
	if v.Overview, err = d.store.Overview(ctx, name, now); err != nil {
		return v, err
	}
	points, err := d.store.SiteTimeline(ctx, name, store.Span{Since: firstDay(now, hourlyDays), Step: time.Hour})
	if err != nil {
		return v, err
	}
	canaries, err := d.store.Canaries(ctx, name, now.Add(-7*24*time.Hour))
	for _, c := range canaries {
		v.Canaries = append(v.Canaries, canaryView{c, percent(float64(c.Received) / float64(max(c.Sent, 1)) * 100)})
	}
	v.Chart = newChart("reports", "Reports of "+visible(name), now, hourlyDays, points)
	v.Drops = dropCounts(v.Day.Drops, v.Week.Drops)
	v.Pulse, v.Said = pulse(now.Sub(v.LastReport))
	v.lists(func(i store.Issue) issueView { return d.viewOf(i, now) })
	return v, err
}

// pulse says whether reports arrive. Quiet may be good news; a canary knows.
func pulse(age time.Duration) (class, words string) {
	if age < 24*time.Hour {
		return "live", "Reports arrive."
	}
	return "still", "No report in the last 24 hours: nothing is wrong, or nothing arrives."
}

// lists makes the two lists of issues.
func (v *siteView) lists(view func(store.Issue) issueView) {
	for _, i := range v.New[:min(len(v.New), maxBrief)] {
		v.Fresh.Issues = append(v.Fresh.Issues, briefIssue{issueView: view(i)})
	}
	if v.NewCount > maxBrief {
		v.Fresh.Link = filter{Site: v.Name, Sort: string(store.ByFirstSeen), Verdict: string(store.Actionable), State: anyState}.Link()
	}
	for _, b := range v.Breaking[:min(len(v.Breaking), maxBrief)] {
		v.Breaks.Issues = append(v.Breaks.Issues, briefIssue{view(b.Issue), &b})
	}
	if len(v.Breaking) > maxBrief {
		v.Breaks.Link = filter{Site: v.Name, Sort: byLastSeen, Verdict: string(store.Actionable)}.Link()
	}
}

// Attack reports whether so much is beyond the limit of issues that somebody may be making reports up.
func (v siteView) Attack() bool { return v.Day.Other > attackFrom }

// OtherShare is that part in words.
func (v siteView) OtherShare() string { return percent(v.Day.Other * 100) }

// dropCount is a reason for dropping reports, with how often it came up.
type dropCount struct {
	Words     reason
	Day, Week int64
}

// dropCounts puts the counts of a day beside those of the week that it is part of.
func dropCounts(day, week []store.Drop) []dropCount {
	var counts []dropCount
	for _, w := range week {
		c := dropCount{Words: reasonFor(w.Reason), Week: w.Count}
		for _, d := range day {
			if d.Reason == w.Reason {
				c.Day += d.Count
			}
		}
		counts = append(counts, c)
	}
	return counts
}
