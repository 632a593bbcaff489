package rewrite

// slice bounds how much is copied behind bytes that were held back.
const slice = 4 << 10

// window lets a step function see the bytes that it kept together with those that follow. Without kept bytes it sees the
// caller's slice, so that the usual write is not copied.
type window struct{ held []byte }

// feed calls step, which returns how many bytes at the end of its argument it wants to see again.
func (w *window) feed(p []byte, step func([]byte) int) {
	for len(p) > 0 {
		if len(w.held) == 0 {
			keep := step(p)
			w.held = append(w.held, p[len(p)-keep:]...)
			return
		}
		n := min(len(p), slice)
		w.held = append(w.held, p[:n]...)
		p = p[n:]
		keep := step(w.held)
		if keep == len(w.held) {
			continue
		}
		copy(w.held, w.held[len(w.held)-keep:])
		w.held = w.held[:keep]
	}
}
