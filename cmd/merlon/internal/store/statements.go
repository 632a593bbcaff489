package store

import (
	"context"
	"strconv"
)

// The statements of a commit, prepared once: to compile them costs more than to run them.
const (
	addIssue = iota
	insertIssue
	addPage
	insertPage
	setPages
	addCounter
	addDrop
	statements
)

func statementText(n int) string {
	switch n {
	case addIssue:
		return `UPDATE issues SET first_seen = min(first_seen, ?), last_seen = max(last_seen, ?),
			enforced = enforced + ?, reported = reported + ?, unknown = unknown + ?, sample = iif(sample = '', ?, sample)
			WHERE site = ? AND fingerprint_version = ? AND fingerprint = ? RETURNING id, pages`
	case insertIssue:
		return `INSERT INTO issues (site, fingerprint_version, fingerprint, folded, type, directive, class, blocked, sample,
			first_seen, last_seen, enforced, reported, unknown, pages) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)`
	case addPage:
		return `UPDATE pages SET count = count + ? WHERE issue = ? AND route = ?`
	case insertPage:
		return `INSERT INTO pages (site, issue, route, count) VALUES (?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET count = count + excluded.count`
	case setPages:
		return `UPDATE issues SET pages = ? WHERE id = ? AND pages <> ?`
	case addCounter:
		return `INSERT INTO counters (site, type, directive, class, disposition, hour, count) VALUES (?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET count = count + excluded.count`
	case addDrop:
		return `INSERT INTO drops (site, reason, hour, count, last_seen) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET count = count + excluded.count, last_seen = max(last_seen, excluded.last_seen)`
	}
	panic("store: no statement " + strconv.Itoa(n))
}

// prepare compiles the statements on the connection that writes.
func (s *Store) prepare(ctx context.Context) (err error) {
	for n := range s.statements {
		if s.statements[n], err = s.write.PrepareContext(ctx, statementText(n)); err != nil {
			return err
		}
	}
	return nil
}
