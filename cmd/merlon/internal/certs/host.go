package certs

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/rand/v2"
	"time"

	"golang.org/x/crypto/acme"
)

// maxRenewBefore is how long before its end a certificate is renewed at the earliest; those of less than 90 days have a third of
// their time left.
const maxRenewBefore = 30 * 24 * time.Hour

// How long to wait after failed orders in a row, doubled each time. Where the CA could not be reached nothing is lost by asking
// again. Where it said no it counts: Let's Encrypt takes five failed validations of a name in an hour, and one order fails two.
const (
	unreachedPause, maxUnreachedPause = 5 * time.Second, 15 * time.Minute
	refusedPause, maxRefusedPause     = 20 * time.Minute, 6 * time.Hour
	maxLimitedPause                   = 24 * time.Hour // the longest that a CA can make us wait
)

// host is a name that the CA is asked for.
type host struct {
	name        string
	certificate *tls.Certificate   // nil: none yet; guarded by Keeper.mu
	stop        context.CancelFunc // ends its goroutine
	plain       bool               // the challenge over HTTP worked the last time; for its goroutine alone
}

// keep orders a certificate when there is none, and another before it ends, until ctx does.
func (k *Keeper) keep(ctx context.Context, h *host) {
	var failed failures
	at := time.Now()
	if c := h.certificate; c != nil { // only this goroutine changes it
		at = due(c.Leaf)
	} else {
		k.log.Warn("no certificate yet: until there is one, nobody reaches the host over HTTPS", "host", h.name, "ca", k.c.ACME.Directory)
	}
	for sleepUntil(ctx, at) {
		next, err := k.order(ctx, h)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			at = time.Now().Add(failed.pause(err))
			k.complain(h, err, at)
			continue
		}
		failed = failures{}
		at = due(next.Leaf)
		k.mu.Lock()
		h.certificate = next
		k.mu.Unlock()
		k.log.Info("the CA issued a certificate", "host", h.name, "ends", next.Leaf.NotAfter, "renewed", at.UTC().Truncate(time.Second))
	}
}

// due is when a certificate is to be renewed: a third of its time before its end, and up to a tenth of that earlier, so that those
// that were issued together are not renewed together.
func due(leaf *x509.Certificate) time.Time {
	before := min(leaf.NotAfter.Sub(leaf.NotBefore)/3, maxRenewBefore)
	return leaf.NotAfter.Add(-before - spread(before/10))
}

func spread(d time.Duration) time.Duration { return rand.N(max(d, 1)) }

// sleepUntil waits by the clock on the wall, which goes on while a machine sleeps. It reports whether ctx still goes on.
func sleepUntil(ctx context.Context, at time.Time) bool {
	at = at.Round(0) // without Go's clock, which stops
	for {
		left := time.Until(at)
		if left <= 0 {
			return ctx.Err() == nil
		}
		timer := time.NewTimer(min(left, time.Hour))
		select {
		case <-ctx.Done():
			timer.Stop()
			return false
		case <-timer.C:
		}
	}
}

// failures counts failed orders in a row.
type failures struct{ unreached, refused int }

// pause is how long to wait before the next order.
func (f *failures) pause(err error) time.Duration {
	wait := doubled(unreachedPause, f.unreached, maxUnreachedPause)
	if refusal(err) {
		wait = doubled(refusedPause, f.refused, maxRefusedPause)
		f.refused++
	} else {
		f.unreached++
	}
	if problem := (*acme.Error)(nil); errors.As(err, &problem) {
		if after, limited := acme.RateLimit(problem); limited {
			wait = max(wait, min(after, maxLimitedPause))
		}
	}
	return wait + spread(wait/10)
}

func doubled(d time.Duration, times int, limit time.Duration) time.Duration {
	for range times {
		d = min(2*d, limit)
	}
	return d
}

// refusal reports whether the CA was asked and said no.
func refusal(err error) bool {
	var (
		authorization *acme.AuthorizationError
		order         *acme.OrderError
		problem       *acme.Error
	)
	return errors.As(err, &authorization) || errors.As(err, &order) || errors.As(err, &problem) && problem.StatusCode < 500
}

// complain says what became of an order, what it means to visitors, and what to do.
func (k *Keeper) complain(h *host, err error, next time.Time) {
	args := []any{"host", h.name, "error", err, "try", k.advice(h.name, err), "next", next.UTC().Truncate(time.Second)}
	switch {
	case h.certificate == nil:
		k.log.Error("no certificate from the CA: nobody reaches the host over HTTPS", args...)
	case time.Now().After(h.certificate.Leaf.NotAfter):
		k.log.Error("no certificate from the CA, and the one before has ended: browsers refuse it", args...)
	default:
		k.log.Warn("no certificate from the CA: the one before stays", append(args, "ends", h.certificate.Leaf.NotAfter)...)
	}
}
