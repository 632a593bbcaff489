package alert

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/notify"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

// recentHours is how far back something counts as happening now: the hour that is not over yet and the one before, so that nothing ends
// because an hour begins.
const recentHours = time.Hour

var criticalBlock = Condition{ID: "critical-block", Title: "the policy blocks something on a critical page",
	Why:   "On these pages a block costs most: people cannot pay, sign in or sign up.",
	Over:  "Nothing was blocked there for an hour, or somebody has decided about the issue.",
	Check: checkCritical}

func checkCritical(s *Snapshot) []Finding {
	var out []Finding
	for _, i := range s.Facts.Issues {
		unconfirmed, ok := tells(i)
		if !ok || i.State != store.New || i.RecentEnforced == 0 {
			continue
		}
		route, critical := criticalRoute(s.Config.Critical, i.Routes)
		if !critical {
			continue
		}
		f := about(i, unconfirmed)
		f.Why = fmt.Sprintf("The issue is known from %s, and the enforced policy blocked it %d times in this hour and the one before.", notify.Defang(route, notify.MaxName), i.RecentEnforced)
		out = append(out, f)
	}
	return out
}

// criticalRoute returns the first of the routes that a pattern has.
func criticalRoute(patterns, routes []string) (string, bool) {
	for _, pattern := range patterns {
		mux := http.NewServeMux()
		mux.Handle(pattern, http.NotFoundHandler())
		for _, route := range routes {
			if _, found := mux.Handler(&http.Request{Method: http.MethodGet, URL: &url.URL{Path: route}}); found != "" && strings.HasPrefix(route, "/") {
				return route, true
			}
		}
	}
	return "", false
}
