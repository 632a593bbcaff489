package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
)

// migrations/N.sql brings a database from user_version N-1 to N.
//
//go:embed migrations/*.sql
var migrations embed.FS

const (
	schemaVersion = 3

	// applicationID is "mrln". It tells our file from a database of another program.
	applicationID = 0x6d726c6e

	autoVacuumIncremental = 2
)

var (
	errForeign = errors.New("a SQLite database of another program: choose another data directory")
	errNewer   = errors.New("written by a newer merlon: update this one, or restore the copy made before the update")
	errOlder   = errors.New("written by an older merlon: start the gateway once, it brings the file up to date")
	errNoWAL   = errors.New("its file system cannot share memory between processes (a network mount?): choose a local directory")
)

// migrate runs the migrations that a database of this version lacks, each in a transaction with its number. A new file gets all
// of them.
func migrate(ctx context.Context, db *sql.DB, version int) error {
	var mode string
	if err := db.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&mode); err != nil {
		return err
	}
	if mode != "wal" {
		return errNoWAL
	}
	fresh := version == 0
	for version++; version <= schemaVersion; version++ {
		if err := migrateTo(ctx, db, version); err != nil {
			return fmt.Errorf("migrating to schema %d: %w", version, err)
		}
	}
	if err := shrinkable(ctx, db, fresh); err != nil {
		return fmt.Errorf("making the file one that can shrink: %w", err)
	}
	if err := checkWritable(ctx, db); err != nil {
		return err
	}
	// What the migrations wrote goes into the file, so that reports begin at the start of the log.
	_, err := db.ExecContext(ctx, "PRAGMA wal_checkpoint(PASSIVE)")
	return err
}

// shrinkable brings a file that was made by schema 1 or 2 into the form from which free pages can be given back. SQLite has to write
// it anew for that, once. Where that is interrupted the file is as before, and the next start does it.
func shrinkable(ctx context.Context, db *sql.DB, fresh bool) error {
	var mode int
	if err := db.QueryRowContext(ctx, "PRAGMA auto_vacuum").Scan(&mode); err != nil || mode == autoVacuumIncremental || fresh {
		return err
	}
	_, err := db.ExecContext(ctx, "PRAGMA auto_vacuum = INCREMENTAL; VACUUM")
	return err
}

func migrateTo(ctx context.Context, db *sql.DB, version int) error {
	script, err := migrations.ReadFile(fmt.Sprintf("migrations/%d.sql", version))
	if err != nil {
		return err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	// PRAGMA takes no parameters; both numbers are ours.
	stamp := fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d;", applicationID, version)
	if _, err := tx.ExecContext(ctx, string(script)+stamp); err != nil {
		return err
	}
	return tx.Commit()
}

// schemaOf returns the schema version of the database, 0 for an empty file, and errForeign if it is not ours.
func schemaOf(ctx context.Context, db *sql.DB) (version int, err error) {
	var id, objects int
	row := db.QueryRowContext(ctx, "SELECT application_id, user_version, (SELECT count(*) FROM sqlite_schema) "+
		"FROM pragma_application_id, pragma_user_version")
	if err := row.Scan(&id, &version, &objects); err != nil {
		return 0, err
	}
	if id != applicationID && (id != 0 || version != 0 || objects != 0) {
		return 0, errForeign
	}
	return version, nil
}

// checkCurrent returns nil if the database has the schema of this program.
func checkCurrent(ctx context.Context, db *sql.DB) error {
	version, err := schemaOf(ctx, db)
	switch {
	case err != nil:
		return err
	case version > schemaVersion:
		return newer(version)
	case version < schemaVersion:
		return errOlder
	}
	return nil
}

func newer(version int) error {
	return fmt.Errorf("schema %d, this program knows up to %d: %w", version, schemaVersion, errNewer)
}

// checkWritable takes the write lock and gives it back. SQLite opens a file that it may not write without a word.
func checkWritable(ctx context.Context, db *sql.DB) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	return tx.Rollback()
}
