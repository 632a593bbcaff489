package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
	"unicode"
	"unicode/utf8"
)

// MaxNote bounds the note of a decision, in bytes.
const MaxNote = 500

// Decision is what somebody decided about an issue.
type Decision struct {
	State State
	Until time.Time // of Ignored: when it is new again; zero: never
	Note  string    // why, in at most MaxNote bytes
	At    time.Time // of the decision
}

// check lists all mistakes of d.
func (d Decision) check() error {
	var errs []error
	switch d.State {
	case New, Acknowledged, Accepted, Ignored:
	default:
		errs = append(errs, fmt.Errorf("state %q: use new, acknowledged, accepted or ignored", d.State))
	}
	if !d.Until.IsZero() && d.State != Ignored {
		errs = append(errs, fmt.Errorf("until: only the state ignored ends by itself, not %q", d.State))
	}
	if !d.Until.IsZero() && !d.Until.After(d.At) {
		errs = append(errs, fmt.Errorf("until %s: name a time to come", d.Until.UTC().Format(time.DateOnly)))
	}
	if len(d.Note) > MaxNote {
		errs = append(errs, fmt.Errorf("note: %d bytes: use at most %d", len(d.Note), MaxNote))
	}
	if !plain(d.Note) {
		errs = append(errs, errors.New("note: leave out control characters other than line ends"))
	}
	if d.At.IsZero() {
		errs = append(errs, errors.New("at: name the time of the decision"))
	}
	return errors.Join(errs...)
}

func plain(text string) bool {
	for _, r := range text {
		if unicode.IsControl(r) && r != '\n' && r != '\t' && r != '\r' {
			return false
		}
	}
	return utf8.ValidString(text)
}

// SetState writes a decision about an issue down. It returns [ErrNotFound] if there is no such issue, and all mistakes of the
// decision at once.
func (s *Store) SetState(ctx context.Context, issue int64, d Decision) error {
	if err := d.check(); err != nil {
		return err
	}
	return s.update(ctx, "setting a state", func(ctx context.Context, tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, "UPDATE issues SET state = ?, state_until = ?, state_note = ?, state_at = ? WHERE id = ?",
			d.State, optionalMillis(d.Until), d.Note, d.At.UnixMilli(), issue)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); n == 0 || err != nil {
			return errors.Join(err, ErrNotFound)
		}
		return nil
	})
}

// update runs f in one transaction that writes. Commit waits for it, so it must be short.
func (s *Store) update(ctx context.Context, what string, f func(context.Context, *sql.Tx) error) error {
	return s.updateThen(ctx, what, f, func() {})
}

// updateThen is update, and calls then when the transaction is in the file and before anything else is.
func (s *Store) updateThen(ctx context.Context, what string, f func(context.Context, *sql.Tx) error, then func()) error {
	err := s.writable()
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.updates++
	if err := s.updateLocked(context.WithoutCancel(ctx), f); err != nil { // see transact
		return fmt.Errorf("%s: %w", what, err)
	}
	then()
	return nil
}

func (s *Store) updateLocked(ctx context.Context, f func(context.Context, *sql.Tx) error) error {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // without effect after Commit
	if err := f(ctx, tx); err != nil {
		return err
	}
	return tx.Commit()
}
