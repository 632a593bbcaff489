package dash

import (
	"net/http"

	"github.com/merlon-sec/merlon"
)

// guarded puts the library's strict preset around the dashboard, with a tighter policy than the preset's: the pages have no
// script and no inline style, and load nothing from elsewhere. It reports nowhere: there is no script whose fate is of
// interest, and reports about the dashboard do not belong among those about the sites.
func guarded(h http.Handler) (http.Handler, error) {
	cfg := merlon.Strict()
	cfg.CSP = "default-src 'none'; script-src 'none'; style-src 'self'; img-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'"
	cfg.Trial = merlon.Remove
	cfg.Reports = merlon.Remove
	guard, err := merlon.New(cfg)
	if err != nil {
		return nil, err
	}
	return guard.Handler(h), nil
}
