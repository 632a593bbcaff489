package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Retention says how long things are kept. Zero values are the defaults.
type Retention struct {
	Samples  time.Duration // whole reports; 0 means 30 days
	Issues   time.Duration // issues that nobody has seen, unless somebody decided about them; 0 means 400 days
	Timeline time.Duration // an issue's reports by the hour, then by the day; 0 means 7 days
	Hours    time.Duration // counters, drops, documents and canaries by the hour, then by the day; 0 means 90 days
	Days     time.Duration // all that is kept by the day. Of counters and drops the sum stays, so that totals are exact. 0 means 730 days
	Digests  time.Duration // batches that may be sent again; 0 means 20 minutes
	MaxBytes int64         // of the file; 0 means 2 GiB. Beyond, samples go first, then facets, then the issues seen longest ago
}

const day = 24 * time.Hour

func (r Retention) withDefaults() Retention {
	r.Samples = cmp.Or(r.Samples, 30*day)
	r.Issues = cmp.Or(r.Issues, 400*day)
	r.Timeline = cmp.Or(r.Timeline, 7*day)
	r.Hours = cmp.Or(r.Hours, 90*day)
	r.Days = cmp.Or(r.Days, 730*day)
	r.Digests = cmp.Or(r.Digests, 20*time.Minute)
	r.MaxBytes = cmp.Or(r.MaxBytes, 2<<30)
	return r
}

// Maintained says what [Store.Maintain] did.
type Maintained struct {
	Samples int64 // removed
	Issues  int64 // folded into the "other" one of their kind
	Facets  int64 // folded, for want of room
	Hours   int64 // rows of an hour that were folded into days
	Old     int64 // rows beyond the end of their time, and texts of policies that nothing names any more
	Bytes   int64 // of the file's contents afterwards
	Longest time.Duration
	OverCap bool // the file is larger than it may be, and nothing is left that may go
}

// maintenance is one run of Maintain: transactions that are short, so that commits wait for none of them.
type maintenance struct {
	store *Store
	now   time.Time
	keep  Retention
	done  Maintained
}

// Maintain removes what is beyond its time, folds what is kept in less detail, and gives free space back to the file system. Reports
// keep being stored meanwhile. To call it again does no harm; once in an hour suffices.
func (s *Store) Maintain(ctx context.Context, now time.Time, keep Retention) (Maintained, error) {
	m := &maintenance{store: s, now: now, keep: keep.withDefaults()}
	for _, step := range []func(context.Context) error{m.digests, m.samples, m.fold, m.end, m.issues, m.policies, m.shrink, m.giveBack} {
		if err := step(ctx); err != nil {
			return m.done, fmt.Errorf("maintaining the report database: %w", err)
		}
	}
	return m.done, nil
}

// before is the time that lies so long ago.
func (m *maintenance) before(d time.Duration) int64 { return m.now.Add(-d).UnixMilli() }

// repeat runs f in transactions until it has nothing more to do.
func (m *maintenance) repeat(ctx context.Context, f func(context.Context, *sql.Tx) (int64, error)) (sum int64, err error) {
	for {
		var n int64
		err := m.once(ctx, func(ctx context.Context, tx *sql.Tx) (err error) {
			n, err = f(ctx, tx)
			return err
		})
		if sum += n; err != nil || n == 0 {
			return sum, err
		}
	}
}

func (m *maintenance) once(ctx context.Context, f func(context.Context, *sql.Tx) error) error {
	return m.update(ctx, f, func() {})
}

// update is [Store.updateThen], and measures how long commits have to wait for it.
func (m *maintenance) update(ctx context.Context, f func(context.Context, *sql.Tx) error, then func()) error {
	var start time.Time
	err := m.store.updateThen(ctx, "a step", func(ctx context.Context, tx *sql.Tx) error {
		start = time.Now()
		return f(ctx, tx)
	}, then)
	if !start.IsZero() {
		m.done.Longest = max(m.done.Longest, time.Since(start))
	}
	return err
}

// chunk is how many rows one transaction changes.
const chunk = 200

// delete runs a statement, whose last parameter is a number of rows, until it finds nothing more.
func (m *maintenance) delete(ctx context.Context, text string, args ...any) (int64, error) {
	return m.repeat(ctx, func(ctx context.Context, tx *sql.Tx) (int64, error) {
		return affected(tx.ExecContext(ctx, text, append(args[:len(args):len(args)], chunk)...))
	})
}

func (m *maintenance) digests(ctx context.Context) error {
	_, err := m.delete(ctx, "DELETE FROM digests WHERE digest IN (SELECT digest FROM digests WHERE at < ? LIMIT ?)", m.before(m.keep.Digests))
	return err
}

func (m *maintenance) samples(ctx context.Context) (err error) {
	m.done.Samples, err = m.delete(ctx, "DELETE FROM samples WHERE id IN (SELECT id FROM samples WHERE at < ? LIMIT ?)", m.before(m.keep.Samples))
	return err
}

// series is a table of counts by the hour.
type series struct {
	table, keys string // the columns of its primary key but hour
	all         string // the columns beside keys and hour
	add         string // how two rows become one
	keepsSum    bool   // whether the counts stay when their time is over, in a row of the hour 0
}

