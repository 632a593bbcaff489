package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Erased says what [Store.Erase] or [Store.Purge] removed.
type Erased struct {
	Issues    int64 // rows; those of Erase are folded, so that their counts stay
	Facets    int64
	Samples   int64
	Fields    int64 // samples of code and notes of issues
	Documents int64
	Policies  int64
	Alerts    int64
	Counters  int64 // of Purge
	Held      bool  // a reader of another process keeps the old bytes in the write-ahead log: end it and do this again
}

// Erase removes what holds a URL from the reports of a site, or of all sites for "". The pattern is an origin (https://a.example), a
// path of documents or scripts (/account/*) or both, in which * stands for anything. Counts stay, without what they were of. At the
// end the file is written anew, so that no byte is left in it or in its log; commits wait meanwhile, a second or so for 100 MB.
func (s *Store) Erase(ctx context.Context, site, url string) (Erased, error) {
	p, err := parsePattern(url)
	if err != nil {
		return Erased{}, err
	}
	e := &eraser{m: &maintenance{store: s}, pattern: p}
	if e.sites, err = s.chosen(ctx, site); err != nil {
		return Erased{}, err
	}
	for _, step := range []func(context.Context) error{e.facets, e.samples, e.issues, e.fields, e.documents, e.rest} {
		if err := step(ctx); err != nil {
			return e.done, fmt.Errorf("erasing %q: %w", url, err)
		}
	}
	if err := s.rewrite(ctx); err != nil {
		return e.done, fmt.Errorf("erasing %q: the rows are gone, but bytes of them may still be in the file: %w: "+
			"free as much space as the file has, and erase once more", url, err)
	}
	e.done.Held = !s.forgetLog()
	return e.done, nil
}

// rewrite makes the file anew from its rows. SQLite overwrites what is deleted, but not the copies that stay in a page whose rows
// were moved to another. Commits wait meanwhile.
func (s *Store) rewrite(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err := s.write.ExecContext(context.WithoutCancel(ctx), "VACUUM")
	return err
}

// eraser is one run of Erase. It looks for rows as a reader does, and removes them in short transactions.
type eraser struct {
	m       *maintenance
	pattern pattern
	sites   string
	done    Erased
}

const ofSites = "site IN (SELECT value FROM json_each(?))"

// each calls f, in transactions, with the numbers that a statement finds: a few each time, beyond the last ones. The parameters of the
// statement are the sites, the last number and its own.
func (e *eraser) each(ctx context.Context, text string, args []any, f func(context.Context, *sql.Tx, string) error) error {
	var last int64
	for {
		ids, err := e.m.store.numbers(ctx, text, append([]any{e.sites, last}, args...))
		if err != nil || len(ids) == 0 {
			return err
		}
		last = ids[len(ids)-1]
		if err := e.m.once(ctx, func(ctx context.Context, tx *sql.Tx) error { return f(ctx, tx, array(ids)) }); err != nil {
			return err
		}
	}
}

func (s *Store) numbers(ctx context.Context, text string, args []any) (list []int64, err error) {
	return list, s.askWithin(ctx, maxSearch, "what is to be removed", func(ctx context.Context, tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, text, args...)
		return eachRow(rows, err, func(scan func(...any) error) error {
			var n int64
			err := scan(&n)
			list = append(list, n)
			return err
		})
	})
}

func (e *eraser) facets(ctx context.Context) error {
	match, args := matches("value", append(e.pattern.whole[:len(e.pattern.whole):len(e.pattern.whole)], e.pattern.routes...))
	match = "kind IN ('route', 'source') AND " + match
	text := "SELECT DISTINCT issue FROM facets WHERE " + ofSites + " AND issue > ? AND " + match + " ORDER BY issue LIMIT 20"
	return e.each(ctx, text, args, func(ctx context.Context, tx *sql.Tx, ids string) error {
		n, err := foldFacets(ctx, tx, "issue IN (SELECT value FROM json_each(?)) AND "+match, append([]any{ids}, args...)...)
		e.done.Facets += n
		return err
	})
}

func (e *eraser) samples(ctx context.Context) error {
	match, args := matches("body", e.pattern.within)
	text := "SELECT id FROM samples WHERE " + ofSites + " AND id > ? AND " + match + " ORDER BY id LIMIT 200"
	return e.each(ctx, text, args, func(ctx context.Context, tx *sql.Tx, ids string) error {
		n, err := affected(tx.ExecContext(ctx, "DELETE FROM samples WHERE id IN (SELECT value FROM json_each(?))", ids))
		e.done.Samples += n
		return err
	})
}

// issues folds those that are about the URL. Their fingerprint would tell it to those who guess it.
func (e *eraser) issues(ctx context.Context) error {
	match, args := matches("blocked", e.pattern.whole)
	for {
		ids, err := e.m.store.numbers(ctx, "SELECT id FROM issues WHERE "+ofSites+" AND NOT folded AND "+match+" LIMIT 200", append([]any{e.sites}, args...))
		if err != nil || len(ids) == 0 {
			return err
		}
		n, err := e.m.foldIssues(ctx, "id IN (SELECT value FROM json_each(?))", array(ids))
		if e.done.Issues += n; err != nil {
			return err
		}
	}
}

