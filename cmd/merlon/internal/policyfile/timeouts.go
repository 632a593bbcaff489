package policyfile

import (
	"fmt"
	"time"

	"github.com/merlon-sec/merlon/cfgerrors"
)

// Timeouts bounds the phases of a request. Zero leaves a phase its default, and a negative value gives it no bound.
type Timeouts struct {
	RequestHeader time.Duration // until a client has sent the header
	RequestBody   time.Duration // in which a client sends nothing of the body
	Response      time.Duration // in which a client takes nothing of the response
	Idle          time.Duration // between a client's requests
	Connect       time.Duration // until the application has taken the connection, TLS included
	Header        time.Duration // until the application has sent the header of its response
	Body          time.Duration // in which the application sends nothing of the body
}

// fields names each bound as policy files do.
func (t *Timeouts) fields() map[string]*time.Duration {
	return map[string]*time.Duration{"request-header": &t.RequestHeader, "request-body": &t.RequestBody, "response": &t.Response, "idle": &t.Idle,
		"upstream-connect": &t.Connect, "upstream-header": &t.Header, "upstream-body": &t.Body}
}

// maxTimeout is longer than anybody waits.
const maxTimeout = 24 * time.Hour

func (r *reader) timeouts(v any) Timeouts {
	var out Timeouts
	if v == nil {
		return out
	}
	keys := r.keys(v, "timeouts", "write timeouts: {upstream-header: 60s}", timeoutKeys())
	fields := out.fields()
	for key, value := range keys {
		at, text := under("timeouts", key), fmt.Sprint(value)
		field := fields[key]
		d, err := time.ParseDuration(text)
		switch {
		case field == nil: // told already
		case text == "off":
			*field = -1
		case err != nil || d < time.Millisecond || d > maxTimeout:
			r.wrong(at, cfgerrors.InvalidValue, text, "no time from 1ms to 24h", "write 30s, 5m or off")
		default:
			*field = d
		}
	}
	return out
}
