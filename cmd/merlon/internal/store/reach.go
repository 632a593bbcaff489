package store

import (
	"encoding/binary"
	"math"
	"slices"
)

// reach counts distinct hashes in bounded space: it keeps the smallest, and how close together those are says how many there
// are. It is exact below its size, and above within about a tenth.
// The way is known as bottom-k or KMV (Bar-Yossef and others, Counting Distinct Elements in a Data Stream, 2002).
type reach []uint64

const reachSize = 128

// add returns r with the hash in it, and whether that changed it.
func (r reach) add(hash uint64) (reach, bool) {
	at, there := slices.BinarySearch(r, hash)
	if there || at == reachSize {
		return r, false
	}
	if len(r) == reachSize {
		r = r[:reachSize-1]
	}
	return slices.Insert(r, at, hash), true
}

// take adds the hashes of another one, and reports whether that changed r.
func (r *reach) take(other reach) (changed bool) {
	for _, hash := range other {
		grown, more := r.add(hash)
		*r, changed = grown, changed || more
	}
	return changed
}

// count estimates how many distinct hashes were added.
func (r reach) count() int64 {
	if len(r) < reachSize {
		return int64(len(r))
	}
	return int64(float64(reachSize-1) * math.Exp2(64) / float64(r[reachSize-1]))
}

func (r reach) blob() []byte {
	out := make([]byte, 0, 8*len(r))
	for _, hash := range r {
		out = binary.BigEndian.AppendUint64(out, hash)
	}
	return out
}

// reachOf reads what blob wrote.
func reachOf(blob []byte) reach {
	r := make(reach, 0, reachSize)
	for ; len(blob) >= 8 && len(r) < reachSize; blob = blob[8:] {
		r = append(r, binary.BigEndian.Uint64(blob))
	}
	return r
}
