package coding

import (
	"bufio"
	"fmt"
	"io"
)

// Reader takes the coding off a body. It reads what it needs for the next bytes and not more, and ends with io.EOF only
// where the coding and the body end together: what is cut off or corrupt ends with an error.
type Reader struct {
	pools   *Pools
	name    string
	body    io.ReadCloser
	decoder *decoder // nil before the first Read
	err     error
}

// NewReader returns a Reader of body, which Close closes. name is one that [Of] knows.
func (p *Pools) NewReader(name string, body io.ReadCloser) *Reader {
	return &Reader{pools: p, name: name, body: body}
}

// Read gives the decoded body. An empty body, which no coding makes, is taken for what it says.
func (r *Reader) Read(b []byte) (int, error) {
	if r.err == nil && r.decoder == nil {
		r.err = r.begin()
	}
	if r.err != nil {
		return 0, r.err
	}
	n, err := r.decoder.out.Read(b)
	if err != nil && err != io.EOF {
		err = fmt.Errorf("decoding %s: %w", r.name, err)
	}
	r.err = err
	return n, err
}

// begin looks at the first byte, so that the header of a response need not wait for it.
func (r *Reader) begin() error {
	d, _ := r.pools.decoders[index(r.name)].Get().(*decoder)
	if d == nil {
		d = &decoder{in: bufio.NewReaderSize(nil, inputBytes), out: newDecoder(r.name)}
	}
	d.in.Reset(r.body)
	if _, err := d.in.Peek(1); err != nil {
		return err
	}
	if err := d.out.Reset(d.in); err != nil {
		return fmt.Errorf("decoding %s: %w", r.name, err)
	}
	r.decoder = d
	return nil
}

// Close closes the body. Only a decoder that came to the end is kept.
func (r *Reader) Close() error {
	if r.decoder != nil && r.err == io.EOF {
		r.decoder.in.Reset(nil)
		r.pools.decoders[index(r.name)].Put(r.decoder)
	}
	r.decoder, r.err = nil, io.ErrClosedPipe
	return r.body.Close()
}
