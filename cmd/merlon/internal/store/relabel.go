package store

import (
	"context"
	"database/sql"
	"fmt"
)

// relabelText selects issues with what a label comes of: of routes, the only one.
const relabelText = `SELECT id, fingerprint_version, fingerprint, type, directive, class, blocked, sample, verdict, rule,
	coalesce((SELECT iif(count(*) = 1, min(value), '') FROM facets WHERE issue = issues.id AND kind = 'route'), '')
	FROM issues WHERE site = ? AND id > ? AND NOT folded ORDER BY id LIMIT ?`

// relabelled is an issue whose label is to change.
type relabelled struct {
	id  int64
	fp  Fingerprint
	was label
	is  label
}

// Relabel gives the issues of a site the verdict and the rule that label answers, and returns how many got another one. Issues that stand for
// others keep theirs, since nobody knows what is in them. The function sees what issues are told apart by, the fingerprint of that, their
// verdict and rule, and the page if there is only one. Reports are stored meanwhile: it reads as others do, and writes in short transactions.
func (s *Store) Relabel(ctx context.Context, site string, label func(Issue, Fingerprint) (Verdict, string)) (changed int64, err error) {
	m := &maintenance{store: s}
	for last := int64(0); ; {
		found, next, err := s.labelsOf(ctx, site, last, label)
		if err == nil && len(found) > 0 {
			var n int64
			n, err = m.relabel(ctx, site, found)
			changed += n
		}
		if err != nil || next == last {
			return changed, err
		}
		last = next
	}
}

// labelsOf reads the next issues behind an id, and returns those that get another label and the id of the last one.
func (s *Store) labelsOf(ctx context.Context, site string, last int64, answer func(Issue, Fingerprint) (Verdict, string)) (found []relabelled, next int64, err error) {
	next = last
	err = s.ask(ctx, "labels", func(ctx context.Context, tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, relabelText, site, last, chunk)
		return eachRow(rows, err, func(scan func(...any) error) error {
			var r relabelled
			var sum []byte
			var route string
			i := Issue{Site: site}
			err := scan(&i.ID, &r.fp.Version, &sum, &i.Type, &i.Directive, &i.Class, &i.Blocked, &i.Sample, &i.Verdict, &i.Rule, &route)
			if err != nil {
				return err
			}
			if route != "" {
				i.Pages = []Page{{Route: route}}
			}
			copy(r.fp.Sum[:], sum)
			r.id, r.was, next = i.ID, label{i.Verdict, i.Rule}, i.ID
			if r.is.verdict, r.is.rule = answer(i, r.fp); r.is != r.was {
				found = append(found, r)
			}
			return nil
		})
	})
	return found, next, err
}

// relabel writes labels down. An issue that a report gave another one meanwhile keeps that.
func (m *maintenance) relabel(ctx context.Context, site string, list []relabelled) (changed int64, err error) {
	var done []relabelled
	err = m.update(ctx, func(ctx context.Context, tx *sql.Tx) error {
		for _, r := range list {
			n, err := affected(tx.ExecContext(ctx, "UPDATE issues SET verdict = ?, rule = ? WHERE id = ? AND verdict = ? AND rule = ?",
				r.is.verdict, r.is.rule, r.id, r.was.verdict, r.was.rule))
			if err != nil {
				return fmt.Errorf("labelling issues anew: %w", err)
			}
			if n > 0 {
				done = append(done, r)
			}
		}
		return nil
	}, func() { m.store.note(site, func(known *siteIssues) { known.relabel(done) }) })
	if err != nil {
		return 0, err
	}
	return int64(len(done)), nil
}

// relabel notes what issues are worth under their labels.
func (s *siteIssues) relabel(list []relabelled) {
	for _, r := range list {
		if i := s.byKey[r.fp]; i != nil {
			w := i.worth
			w.noise = r.is.verdict == Noise
			i.appraise(w)
		}
	}
}
