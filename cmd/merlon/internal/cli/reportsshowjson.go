package cli

import (
	"encoding/json"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/dash"
)

// showVersion counts changes of the JSON that its readers should know of.
const showVersion = 1

type showJSON struct {
	Schema   string       `json:"schema"`
	Version  int          `json:"version"`
	Issue    issueJSON    `json:"issue"`
	Words    wordsJSON    `json:"words"`
	Engine   []string     `json:"engine"` // why the policy blocks it, or does not
	Rates    []rateJSON   `json:"rates"`
	Timeline []pointJSON  `json:"timeline"` // by days
	Facets   []facetJSON  `json:"facets"`
	Policies []policyJSON `json:"policies"`
	Samples  []sampleJSON `json:"samples"`
}

type wordsJSON struct {
	Headline string   `json:"headline"`
	Means    string   `json:"means"`
	Do       []string `json:"do"`
}

type rateJSON struct {
	Route     string   `json:"route"`
	Reports   int64    `json:"reports"`
	Documents int64    `json:"page_views"`
	Per1000   *float64 `json:"per_1000_page_views"`
}

type pointJSON struct {
	Day      string `json:"day"`
	Enforced int64  `json:"enforced"`
	Reported int64  `json:"report_only"`
	Unknown  int64  `json:"disposition_unknown"`
}

type facetJSON struct {
	Kind  string `json:"kind"`
	Value string `json:"value"` // empty for the rest together
	Count int64  `json:"count"`
}

type policyJSON struct {
	Hash      string    `json:"hash"`
	Text      string    `json:"text"`
	FirstSeen time.Time `json:"first_seen"`
}

type sampleJSON struct {
	At     time.Time       `json:"at"`
	Report json.RawMessage `json:"report"`
}

func (d dossier) json(now time.Time) showJSON {
	words := dash.IssueWords(d.issue)
	out := showJSON{Schema: "merlon/reports-show", Version: showVersion, Issue: jsonIssue(d.issue, d.rates[0], now),
		Words: wordsJSON{words.Headline, words.Means, words.Do}, Engine: append([]string{}, d.engine...),
		Rates: []rateJSON{}, Timeline: []pointJSON{}, Facets: []facetJSON{}, Policies: []policyJSON{}, Samples: []sampleJSON{}}
	for _, r := range d.rates[1:] {
		j := rateJSON{Route: r.Route, Reports: r.Reports, Documents: r.Documents}
		if per, ok := r.PerThousand(); ok {
			j.Per1000 = &per
		}
		out.Rates = append(out.Rates, j)
	}
	for _, p := range d.points {
		out.Timeline = append(out.Timeline, pointJSON{p.At.UTC().Format(time.DateOnly), p.Enforced, p.Reported, p.Unknown})
	}
	for _, f := range d.facets {
		out.Facets = append(out.Facets, facetJSON(f))
	}
	for _, p := range d.policies {
		out.Policies = append(out.Policies, policyJSON{p.Hash, p.Text, p.FirstSeen.UTC()})
	}
	for _, s := range d.samples {
		out.Samples = append(out.Samples, sampleJSON{s.At.UTC(), rawReport(s.Body)})
	}
	return out
}

// rawReport is a sample's JSON, or its text if it is none.
func rawReport(body string) json.RawMessage {
	if json.Valid([]byte(body)) {
		return json.RawMessage(body)
	}
	text, _ := json.Marshal(body) // strings always marshal
	return text
}
