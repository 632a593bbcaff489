package upkeep

import (
	"log/slog"
	"time"
)

// Note returns what notes how one thing goes.
func Note(log *slog.Logger) func(error) {
	return (&trouble{log: log, what: "a test"}).note
}

// Steady returns the judgement of a clock that begins now.
func Steady() func(time.Time) bool { return new(clock).steady }
