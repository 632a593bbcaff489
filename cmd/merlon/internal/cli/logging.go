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
	format access.Format
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
	out := logs{format: format, error: slog.New(format.Handler(stderr, level))}
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

// announce says what greet has to say. In JSON it goes into the error log, a line a record, and without the token, because a log
// is read by more people than may log in to the dashboard.
func (l logs) announce(stdout io.Writer, greeting string) {
	if l.format != access.JSON {
		io.WriteString(stdout, greeting)
		return
	}
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
