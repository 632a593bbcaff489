package dash

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

// sampleView is a report as it came, cleaned, and laid out for reading.
type sampleView struct {
	At    time.Time
	Lines []string
	body  string
}

const maxSampleLines = 400

func sampleViews(samples []store.Sample) []sampleView {
	var views []sampleView
	for _, s := range samples {
		views = append(views, sampleView{s.At, layOut(s.Body), s.Body})
	}
	return views
}

// layOut indents JSON. What does not show is spelled out line by line, so that the lines stay.
func layOut(body string) []string {
	var b bytes.Buffer
	if json.Indent(&b, []byte(body), "", "  ") != nil {
		b.Reset()
		b.WriteString(body)
	}
	lines := strings.Split(b.String(), "\n")
	if len(lines) > maxSampleLines {
		lines = append(lines[:maxSampleLines], "…")
	}
	for i := range lines {
		lines[i] = visible(lines[i])
	}
	return lines
}

// kept is what the engine needs of a report as the collector keeps it.
type kept struct {
	Schema    int    `json:"schema"`
	Document  string `json:"document"`
	Directive string `json:"directive"`
	Blocked   string `json:"blocked"`
	Sample    string `json:"sample"`
	Policy    string `json:"policy"` // its hash
}

const keptSchema = 1 // of the collector's JSON; others are shown, and not understood

// report reads a sample, and says whether it named a policy.
func (s sampleView) report() (k kept, ok bool) {
	err := json.Unmarshal([]byte(s.body), &k)
	return k, err == nil && k.Schema == keptSchema && k.Policy != "" && k.Directive != ""
}

// explanation is what the engine says about the newest sample whose policy is known, nil if there is none. What is folded
// into one issue has no explanation in common.
func (d *Dashboard) explanation(ctx context.Context, issue store.Issue, samples []sampleView) (*explanation, error) {
	if issue.Blocked == store.FoldedBlocked {
		return nil, nil
	}
	for _, s := range samples {
		k, ok := s.report()
		if !ok {
			continue
		}
		policy, err := d.store.Policy(ctx, issue.Site, k.Policy)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		return explain(issue, k, policy.Text), nil
	}
	return nil, nil
}
