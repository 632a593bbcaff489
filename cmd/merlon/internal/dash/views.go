package dash

import (
	"context"
	"fmt"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

// viewOf gives an issue the words for it.
func (d *Dashboard) viewOf(i store.Issue, now time.Time) issueView {
	return issueView{Issue: i, Advice: d.rules.adviceFor(i), Reason: d.reason(i), Now: i.Effective(now)}
}

// viewsOf adds to each issue how often it comes up and when: two small questions for each.
func (d *Dashboard) viewsOf(ctx context.Context, issues []store.Issue, now time.Time) ([]issueView, error) {
	views := make([]issueView, 0, len(issues))
	for _, i := range issues {
		v := d.viewOf(i, now)
		rates, err := d.store.Rates(ctx, i.ID)
		if err != nil {
			return nil, err
		}
		if per, ok := rates[0].PerThousand(); ok {
			v.Rate = perThousand(per)
		}
		points, err := d.store.Timeline(ctx, i.ID, store.Span{Since: firstDay(now, sparkDays), Step: sparkStep})
		if err != nil {
			return nil, err
		}
		v.Spark = newSpark(now, points)
		views = append(views, v)
	}
	return views, nil
}

// perThousand writes a rate with as many digits as say something.
func perThousand(rate float64) string {
	switch {
	case rate > 0 && rate < 0.01:
		return "< 0.01"
	case rate < 1:
		return fmt.Sprintf("%.2f", rate)
	case rate < 100:
		return fmt.Sprintf("%.1f", rate)
	}
	return number(int64(rate + 0.5))
}
