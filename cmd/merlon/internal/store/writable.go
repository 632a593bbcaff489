package store

import (
	"context"
	"fmt"
)

// Writable returns nil when the database can be written: it writes, to the disk, what is there already. To take the write lock
// alone would succeed on a full disk.
func (s *Store) Writable(ctx context.Context) error {
	if err := s.writable(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	_, err := s.write.ExecContext(context.WithoutCancel(ctx), fmt.Sprintf("PRAGMA user_version = %d", schemaVersion))
	return err
}
