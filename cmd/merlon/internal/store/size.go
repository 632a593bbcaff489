package store

import (
	"context"
	"database/sql"
	"time"
)

// Size says how large the database is: the bytes of its contents, and the rows of each table.
type Size struct {
	Bytes int64
	Rows  []Rows
}

// Rows is the number of rows of a table.
type Rows struct {
	Table string
	Count int64
}

// Size measures the database. It reads an index of each table, which takes a second for ten million rows.
func (s *Store) Size(ctx context.Context) (size Size, err error) {
	return size, s.ask(ctx, "size", func(ctx context.Context, tx *sql.Tx) error {
		row := tx.QueryRowContext(ctx, "SELECT (page_count - freelist_count) * page_size FROM pragma_page_count, pragma_freelist_count, pragma_page_size")
		if err := row.Scan(&size.Bytes); err != nil {
			return err
		}
		rows, err := tx.QueryContext(ctx, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name")
		err = eachRow(rows, err, func(scan func(...any) error) error {
			var t Rows
			err := scan(&t.Table)
			size.Rows = append(size.Rows, t)
			return err
		})
		for n := range size.Rows {
			if err != nil {
				return err
			}
			err = tx.QueryRowContext(ctx, `SELECT count(*) FROM "`+size.Rows[n].Table+`"`).Scan(&size.Rows[n].Count) // a name of our migrations
		}
		return err
	})
}

// Counted is the exact number of reports of one kind.
type Counted struct {
	Type, Directive, Class string
	Disposition            string // enforce, report or unknown
	Count                  int64
}

// maxCounted is how many kinds an answer has. There are few types, directives and classes.
const maxCounted = 5000

const countersText = `SELECT type, directive, class, disposition, sum(count) AS total FROM counters WHERE site = ? AND hour >= ?
	GROUP BY +type, +directive, +class, +disposition ORDER BY total DESC, type, directive, class, disposition LIMIT ?`

// Counters sums up the exact counters of a site from the hour of a time on, for each kind of report, the most first.
func (s *Store) Counters(ctx context.Context, site string, since time.Time) (list []Counted, err error) {
	return list, s.ask(ctx, "counters", func(ctx context.Context, tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, countersText, site, sinceHour(since), maxCounted)
		return eachRow(rows, err, func(scan func(...any) error) error {
			var c Counted
			err := scan(&c.Type, &c.Directive, &c.Class, &c.Disposition, &c.Count)
			list = append(list, c)
			return err
		})
	})
}
