package upkeep_test

import (
	"bytes"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/upkeep"
)

// What goes wrong is told when that changes.
func TestTrouble(t *testing.T) {
	var log bytes.Buffer
	plain := &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}
	note := upkeep.Note(slog.New(slog.NewTextHandler(&log, plain)))
	for _, text := range []string{"", "full", "full", "broken", "", "", "full"} {
		var err error
		if text != "" {
			err = errors.New(text)
		}
		note(err)
	}
	var got []string
	for line := range strings.Lines(log.String()) {
		words := strings.Fields(line)
		got = append(got, words[0]+" "+words[len(words)-1])
	}
	if want := []string{"level=ERROR error=full", "level=ERROR error=broken", "level=INFO again\"", "level=ERROR error=full"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
