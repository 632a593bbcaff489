package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/dash"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

func newReports() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "reports",
		Short: "Read what browsers reported, and keep house",
		Long: `reports reads and keeps what browsers reported. Every command may be run while
merlon gateway or merlon collect works on the same data directory: what only
reads opens the database beside it, what changes something asks it to do that.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newIssues(), newShow(), newTail(), newStats(), newState(), newReplay(), newBackup(), newExport(), newPurge(), newErase())
	return cmd
}

// readReports opens the database of a data directory to read it.
func readReports(ctx context.Context, dir string) (*store.Store, error) {
	path := filepath.Join(dir, databaseName)
	_, err := os.Stat(path)
	if unread, ok := errors.AsType[*fs.PathError](err); ok && !errors.Is(err, fs.ErrNotExist) { // SQLite has one word for all of it
		return nil, fmt.Errorf("report database %q: %w: name the data directory, and run this as the user that merlon runs as", path, unread.Err)
	}
	return store.OpenReader(ctx, path)
}

func dataFlag(cmd *cobra.Command, dir *string) {
	cmd.Flags().StringVar(dir, "data", defaultData, "directory of the database")
}

// issueArg reads the number of an issue.
func issueArg(text string) (int64, error) {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id < 1 {
		return 0, usagef("%q is no issue: write its number, the first column of merlon reports issues", text)
	}
	return id, nil
}

// issueError names the issue that is not there.
func issueError(id int64, err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return usagef("no issue %d: merlon reports issues lists those that there are", id)
	}
	return err
}

// parseAge reads a length of time, in which d stands for 24 hours and w for seven days.
func parseAge(text string) (time.Duration, bool) {
	for unit, hours := range map[string]int{"d": 24, "w": 7 * 24} {
		if number, ok := strings.CutSuffix(text, unit); ok {
			n, err := strconv.Atoi(number)
			return time.Duration(n) * time.Duration(hours) * time.Hour, err == nil && n > 0 && n < 36500
		}
	}
	d, err := time.ParseDuration(text)
	return d, err == nil && d > 0
}

// parseMoment reads a flag's time: a day or a moment in UTC, or how long ago.
func parseMoment(flag, text string, now time.Time) (time.Time, error) {
	if age, ok := parseAge(text); ok {
		return now.Add(-age), nil
	}
	if t, ok := parseDay(text); ok {
		return t, nil
	}
	return time.Time{}, usagef("%s %s: write a day (2026-01-31), a moment (2026-01-31T12:00:00Z) or how long ago (12h, 7d, 2w)", flag, text)
}

// parseDay reads a day or a moment, in UTC if it does not say.
func parseDay(text string) (time.Time, bool) {
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// minute is a moment as text shows it, in UTC.
func minute(t time.Time) string { return t.UTC().Format("2006-01-02 15:04") }

// visible cuts text from a report to a length and spells out what could fool a terminal or an eye, as the dashboard does.
func visible(s string, length int) string {
	n := 0
	for i := range s {
		if n == length {
			return dash.Visible(s[:i]) + "..."
		}
		n++
	}
	return dash.Visible(s)
}

// age is a length of time as text shows it. One below zero, after the clock was set back, is none.
func age(d time.Duration) string {
	switch {
	case d < time.Minute:
		return strconv.Itoa(max(int(d.Seconds()), 0)) + " s"
	case d < time.Hour:
		return strconv.Itoa(int(d.Minutes())) + " min"
	case d < 48*time.Hour:
		return strconv.Itoa(int(d.Hours())) + " h"
	}
	return strconv.Itoa(int(d.Hours()/24)) + " days"
}
