package collect

import (
	"crypto/sha256"
	"encoding/binary"
	"strings"
	"sync"
)

const (
	// maxPerView is how many reports may name one nonce. A page breaks its policy in a few places, some of them again and again; more
	// is somebody who sends one nonce many times.
	maxPerView = 200

	// maxViews is how many nonces are counted at a time, twice: those that came in last, and those before them.
	maxViews = 8192

	// maxNonces is how many nonces of one policy are looked at. Ours have one.
	maxNonces = 4
)

// views tells which reports are about pages that somebody fetched.
type views struct {
	attests func(nonce string) bool
	most    int // reports that a nonce counts for

	mu         sync.Mutex
	young, old map[uint64]int
}

func newViews(attests func(nonce string) bool, most int) *views {
	return &views{attests: attests, most: most, young: map[uint64]int{}}
}

// of returns a hash of the nonce in a policy that a report quotes, 0 if no nonce is attested or too many reports have had it.
func (v *views) of(policy string) uint64 {
	if v.attests == nil {
		return 0
	}
	for range maxNonces {
		_, rest, found := strings.Cut(policy, "'nonce-")
		nonce, behind, closed := strings.Cut(rest, "'")
		if !found || !closed {
			return 0
		}
		if v.attests(nonce) {
			return v.count(nonce)
		}
		policy = behind
	}
	return 0
}

// count counts a report with an attested nonce, and returns the nonce's hash, or 0 for a report too many.
func (v *views) count(nonce string) uint64 {
	sum := sha256.Sum256([]byte(nonce))
	view := max(1, binary.BigEndian.Uint64(sum[:]))
	v.mu.Lock()
	defer v.mu.Unlock()
	n, known := v.young[view]
	if !known {
		if n = v.old[view]; len(v.young) == maxViews {
			v.young, v.old = map[uint64]int{}, v.young
		}
	}
	v.young[view] = min(n+1, v.most)
	if n >= v.most {
		return 0
	}
	return view
}
