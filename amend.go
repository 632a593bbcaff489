package merlon

import (
	"context"
	"errors"
	"slices"
)

var (
	errNoResponse = errors.New("merlon: Amend: no response of a Guard in this context; wrap the handler with Guard.With")
	errTooLate    = errors.New("merlon: Amend: the response has begun")
)

// Amend makes changes for the one response that belongs to the request context ctx, before it begins. Where they loosen its
// policy, reason must say why in words. It works in handlers that [Route.Handler] wraps, and where the policy has a nonce;
// elsewhere there is no context of the Guard, and Amend returns an error. The error joins all mistakes, and then nothing is
// changed. Amend compiles and compares the policies anew, about a millisecond each time: what is the same for a route belongs
// into [Guard.With].
func Amend(ctx context.Context, reason string, changes ...Change) error {
	s := responseOf(ctx)
	if s == nil {
		return errNoResponse
	}
	s.mu.Lock()
	err := s.amend(reason, changes)
	s.mu.Unlock()
	s.tell()
	return err
}

func (s *response) amend(reason string, changes []Change) error {
	if s.committed {
		s.misuse(LateAmend, "the response had begun: "+reason)
		return errTooLate
	}
	after, err := changed(s.plan.config, reason, changes)
	if err != nil {
		return err
	}
	info := RouteInfo{Reason: reason, Declared: "Amend"}
	for _, ch := range changes {
		info.Changes = append(info.Changes, ch.text)
	}
	made := compile(after)
	made.oneOff = true
	made.pattern, made.cause = s.plan.pattern, append(slices.Clone(s.plan.cause), info.String())
	s.plan = made
	s.note("amend", info.String())
	return nil
}
