package store

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// writable returns an error if the store is one for reading, or if its file is no longer in its place: SQLite would go on to write to one that
// nobody finds after the end of the process.
func (s *Store) writable() error {
	if s.write == nil {
		return errors.New("the database was opened for reading")
	}
	if info, err := os.Stat(s.path); err != nil || !os.SameFile(info, s.file) {
		return fmt.Errorf("the database %q was removed or replaced while it is open: put it back, or start anew with what is there", s.path)
	}
	return nil
}

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
