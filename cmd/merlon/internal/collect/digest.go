package collect

import (
	"cmp"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
	"github.com/merlon-sec/merlon/report"
)

// Chromium sends a batch again when it did not hear that it arrived: after a minute or more, with the ages of its reports grown by as much.
// So a batch is known by everything else in it, by who sent it, and by when the oldest of it happened.
const (
	digestTime  = 20 * time.Minute // Chromium gives up after 15
	maxDigests  = 200_000          // remembered at a time
	digestSteps = 2 * time.Second  // times that are as close are the same
)

// Secret is what batches are hashed with, since the hash is of an address too and is stored for some minutes.
type Secret struct{ Current, Previous [32]byte }

// fresh returns a secret that ends with the process.
func fresh() func() Secret {
	var s Secret
	rand.Read(s.Current[:]) // never fails since Go 1.24
	s.Previous = s.Current
	return func() Secret { return s }
}

// batchID is what a batch is known by.
type batchID struct {
	current, previous [16]byte
	step              int64 // of time
}

// identify returns what the batch is known by, nil if by nothing. Reports are compared by what was read of them.
func identify(secret Secret, site string, from client, r *http.Request, reports []report.Report, now time.Time) *batchID {
	ageless := slices.Clone(reports)
	var age time.Duration // of the oldest: what is no report has none
	for i := range ageless {
		age, ageless[i].Age = max(age, ageless[i].Age), 0
	}
	var said []string // by a proxy that is not known. It may be a lie, but one that costs others nothing
	if from.network&1 == 0 {
		said = append(slices.Clone(r.Header["X-Forwarded-For"]), r.Header["Forwarded"]...)
	}
	content, err := json.Marshal([]any{site, from.addr, said, r.UserAgent(), ageless})
	if err != nil {
		return nil
	}
	sum := sha256.Sum256(content)
	keyed := func(key [32]byte) [16]byte {
		mac := hmac.New(sha256.New, key[:])
		mac.Write(sum[:])
		return [16]byte(mac.Sum(nil))
	}
	step := now.Add(-age).UnixMilli() / digestSteps.Milliseconds()
	return &batchID{keyed(secret.Current), keyed(secret.Previous), step}
}

// digest is what is stored of the batch.
func (id *batchID) digest() store.Digest { return atStep(id.current, id.step) }

// digests are those that the batch may have been stored under before.
func (id *batchID) digests() [6]store.Digest {
	var out [6]store.Digest
	for i, sum := range [2][16]byte{id.current, id.previous} {
		for j := range int64(3) {
			out[3*i+int(j)] = atStep(sum, id.step+j-1)
		}
	}
	return out
}

// atStep mixes the time in by addition, so that one hash gives those of the times around it too.
func atStep(sum [16]byte, step int64) store.Digest {
	n := binary.BigEndian.Uint64(sum[:8])
	binary.BigEndian.PutUint64(sum[:8], n+uint64(step))
	return sum
}

// digests remembers batches. Times count on both sides, so that a clock that was ahead leaves nothing behind.
type digests struct {
	known map[store.Digest]known
	order []arrival
}

type known struct {
	at    int64  // Unix milliseconds
	round *round // that stores it; nil: it is stored
}

type arrival struct {
	digest store.Digest
	at     int64
}

// load takes what was remembered before a new start.
func (d *digests) load(stored map[store.Digest]time.Time) {
	d.known = map[store.Digest]known{}
	for digest, at := range stored {
		d.order = append(d.order, arrival{digest, at.UnixMilli()})
	}
	slices.SortFunc(d.order, func(a, b arrival) int { return cmp.Compare(a.at, b.at) })
	d.order = d.order[max(0, len(d.order)-maxDigests):]
	for _, a := range d.order {
		d.known[a.digest] = known{at: a.at}
	}
}

// find returns the round that has the batch, and whether the batch is known.
func (d *digests) find(id *batchID, now time.Time) (*round, bool) {
	for _, digest := range id.digests() {
		if k, ok := d.known[digest]; ok && current(k.at, now) {
			return k.round, true
		}
	}
	return nil, false
}

// add remembers a batch of a round, and forgets old ones.
func (d *digests) add(id *batchID, r *round, now time.Time) {
	a := arrival{id.digest(), now.UnixMilli()}
	d.known[a.digest] = known{a.at, r}
	d.order = append(d.order, a)
	for len(d.order) > maxDigests || !current(d.order[0].at, now) {
		if old := d.order[0]; d.known[old.digest].at == old.at {
			delete(d.known, old.digest)
		}
		d.order = d.order[1:]
	}
	after := now.Add(-digestTime)
	if len(d.order) == maxDigests && d.order[0].at < a.at {
		after = time.UnixMilli(d.order[0].at)
	}
	r.batch.Digest(a.digest, now, after, now.Add(digestTime))
	r.digests = append(r.digests, a.digest)
}

// settle notes how a round ended.
func (d *digests) settle(r *round) {
	for _, digest := range r.digests {
		k, ok := d.known[digest]
		switch {
		case !ok || k.round != r:
		case r.err != nil:
			delete(d.known, digest)
		default:
			d.known[digest] = known{at: k.at}
		}
	}
}

func current(at int64, now time.Time) bool {
	age := now.UnixMilli() - at
	return max(age, -age) <= digestTime.Milliseconds()
}
