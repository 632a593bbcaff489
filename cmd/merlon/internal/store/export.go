package store

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// Format is a form of [Store.Export].
type Format string

// The formats.
const (
	JSONLines Format = "jsonl" // one object for each issue
	CSV       Format = "csv"   // RFC 4180, with a header; what a spreadsheet could take for a formula begins with an apostrophe
)

// exportVersion is that of the fields. It changes when one is renamed, removed or means something else.
const exportVersion = 1

// exported is an issue in JSON.
type exported struct {
	Version    int             `json:"version"`
	ID         int64           `json:"id"`
	Site       string          `json:"site"`
	Type       string          `json:"type"`
	Directive  string          `json:"directive"`
	Class      string          `json:"class"`
	Blocked    string          `json:"blocked"`
	Sample     string          `json:"sample,omitempty"`
	Verdict    Verdict         `json:"verdict"`
	Rule       string          `json:"rule,omitempty"`
	FirstSeen  time.Time       `json:"first_seen"`
	LastSeen   time.Time       `json:"last_seen"`
	Enforced   int64           `json:"enforced"`
	Reported   int64           `json:"reported"`
	Unknown    int64           `json:"unknown"`
	Networks   int64           `json:"networks"`
	Views      int64           `json:"views"`
	Attested   int64           `json:"attested"`
	State      State           `json:"state"`
	StateUntil time.Time       `json:"state_until,omitzero"`
	StateNote  string          `json:"state_note,omitempty"`
	StateAt    time.Time       `json:"state_at,omitzero"`
	Facets     []exportedFacet `json:"facets,omitempty"`
}

type exportedFacet struct {
	Kind  string `json:"kind"`
	Value string `json:"value"`
	Count int64  `json:"count"`
}

// Export writes the issues that q selects, whatever its Sort, After and Limit: the one seen first last, so that none is left out when
// reports come meanwhile. JSON lines have the facets too. It reads in parts, each from a moment of its own.
func (s *Store) Export(ctx context.Context, w io.Writer, format Format, q Query) error {
	e := exporter{store: s, lines: json.NewEncoder(w)}
	e.lines.SetEscapeHTML(false)
	switch format {
	case JSONLines:
		return e.all(ctx, q, e.line)
	case CSV:
		e.table = csv.NewWriter(w)
		if err := e.table.Write(csvHeader()); err != nil {
			return err
		}
		if err := e.all(ctx, q, e.row); err != nil {
			return err
		}
		e.table.Flush()
		return e.table.Error()
	}
	return fmt.Errorf("no such format: %q: use jsonl or csv", format)
}

type exporter struct {
	store *Store
	lines *json.Encoder
	table *csv.Writer
}

// all calls write for each issue.
func (e *exporter) all(ctx context.Context, q Query, write func(context.Context, Issue) error) error {
	q.Sort, q.After, q.Limit = ByFirstSeen, Cursor{}, 500
	if q.Now.IsZero() {
		q.Now = time.Now() // one for all parts
	}
	for {
		issues, err := e.store.Issues(ctx, q)
		if err != nil || len(issues) == 0 {
			return err
		}
		for _, i := range issues {
			if err := write(ctx, i); err != nil {
				return fmt.Errorf("exporting: %w", err)
			}
		}
		q.After = q.Cursor(issues[len(issues)-1])
	}
}

func (e *exporter) line(ctx context.Context, i Issue) error {
	x := exported{
		Version: exportVersion, ID: i.ID, Site: i.Site, Type: i.Type, Directive: i.Directive, Class: i.Class, Blocked: i.Blocked, Sample: i.Sample,
		Verdict: i.Verdict, Rule: i.Rule, FirstSeen: i.FirstSeen, LastSeen: i.LastSeen, Enforced: i.Enforced, Reported: i.Reported, Unknown: i.Unknown,
		Networks: i.Networks, Views: i.Views, Attested: i.Attested, State: i.State, StateUntil: i.StateUntil, StateNote: i.StateNote, StateAt: i.StateAt,
	}
	facets, err := e.store.Facets(ctx, i.ID)
	if err != nil {
		return err
	}
	for _, f := range facets {
		x.Facets = append(x.Facets, exportedFacet(f))
	}
	return e.lines.Encode(x)
}

func csvHeader() []string {
	return []string{"id", "site", "type", "directive", "class", "blocked", "sample", "verdict", "rule", "first_seen", "last_seen",
		"enforced", "reported", "unknown", "networks", "views", "attested", "state", "state_until", "state_note", "state_at"}
}

func (e *exporter) row(_ context.Context, i Issue) error {
	number := func(n int64) string { return strconv.FormatInt(n, 10) }
	moment := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.Format(time.RFC3339)
	}
	return e.table.Write([]string{
		number(i.ID), field(i.Site), field(i.Type), field(i.Directive), field(i.Class), field(i.Blocked), field(i.Sample), field(string(i.Verdict)), field(i.Rule),
		moment(i.FirstSeen), moment(i.LastSeen), number(i.Enforced), number(i.Reported), number(i.Unknown), number(i.Networks), number(i.Views),
		number(i.Attested), string(i.State), moment(i.StateUntil), field(i.StateNote), moment(i.StateAt),
	})
}

// field is a text that no spreadsheet takes for a formula, as OWASP says (https://owasp.org/www-community/attacks/CSV_Injection): an
// apostrophe goes before the signs that begin one, also after spaces, which some programs skip, and in their wide forms.
func field(text string) string {
	if rest := strings.TrimLeft(text, " \u00a0\u3000\n"); rest != "" && strings.ContainsRune("=+-@\t\r＝＋－＠|%", []rune(rest)[0]) {
		return "'" + text
	}
	return text
}
