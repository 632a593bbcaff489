package cli

import (
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

// issuesVersion counts changes of the JSON that its readers should know of.
const issuesVersion = 2

type issuesJSON struct {
	Schema  string      `json:"schema"`
	Version int         `json:"version"`
	Count   int64       `json:"count"` // beyond the limit too
	Issues  []issueJSON `json:"issues"`
	Dropped []dropJSON  `json:"dropped"`
}

type issueJSON struct {
	ID         int64      `json:"id"`
	Site       string     `json:"site"`
	Type       string     `json:"type"`
	Directive  string     `json:"directive"`
	Class      string     `json:"class"`
	Blocked    string     `json:"blocked"`
	Sample     string     `json:"sample"`
	Verdict    string     `json:"verdict"`
	Rule       string     `json:"rule"` // of noise: id@version
	FirstSeen  time.Time  `json:"first_seen"`
	LastSeen   time.Time  `json:"last_seen"`
	Enforced   int64      `json:"enforced"`
	Reported   int64      `json:"report_only"`
	Unknown    int64      `json:"disposition_unknown"`
	Attested   int64      `json:"attested"`
	Networks   int64      `json:"networks"`
	Views      int64      `json:"attested_views"`
	Reach      int64      `json:"reach"`
	Confirmed  bool       `json:"confirmed"`
	Documents  int64      `json:"page_views"`          // on its routes; 0: not counted
	Per1000    *float64   `json:"per_1000_page_views"` // null: no denominator
	State      string     `json:"state"`
	StateUntil *time.Time `json:"state_until"`
	StateNote  string     `json:"state_note"`
	StateAt    *time.Time `json:"state_at"`
	Pages      []pageJSON `json:"pages"`
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

func (l issueList) json(now time.Time) issuesJSON {
	doc := issuesJSON{Schema: "merlon/reports-issues", Version: issuesVersion, Count: l.count, Issues: []issueJSON{}, Dropped: []dropJSON{}}
	for n, i := range l.issues {
		doc.Issues = append(doc.Issues, jsonIssue(i, l.rates[n], now))
	}
	for _, d := range l.drops {
		doc.Dropped = append(doc.Dropped, dropJSON{d.Site, d.Reason, d.Count, d.LastSeen.UTC()})
	}
	return doc
}

func jsonIssue(i store.Issue, rate store.Rate, now time.Time) issueJSON {
	out := issueJSON{
		ID: i.ID, Site: i.Site, Type: i.Type, Directive: i.Directive, Class: i.Class, Blocked: i.Blocked, Sample: i.Sample,
		Verdict: string(i.Verdict), Rule: i.Rule, FirstSeen: i.FirstSeen.UTC(), LastSeen: i.LastSeen.UTC(),
		Enforced: i.Enforced, Reported: i.Reported, Unknown: i.Unknown, Attested: i.Attested, Networks: i.Networks, Views: i.Views,
		Reach: i.Reach(), Confirmed: i.Confirmed(), Documents: rate.Documents,
		State: string(i.Effective(now)), StateUntil: optionalTime(i.StateUntil), StateNote: i.StateNote, StateAt: optionalTime(i.StateAt), Pages: []pageJSON{},
	}
	if per, ok := rate.PerThousand(); ok {
		out.Per1000 = &per
	}
	for _, p := range i.Pages {
		out.Pages = append(out.Pages, pageJSON(p))
	}
	return out
}

// optionalTime is null in JSON for no time.
func optionalTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
