package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	_ "modernc.org/sqlite"

	"github.com/merlon-sec/merlon/bench/race"
)

// maxRows is what the reports of one issue may leave in the database, however many they are: the issue, five values beside it, ten reports as they
// came, its policy, and a counter and a point in time for each hour, of which a run may see a few.
const maxRows = 30

// kept is what a database holds. Digests are of batches that a browser may send again, stay for twenty minutes, and are no part of the rows.
type kept struct {
	reports, rows, digests, bytes int64
}

// printKept ends merlon, writes what its databases hold, and reports whether reports of one issue leave a constant number of rows. Every
// report that was counted must be in the database, and none that was not sent.
func printKept(ctx context.Context, all contenders) (met bool, err error) {
	fmt.Printf("\n%-14s %10s %8s %8s %10s %12s %14s\n", "kept", "reports", "rows", "digests", "KiB", "rows/million", "bytes/million")
	met = true
	for _, n := range issues {
		c := all.merlon[n]
		counted, err := c.metric(ctx, "merlon_reports_total")
		if err != nil {
			return false, err
		}
		c.Stop()
		k, err := readKept(ctx, filepath.Join(c.data, "merlon.db"))
		if err != nil {
			return false, fmt.Errorf("%s: %w", c.name, err)
		}
		// What wrk has left waiting is stored, and counts as no success: nobody heard of it.
		if k.reports < counted || k.reports > c.sent+c.most {
			return false, fmt.Errorf("%s: the database has %d reports; %d were counted, and %d sent at most", c.name, k.reports, counted, c.sent+c.most)
		}
		millions := float64(k.reports) / 1e6
		fmt.Printf("%-14s %10d %8d %8d %10d %12.0f %14.0f\n", c.name, k.reports, k.rows, k.digests, k.bytes>>10, float64(k.rows)/millions, float64(k.bytes)/millions)
		if n == 1 {
			met = k.rows <= maxRows
			defer func() {
				fmt.Println()
				race.Verdict(os.Stdout, "rows of one issue", fmt.Sprint(k.rows), fmt.Sprintf("at most %d", maxRows), met)
			}()
		}
	}
	return met, nil
}

// readKept counts the rows of all tables.
func readKept(ctx context.Context, path string) (k kept, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return k, err
	}
	k.bytes = info.Size()
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro")
	if err != nil {
		return k, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := db.QueryRowContext(ctx, "SELECT sum(count) FROM counters").Scan(&k.reports); err != nil {
		return k, err
	}
	tables, err := names(ctx, db)
	if err != nil {
		return k, err
	}
	for _, table := range tables {
		var n int64
		if err := db.QueryRowContext(ctx, fmt.Sprintf("SELECT count(*) FROM %q", table)).Scan(&n); err != nil {
			return k, err
		}
		if table == "digests" {
			k.digests = n
		} else {
			k.rows += n
		}
	}
	return k, nil
}

func names(ctx context.Context, db *sql.DB) (out []string, err error) {
	rows, err := db.QueryContext(ctx, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		out = append(out, name)
	}
	return out, rows.Err()
}
