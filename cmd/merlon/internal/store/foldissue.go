package store

import (
	"context"
	"database/sql"
	"errors"
)

// foldIssues adds the issues that a condition selects to the ones that stand for the rest of their kinds, and removes their rows, a
// few in each transaction, those seen longest ago first.
func (m *maintenance) foldIssues(ctx context.Context, condition string, args ...any) (sum int64, err error) {
	const few = 4 // of up to a thousand rows each
	text := "SELECT id, site, fingerprint_version, fingerprint FROM issues WHERE " + condition + " ORDER BY last_seen LIMIT ?"
	args = append(args, few)
	for {
		n, err := m.foldFew(ctx, text, args)
		if sum += n; err != nil || n == 0 {
			return sum, err
		}
	}
}

// issueRow is the row of an issue, and under what the store knows it.
type issueRow struct {
	key issueKey
	id  int64
}

func (m *maintenance) foldFew(ctx context.Context, text string, args []any) (int64, error) {
	var gone, made []issueRow
	err := m.update(ctx, func(ctx context.Context, tx *sql.Tx) (err error) {
		if gone, err = selectIssueRows(ctx, tx, text, args); err != nil {
			return err
		}
		for _, row := range gone {
			other, fresh, err := foldIssue(ctx, tx, row.id)
			if err != nil {
				return err
			}
			if fresh {
				made = append(made, other)
			}
		}
		return nil
	}, func() {
		for _, row := range gone {
			m.store.note(row.key.site, func(s *siteIssues) { s.drop(row.key.fp) })
		}
		for _, row := range made {
			m.store.note(row.key.site, func(s *siteIssues) { s.put(row.key.fp, &liveIssue{id: row.id, folded: true}) })
		}
	})
	return int64(len(gone)), err
}

func selectIssueRows(ctx context.Context, tx *sql.Tx, text string, args []any) (list []issueRow, err error) {
	rows, err := tx.QueryContext(ctx, text, args...)
	return list, eachRow(rows, err, func(scan func(...any) error) error {
		var row issueRow
		var sum []byte
		err := scan(&row.id, &row.key.site, &row.key.fp.Version, &sum)
		copy(row.key.fp.Sum[:], sum)
		list = append(list, row)
		return err
	})
}

// foldIssue adds one issue to the one that stands for the rest of its kind, and removes it. fresh: that one had no row before.
func foldIssue(ctx context.Context, tx *sql.Tx, id int64) (other issueRow, fresh bool, err error) {
	other, fresh, err = otherOf(ctx, tx, id)
	if err != nil {
		return other, false, err
	}
	if err := mergeReach(ctx, tx, id, other.id); err != nil {
		return other, false, err
	}
	for _, text := range [...]string{
		`UPDATE issues SET first_seen = min(issues.first_seen, i.first_seen), last_seen = max(issues.last_seen, i.last_seen), enforced = issues.enforced + i.enforced,
			reported = issues.reported + i.reported, unknown = issues.unknown + i.unknown, attested = issues.attested + i.attested
			FROM issues AS i WHERE issues.id = ?2 AND i.id = ?1`,
		// What stands for many has the values that it has; others join the sum, so that it stays bounded.
		`INSERT INTO facets (site, issue, kind, value, count) SELECT site, ?2, kind,
			iif(EXISTS (SELECT 1 FROM facets AS o WHERE o.issue = ?2 AND o.kind = f.kind AND o.value = f.value), value, '') AS kept, sum(count)
			FROM facets AS f WHERE issue = ?1 GROUP BY site, kind, kept ON CONFLICT DO UPDATE SET count = count + excluded.count`,
		`INSERT INTO timeline (site, issue, hour, enforced, reported, unknown) SELECT site, ?2, hour, enforced, reported, unknown FROM timeline WHERE issue = ?1
			ON CONFLICT DO UPDATE SET enforced = enforced + excluded.enforced, reported = reported + excluded.reported, unknown = unknown + excluded.unknown`,
		`DELETE FROM issues WHERE id = ?1 AND id <> ?2`,
	} {
		if _, err := tx.ExecContext(ctx, text, id, other.id); err != nil {
			return other, false, err
		}
	}
	return other, fresh, nil
}

// otherOf returns the issue that stands for the rest of the kind of an issue, and makes its row if there is none.
func otherOf(ctx context.Context, tx *sql.Tx, id int64) (other issueRow, fresh bool, err error) {
	var typ, directive, class string
	row := tx.QueryRowContext(ctx, "SELECT site, fingerprint_version, type, directive, class FROM issues WHERE id = ?", id)
	if err := row.Scan(&other.key.site, &other.key.fp.Version, &typ, &directive, &class); err != nil {
		return other, false, err
	}
	folded, _ := fold(issueKey{}, &delta{hit: Hit{Type: typ, Directive: directive, Class: class}})
	other.key.fp.Sum = folded.fp.Sum
	fp := other.key.fp
	err = tx.QueryRowContext(ctx, "SELECT id FROM issues WHERE site = ? AND fingerprint_version = ? AND fingerprint = ?", other.key.site, fp.Version, fp.Sum[:]).Scan(&other.id)
	if !errors.Is(err, sql.ErrNoRows) {
		return other, false, err
	}
	result, err := tx.ExecContext(ctx, `INSERT INTO issues (site, fingerprint_version, fingerprint, folded, type, directive, class, blocked, sample,
		verdict, rule, first_seen, last_seen, enforced, reported, unknown)
		SELECT site, fingerprint_version, ?, 1, type, directive, class, ?, '', verdict, rule, first_seen, last_seen, 0, 0, 0 FROM issues WHERE id = ?`,
		fp.Sum[:], FoldedBlocked, id)
	if err == nil {
		other.id, err = result.LastInsertId()
	}
	return other, true, err
}

// mergeReach adds those who have seen one issue to those of another, which takes the graver verdict.
func mergeReach(ctx context.Context, tx *sql.Tx, from, to int64) error {
	const text = "SELECT verdict, rule, network_set, view_set FROM issues WHERE id = ?"
	var labels [2]label
	var networks, views [2]reach
	for i, id := range [...]int64{to, from} {
		var n, v []byte
		if err := tx.QueryRowContext(ctx, text, id).Scan(&labels[i].verdict, &labels[i].rule, &n, &v); err != nil {
			return err
		}
		networks[i], views[i] = reachOf(n), reachOf(v)
	}
	if labels[1].verdict.graver(labels[0].verdict) {
		labels[0] = labels[1]
	}
	networks[0].take(networks[1])
	views[0].take(views[1])
	_, err := tx.ExecContext(ctx, statementText(setReach), labels[0].verdict, labels[0].rule, networks[0].count(), networks[0].blob(), views[0].count(), views[0].blob(), to)
	return err
}
