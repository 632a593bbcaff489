package gateway

import (
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/access"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/rewrite"
)

// observed returns h, which tells the request's record whose it is.
func (s *Site) observed(h guarded) guarded {
	next := h.serve
	proxies := s.Guard.Config().HTTPS.Proxies
	hops := 0
	if len(proxies.CIDR) > 0 {
		hops = max(proxies.Hops, 1)
	}
	h.serve = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if rec := access.Of(r.Context()); rec != nil {
			trusted := 0
			if hops > 0 && s.Guard.TrustsPeer(r) {
				trusted = hops
			}
			rec.ForSite(s.Name, trusted)
		}
		next.ServeHTTP(w, r)
	})
	return h
}

// timed is a RoundTripper that tells each request's record how long the application took.
type timed struct{ next http.RoundTripper }

func (t timed) RoundTrip(r *http.Request) (*http.Response, error) {
	rec := access.Of(r.Context())
	if rec == nil {
		return t.next.RoundTrip(r)
	}
	start := time.Now()
	res, err := t.next.RoundTrip(r)
	rec.Asked(time.Since(start), err != nil && r.Context().Err() == nil && !ofClient(err))
	return res, err
}

// ofClient reports whether it is the client's fault that the application did not get a request to answer.
func ofClient(err error) bool {
	for _, fault := range []error{rewrite.ErrPlaceholder, errTooLarge, errSlowClient, errNoBody} {
		if errors.Is(err, fault) {
			return true
		}
	}
	return false
}

// recovering returns next with an answer for panics, inside the Guard so that it carries the headers. Where a part of another
// answer is out already, the connection ends.
func recovering(next http.Handler, log *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			v := recover()
			switch {
			case v == nil:
				return
			case v == http.ErrAbortHandler:
				panic(v)
			}
			access.LogPanic(log, r, v)
			if !access.Of(r.Context()).Recovered() {
				panic(http.ErrAbortHandler)
			}
			clear(w.Header()) // of the answer that came to nothing
			errorPage(w, http.StatusInternalServerError, "The gateway failed at this request.", "Please try again. The gateway's log says where it failed.")
		}()
		next.ServeHTTP(w, r)
	})
}
