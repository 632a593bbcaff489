package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Digests returns the batches that commits remember, and when they came.
func (s *Store) Digests(ctx context.Context) (map[Digest]time.Time, error) {
	out := map[Digest]time.Time{}
	err := s.ask(ctx, "digests", func(ctx context.Context, tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, "SELECT digest, at FROM digests ORDER BY at DESC")
		return eachRow(rows, err, func(scan func(...any) error) error {
			var d []byte
			var at int64
			if err := scan(&d, &at); err != nil {
				return err
			}
			if len(d) != len(Digest{}) {
				return fmt.Errorf("a digest of %d bytes", len(d))
			}
			out[Digest(d)] = fromMillis(at)
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
