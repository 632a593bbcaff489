package alert

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/notify"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

// TestMessage is what a target gets to show that it works.
func TestMessage(at time.Time) notify.Message {
	return notify.Message{Headline: "[merlon] this is a test", Lines: []string{"Nothing has happened: somebody called merlon alerts test."}, At: at,
		Data: newData(at, Data{Test: true})}
}

// Text is what people get to read about an alert, as lines of ASCII.
func Text(a store.Notice) []string {
	m := single(a, time.Time{})
	return append([]string{m.Headline}, m.Lines...)
}

// single is the message about one alert. Its headline has no more of a report than an origin and a directive.
func single(a store.Notice, at time.Time) notify.Message {
	line := siteOf(a) + ": " + conditionOf(a.Kind).Title
	if a.What != "" {
		line += ": " + a.What
	}
	switch a.State {
	case store.Unconfirmed:
		line += " (unconfirmed)"
	case store.Resolved:
		line = "over: " + line
	}
	return notify.Message{Headline: "[merlon] " + line, Lines: alertLines(a), At: at, Data: newData(at, Data{}, a)}
}

// digest is the message about many alerts of one site.
func digest(alerts []store.Notice, at time.Time) notify.Message {
	return notify.Message{Headline: fmt.Sprintf("[merlon] %s: %d more alerts", siteOf(alerts[0]), len(alerts)), Lines: digestLines(alerts), At: at,
		Data: newData(at, Data{Digest: true}, alerts...)}
}

func siteOf(a store.Notice) string {
	return notify.Defang(cmp.Or(a.Site, "this gateway"), notify.MaxName)
}

func alertLines(a store.Notice) []string {
	c := conditionOf(a.Kind)
	if a.State == store.Resolved {
		return []string{c.Over, fmt.Sprintf("It was on from %s to %s.", clock(a.Fired), clock(a.Since))}
	}
	lines := []string{a.Why, c.Why}
	if a.State == store.Unconfirmed {
		lines = append(lines, "One client alone has reported it until now: that may be one broken browser, or made up.")
	}
	if a.Issue != 0 {
		lines = append(lines, fmt.Sprintf("It is issue %d in the dashboard.", a.Issue))
	}
	return append(lines, fmt.Sprintf("On since %s. The page on alerts in the documentation says what to do about %s.", clock(a.Fired), a.Kind))
}

func digestLines(alerts []store.Notice) []string {
	counts := map[string]int{}
	for _, a := range alerts {
		state := "on"
		if a.State == store.Resolved {
			state = "over"
		}
		counts[conditionOf(a.Kind).Title+", "+state]++
	}
	lines := []string{"There was more to say in the last hour than the policy file allows (alerts, per-hour):"}
	for _, what := range slices.Sorted(maps.Keys(counts)) {
		lines = append(lines, fmt.Sprintf("%d times: %s", counts[what], what))
	}
	return append(lines, "merlon alerts list shows those that are on.")
}

// The schema of Data. Its version counts changes that break readers.
const (
	dataSchema  = "merlon/alert"
	dataVersion = 1
)

// Data is what programs get.
type Data struct {
	Schema  string      `json:"schema"`
	Version int         `json:"version"`
	Test    bool        `json:"test"`
	Digest  bool        `json:"digest"`
	At      time.Time   `json:"at"`
	Alerts  []DataAlert `json:"alerts"`
}

// DataAlert has the texts as people get them, since what shows one may show the other: who wants the exact ones asks for the issue.
type DataAlert struct {
	Site  string            `json:"site"`
	Kind  string            `json:"kind"`
	State store.NoticeState `json:"state"`
	What  string            `json:"what"`
	Issue int64             `json:"issue"`
	Fired time.Time         `json:"fired"`
	Since time.Time         `json:"since"`
}

// maxDataAlerts bounds how many alerts of a digest are listed.
const maxDataAlerts = 100

func newData(at time.Time, d Data, alerts ...store.Notice) Data {
	d.Schema, d.Version, d.At, d.Alerts = dataSchema, dataVersion, at.UTC(), []DataAlert{}
	for _, a := range alerts[:min(len(alerts), maxDataAlerts)] {
		d.Alerts = append(d.Alerts, DataAlert{siteOf(a), a.Kind, a.State, a.What, a.Issue, a.Fired.UTC(), a.Since.UTC()})
	}
	return d
}
