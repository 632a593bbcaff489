package gateway

import (
	"bufio"
	"io"
	"net/http"
	"sync"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/coding"
)

// pools keep what a page needs for the next one.
type pools struct {
	coding.Pools
	buffers sync.Pool
}

// gatherBytes is what is written for two reads of a reverse proxy, and the nonces of a usual page.
const gatherBytes = 2*bufferSize + 4<<10

// outlet gathers what a rewriter writes, puts the coding on, and passes it to the client.
type outlet struct {
	*bufio.Writer
	pools  *pools
	client http.ResponseWriter
	coder  *coding.Writer // nil for none
}

func (p *pools) outlet(client http.ResponseWriter, to string) *outlet {
	o := &outlet{pools: p, client: client}
	var dst io.Writer = client
	if to != "" {
		o.coder = p.NewWriter(to, client)
		dst = o.coder
	}
	if o.Writer, _ = p.buffers.Get().(*bufio.Writer); o.Writer == nil {
		o.Writer = bufio.NewWriterSize(dst, gatherBytes)
	}
	o.Reset(dst)
	return o
}

// FlushError sends all that was written.
func (o *outlet) FlushError() error {
	if err := o.Flush(); err != nil {
		return err
	}
	if o.coder != nil {
		if err := o.coder.Flush(); err != nil {
			return err
		}
	}
	return http.NewResponseController(o.client).Flush()
}

// close ends the coding. A response that is aborted never gets here, and does not end as if it were whole.
func (o *outlet) close() error {
	if err := o.Flush(); err != nil {
		return err
	}
	o.Reset(nil)
	o.pools.buffers.Put(o.Writer)
	if o.coder != nil {
		return o.coder.Close()
	}
	return nil
}
