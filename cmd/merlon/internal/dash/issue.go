package dash

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

// issuePage is everything about one issue.
type issuePage struct {
	issueView
	Timeline    chart
	Facets      []facetView
	Samples     []sampleView
	Explanation *explanation
	Form        stateForm
}

func issueID(r *http.Request) (int64, error) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return 0, statusError(http.StatusNotFound)
	}
	return id, nil
}

func (d *Dashboard) showIssue(w http.ResponseWriter, r *http.Request) error {
	id, err := issueID(r)
	if err != nil {
		return err
	}
	return d.renderIssue(w, r, id, nil)
}

// renderIssue writes the page of an issue. A form that was sent with a mistake in it is shown again as it was.
func (d *Dashboard) renderIssue(w http.ResponseWriter, r *http.Request, id int64, sent *stateForm) error {
	issue, err := d.store.Issue(r.Context(), id)
	if err != nil {
		return err
	}
	page, err := d.issuePage(r.Context(), issue, d.now())
	if err != nil {
		return err
	}
	v := view{Name: "issue", Title: page.Advice.Headline}
	if sent != nil {
		page.Form, v.Status = *sent, http.StatusUnprocessableEntity
	}
	v.Body = page
	return d.render(w, r, v)
}

func (d *Dashboard) issuePage(ctx context.Context, issue store.Issue, now time.Time) (page issuePage, err error) {
	views, err := d.viewsOf(ctx, []store.Issue{issue}, now)
	if err != nil {
		return page, err
	}
	page = issuePage{issueView: views[0], Form: formOf(issue, now)}
	if page.Timeline, err = d.timeline(ctx, issue, now); err != nil {
		return page, err
	}
	facets, err := d.store.Facets(ctx, issue.ID)
	if err != nil {
		return page, err
	}
	page.Facets = facetViews(facets)
	samples, err := d.store.Samples(ctx, issue.ID)
	if err != nil {
		return page, err
	}
	page.Samples = sampleViews(samples)
	page.Explanation, err = d.explanation(ctx, issue, page.Samples)
	return page, err
}

// timelineDays is how far back the timeline goes for an issue that is older than a week.
const timelineDays = 30

func (d *Dashboard) timeline(ctx context.Context, issue store.Issue, now time.Time) (chart, error) {
	days, span := hourlyDays, store.Span{Step: time.Hour}
	if issue.FirstSeen.Before(firstDay(now, hourlyDays)) {
		days, span.Step = timelineDays, 24*time.Hour
	}
	span.Since = firstDay(now, days)
	points, err := d.store.Timeline(ctx, issue.ID, span)
	return newChart("timeline", "Reports of this issue", now, days, points), err
}
