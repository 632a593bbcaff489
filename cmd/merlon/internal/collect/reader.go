package collect

import (
	"bytes"
	"errors"
	"io"
	"sync"
)

// bytesPerReport is how much of a body costs its sender as much as a report. Otherwise a network could hold all of the memory below with
// large bodies that never end, each the price of one report.
const bytesPerReport = 16 << 10

// errSpent says that the sender's network has spent its budget within the body.
var errSpent = errors.New("too many bytes from this network")

// meteredBody counts what it reads against the memory that all requests share, and against the budget of its sender's network. The bytes
// count when they are there: a sender that promises many and sends none takes nothing.
type meteredBody struct {
	meter   *Collector
	source  io.Reader
	network uint64
	n       int64
}

func (b *meteredBody) Read(p []byte) (int, error) {
	n, err := b.source.Read(p)
	before := b.n / bytesPerReport
	b.n += int64(n)
	price := int(b.n/bytesPerReport - before)
	switch {
	case b.meter.bytes.Add(int64(n)) > b.meter.maxBytes:
		return n, errBusy
	case price > 0 && !b.meter.reports.spend(b.network, price, b.meter.now()):
		return n, errSpent
	}
	return n, err
}

func (b *meteredBody) release() { b.meter.bytes.Add(-b.n) }

// buffers are for bodies while they are read. They grow with what arrives, whatever a sender promises.
type buffers struct{ pool sync.Pool }

// maxKept is the size up to which a buffer is used again: few bodies are larger, and what one sender made large is not to stay so.
const maxKept = 64 << 10

func (b *buffers) get() *bytes.Buffer {
	if buffer, ok := b.pool.Get().(*bytes.Buffer); ok {
		return buffer
	}
	return new(bytes.Buffer)
}

func (b *buffers) put(buffer *bytes.Buffer) {
	if buffer.Cap() <= maxKept {
		buffer.Reset()
		b.pool.Put(buffer)
	}
}
