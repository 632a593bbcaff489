package gateway

import (
	"errors"
	"net/http"
	"time"

	"github.com/merlon-sec/merlon"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/access"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/rewrite"
)

// observed returns h, which tells the request's record whose it is.
func (s *Site) observed(h guarded) guarded {
	h.serve = Observed(s.Name, s.Guard, h.serve)
	return h
}

// Observed returns next, which tells the request's record that it is the named site's, and how many proxies before it the Guard believes.
func Observed(site string, g *merlon.Guard, next http.Handler) http.Handler {
	proxies := g.Config().HTTPS.Proxies
	hops := 0
	if len(proxies.CIDR) > 0 {
		hops = max(proxies.Hops, 1)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if rec := access.Of(r.Context()); rec != nil {
			trusted := 0
			if hops > 0 && g.TrustsPeer(r) {
				trusted = hops
			}
			rec.ForSite(site, trusted)
		}
		next.ServeHTTP(w, r)
	})
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
