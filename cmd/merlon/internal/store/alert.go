package store

import (
	"context"
	"database/sql"
	"time"
)

// Alert is what was last found about a subject, so that people are told of a change once.
type Alert struct {
	Site    string
	Kind    string
	Subject string
	State   string    // a word of the caller's; [Store.SetAlert] takes "" to forget the alert
	Since   time.Time // when it got into this state
	SentAt  time.Time // when people were told; zero: not yet
}

// maxAlerts bounds the alerts in an answer, and in the file: the oldest are forgotten.
const maxAlerts = 20000

// AlertState lists all alerts, by site, kind and subject.
func (s *Store) AlertState(ctx context.Context) (alerts []Alert, err error) {
	return alerts, s.ask(ctx, "alerts", func(ctx context.Context, tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, "SELECT site, kind, subject, state, since, sent_at FROM alerts ORDER BY site, kind, subject LIMIT ?", maxAlerts)
		return eachRow(rows, err, func(scan func(...any) error) error {
			var a Alert
			var since, sent int64
			err := scan(&a.Site, &a.Kind, &a.Subject, &a.State, &since, &sent)
			a.Since, a.SentAt = fromMillis(since), optional(sent)
			alerts = append(alerts, a)
			return err
		})
	})
}

// SetAlert writes alerts down in one transaction: all of them or, with an error, none. There is one for each site, kind and subject.
func (s *Store) SetAlert(ctx context.Context, alerts ...Alert) error {
	return s.update(ctx, "storing alerts", func(ctx context.Context, tx *sql.Tx) error {
		for _, a := range alerts {
			if err := setAlert(ctx, tx, a); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM alerts WHERE (SELECT count(*) FROM alerts) > ?1 AND (site, kind, subject) IN
			(SELECT site, kind, subject FROM alerts ORDER BY since DESC LIMIT -1 OFFSET ?1)`, maxAlerts)
		return err
	})
}

func setAlert(ctx context.Context, tx *sql.Tx, a Alert) error {
	if a.State == "" {
		_, err := tx.ExecContext(ctx, "DELETE FROM alerts WHERE site = ? AND kind = ? AND subject = ?", a.Site, a.Kind, a.Subject)
		return err
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO alerts (site, kind, subject, state, since, sent_at) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET state = excluded.state, since = excluded.since, sent_at = excluded.sent_at`,
		a.Site, a.Kind, a.Subject, a.State, a.Since.UnixMilli(), optionalMillis(a.SentAt))
	return err
}
