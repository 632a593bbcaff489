package coding

import "io"

// Writer puts a coding on a body.
type Writer struct {
	pools   *Pools
	name    string
	encoder encoder
}

// NewWriter returns a Writer that passes the body on to dst. name is one that [Of] knows.
func (p *Pools) NewWriter(name string, dst io.Writer) *Writer {
	kept, _ := p.encoders[index(name)].Get().(encoder)
	if kept == nil {
		kept = newEncoder(name)
	}
	kept.Reset(dst)
	return &Writer{pools: p, name: name, encoder: kept}
}

// Write encodes b. What comes of it may wait for more.
func (w *Writer) Write(b []byte) (int, error) { return w.encoder.Write(b) }

// Flush writes all that can be decoded of what was written.
func (w *Writer) Flush() error { return w.encoder.Flush() }

// Close ends the body, and is the last call. It does not close the destination.
func (w *Writer) Close() error {
	err := w.encoder.Close()
	if err == nil {
		w.pools.encoders[index(w.name)].Put(w.encoder)
	}
	w.encoder = nil
	return err
}
