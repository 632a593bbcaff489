package store

import (
	"context"
	"database/sql"
	"strconv"
	"time"
)

// shrink removes what may go while the contents of the file are more than the cap: to nine tenths of it, so that the next hour does
// not begin at the cap again.
func (m *maintenance) shrink(ctx context.Context) error {
	over, err := m.over(ctx, m.keep.MaxBytes)
	if err != nil || !over {
		return err
	}
	for _, step := range []func(context.Context) (int64, error){m.dropSamples, m.dropFacets(), m.dropIssues} {
		for {
			over, err = m.over(ctx, m.keep.MaxBytes/10*9)
			if err != nil || !over {
				return err
			}
			n, err := step(ctx)
			if err != nil {
				return err
			}
			if n == 0 {
				break // to what is worth more
			}
		}
	}
	m.done.OverCap = true
	return nil
}

// over reports whether the contents of the file are more than so many bytes. Free pages are none.
func (m *maintenance) over(ctx context.Context, limit int64) (bool, error) {
	pages, free, size, err := m.store.pages(ctx)
	m.done.Bytes = (pages - free) * size
	return m.done.Bytes > limit, err
}

// pages returns the number of pages of the file, how many of them are free, and their size.
func (s *Store) pages(ctx context.Context) (all, free, size int64, err error) {
	return all, free, size, s.ask(ctx, "the size", func(ctx context.Context, tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, "SELECT page_count, freelist_count, page_size FROM pragma_page_count, pragma_freelist_count, pragma_page_size").
			Scan(&all, &free, &size)
	})
}

func (m *maintenance) dropSamples(ctx context.Context) (n int64, err error) {
	err = m.once(ctx, func(ctx context.Context, tx *sql.Tx) error {
		n, err = affected(tx.ExecContext(ctx, "DELETE FROM samples WHERE id IN (SELECT id FROM samples ORDER BY at LIMIT ?)", chunk))
		return err
	})
	m.done.Samples += n
	return n, err
}

// dropFacets returns a function that folds the values of a few issues, those seen longest ago first.
func (m *maintenance) dropFacets() func(context.Context) (int64, error) {
	var seen, id int64
	return func(ctx context.Context) (folded int64, err error) {
		err = m.once(ctx, func(ctx context.Context, tx *sql.Tx) error {
			var ids []int64
			rows, err := tx.QueryContext(ctx, `SELECT id, last_seen FROM issues WHERE (last_seen, id) > (?, ?)
				AND EXISTS (SELECT 1 FROM facets WHERE issue = issues.id AND value <> '') ORDER BY last_seen, id LIMIT 4`, seen, id)
			err = eachRow(rows, err, func(scan func(...any) error) error {
				err := scan(&id, &seen)
				ids = append(ids, id)
				return err
			})
			if err == nil {
				folded, err = foldFacets(ctx, tx, "issue IN (SELECT value FROM json_each(?)) AND value <> ''", array(ids))
			}
			return err
		})
		m.done.Facets += folded
		return folded, err
	}
}

// foldFacets adds the facets that a condition selects to the sums of their kinds, and returns how many there were.
func foldFacets(ctx context.Context, tx *sql.Tx, condition string, args ...any) (int64, error) {
	_, err := tx.ExecContext(ctx, `INSERT INTO facets (site, issue, kind, value, count) SELECT site, issue, kind, '', sum(count) FROM facets
		WHERE `+condition+` GROUP BY site, issue, kind ON CONFLICT DO UPDATE SET count = count + excluded.count`, args...)
	if err != nil {
		return 0, err
	}
	return affected(tx.ExecContext(ctx, "DELETE FROM facets WHERE "+condition, args...))
}

func affected(result sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func (m *maintenance) dropIssues(ctx context.Context) (int64, error) {
	n, err := m.foldFew(ctx, "SELECT id, site, fingerprint_version, fingerprint FROM issues WHERE NOT folded AND "+undecided+
		" ORDER BY last_seen LIMIT 4", []any{m.now.UnixMilli()})
	m.done.Issues += n
	return n, err
}

// giveBack makes the file smaller by its free pages, but for a few that the next reports take.
func (m *maintenance) giveBack(ctx context.Context) error {
	const keep, few = 256, 100 // pages
	given := false
	defer func() {
		if given {
			m.store.forgetLog() // the file itself gets shorter with it
		}
	}()
	for {
		all, free, size, err := m.store.pages(ctx)
		m.done.Bytes = (all - free) * size
		if err != nil || free <= keep {
			return err
		}
		given = true
		if err := m.vacuum(ctx, min(free-keep, few)); err != nil {
			return err
		}
		after, _, _, err := m.store.pages(ctx)
		if err != nil || after >= all {
			return err // what is free is needed where it is
		}
	}
}

func (m *maintenance) vacuum(ctx context.Context, pages int64) error {
	s := m.store
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	start := time.Now()
	defer func() { m.done.Longest = max(m.done.Longest, time.Since(start)) }()
	_, err := s.write.ExecContext(context.WithoutCancel(ctx), "PRAGMA incremental_vacuum("+strconv.FormatInt(pages, 10)+")")
	return err
}
