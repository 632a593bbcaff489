package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// maxCheck bounds the look at the file when it is opened: a large file is checked as far as that goes.
const maxCheck = 5 * time.Second

var errDamaged = errors.New("the file is damaged: restore a copy or move it away; " +
	`what can still be read of it, "merlon reports export" writes out`)

// checkIntegrity returns errDamaged if the file is not what SQLite wrote. A damaged file is refused and not mended, since whatever
// would be lost by that nobody could tell; it is not written to either, so that a tool for rescues finds it as it is.
func checkIntegrity(ctx context.Context, db *sql.DB) error {
	bounded, cancel := context.WithTimeout(ctx, maxCheck)
	defer cancel()
	var found string
	err := db.QueryRowContext(bounded, "PRAGMA quick_check(1)").Scan(&found)
	switch {
	case bounded.Err() != nil:
		return ctx.Err() // the bound is reached, and nothing was found so far
	case err != nil:
		return err
	case found != "ok":
		return fmt.Errorf("%q: %w", found, errDamaged)
	}
	return nil
}
