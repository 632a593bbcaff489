package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"
)

// maxQuestion bounds the time that one question may take. A reader keeps the write-ahead log from beginning again, so none may
// stay for long.
const maxQuestion = 10 * time.Second

// maxSearch bounds that of a question that goes over all rows, before people remove some: in gigabytes it takes a while.
const maxSearch = 2 * time.Minute

// ask runs f on one moment of the database.
func (s *Store) ask(ctx context.Context, what string, f func(context.Context, *sql.Tx) error) error {
	return s.askWithin(ctx, maxQuestion, what, f)
}

func (s *Store) askWithin(ctx context.Context, most time.Duration, what string, f func(context.Context, *sql.Tx) error) error {
	s.gate.RLock()
	defer s.gate.RUnlock()
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	tx, err := s.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err == nil {
		defer tx.Rollback() // it only read
		err = f(ctx, tx)
	}
	if err != nil {
		return fmt.Errorf("reading %s: %w", what, err)
	}
	return nil
}

const selectIssues = `SELECT id, site, type, directive, class, blocked, sample, first_seen, last_seen, enforced, reported, unknown,
	verdict, rule, attested, networks, views, state, state_until, state_note, state_at FROM issues`

// issuesWithPages reads issues by a statement that begins with selectIssues, and then their most frequent pages.
func issuesWithPages(ctx context.Context, tx *sql.Tx, text string, args []any, pages int) ([]Issue, error) {
	var issues []Issue
	rows, err := tx.QueryContext(ctx, text, args...)
	err = eachRow(rows, err, func(scan func(...any) error) error {
		i, err := scanIssue(scan)
		issues = append(issues, i)
		return err
	})
	if err != nil {
		return nil, err
	}
	return issues, addPages(ctx, tx, issues, pages)
}

func scanIssue(scan func(...any) error) (i Issue, err error) {
	var first, last, until, decided int64
	err = scan(&i.ID, &i.Site, &i.Type, &i.Directive, &i.Class, &i.Blocked, &i.Sample, &first, &last, &i.Enforced, &i.Reported, &i.Unknown,
		&i.Verdict, &i.Rule, &i.Attested, &i.Networks, &i.Views, &i.State, &until, &i.StateNote, &decided)
	i.FirstSeen, i.LastSeen, i.StateUntil, i.StateAt = fromMillis(first), fromMillis(last), optional(until), optional(decided)
	return i, err
}

// pagesText reads the most frequent routes of the issues in a JSON array, and the sum of the others.
const pagesText = `WITH ranked AS (
		SELECT issue, value AS route, count, row_number() OVER (PARTITION BY issue ORDER BY value = '', count DESC, value) AS rank
		FROM facets WHERE kind = 'route' AND issue IN (SELECT value FROM json_each(?)))
	SELECT issue, iif(rank <= ?, route, '') AS shown, sum(count) AS total
	FROM ranked GROUP BY issue, shown ORDER BY issue, shown = '', total DESC, shown`

func addPages(ctx context.Context, tx *sql.Tx, issues []Issue, pages int) error {
	at := make(map[int64]int, len(issues)) // index in issues by id
	ids := make([]int64, len(issues))
	for i := range issues {
		at[issues[i].ID], ids[i] = i, issues[i].ID
	}
	rows, err := tx.QueryContext(ctx, pagesText, array(ids), pages)
	return eachRow(rows, err, func(scan func(...any) error) error {
		var id int64
		var p Page
		err := scan(&id, &p.Route, &p.Count)
		i := &issues[at[id]]
		i.Pages = append(i.Pages, p)
		return err
	})
}

// array is a list as SQLite's json_each reads it, so that one parameter stands for any number of values.
func array[T int64 | string](list []T) string {
	text, err := json.Marshal(list)
	if err != nil {
		panic(err) // numbers and strings always marshal
	}
	return string(text)
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

// optionalMillis is 0 for the zero time.
func optionalMillis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}
