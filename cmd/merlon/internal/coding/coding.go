// Package coding has the content codings that a gateway takes off a body to look into it, and puts on again: gzip, br and
// zstd. Everything streams, both ways: what was flushed on one side can be read on the other, and memory is bounded
// whatever the body says about itself.
package coding

import (
	"bufio"
	"io"
	"sync"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// names are the codings, the best first where a client does not mind.
var names = [...]string{"br", "zstd", "gzip"}

func index(name string) int {
	for i, n := range names {
		if n == name {
			return i
		}
	}
	return -1
}

const (
	// maxWindow is what every decoder of zstd must have, and no encoder may exceed: RFC 9659 §3. A stream of brotli has at most
	// 16 MiB (RFC 7932 §9.1), one of gzip 32 KiB.
	maxWindow = 8 << 20
	// window is how far our encoders look back: enough for pages, and little for many at a time.
	window        = 256 << 10
	brotliWindow  = 18 // the binary logarithm of window
	brotliQuality = 4
	gzipLevel     = 5
	inputBytes    = 8 << 10
)

// Pools keeps encoders and decoders for the next message. The zero Pools is ready, and safe for concurrent use.
type Pools struct {
	decoders, encoders [len(names)]sync.Pool
}

// decoder is a library's decoder with what it reads from.
type decoder struct {
	in  *bufio.Reader
	out resetReader
}

type resetReader interface {
	io.Reader
	Reset(io.Reader) error
}

func newDecoder(name string) resetReader {
	switch name {
	case "br":
		return new(brotli.Reader)
	case "zstd":
		d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			panic(err) // the options are good
		}
		return d
	}
	return new(gzip.Reader)
}

// encoder is what the libraries have in common.
type encoder interface {
	io.WriteCloser
	Flush() error
	Reset(io.Writer)
}

func newEncoder(name string) encoder {
	switch name {
	case "br":
		return brotli.NewWriterOptions(nil, brotli.WriterOptions{Quality: brotliQuality, LGWin: brotliWindow})
	case "zstd":
		e, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(window), zstd.WithLowerEncoderMem(true), zstd.WithZeroFrames(true))
		if err != nil {
			panic(err)
		}
		return e
	}
	e, err := gzip.NewWriterLevel(nil, gzipLevel)
	if err != nil {
		panic(err)
	}
	return e
}
