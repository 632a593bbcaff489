package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Query selects issues. The zero Query asks for the 100 issues of all sites that were seen last.
type Query struct {
	Site      string    // "" for all sites
	Type      string    // of report
	Directive string    // with its family: script-src, script-src-elem and script-src-attr are one
	Verdict   Verdict   //
	State     State     // the effective one, at Now
	Text      string    // part of what was blocked, of the sample, of a route or a source; ASCII letters match in both cases
	Since     time.Time // seen at this time or later
	FirstFrom time.Time // first seen at this time or later
	Sort      Sort
	After     Cursor    // only what comes after it in this order
	Limit     int       // 0 means 100; never more than 5,000
	Now       time.Time // zero means the time of the call
}

// Sort is an order of issues, always from the greatest.
type Sort string

// The orders of issues.
const (
	ByLastSeen  Sort = "" // the one seen last first
	ByReach     Sort = "reach"
	ByCount     Sort = "count"
	ByFirstSeen Sort = "new"
)

// expression is what issues are sorted by. Reach and counts have no index, which each commit would have to write: a site has few
// issues, and sorting them takes milliseconds.
func (s Sort) expression() string {
	switch s {
	case ByReach:
		return "max(networks, views)"
	case ByCount:
		return "(enforced + reported + unknown)"
	case ByFirstSeen:
		return "first_seen"
	}
	return "last_seen"
}

// Cursor is a place in the answer to a Query. The zero Cursor is its beginning.
type Cursor struct{ value, id int64 }

// Cursor returns the place of an issue in the answer to q.
func (q Query) Cursor(i Issue) Cursor {
	switch q.Sort {
	case ByReach:
		return Cursor{i.Reach(), i.ID}
	case ByCount:
		return Cursor{i.Total(), i.ID}
	case ByFirstSeen:
		return Cursor{i.FirstSeen.UnixMilli(), i.ID}
	}
	return Cursor{i.LastSeen.UnixMilli(), i.ID}
}

// String is a form of c for URLs, which ParseCursor reads. That of the zero Cursor is empty.
func (c Cursor) String() string {
	if c == (Cursor{}) {
		return ""
	}
	return fmt.Sprintf("%d.%d", c.value, c.id)
}

// ParseCursor reads what [Cursor.String] wrote.
func ParseCursor(text string) (Cursor, error) {
	if text == "" {
		return Cursor{}, nil
	}
	value, id, _ := strings.Cut(text, ".")
	v, err := strconv.ParseInt(value, 10, 64)
	n, err2 := strconv.ParseInt(id, 10, 64)
	if err = cmp.Or(err, err2); err != nil {
		return Cursor{}, fmt.Errorf("not a place in a list: %q", text)
	}
	return Cursor{v, n}, nil
}

// The number of issues in an answer, of pages with each of them, and the length of a text that is searched.
const (
	defaultLimit = 100
	maxLimit     = 5000
	topPages     = 5
	maxText      = 200
)

// Issues lists issues, each with its five most frequent pages and the sum of the others.
func (s *Store) Issues(ctx context.Context, q Query) (issues []Issue, err error) {
	err = s.ask(ctx, "issues", func(ctx context.Context, tx *sql.Tx) error {
		text, args := q.statement()
		issues, err = issuesWithPages(ctx, tx, text, args, topPages)
		return err
	})
	return issues, err
}

// Count counts the issues that q selects, whatever its Limit and After.
func (s *Store) Count(ctx context.Context, q Query) (n int64, err error) {
	q.After = Cursor{}
	var c conditions
	c.query(q)
	return n, s.ask(ctx, "issues", func(ctx context.Context, tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, "SELECT count(*) FROM issues"+c.where(), c.args...).Scan(&n)
	})
}

// Issue returns one issue with all of its pages, or [ErrNotFound].
func (s *Store) Issue(ctx context.Context, id int64) (issue Issue, err error) {
	return issue, s.ask(ctx, "issue", func(ctx context.Context, tx *sql.Tx) error {
		issues, err := issuesWithPages(ctx, tx, selectIssues+" WHERE id = ?", []any{id}, MaxFacets)
		if err == nil && len(issues) == 0 {
			err = ErrNotFound
		}
		if err == nil {
			issue = issues[0]
		}
		return err
	})
}

// statement is the SQL of q and its arguments.
func (q Query) statement() (string, []any) {
	var c conditions
	c.query(q)
	limit := cmp.Or(max(q.Limit, 0), defaultLimit)
	return selectIssues + c.where() + " ORDER BY " + q.Sort.expression() + " DESC, id DESC LIMIT ?", append(c.args, min(limit, maxLimit))
}

// conditions are those of a WHERE clause, with their arguments.
type conditions struct {
	texts []string
	args  []any
}

func (c *conditions) add(text string, args ...any) {
	c.texts, c.args = append(c.texts, text), append(c.args, args...)
}

func (c *conditions) where() string {
	if len(c.texts) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(c.texts, " AND ")
}

func (c *conditions) query(q Query) {
	for _, equal := range [...]struct{ column, value string }{{"site", q.Site}, {"type", q.Type}, {"verdict", string(q.Verdict)}} {
		if equal.value != "" {
			c.add(equal.column+" = ?", equal.value)
		}
	}
	if q.Directive != "" {
		family := strings.TrimSuffix(strings.TrimSuffix(q.Directive, "-elem"), "-attr")
		c.add("directive IN (?, ?, ?)", family, family+"-elem", family+"-attr")
	}
	if q.State != "" {
		now := q.Now
		if now.IsZero() {
			now = time.Now()
		}
		c.add(effectiveState+" = ?", now.UnixMilli(), q.State)
	}
	if q.Text != "" {
		c.text(q.Text)
	}
	if !q.Since.IsZero() {
		c.add("last_seen >= ?", q.Since.UnixMilli())
	}
	if !q.FirstFrom.IsZero() {
		c.add("first_seen >= ?", q.FirstFrom.UnixMilli())
	}
	if q.After != (Cursor{}) {
		c.add("("+q.Sort.expression()+", id) < (?, ?)", q.After.value, q.After.id)
	}
}

// effectiveState is [Issue.Effective] in SQL. Its parameter is the time.
const effectiveState = "iif(state = 'ignored' AND state_until <> 0 AND state_until <= ?, 'new', state)"

func (c *conditions) text(text string) {
	pattern := "%" + strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(text[:min(len(text), maxText)]) + "%"
	c.add(`(blocked LIKE ? ESCAPE '\' OR sample LIKE ? ESCAPE '\' OR EXISTS (SELECT 1 FROM facets
		WHERE issue = issues.id AND kind IN ('route', 'source') AND value LIKE ? ESCAPE '\'))`, pattern, pattern, pattern)
}
