package cli

import (
	"os"
	"runtime"
)

// reserveSize is how much the heap may grow before the first collection, beside what is in use.
const reserveSize = 32 << 20

// reserve makes the garbage collector work less often, until release is called. It works each time that the heap has doubled, and a gateway's
// heap is so small that this was for a fifth of the processor's time. The bytes are never touched, so that they cost no memory, and
// count as heap. Who sets GOGC or GOMEMLIMIT has decided himself.
func reserve() (release func()) {
	if os.Getenv("GOGC")+os.Getenv("GOMEMLIMIT") != "" {
		return func() {}
	}
	untouched := make([]byte, reserveSize)
	return func() { runtime.KeepAlive(untouched) }
}
