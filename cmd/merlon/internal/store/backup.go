package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Backup writes a copy of the database to a file that is not there yet, for its owner only. Commits go on meanwhile, and are not in it.
// The copy is complete and in no need of other files when Backup returns nil; otherwise there is none.
func (s *Store) Backup(ctx context.Context, path string) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("backup %q: the file is there already: choose another name", path)
	}
	if err != nil {
		return fmt.Errorf("backup %q: %w", path, reason(err))
	}
	defer func() {
		if err != nil {
			os.Remove(path)
			err = fmt.Errorf("backup %q: %w", path, err)
		}
	}()
	defer f.Close()
	if err := s.copyTo(ctx, path); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// copyTo lets SQLite write what is in the database into an empty file. It is a reader that may stay longer than others, so it does not
// keep the gate: then the log grows until it ends.
func (s *Store) copyTo(ctx context.Context, path string) error {
	abs, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	db, err := connect(s.path, 1, "mode=rw", "_pragma=busy_timeout("+busyTimeout+")")
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.ExecContext(ctx, "VACUUM INTO ?", abs)
	return err
}

// syncDir makes a new name in a directory last. Where directories cannot be synced, as on Windows, it is left to the system.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, errors.ErrUnsupported) && !errors.Is(err, os.ErrPermission) && !errors.Is(err, os.ErrInvalid) {
		return err
	}
	return nil
}
