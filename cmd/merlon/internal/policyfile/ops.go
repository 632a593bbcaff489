package policyfile

import (
	"time"

	"github.com/merlon-sec/merlon/cfgerrors"
)

// Log says what is logged. An empty text means that the file does not say.
type Log struct {
	Format    string // text or json
	Level     string // debug, info, warn or error
	Access    string // off, on for standard output, or the name of a file
	Addresses string // full, masked or off
	Query     bool   // the access log has queries
	UserAgent bool   // and user agents
}

// Shutdown says how the gateway ends. nil means that the file does not say.
type Shutdown struct {
	Delay *time.Duration // after readyz says no, until the listeners stop
	Drain *time.Duration // what requests in flight get to complete
}

// What the keys of log can be.
var (
	formats   = []string{"text", "json"}
	levels    = []string{"debug", "info", "warn", "error"}
	addresses = []string{"full", "masked", "off"}
)

// maxShutdown bounds each of the times of Shutdown: what manages processes kills those that take longer.
const maxShutdown = time.Hour

func (r *reader) log(v any) Log {
	keys := r.section(v, "log", "write log: {access: on}", logKeys)
	return Log{
		Format: r.oneOf(keys, "log", "format", formats), Level: r.oneOf(keys, "log", "level", levels), Addresses: r.oneOf(keys, "log", "addresses", addresses),
		Access: r.text(keys, "log", "access"), Query: r.flag(keys, "log", "query"), UserAgent: r.flag(keys, "log", "user-agent"),
	}
}

func (r *reader) shutdown(v any) Shutdown {
	keys := r.section(v, "shutdown", "write shutdown: {drain: 30s}", shutdownKeys)
	return Shutdown{Delay: r.duration(keys, "shutdown", "delay"), Drain: r.duration(keys, "shutdown", "drain")}
}

func (r *reader) duration(keys map[string]any, path, key string) *time.Duration {
	s := r.text(keys, path, key)
	if s == "" {
		return nil
	}
	d, err := ParseShutdown(s)
	r.report(under(path, key), err)
	return &d
}

// ParseShutdown checks a time of Shutdown. Errors are *cfgerrors.Error.
func ParseShutdown(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 || d > maxShutdown {
		return 0, &cfgerrors.Error{Code: cfgerrors.InvalidValue, Value: text, Text: "no time from 0s to " + maxShutdown.String(), Hint: "write 30s"}
	}
	return d, nil
}