func allSeries() []series {
	return []series{
		{"timeline", "issue", "site, enforced, reported, unknown",
			"enforced = enforced + excluded.enforced, reported = reported + excluded.reported, unknown = unknown + excluded.unknown", false},
		{"counters", "site, type, directive, class, disposition", "count", "count = count + excluded.count", true},
		{"drops", "site, reason", "count, last_seen", "count = count + excluded.count, last_seen = max(last_seen, excluded.last_seen)", true},
		{"documents", "site, route, policy", "count", "count = count + excluded.count", false},
		{"canaries", "site, browser", "sent, received", "sent = sent + excluded.sent, received = received + excluded.received", false},
	}
}

// fold makes days of hours.
func (m *maintenance) fold(ctx context.Context) error {
	for _, s := range allSeries() {
		age := m.keep.Hours
		if s.table == "timeline" {
			age = m.keep.Timeline
		}
		edge := m.now.Add(-age).UTC().Truncate(day).UnixMilli()
		n, err := m.move(ctx, s, "hour - hour % 86400000", "hour % 86400000 <> 0 AND hour < ?", edge)
		if m.done.Hours += n; err != nil {
			return err
		}
	}
	return nil
}

// move adds the rows that the condition selects to those of another hour. The condition must not select those.
func (m *maintenance) move(ctx context.Context, s series, to, condition string, args ...any) (int64, error) {
	key := s.keys + ", hour"
	// The rows in their order are the same for both statements, since what is inserted is none of them.
	rows := "(SELECT " + key + " FROM " + s.table + " WHERE " + condition + " ORDER BY hour, " + s.keys + " LIMIT ?)"
	insert := "INSERT INTO " + s.table + " (" + s.keys + ", hour, " + s.all + ") SELECT " + s.keys + ", " + to + ", " + s.all + " FROM " + s.table +
		" WHERE (" + key + ") IN " + rows + " ON CONFLICT DO UPDATE SET " + s.add
	remove := "DELETE FROM " + s.table + " WHERE (" + key + ") IN " + rows
	args = append(args, chunk)
	return m.repeat(ctx, func(ctx context.Context, tx *sql.Tx) (int64, error) {
		if _, err := tx.ExecContext(ctx, insert, args...); err != nil {
			return 0, err
		}
		return affected(tx.ExecContext(ctx, remove, args...))
	})
}

// end removes what is beyond the time of days, or keeps but its sum.
func (m *maintenance) end(ctx context.Context) error {
	sites, err := m.store.Sites(ctx)
	if err != nil {
		return err
	}
	edge := m.now.Add(-m.keep.Days).UTC().Truncate(day).UnixMilli()
	for _, site := range sites {
		for _, s := range allSeries() {
			n, err := m.endOf(ctx, s, site, edge)
			if m.done.Old += n; err != nil {
				return err
			}
		}
	}
	return nil
}

func (m *maintenance) endOf(ctx context.Context, s series, site string, edge int64) (int64, error) {
	const condition = "site = ? AND hour > 0 AND hour < ?"
	if s.keepsSum {
		return m.move(ctx, s, "0", condition, site, edge)
	}
	key := "(" + s.keys + ", hour)"
	return m.delete(ctx, "DELETE FROM "+s.table+" WHERE "+key+" IN (SELECT "+s.keys+", hour FROM "+s.table+" WHERE "+condition+" LIMIT ?)", site, edge)
}

// issues folds those that nobody has seen for long.
func (m *maintenance) issues(ctx context.Context) error {
	sites, err := m.store.Sites(ctx)
	if err != nil {
		return err
	}
	for _, site := range sites {
		n, err := m.foldIssues(ctx, "site = ? AND last_seen < ? AND NOT folded AND "+undecided, site, m.before(m.keep.Issues), m.now.UnixMilli())
		if m.done.Issues += n; err != nil {
			return err
		}
	}
	return nil
}

// policies removes the texts that nothing names any more, so that a site which changes its policy often has room for the next. It
// looks for them as a reader does, which takes longer than commits may wait.
func (m *maintenance) policies(ctx context.Context) error {
	const text = `SELECT site, hash FROM policies WHERE first_seen < ? AND (site, hash) NOT IN (SELECT site, value FROM facets WHERE kind = 'policy')
		AND (site, hash) NOT IN (SELECT site, policy FROM documents)`
	var unused []policyKey
	err := m.store.ask(ctx, "policies", func(ctx context.Context, tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, text, m.before(m.keep.Samples))
		return eachRow(rows, err, func(scan func(...any) error) error {
			var p policyKey
			err := scan(&p.site, &p.hash)
			unused = append(unused, p)
			return err
		})
	})
	if err != nil || len(unused) == 0 {
		return err
	}
	return m.once(ctx, func(ctx context.Context, tx *sql.Tx) error {
		for _, p := range unused {
			n, err := affected(tx.ExecContext(ctx, "DELETE FROM policies WHERE site = ? AND hash = ?", p.site, p.hash))
			if m.done.Old += n; err != nil {
				return err
			}
		}
		return nil
	})
}

// undecided is the condition that nobody's decision about an issue holds. Its parameter is the time.
const undecided = effectiveState + " = 'new'"
