package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// ErrNotFound is returned by [Store.Issue] for an id that is not in the database.
var ErrNotFound = errors.New("no such issue")

// Issue is a group of violations of one site that one change would fix. Every string in it came from the network: cleaned of
// control characters and secrets, bounded, and still hostile.
type Issue struct {
	ID        int64
	Site      string
	Type      string // report type, "csp-violation"
	Directive string // effective directive, or "other"
	Class     string // what kind of thing was blocked: "origin", "self", "scheme", "inline", "eval" ...
	Blocked   string // the blocked thing in that class: an origin, a scheme, a script's path template
	Sample    string // the first sample seen, if any
	FirstSeen time.Time
	LastSeen  time.Time
	Enforced  int64 // reports of an enforced policy: something did not load
	Reported  int64 // reports of a report-only policy: something would not have loaded
	Unknown   int64 // reports that did not say which
	Pages     []Page

	Verdict  Verdict // the gravest of its reports'
	Rule     string  // of Noise: the rule of the first report, id@version
	Attested int64   // reports that named a nonce of ours
	Networks int64   // of clients that sent them, estimated
	Views    int64   // attested page views that they are about, estimated

	State      State
	StateUntil time.Time // the end of Ignored; zero: none
	StateNote  string
	StateAt    time.Time // when somebody set it; zero: nobody did
}

// State is what people have decided about an issue.
type State string

// The states of an issue.
const (
	New          State = "new"
	Acknowledged State = "acknowledged" // somebody looks into it
	Accepted     State = "accepted"     // a risk that is taken
	Ignored      State = "ignored"      // until a time, or for ever
)

// Confirmed reports whether more than one client has seen it: two networks, or two page views that merlon can prove.
func (i Issue) Confirmed() bool { return i.Networks > 1 || i.Views > 1 }

// Total is the number of reports behind the issue, whatever their disposition.
func (i Issue) Total() int64 { return i.Enforced + i.Reported + i.Unknown }

// Page is a document route on which an issue was seen. Route is a cleaned path, "" for the sum of the routes beyond the cap.
type Page struct {
	Route string
	Count int64
}

// Query selects issues. The zero Query asks for the 100 issues of all sites that were seen last.
type Query struct {
	Site  string // "" for all sites
	Limit int    // 0 means 100; never more than 5,000
}

// The number of issues in an answer, and of pages with each of them.
const (
	defaultLimit = 100
	maxLimit     = 5000
	topPages     = 5
)

const issueColumns = `id, site, type, directive, class, blocked, sample, first_seen, last_seen, enforced, reported, unknown,
	verdict, rule, attested, networks, views, state, state_until, state_note, state_at`

// Issues lists issues, the one seen last first, each with its five most frequent pages and the sum of the others.
func (s *Store) Issues(ctx context.Context, q Query) ([]Issue, error) {
	limit := q.Limit
	if limit <= 0 {
		limit = defaultLimit
	}
	where, args := "", []any{}
	if q.Site != "" {
		where, args = " WHERE site = ?", []any{q.Site}
	}
	selection := where + " ORDER BY last_seen DESC, id DESC LIMIT ?"
	return s.issues(ctx, selection, append(args, min(limit, maxLimit)), topPages)
}

// Issue returns one issue with all of its pages, or [ErrNotFound].
func (s *Store) Issue(ctx context.Context, id int64) (Issue, error) {
	issues, err := s.issues(ctx, " WHERE id = ?", []any{id}, MaxFacets)
	if err != nil {
		return Issue{}, err
	}
	if len(issues) == 0 {
		return Issue{}, ErrNotFound
	}
	return issues[0], nil
}

// issues reads the selected issues and then their pages, both from one moment.
func (s *Store) issues(ctx context.Context, selection string, args []any, pages int) ([]Issue, error) {
	tx, err := s.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, fmt.Errorf("reading issues: %w", err)
	}
	defer tx.Rollback() // it only read
	var issues []Issue
	at := map[int64]int{} // index in issues by id
	rows, err := tx.QueryContext(ctx, "SELECT "+issueColumns+" FROM issues"+selection, args...)
	err = eachRow(rows, err, func(scan func(...any) error) error {
		var i Issue
		var first, last, until, decided int64
		err := scan(&i.ID, &i.Site, &i.Type, &i.Directive, &i.Class, &i.Blocked, &i.Sample, &first, &last,
			&i.Enforced, &i.Reported, &i.Unknown, &i.Verdict, &i.Rule, &i.Attested, &i.Networks, &i.Views, &i.State, &until, &i.StateNote, &decided)
		i.FirstSeen, i.LastSeen, i.StateUntil, i.StateAt = fromMillis(first), fromMillis(last), optional(until), optional(decided)
		at[i.ID] = len(issues)
		issues = append(issues, i)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading issues: %w", err)
	}
	rows, err = tx.QueryContext(ctx, `WITH ranked AS (
			SELECT issue, value AS route, count, row_number() OVER (PARTITION BY issue ORDER BY value = '', count DESC, value) AS rank
			FROM facets WHERE kind = 'route' AND issue IN (SELECT id FROM issues`+selection+`))
		SELECT issue, iif(rank <= ?, route, '') AS shown, sum(count) AS total
		FROM ranked GROUP BY issue, shown ORDER BY issue, shown = '', total DESC, shown`, append(args, pages)...)
	err = eachRow(rows, err, func(scan func(...any) error) error {
		var id int64
		var p Page
		err := scan(&id, &p.Route, &p.Count)
		i := &issues[at[id]]
		i.Pages = append(i.Pages, p)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading pages: %w", err)
	}
	return issues, nil
}

// eachRow calls add for each row and closes rows. It takes the error of the query too, so that a caller checks once.
func eachRow(rows *sql.Rows, err error, add func(scan func(...any) error) error) error {
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := add(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

func fromMillis(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// optional is the zero time for 0.
func optional(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return fromMillis(ms)
}
