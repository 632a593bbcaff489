package gateway

import (
	"cmp"
	"time"
)

// Timeouts bounds the phases of a request. Zero gives a phase its default, and a negative value no bound.
type Timeouts struct {
	RequestHeader time.Duration // until a client has sent the header; for the server around the Gateway
	RequestBody   time.Duration // in which a client sends nothing of the body
	Response      time.Duration // in which a client takes nothing of the response
	Idle          time.Duration // between a client's requests; for the server around the Gateway
	Connect       time.Duration // until the application has taken the connection, TLS included
	Header        time.Duration // until the application has sent the header of its response
	Body          time.Duration // in which the application sends nothing of the body
}

// OrDefaults returns t with the defaults filled in, and 0 for no bound.
func (t Timeouts) OrDefaults() Timeouts {
	or := func(d, otherwise time.Duration) time.Duration { return max(cmp.Or(d, otherwise), 0) }
	return Timeouts{
		RequestHeader: or(t.RequestHeader, 10*time.Second),
		RequestBody:   or(t.RequestBody, 30*time.Second),
		Response:      or(t.Response, time.Minute),
		Idle:          or(t.Idle, 2*time.Minute),
		Connect:       or(t.Connect, 5*time.Second),
		Header:        or(t.Header, time.Minute),
		Body:          or(t.Body, 10*time.Minute),
	}
}
