package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// The bounds of what hostile reports can make of the file. What is beyond them is counted in a row that stands for the rest.
const (
	MaxIssues = 5000 // issues of a site; then one "other" issue for each type, directive and class
	MaxPages  = 32   // routes of an issue; then one row with the route ""
)

// FoldedBlocked is what [Issue.Blocked] says for an issue that stands for those beyond MaxIssues.
const FoldedBlocked = "other"

// Commit stores the batch in one transaction. When it returns nil the batch is on stable storage, when it returns an error nothing
// of it is to be seen. Calls follow one another; an open reader does not delay them.
func (s *Store) Commit(ctx context.Context, b *Batch) error {
	if s.write == nil {
		return errors.New("storing reports: the database was opened for reading")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("storing reports: %w", err)
	}
	defer tx.Rollback() // without effect after Commit
	c := &commit{ctx: ctx, tx: tx, statements: &s.statements, live: s.live, added: map[string]int{}}
	c.batch(b)
	if c.err == nil {
		c.err = tx.Commit()
	}
	if c.err != nil {
		return fmt.Errorf("storing reports: %w", c.err)
	}
	for site, n := range c.added {
		s.live[site] += n
	}
	return nil
}

// commit is one transaction. The first error stays and makes the rest do nothing.
type commit struct {
	ctx        context.Context
	tx         *sql.Tx
	statements *[statements]*sql.Stmt
	live       map[string]int // before the transaction
	added      map[string]int
	err        error
}

func (c *commit) batch(b *Batch) {
	for key, d := range b.issues {
		c.issue(key, d)
	}
	for k, n := range b.counters {
		c.exec(addCounter, k.site, k.typ, k.directive, k.class, k.disposition.String(), k.hour, n)
	}
	for k, d := range b.drops {
		c.exec(addDrop, k.site, k.reason, k.hour, d.count, d.last.UnixMilli())
	}
}

// issue adds d to its issue: the one that is there, a new one, or beyond the cap the one that stands for the rest.
func (c *commit) issue(key issueKey, d *delta) {
	id, pages, found := c.addTo(key, d)
	if !found && c.live[key.site]+c.added[key.site] < MaxIssues {
		id, found = c.insert(key, d, false), true
		c.added[key.site]++
	}
	if !found {
		key, d = fold(key, d)
		if id, pages, found = c.addTo(key, d); !found {
			id = c.insert(key, d, true)
		}
	}
	for route, n := range d.pages {
		pages = c.page(key.site, id, route, n, pages)
	}
	c.exec(setPages, pages, id, pages)
}

// fold turns the delta of an issue that has no room into one of the issue that stands for its kind.
func fold(key issueKey, d *delta) (issueKey, *delta) {
	folded := *d
	folded.hit.Blocked, folded.hit.Sample = FoldedBlocked, ""
	sum := sha256.Sum256(fmt.Appendf(nil, "folded %q %q %q", d.hit.Type, d.hit.Directive, d.hit.Class))
	key.fp.Sum = [16]byte(sum[:16])
	return key, &folded
}

// addTo adds the counts of d to the issue with this key and returns its id and number of pages, if there is one.
func (c *commit) addTo(key issueKey, d *delta) (id int64, pages int, found bool) {
	if c.err != nil {
		return 0, 0, false
	}
	row := c.statement(addIssue).QueryRowContext(c.ctx, d.first.UnixMilli(), d.last.UnixMilli(), d.enforced, d.reported, d.unknown, d.hit.Sample,
		key.site, key.fp.Version, key.fp.Sum[:])
	err := row.Scan(&id, &pages)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		c.err = err
	}
	return id, pages, err == nil
}

func (c *commit) insert(key issueKey, d *delta, folded bool) (id int64) {
	result := c.exec(insertIssue, key.site, key.fp.Version, key.fp.Sum[:], folded, d.hit.Type, d.hit.Directive, d.hit.Class, d.hit.Blocked, d.hit.Sample,
		d.first.UnixMilli(), d.last.UnixMilli(), d.enforced, d.reported, d.unknown)
	if c.err == nil {
		id, c.err = result.LastInsertId()
	}
	return id
}

// page adds n to a route of an issue that has this many routes, and returns how many it has afterwards.
func (c *commit) page(site string, issue int64, route string, n int64, pages int) int {
	result := c.exec(addPage, n, issue, route)
	if c.err != nil {
		return pages
	}
	if updated, _ := result.RowsAffected(); updated > 0 {
		return pages
	}
	if pages >= MaxPages {
		route = ""
	}
	if route != "" {
		pages++
	}
	c.exec(insertPage, site, issue, route, n)
	return pages
}

func (c *commit) exec(n int, args ...any) (result sql.Result) {
	if c.err == nil {
		result, c.err = c.statement(n).ExecContext(c.ctx, args...)
	}
	return result
}

func (c *commit) statement(n int) *sql.Stmt { return c.tx.StmtContext(c.ctx, c.statements[n]) }

// countLive finds out how many issues each site has. Commit keeps the numbers from then on.
func (s *Store) countLive(ctx context.Context) error {
	s.live = map[string]int{}
	rows, err := s.write.QueryContext(ctx, "SELECT site, count(*) FROM issues WHERE folded = 0 GROUP BY site")
	return eachRow(rows, err, func(scan func(...any) error) error {
		var site string
		var n int
		err := scan(&site, &n)
		s.live[site] = n
		return err
	})
}

func fromMillis(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
