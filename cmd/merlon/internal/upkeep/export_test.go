package upkeep

import "log/slog"

// Note returns what notes how one thing goes.
func Note(log *slog.Logger) func(error) {
	return (&trouble{log: log, what: "a test"}).note
}