// fields empties what else an issue has of the URL.
func (e *eraser) fields(ctx context.Context) error {
	for _, column := range [...]string{"sample", "state_note"} {
		match, args := matches(column+" || ' '", e.pattern.within)
		text := "SELECT id FROM issues WHERE " + ofSites + " AND id > ? AND " + match + " ORDER BY id LIMIT 200"
		err := e.each(ctx, text, args, func(ctx context.Context, tx *sql.Tx, ids string) error {
			n, err := affected(tx.ExecContext(ctx, "UPDATE issues SET "+column+" = '' WHERE id IN (SELECT value FROM json_each(?))", ids))
			e.done.Fields += n
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// documents adds those of routes to the sum of the routes beyond the cap.
func (e *eraser) documents(ctx context.Context) error {
	match, args := matches("route", e.pattern.routes)
	const key = "(site, route, policy, hour)"
	rows := "(SELECT site, route, policy, hour FROM documents WHERE " + ofSites + " AND route <> '*' AND " + match + " LIMIT 200)"
	args = append([]any{e.sites}, args...)
	n, err := e.m.repeat(ctx, func(ctx context.Context, tx *sql.Tx) (int64, error) {
		_, err := tx.ExecContext(ctx, `INSERT INTO documents (site, route, policy, hour, count) SELECT site, '*', policy, hour, sum(count) FROM documents
			WHERE `+key+` IN `+rows+` GROUP BY site, policy, hour ON CONFLICT DO UPDATE SET count = count + excluded.count`, args...)
		if err != nil {
			return 0, err
		}
		return affected(tx.ExecContext(ctx, "DELETE FROM documents WHERE "+key+" IN "+rows, args...))
	})
	e.done.Documents += n
	return err
}

// rest removes the policies and alerts that hold the URL, and the alerts about issues that held it. There are few of both.
func (e *eraser) rest(ctx context.Context) error {
	policies, policyArgs := matches("text || ' '", e.pattern.within)
	alerts, alertArgs := matches("subject || ' '", e.pattern.within)
	alerts = "(" + alerts + " OR issue <> 0 AND NOT EXISTS (SELECT 1 FROM issues WHERE id = alerts.issue AND blocked <> ''))"
	return e.m.once(ctx, func(ctx context.Context, tx *sql.Tx) (err error) {
		e.done.Policies, err = affected(tx.ExecContext(ctx, "DELETE FROM policies WHERE "+ofSites+" AND "+policies, append([]any{e.sites}, policyArgs...)...))
		if err == nil {
			e.done.Alerts, err = affected(tx.ExecContext(ctx, "DELETE FROM alerts WHERE "+ofSites+" AND "+alerts, append([]any{e.sites}, alertArgs...)...))
		}
		return err
	})
}

// Purge removes what a site, or for "" all sites, reported before a time: issues that were last seen before, and all counts, samples
// and points of time before. What stays of issues that were seen later are their whole counts, so sums no longer match.
func (s *Store) Purge(ctx context.Context, site string, before time.Time) (Erased, error) {
	sites, err := s.chosen(ctx, site)
	if err != nil {
		return Erased{}, err
	}
	e := &eraser{m: &maintenance{store: s}, sites: sites}
	if err := e.purge(ctx, before); err != nil {
		return e.done, fmt.Errorf("purging: %w", err)
	}
	e.done.Held = !s.forgetLog()
	return e.done, nil
}

func (e *eraser) purge(ctx context.Context, before time.Time) (err error) {
	if err := e.purgeIssues(ctx, before.UnixMilli()); err != nil {
		return err
	}
	e.done.Samples, err = e.m.delete(ctx, "DELETE FROM samples WHERE id IN (SELECT id FROM samples WHERE at < ? AND "+ofSites+" LIMIT ?)", before.UnixMilli(), e.sites)
	for _, s := range allSeries() {
		if err != nil {
			return err
		}
		var n int64
		n, err = e.m.delete(ctx, "DELETE FROM "+s.table+" WHERE ("+s.keys+", hour) IN (SELECT "+s.keys+", hour FROM "+s.table+
			" WHERE "+ofSites+" AND hour < ? LIMIT ?)", e.sites, hour(before))
		switch s.table {
		case "documents":
			e.done.Documents = n
		case "counters":
			e.done.Counters = n
		}
	}
	return err
}

// purgeIssues removes issues a few at a time, with all that hangs on them.
func (e *eraser) purgeIssues(ctx context.Context, before int64) error {
	const text = "SELECT id, site, fingerprint_version, fingerprint FROM issues WHERE " + ofSites + " AND last_seen < ? LIMIT 4"
	for {
		var gone []issueRow
		err := e.m.update(ctx, func(ctx context.Context, tx *sql.Tx) (err error) {
			gone, err = selectIssueRows(ctx, tx, text, []any{e.sites, before})
			for _, row := range gone {
				if err == nil {
					_, err = tx.ExecContext(ctx, "DELETE FROM issues WHERE id = ?", row.id)
				}
			}
			return err
		}, func() {
			for _, row := range gone {
				e.m.store.note(row.key.site, func(s *siteIssues) { s.drop(row.key.fp) })
			}
		})
		if e.done.Issues += int64(len(gone)); err != nil || len(gone) == 0 {
			return err
		}
	}
}
