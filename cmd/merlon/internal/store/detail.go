package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// Facet is a value that reports of an issue have, with their number. Value is "" for the sum of those beyond [MaxFacets].
type Facet struct {
	Kind  string // one of the constants: FacetRoute ...
	Value string
	Count int64
}

const facetsText = "SELECT kind, value, count FROM facets WHERE issue = ? ORDER BY kind, value = '', count DESC, value"

// Facets lists the facets of an issue by kind, the most frequent first and the sum of the others last.
func (s *Store) Facets(ctx context.Context, issue int64) (facets []Facet, err error) {
	return facets, s.ask(ctx, "facets", func(ctx context.Context, tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, facetsText, issue)
		return eachRow(rows, err, func(scan func(...any) error) error {
			var f Facet
			err := scan(&f.Kind, &f.Value, &f.Count)
			facets = append(facets, f)
			return err
		})
	})
}

// Sample is one report of an issue as it came, cleaned: JSON, and hostile.
type Sample struct {
	ID   int64
	At   time.Time // of receipt
	Body string
}

const samplesText = "SELECT id, at, body FROM samples WHERE issue = ? ORDER BY id DESC LIMIT ?"

// Samples lists the reports that were kept of an issue, the newest first. There are at most [MaxSamples].
func (s *Store) Samples(ctx context.Context, issue int64) (samples []Sample, err error) {
	return samples, s.ask(ctx, "samples", func(ctx context.Context, tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, samplesText, issue, MaxSamples)
		return eachRow(rows, err, func(scan func(...any) error) error {
			var p Sample
			var at int64
			err := scan(&p.ID, &at, &p.Body)
			p.At = fromMillis(at)
			samples = append(samples, p)
			return err
		})
	})
}

// Policy is a policy that reports name, without nonces and addresses of endpoints.
type Policy struct {
	Site, Hash, Text string
	FirstSeen        time.Time
}

const policyText = "SELECT text, first_seen FROM policies WHERE site = ? AND hash = ?"

// Policy returns the policy behind a facet of kind [FacetPolicy], or [ErrNotFound].
func (s *Store) Policy(ctx context.Context, site, hash string) (Policy, error) {
	p := Policy{Site: site, Hash: hash}
	return p, s.ask(ctx, "policy", func(ctx context.Context, tx *sql.Tx) error {
		var first int64
		err := tx.QueryRowContext(ctx, policyText, site, hash).Scan(&p.Text, &first)
		if errors.Is(err, sql.ErrNoRows) {
			return ErrNotFound
		}
		p.FirstSeen = fromMillis(first)
		return err
	})
}
