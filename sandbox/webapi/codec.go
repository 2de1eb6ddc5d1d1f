package webapi

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"

	"coldstart/sandbox/isolate"
)

// codec is the state of one compression or decompression stream.
type codec interface {
	put(b []byte) ([]byte, error)
	end() ([]byte, error)
	close()
}

func codecOps(o *isolate.Ops) {
	// codec.open: format, decompress → id
	o.Add("codec.open", func(h *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		w := of(h)
		w.lastID++
		if flag(args, 1) {
			w.codecs[w.lastID] = newInflater(str(args, 0), w.limits.Memory)
		} else {
			w.codecs[w.lastID] = newDeflater(str(args, 0))
		}
		if r := runOf(h); r != nil {
			r.codecs = append(r.codecs, w.lastID)
		}
		return w.lastID, nil
	})
	// codec.put: id, bytes → bytes
	o.Add("codec.put", func(h *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		c := of(h).codecs[integer(args, 0)]
		if c == nil {
			return nil, typeError("the stream is over")
		}
		return bytesOr(c.put(data(args, 1)))
	})
	// codec.end: id → the last bytes
	o.Add("codec.end", func(h *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		w, id := of(h), integer(args, 0)
		c := w.codecs[id]
		if c == nil {
			return nil, typeError("the stream is over")
		}
		delete(w.codecs, id)
		defer c.close()
		return bytesOr(c.end())
	})
}

func bytesOr(b []byte, err error) (isolate.Value, error) {
	if err != nil {
		return nil, typeError(err.Error())
	}
	if b == nil {
		b = []byte{}
	}
	return b, nil
}

type deflater struct {
	buf bytes.Buffer
	w   io.WriteCloser
}

func newDeflater(format string) *deflater {
	d := &deflater{}
	switch format {
	case "gzip":
		d.w = gzip.NewWriter(&d.buf)
	case "deflate":
		d.w = zlib.NewWriter(&d.buf)
	default:
		d.w, _ = flate.NewWriter(&d.buf, flate.DefaultCompression) // the level is valid
	}
	return d
}

func (d *deflater) put(b []byte) ([]byte, error) {
	_, _ = d.w.Write(b) // a buffer takes everything
	return d.take(), nil
}

func (d *deflater) end() ([]byte, error) {
	_ = d.w.Close() // a buffer takes everything
	return d.take(), nil
}

func (d *deflater) take() []byte {
	out := bytes.Clone(d.buf.Bytes())
	d.buf.Reset()
	return out
}

func (d *deflater) close() {}

// inflater runs a decompressing reader in a goroutine of its own and hands it
// one chunk at a time: put returns when the reader asks for the next.
type inflater struct {
	limit int64
	in    chan []byte   // chunks; closed at the end
	ask   chan struct{} // the reader wants a chunk
	done  chan struct{} // the reader is over
	chunk []byte
	out   bytes.Buffer // written by the reader while it has a chunk
	err   error
	ended bool
}

var (
	//lint:ignore ST1005 scripts see it, in the words of Workers
	errTrailing = errors.New("Trailing bytes after end of compressed data")
	//lint:ignore ST1005 scripts see it, in the words of Workers
	errCut  = errors.New("Called close() on a decompression stream with incomplete data")
	errBomb = errors.New("the decompressed data is larger than the isolate's memory")
)

func newInflater(format string, limit int64) *inflater {
	d := &inflater{limit: limit, in: make(chan []byte), ask: make(chan struct{}), done: make(chan struct{})}
	go d.run(format)
	<-d.ask
	return d
}

// Read implements io.Reader for the decompressing reader.
func (d *inflater) Read(b []byte) (int, error) {
	for len(d.chunk) == 0 {
		d.ask <- struct{}{}
		chunk, ok := <-d.in
		if !ok {
			return 0, io.EOF
		}
		d.chunk = chunk
	}
	n := copy(b, d.chunk)
	d.chunk = d.chunk[n:]
	return n, nil
}

func (d *inflater) run(format string) {
	defer close(d.done)
	src := bufio.NewReader(d)
	var r io.Reader
	switch format {
	case "gzip":
		g, err := gzip.NewReader(src)
		if err != nil {
			d.err = err
			return
		}
		g.Multistream(false)
		r = g
	case "deflate":
		z, err := zlib.NewReader(src)
		if err != nil {
			d.err = err
			return
		}
		r = z
	default:
		r = flate.NewReader(src)
	}
	n, err := io.Copy(&d.out, io.LimitReader(r, d.limit+1))
	switch {
	case err != nil:
		d.err = err
	case n > d.limit:
		d.err = errBomb
	case src.Buffered() > 0 || len(d.chunk) > 0:
		d.err = errTrailing
	}
}

func (d *inflater) put(b []byte) ([]byte, error) {
	if len(b) == 0 {
		return nil, nil
	}
	select {
	case <-d.done:
		if d.err == nil {
			d.err = errTrailing
		}
	case d.in <- bytes.Clone(b):
		select {
		case <-d.ask:
		case <-d.done:
		}
	}
	return d.take()
}

func (d *inflater) end() ([]byte, error) {
	select {
	case <-d.done:
	default:
		d.ended = true
		close(d.in)
		for waiting := true; waiting; {
			select {
			case <-d.ask:
			case <-d.done:
				waiting = false
			}
		}
	}
	if errors.Is(d.err, io.ErrUnexpectedEOF) || errors.Is(d.err, io.EOF) {
		d.err = errCut
	}
	return d.take()
}

func (d *inflater) take() ([]byte, error) {
	select {
	case <-d.done:
		if d.err != nil {
			if errors.Is(d.err, errTrailing) || errors.Is(d.err, errCut) || errors.Is(d.err, errBomb) {
				return nil, d.err
			}
			return nil, errors.New("Decompression failed: " + d.err.Error())
		}
	default:
	}
	out := bytes.Clone(d.out.Bytes())
	d.out.Reset()
	return out, nil
}

// close ends the goroutine of a stream that is given up.
func (d *inflater) close() {
	if d.ended {
		return
	}
	select {
	case <-d.done:
	default:
		d.ended = true
		close(d.in)
		for waiting := true; waiting; {
			select {
			case <-d.ask:
			case <-d.done:
				waiting = false
			}
		}
	}
}
