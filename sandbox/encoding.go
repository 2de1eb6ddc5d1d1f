package sandbox

import (
	"compress/gzip"
	"io"
	"net/http"
	"sync"

	"github.com/andybalholm/brotli"

	"coldstart/sandbox/trace"
)

// An encoder compresses a body for the wire.
type encoder interface {
	io.WriteCloser
	Flush() error
	Reset(w io.Writer)
}

// The encoders, each at its fastest: this is work of the server's that no
// learner's CPU limit counts. Making one costs more than most bodies.
var encoders = map[string]*sync.Pool{
	"gzip": {New: func() any {
		z, _ := gzip.NewWriterLevel(io.Discard, gzip.BestSpeed) // the level exists
		return z
	}},
	"br": {New: func() any { return brotli.NewWriterLevel(io.Discard, brotli.BestSpeed) }},
}

// wireEncoding is what a body has to be compressed with on its way to a client,
// "" for nothing: by the names that Workers know, written as they know them.
func wireEncoding(head *trace.ResponseHead, header http.Header) string {
	if list := header["Content-Encoding"]; !head.Encoded && len(list) == 1 && encoders[list[0]] != nil {
		return list[0]
	}
	return ""
}

// encodedBody compresses what is written to it, piece by piece, so that nobody
// waits for the end. A body without a byte stays without.
type encodedBody struct {
	w       io.Writer
	name    string
	encoder encoder // nil before the first byte
}

func (b *encodedBody) Write(p []byte) (int, error) {
	if b.encoder == nil {
		b.encoder = encoders[b.name].Get().(encoder)
		b.encoder.Reset(b.w)
	}
	n, err := b.encoder.Write(p)
	if err == nil {
		err = b.encoder.Flush()
	}
	return n, err
}

// end writes what belongs after the last byte, if whole, and gives the encoder back.
func (b *encodedBody) end(whole bool) {
	if b.encoder == nil {
		return
	}
	if whole {
		_ = b.encoder.Close() // a client that is gone loses nothing
	}
	b.encoder.Reset(io.Discard)
	encoders[b.name].Put(b.encoder)
	b.encoder = nil
}
