package store

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"
)

// MaxIssues is how many issues a site has; beyond, reports are counted by one "other" issue for each type, directive and class.
const MaxIssues = 5000

// FoldedBlocked is what [Issue.Blocked] says for an issue that stands for those beyond MaxIssues.
const FoldedBlocked = "other"

// siteIssues are the issues of a site that have rows. Only the goroutine that commits uses them.
type siteIssues struct {
	byKey map[Fingerprint]*liveIssue
	live  int // those that are not folded
}

// liveIssue is what a commit has to know of an issue before it looks at the row.
type liveIssue struct {
	id      int64
	folded  bool
	sampled time.Time // when a sample was last kept
}

// admits reports whether an issue that has no row gets one.
func (s *siteIssues) admits(*delta) bool { return s.live < MaxIssues }

// fold turns the delta of an issue that has no room into one of the issue that stands for its kind.
func fold(key issueKey, d *delta) (issueKey, *delta) {
	folded := *d
	folded.hit.Blocked, folded.hit.Sample, folded.body = FoldedBlocked, "", ""
	sum := sha256.Sum256(fmt.Appendf(nil, "folded %q %q %q", d.hit.Type, d.hit.Directive, d.hit.Class))
	key.fp.Sum = [16]byte(sum[:16])
	return key, &folded
}

// loadIssues finds out which issues each site has. Commit keeps that from then on.
func (s *Store) loadIssues(ctx context.Context) error {
	s.sites = map[string]*siteIssues{}
	rows, err := s.write.QueryContext(ctx, "SELECT site, fingerprint_version, fingerprint, id, folded FROM issues")
	return eachRow(rows, err, func(scan func(...any) error) error {
		var site string
		var fp Fingerprint
		var sum []byte
		issue := &liveIssue{}
		err := scan(&site, &fp.Version, &sum, &issue.id, &issue.folded)
		copy(fp.Sum[:], sum)
		s.site(site).put(fp, issue)
		return err
	})
}

// site returns the issues of a site.
func (s *Store) site(name string) *siteIssues {
	issues := s.sites[name]
	if issues == nil {
		issues = &siteIssues{byKey: map[Fingerprint]*liveIssue{}}
		s.sites[name] = issues
	}
	return issues
}

func (s *siteIssues) put(fp Fingerprint, issue *liveIssue) {
	s.byKey[fp] = issue
	if !issue.folded {
		s.live++
	}
}
