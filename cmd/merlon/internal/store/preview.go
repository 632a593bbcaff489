package store

import (
	"context"
	"database/sql"
	"time"
)

// CheckPattern returns an error if url is no pattern for [Store.Erase].
func CheckPattern(url string) error {
	_, err := parsePattern(url)
	return err
}

// WouldErase counts what [Store.Erase] would remove. A sample or a field that names the URL twice counts once.
func (s *Store) WouldErase(ctx context.Context, site, url string) (e Erased, err error) {
	p, err := parsePattern(url)
	if err != nil {
		return e, err
	}
	values := append(p.whole[:len(p.whole):len(p.whole)], p.routes...)
	return e, s.preview(ctx, site,
		counted{&e.Facets, "facets", "value", values, " AND kind IN ('route', 'source')"},
		counted{&e.Samples, "samples", "body", p.within, ""},
		counted{&e.Issues, "issues", "blocked", p.whole, " AND NOT folded"},
		counted{&e.Fields, "issues", "sample || ' ' || state_note || ' '", p.within, ""},
		counted{&e.Documents, "documents", "route", p.routes, " AND route <> '*'"},
		counted{&e.Policies, "policies", "text || ' '", p.within, ""},
		counted{&e.Alerts, "alerts", "subject || ' '", p.within, ""})
}

// counted is a table of which the rows that match are counted.
type counted struct {
	n                 *int64
	table, expression string
	globs             []string
	also              string
}

func (s *Store) preview(ctx context.Context, site string, tables ...counted) error {
	sites, err := s.chosen(ctx, site)
	if err != nil {
		return err
	}
	return s.askWithin(ctx, maxSearch, "what would be removed", func(ctx context.Context, tx *sql.Tx) error {
		for _, t := range tables {
			match, args := matches(t.expression, t.globs)
			row := tx.QueryRowContext(ctx, "SELECT count(*) FROM "+t.table+" WHERE "+ofSites+" AND "+match+t.also, append([]any{sites}, args...)...)
			if err := row.Scan(t.n); err != nil {
				return err
			}
		}
		return nil
	})
}

// WouldPurge counts what [Store.Purge] would remove. Samples are those that were taken before the time.
func (s *Store) WouldPurge(ctx context.Context, site string, before time.Time) (e Erased, err error) {
	sites, err := s.chosen(ctx, site)
	if err != nil {
		return e, err
	}
	return e, s.askWithin(ctx, maxSearch, "what would be removed", func(ctx context.Context, tx *sql.Tx) error {
		for _, t := range []struct {
			n      *int64
			table  string
			column string
			before int64
		}{
			{&e.Issues, "issues", "last_seen", before.UnixMilli()}, {&e.Samples, "samples", "at", before.UnixMilli()},
			{&e.Documents, "documents", "hour", hour(before)}, {&e.Counters, "counters", "hour", hour(before)},
		} {
			row := tx.QueryRowContext(ctx, "SELECT count(*) FROM "+t.table+" WHERE "+ofSites+" AND "+t.column+" < ?", sites, t.before)
			if err := row.Scan(t.n); err != nil {
				return err
			}
		}
		return nil
	})
}
