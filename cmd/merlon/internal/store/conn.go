package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// prepared are the statements of a commit, compiled on one connection of the driver.
//
// A commit runs about eight short statements for each issue, and database/sql spent as much time on each as SQLite: a lock, a
// copy of the statement and, for a context that can end, a goroutine. So commits speak to the driver, which BenchmarkCommit
// showed to take half of the time. Everything else uses database/sql.
type prepared struct {
	on   driver.Conn
	list [statements]driver.Stmt
	args []driver.NamedValue // of the statement that runs
}

// compile compiles the statements unless that is done.
func (p *prepared) compile(ctx context.Context, on driver.Conn) error {
	if p.on == on {
		return nil
	}
	preparer := on.(driver.ConnPrepareContext) // the driver is one that can
	for n := range p.list {
		var err error
		if p.list[n], err = preparer.PrepareContext(ctx, statementText(n)); err != nil {
			return errors.Join(err, p.close())
		}
	}
	p.on = on
	return nil
}

// close must come before the connection's end, which would wait for the statements.
func (p *prepared) close() (err error) {
	for n, s := range p.list {
		if s != nil {
			err = errors.Join(err, s.Close())
		}
		p.list[n] = nil
	}
	p.on = nil
	return err
}

func (p *prepared) exec(ctx context.Context, n int, args []any) (driver.Result, error) {
	return p.list[n].(driver.StmtExecContext).ExecContext(ctx, p.bind(args))
}

// each calls add for each row that the statement returns.
func (p *prepared) each(ctx context.Context, n int, args []any, add func(scan func(...any) error) error) error {
	rows, err := p.list[n].(driver.StmtQueryContext).QueryContext(ctx, p.bind(args))
	if err != nil {
		return err
	}
	defer rows.Close()
	values := make([]driver.Value, len(rows.Columns()))
	scan := func(dest ...any) error {
		for i, d := range dest {
			if err := assign(d, values[i]); err != nil {
				return err
			}
		}
		return nil
	}
	for {
		if err := rows.Next(values); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		if err := add(scan); err != nil {
			return err
		}
	}
}

// bind brings arguments into the few types that drivers take.
func (p *prepared) bind(args []any) []driver.NamedValue {
	p.args = p.args[:0]
	for i, a := range args {
		switch v := a.(type) {
		case int:
			a = int64(v)
		case Verdict:
			a = string(v)
		}
		p.args = append(p.args, driver.NamedValue{Ordinal: i + 1, Value: a})
	}
	return p.args
}

// assign stores a value that the driver read.
func assign(dest any, v driver.Value) error {
	number, isNumber := v.(int64)
	text, isText := v.(string)
	blob, isBlob := v.([]byte)
	switch d := dest.(type) {
	case *int64:
		*d = number
		return unless(isNumber, d, v)
	case *int:
		*d = int(number)
		return unless(isNumber, d, v)
	case *bool:
		*d = number != 0
		return unless(isNumber, d, v)
	case *string:
		*d = text
		return unless(isText, d, v)
	case *Verdict:
		*d = Verdict(text)
		return unless(isText, d, v)
	case *[]byte:
		*d = blob
		return unless(isBlob || v == nil, d, v) // an empty blob may come as nothing
	}
	return unless(false, dest, v)
}

func unless(ok bool, dest any, v driver.Value) error {
	if ok {
		return nil
	}
	return fmt.Errorf("reading a %T into a %T", v, dest)
}

// transact runs f in a transaction on the connection that writes. The caller holds mu. Nothing interrupts it: the driver would
// give the connection up, with the statements.
func (s *Store) transact(ctx context.Context, f func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	ctx = context.WithoutCancel(ctx)
	conn, err := s.write.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close() // back to the pool
	return conn.Raw(func(raw any) error {
		if err := s.prepared.compile(ctx, raw.(driver.Conn)); err != nil {
			return err
		}
		return s.inTransaction(ctx, raw.(driver.ExecerContext), f)
	})
}

func (s *Store) inTransaction(ctx context.Context, on driver.ExecerContext, f func() error) error {
	_, err := on.ExecContext(ctx, "BEGIN IMMEDIATE", nil)
	if err != nil {
		return err
	}
	if err = f(); err == nil {
		_, err = on.ExecContext(ctx, "COMMIT", nil)
	}
	if err == nil {
		return nil
	}
	// After some errors, a full disk for one, SQLite has rolled back itself and says so. After others nobody knows what the
	// connection is good for: it is closed.
	if _, e := on.ExecContext(ctx, "ROLLBACK", nil); e != nil && code(e) != sqlite3.SQLITE_ERROR {
		return errors.Join(err, s.prepared.close(), driver.ErrBadConn)
	}
	return err
}

// code is SQLite's code of an error without the extended part, 0 if it has none.
func code(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code() & 0xff
	}
	return 0
}
