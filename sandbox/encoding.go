package sandbox

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"runtime"
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
// learner's CPU limit counts, see press. Making one costs more than most bodies.
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

// A press lets pieces be compressed a few at a time, one of a learner: whoever
// sends many bodies waits for himself, and half of the CPUs stay for other work.
type press struct {
	slots chan struct{}

	mu       sync.Mutex
	learners map[string]*pressing // who compresses or waits to
}

type pressing struct {
	sync.Mutex
	users int // guarded by the press
}

// wire is the press of all bodies: a process has no more CPUs for two.
var wire = newPress(max(1, runtime.NumCPU()/2))

func newPress(slots int) *press {
	return &press{slots: make(chan struct{}, slots), learners: map[string]*pressing{}}
}

// do runs f, which does nothing but compress, when it is the learner's turn.
func (p *press) do(learner string, f func()) {
	p.mu.Lock()
	l := p.learners[learner]
	if l == nil {
		l = &pressing{}
		p.learners[learner] = l
	}
	l.users++
	p.mu.Unlock()
	l.Lock()
	p.slots <- struct{}{} // first come, first served
	f()
	<-p.slots
	l.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	if l.users--; l.users == 0 {
		delete(p.learners, learner)
	}
}

// encodedBody compresses what is written to it, piece by piece, so that nobody
// waits for the end. A body without a byte stays without.
type encodedBody struct {
	w       io.Writer
	name    string
	learner string
	encoder encoder      // nil before the first byte
	out     bytes.Buffer // what a slow client has not taken takes no place in the press
}

func (b *encodedBody) Write(p []byte) (n int, err error) {
	if b.encoder == nil {
		b.encoder = encoders[b.name].Get().(encoder)
		b.encoder.Reset(&b.out)
	}
	wire.do(b.learner, func() {
		if n, err = b.encoder.Write(p); err == nil {
			err = b.encoder.Flush()
		}
	})
	if err == nil {
		_, err = b.out.WriteTo(b.w)
	}
	return n, err
}

// end writes what belongs after the last byte, if whole, and gives the encoder back.
func (b *encodedBody) end(whole bool) {
	if b.encoder == nil {
		return
	}
	if whole {
		_ = b.encoder.Close()     // into memory
		_, _ = b.out.WriteTo(b.w) // a client that is gone loses nothing
	}
	b.encoder.Reset(io.Discard)
	encoders[b.name].Put(b.encoder)
	b.encoder = nil
}
