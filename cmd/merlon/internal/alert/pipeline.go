package alert

import (
	"fmt"
	"slices"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/notify"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

var canaryMissing = Condition{ID: "canary-missing", Title: "the test reports of a browser do not arrive",
	Why:   "Violations that merlon makes on purpose are not reported, so neither are real ones of this browser.",
	Over:  "They arrive again, or the browser does not visit any more.",
	Check: checkCanaries}

// canariesAtLeast is how many have to be out before none coming back says something: many people have blockers.
const canariesAtLeast = 20

// canaryHours is the span that is looked at.
const canaryHours = 6 * time.Hour

func checkCanaries(s *Snapshot) []Finding {
	type sums struct{ sent, received int64 }
	now, before := map[string]sums{}, map[string]sums{}
	var browsers []string
	for _, c := range s.Facts.Canaries {
		into := before
		if !c.Hour.Before(s.Now.Add(-canaryHours).Truncate(time.Hour)) {
			into = now
		}
		sum := into[c.Browser]
		into[c.Browser] = sums{sum.sent + c.Sent, sum.received + c.Received}
		if !slices.Contains(browsers, c.Browser) {
			browsers = append(browsers, c.Browser)
		}
	}
	var out []Finding
	for _, browser := range browsers {
		n, old := now[browser], before[browser]
		usual := 0.0
		if old.sent > 0 {
			usual = float64(n.sent) * float64(old.received) / float64(old.sent)
		}
		if !(n.sent >= canariesAtLeast && n.received == 0) && !(usual >= expectedAtLeast && float64(n.received) < usual/3) {
			continue
		}
		name := notify.Defang(browser, notify.MaxName)
		out = append(out, Finding{Subject: name, What: name,
			Why: fmt.Sprintf("Of %d in the last hours %d arrived; as many as usual would be %.0f.", n.sent, n.received, usual)})
	}
	return out
}

var otherShare = Condition{ID: "other-share", Title: "many reports fit no issue",
	Why:   "Somebody sends made-up reports, each about something else, until there is no room for more issues. The counts stay exact.",
	Over:  "The share is below a tenth again.",
	Check: checkOther}

// The share of reports without an issue of their own that is an attack, and how many reports it takes to tell.
const (
	otherAtMost  = 0.1
	otherAtLeast = 100
)

func checkOther(s *Snapshot) []Finding {
	if s.Facts.Recent < otherAtLeast || float64(s.Facts.Folded) <= otherAtMost*float64(s.Facts.Recent) {
		return nil
	}
	return []Finding{{What: fmt.Sprintf("%d of %d", s.Facts.Folded, s.Facts.Recent),
		Why: "That is in this hour and the one before."}}
}

var notStored = Condition{ID: "not-stored", Title: "reports are not being stored",
	Why:   "Browsers are asked to send again, and most do not. Meanwhile merlon is blind.",
	Over:  "Reports are being stored again.",
	Check: checkStored}

func checkStored(s *Snapshot) []Finding {
	if s.Site != "" {
		return nil
	}
	var out []Finding
	add := func(subject, what, why string) { out = append(out, Finding{Subject: subject, What: what, Why: why}) }
	if s.Health.Failing || s.Unread {
		add("failing", "the database does not work", "The log says why: a full disk, a lost file, missing rights.")
	}
	if s.Refused > 0 {
		add("refused", "some are refused", fmt.Sprintf("%d were answered 503 since the last look.", s.Refused))
	}
	if s.Health.Max > 0 && s.Health.Waiting*2 >= s.Health.Max {
		add("backlog", "too many wait", fmt.Sprintf("%d of at most %d wait to be stored.", s.Health.Waiting, s.Health.Max))
	}
	return out
}

// query is what is asked of the store about a site.
func (c Config) query(site string, now time.Time) store.AlertQuery {
	return store.AlertQuery{Site: site, Now: now, Recent: now.Add(-recentHours), Quiet: now.Truncate(time.Hour).Add(-c.Silence.Truncate(time.Hour)),
		Since: now.Add(-week - c.Silence - 2*time.Hour), Routes: len(c.Critical) > 0, Busy: c.JumpFrom}
}
