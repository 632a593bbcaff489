// Package keys keeps one secret in the data directory and derives from it a key for each purpose and day. A key is good for the
// day (in UTC) that it was made for, and for reading on the day after.
//
// The secret goes forward like a ratchet: each day's is made of the one before, which is then forgotten, so that what was keyed two days
// ago (a client's network, say) can no longer be computed from the directory. A file that could not be written does no harm: the
// same days follow from an older secret.
package keys

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"
)

// FileName is the name of the file in the data directory.
const FileName = "keys"

// Size is the length of a key, in bytes.
const Size = 32

// maxForward bounds how many days the secret goes forward: after ten years of rest, or with a clock that is wrong, it is made anew.
const maxForward = 3660

// Keys has the keys of one data directory. It is safe for concurrent use.
type Keys struct {
	path string
	now  func() time.Time
	log  *slog.Logger

	mu sync.Mutex
	at ratchet
}

// Pair are the keys of a purpose on a day.
type Pair struct {
	Day      int64 // since 1970, in UTC
	Current  [Size]byte
	Previous [Size]byte // of the day before
}

// Open reads the keys of a data directory, which the caller has locked, and makes them where there are none. now nil is time.Now; log nil
// discards. Where the file is damaged, or others may read it, the error says what to do.
func Open(dir string, now func() time.Time, log *slog.Logger) (*Keys, error) {
	k := &Keys{path: filepath.Join(dir, FileName), now: now, log: log}
	if k.now == nil {
		k.now = time.Now
	}
	if k.log == nil {
		k.log = slog.New(slog.DiscardHandler)
	}
	kept, err := read(k.path)
	switch {
	case errors.Is(err, errAbsent):
		k.at = begin(k.today())
	case err != nil:
		return nil, fmt.Errorf("keys %q: %w", k.path, err)
	default:
		k.at = kept.on(k.today())
	}
	if k.at == kept {
		return k, nil
	}
	if err := write(k.path, k.at); err != nil {
		return nil, fmt.Errorf("keys %q: %w: free some space, or choose another data directory", k.path, reason(err))
	}
	return k, nil
}

// Key returns the keys of a purpose for today. Where a clock goes back, today is the latest day that there was.
func (k *Keys) Key(purpose string) Pair {
	k.mu.Lock()
	defer k.mu.Unlock()
	if at := k.at.on(k.today()); at != k.at {
		k.at = at
		if err := write(k.path, at); err != nil {
			k.log.Warn("the keys of today are not on disk; they follow from those that are", "file", k.path, "error", err)
		}
	}
	return k.at.pair(purpose)
}

func (k *Keys) today() int64 { return day(k.now()) }

func day(t time.Time) int64 { return t.Unix() / (24 * 60 * 60) }

// Daily returns a function that gives what make makes of the purpose's keys, and has it made anew when the day has changed. It is
// for hot paths, and for concurrent use.
func Daily[T any](k *Keys, purpose string, make func(Pair) T) func() T {
	type made struct {
		on    int64
		value T
	}
	var last atomic.Pointer[made]
	return func() T {
		today := k.today()
		m := last.Load()
		if m == nil || m.on != today {
			m = &made{today, make(k.Key(purpose))}
			last.Store(m)
		}
		return m.value
	}
}

// ratchet is the secret of the day before one: both days' keys follow from it.
type ratchet struct {
	day    int64
	secret [Size]byte
}

func begin(today int64) ratchet {
	r := ratchet{day: today}
	rand.Read(r.secret[:]) // never fails since Go 1.24
	return r
}

// on returns the ratchet for a day. It does not go back; where the clock is off by more than a day, all begins anew.
func (r ratchet) on(today int64) ratchet {
	if today < r.day-1 || today > r.day+maxForward {
		return begin(today)
	}
	for r.day < today {
		r.day, r.secret = r.day+1, derive(r.secret, "next day")
	}
	return r
}

func (r ratchet) pair(purpose string) Pair {
	purpose = "purpose " + purpose
	return Pair{Day: r.day, Previous: derive(r.secret, purpose), Current: derive(derive(r.secret, "next day"), purpose)}
}

func derive(secret [Size]byte, info string) [Size]byte {
	out, err := hkdf.Key(sha256.New, secret[:], nil, "merlon "+info, Size)
	if err != nil { // only where more is asked for than HKDF can give
		panic(err)
	}
	return [Size]byte(out)
}
