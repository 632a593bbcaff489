package cli

import (
	"cmp"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/access"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/metrics"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/policyfile"
)

// observer is what looks on while the process works, from its start to its end, whatever is reloaded.
type observer struct {
	logs    logs
	handler *access.Handler // around everything that the public listeners answer
	metrics *metrics.Metrics
	phase   phase

	forwards bool // whether other servers read the requests after this one
}

func newObserver(l logs, p program) *observer {
	h := &access.Handler{Log: l.access, Error: l.error}
	b := readBuild()
	o := &observer{logs: l, handler: h, metrics: metrics.New(metrics.Build{Version: b.Version, Commit: b.Commit}, h.InFlight), phase: phase{of: p.name}, forwards: p.forwards}
	h.Ended = o.metrics.Ended
	o.metrics.Loaded()
	return o
}

// serve lets h answer on a public listener.
func (o *observer) serve(s *servers, part string, l net.Listener, h http.Handler, config *tls.Config) {
	s.handle(l, h, config)
	srv := s.of(l)
	srv.ConnState = o.metrics.Connections(part)
	srv.watched = config == nil && o.forwards
}

// ending is how the process ends: who asks and the service manager hear of it first.
func (o *observer) ending(times policyfile.Shutdown, manager systemd) ending {
	return ending{
		delay: *times.Delay, drain: *times.Drain, inFlight: o.handler.InFlight, leave: o.handler.Leave, cutOff: o.handler.CutOff,
		begun: func() {
			o.phase.draining.Store(true)
			manager.notify(stateStopping)
		},
	}
}

// phase is what /readyz tells.
type phase struct {
	of       string // what the process is
	draining atomic.Bool
}

// err says why no more requests should come. Before the policy is in force nobody asks: the admin listener does not serve yet.
func (p *phase) err() error {
	if p.draining.Load() {
		return errors.New("draining: the " + p.of + " ends")
	}
	return nil
}

// operations puts the flags over what the file says of logs and of the end, and the defaults under it.
func (f *programFlags) operations(file *policyfile.File) error {
	switch access.Format(f.logFormat) {
	case "", access.Text, access.JSON:
	default:
		return usagef("--log-format %s: write text or json", f.logFormat)
	}
	l := &file.Log
	l.Format = cmp.Or(f.logFormat, l.Format, string(access.Text))
	l.Level = cmp.Or(l.Level, "info")
	l.Access = cmp.Or(f.accessLog, l.Access, "off")
	l.Addresses = cmp.Or(l.Addresses, string(access.Full))
	end, drain := &file.Shutdown, defaultDrain
	end.Delay, end.Drain = cmp.Or(end.Delay, new(time.Duration)), cmp.Or(end.Drain, &drain)
	for _, t := range []struct {
		flag, text string
		at         **time.Duration
	}{{"--drain", f.drain, &end.Drain}, {"--drain-delay", f.drainDelay, &end.Delay}} {
		if t.text == "" {
			continue
		}
		d, err := policyfile.ParseShutdown(t.text)
		if err != nil {
			return usagef("%s: %w", t.flag, err)
		}
		*t.at = &d
	}
	return nil
}
