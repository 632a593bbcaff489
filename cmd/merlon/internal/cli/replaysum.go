package cli

import (
	"fmt"
	"io"
	"maps"
	"slices"
)

// replayVersion counts changes of the JSON that its readers should know of.
const replayVersion = 1

// replaySum says what became of the reports.
type replaySum struct {
	Schema   string           `json:"schema"`
	Version  int              `json:"version"`
	Sent     int64            `json:"sent"`   // and answered by 2xx
	Failed   int64            `json:"failed"` // answered otherwise, or not at all
	Retries  int64            `json:"retries"`
	Bad      int64            `json:"bad_lines"`
	Skipped  int64            `json:"skipped"` // recorded requests that send no report
	Statuses map[string]int64 `json:"statuses"`
	Seconds  float64          `json:"seconds"`

	firstError string
}

func (s *replaySum) print(out io.Writer, format string) error {
	if format == "json" {
		return writeJSON(out, s)
	}
	fmt.Fprintf(out, "%d sent in %.1f s, %d failed, %d sent again; left out: %s, %s\n", s.Sent, s.Seconds, s.Failed, s.Retries,
		counted(s.Bad, "bad line", "bad lines"), counted(s.Skipped, "request without a report", "requests without a report"))
	for _, status := range slices.Sorted(maps.Keys(s.Statuses)) {
		fmt.Fprintf(out, "  %s  %d\n", status, s.Statuses[status])
	}
	return nil
}
