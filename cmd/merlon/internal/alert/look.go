package alert

import (
	"context"
	"errors"
	"time"
)

// look asks every condition about every site and about the process. What cannot be read is not looked at.
func (a *Alerter) look(ctx context.Context, c Config, now time.Time) ([]sighting, error) {
	var out []sighting
	var errs []error
	health := a.health()
	process := Snapshot{Now: now, Up: now.Sub(a.started), Config: c, Health: health, Refused: health.Refused - a.refused}
	a.refused = health.Refused
	sites := c.Sites
	if err := a.ledger.load(ctx); err != nil { // what is new of a site nobody knows
		errs, sites, process.Unread = append(errs, err), nil, true
	}
	for _, site := range sites {
		s := process
		s.Site = site
		var err error
		if s.Facts, err = a.store.AlertFacts(ctx, c.query(site, now)); err != nil {
			errs, process.Unread = append(errs, err), true
			continue
		}
		out = append(out, s.sightings()...)
	}
	return append(out, process.sightings()...), errors.Join(errs...)
}

func (s *Snapshot) sightings() []sighting {
	var out []sighting
	for _, c := range Conditions() {
		out = append(out, sighting{site: s.Site, kind: c.ID, findings: c.Check(s)})
	}
	return out
}
