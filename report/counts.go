package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// The envelope of counts that are pushed to a collector.
const (
	CountsSchema  = "merlon/documents"
	CountsVersion = 1
)

// MaxCountsBytes bounds what one push has, in bytes.
const MaxCountsBytes = 512 << 10

// MaxCounts is how many Documents one push has at most.
const MaxCounts = maxPairs + 1

// Counts is one push: the same ID names the same counts, however often they are sent.
type Counts struct {
	Schema    string      `json:"schema"`
	Version   int         `json:"version"`
	ID        string      `json:"id"` // 26 random letters and digits
	Documents []Documents `json:"documents"`
}

// ErrNotCounts is returned for what is no push that this program understands.
var ErrNotCounts = errors.New("not a push of document counts")

// DecodeCounts reads a push and checks it: one from a program that has the token may be wrong all the same.
func DecodeCounts(data []byte) (Counts, error) {
	var c Counts
	if len(data) > MaxCountsBytes {
		return c, ErrTooLarge
	}
	if err := json.Unmarshal(data, &c); err != nil {
		return c, fmt.Errorf("%w: %w", ErrNotCounts, err)
	}
	switch {
	case c.Schema != CountsSchema || c.Version != CountsVersion:
		return c, fmt.Errorf("%w: schema %q, version %d; this program reads %s, version %d", ErrNotCounts, cut(c.Schema, 40), c.Version, CountsSchema, CountsVersion)
	case len(c.ID) < 16 || len(c.ID) > 64:
		return c, fmt.Errorf("%w: an id of %d characters, want 16 to 64 random ones", ErrNotCounts, len(c.ID))
	case len(c.Documents) > MaxCounts:
		return c, ErrTooMany
	}
	for _, d := range c.Documents {
		if err := d.check(); err != nil {
			return c, fmt.Errorf("%w: %w", ErrNotCounts, err)
		}
	}
	return c, nil
}

const (
	maxPolicyHash = 64
	maxCount      = 1 << 40
)

func (d Documents) check() error {
	switch {
	case d.Route != Rest && !strings.HasPrefix(d.Route, "/"), len(d.Route) > MaxRoute, !visible(d.Route):
		return fmt.Errorf("no route: %q", cut(d.Route, 80))
	case len(d.Policy) > maxPolicyHash, !visible(d.Policy):
		return fmt.Errorf("no hash of a policy: %q", cut(d.Policy, 80))
	case d.Count < 1 || d.Count > maxCount:
		return fmt.Errorf("no count: %d", d.Count)
	}
	return nil
}

// visible reports whether s is visible ASCII, as routes and hashes are.
func visible(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}
