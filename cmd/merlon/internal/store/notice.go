package store

import (
	"context"
	"database/sql"
	"strings"
	"time"
)

// Notice is an alert: something that people were told of, or are to be told of. Its texts are made by who alerts, and are safe to show.
type Notice struct {
	Site    string // "" for what is no site's
	Kind    string
	Subject string // tells the alerts of a kind apart
	State   NoticeState
	Since   time.Time // of the state
	SentAt  time.Time // when the last target heard of the state; zero: not yet
	Fired   time.Time // when it began
	Issue   int64     // what it is about; 0: no issue
	What    string    // in few words
	Why     string
	Pending []string // the targets that have yet to hear of the state: names without spaces
}

// NoticeState is how an alert stands.
type NoticeState string

// The states of an alert.
const (
	Firing      NoticeState = "firing"
	Unconfirmed NoticeState = "unconfirmed" // it is on, and no second client has seen it
	Resolved    NoticeState = "resolved"
)

// Notices lists the alerts that are on, that somebody has yet to hear of, and that ended lately, the newest first.
func (s *Store) Notices(ctx context.Context) (alerts []Notice, err error) {
	return alerts, s.ask(ctx, "alerts", func(ctx context.Context, tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT site, kind, subject, state, since, sent_at, fired, issue, what, why, pending FROM alerts
			ORDER BY since DESC, site, kind, subject`)
		return eachRow(rows, err, func(scan func(...any) error) error {
			var a Notice
			var since, sent, fired int64
			var pending string
			err := scan(&a.Site, &a.Kind, &a.Subject, &a.State, &since, &sent, &fired, &a.Issue, &a.What, &a.Why, &pending)
			a.Since, a.SentAt, a.Fired, a.Pending = fromMillis(since), optional(sent), fromMillis(fired), strings.Fields(pending)
			alerts = append(alerts, a)
			return err
		})
	})
}

// SaveNotices stores alerts, each in the place of the one with the same site, kind and subject, and forgets those that ended before
// the given time and that everybody has heard of.
func (s *Store) SaveNotices(ctx context.Context, alerts []Notice, forget time.Time) error {
	return s.update(ctx, "storing alerts", func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM alerts WHERE state = ? AND pending = '' AND since < ?`, Resolved, forget.UnixMilli())
		for _, a := range alerts {
			if err == nil {
				_, err = tx.ExecContext(ctx, `INSERT OR REPLACE INTO alerts (site, kind, subject, state, since, sent_at, fired, issue, what, why, pending)
					VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, a.Site, a.Kind, a.Subject, a.State, a.Since.UnixMilli(), optionalMillis(a.SentAt), a.Fired.UnixMilli(), a.Issue,
					a.What, a.Why, strings.Join(a.Pending, " "))
			}
		}
		return err
	})
}
