package cli

import (
	"io"
	"log/slog"
	"strings"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/access"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/policyfile"
)

func newLog(w io.Writer) *slog.Logger { return slog.New(access.Text.Handler(w, slog.LevelInfo)) }

// logs are what the gateway writes.
type logs struct {
	error  *slog.Logger
	access *access.Log  // nil when it is off
	file   *access.File // nil unless the access log has one
}

// newLogs opens the logs that the settings ask for. They are complete: no text is empty.
func newLogs(l policyfile.Log, stdout, stderr io.Writer) (logs, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(l.Level)); err != nil {
		return logs{}, err
	}
	format := access.Format(l.Format)
	out := logs{error: slog.New(format.Handler(stderr, level))}
	switch l.Access {
	case "off":
		return out, nil
	case "on":
	default:
		file, err := access.OpenFile(l.Access)
		if err != nil {
			return logs{}, err
		}
		stdout, out.file = file, file
	}
	out.access = access.NewLog(stdout, access.Options{Format: format, Addresses: access.Addresses(l.Addresses), Query: l.Query, UserAgent: l.UserAgent})
	return out, nil
}

// reopen opens the file of the access log anew: what rotates logs has renamed it, and sends SIGHUP.
func (l logs) reopen() {
	if l.file == nil {
		return
	}
	if err := l.file.Reopen(); err != nil {
		l.error.Error("the access log could not be opened anew: it goes on in the file before", "error", err)
	}
}

func (l logs) close() {
	if l.file != nil {
		l.file.Close()
	}
}

// announce logs what greet prints, a line a record, for those who read logs by program. A log is read by more people than may
// log in to the dashboard, so the token is not in it, but the file that has it.
func (l logs) announce(greeting string) {
	for line := range strings.Lines(greeting) {
		text := strings.TrimSpace(line)
		if text == "" || strings.HasPrefix(text, tokenLine) {
			continue
		}
		if file, ok := strings.CutPrefix(text, tokenFileLine); ok {
			text = "log-in token in" + file
		}
		l.error.Info(text)
	}
}

// What begins the lines of the greeting that have the token, and where the next one will be.
const (
	tokenLine     = "log-in token:"
	tokenFileLine = "the next one:"
)
