package webapi

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"hash/crc32"
	"io"
	"slices"

	"github.com/andybalholm/brotli"

	"coldstart/sandbox/isolate"
)

// codec is the state of one compression or decompression stream.
type codec interface {
	put(b []byte) ([]byte, error)
	end() ([]byte, error)
	close()
}

func codecOps(o *isolate.Ops) {
	// codec.open: format, decompress, level (-1 for the format's own), dictionary or none → id
	o.Add("codec.open", func(h *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		w := of(h)
		w.lastID++
		if flag(args, 1) {
			w.codecs[w.lastID] = newInflater(str(args, 0), data(args, 3), w.limits.Memory)
		} else {
			w.codecs[w.lastID] = newDeflater(str(args, 0), integer(args, 2), data(args, 3))
		}
		if r := runOf(h); r != nil {
			r.codecs = append(r.codecs, w.lastID)
		}
		return w.lastID, nil
	})
	// codec.once: format, decompress, level, dictionary or none, bytes → bytes
	o.Add("codec.once", func(h *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		if !flag(args, 1) {
			d := newDeflater(str(args, 0), integer(args, 2), data(args, 3))
			first, _ := d.put(data(args, 4))
			rest, err := d.end()
			return bytesOr(append(first, rest...), err)
		}
		b, err := inflateAll(str(args, 0), data(args, 3), data(args, 4), of(h).limits.Memory)
		if err != nil {
			return nil, &isolate.Throw{Name: "Error", Message: zlibWords(err)}
		}
		return bytesOr(b, nil)
	})
	// crc32: bytes, the checksum so far → checksum
	o.Add("crc32", func(_ *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		return float64(crc32.Update(uint32(num(args, 1)), crc32.IEEETable, data(args, 0))), nil
	})
	// codec.put: id, bytes → bytes
	o.Add("codec.put", func(h *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		c := of(h).codecs[integer(args, 0)]
		if c == nil {
			return nil, typeError("the stream is over")
		}
		return bytesOr(c.put(data(args, 1)))
	})
	// codec.flush: id → what has been compressed so far
	o.Add("codec.flush", func(h *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		c, ok := of(h).codecs[integer(args, 0)].(*deflater)
		if !ok {
			return []byte{}, nil
		}
		return bytesOr(c.flush(), nil)
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

// zlibWords says what a decompressor did not like in zlib's words.
func zlibWords(err error) string {
	switch {
	case errors.Is(err, errBomb):
		return "Memory limit exceeded"
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, zlib.ErrHeader):
		return "incorrect header check"
	case errors.Is(err, gzip.ErrChecksum), errors.Is(err, zlib.ErrChecksum):
		return "incorrect data check"
	case errors.Is(err, zlib.ErrDictionary):
		return "Missing dictionary"
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return "unexpected end of file"
	}
	return "invalid compressed data"
}

var gzipMagic = []byte{0x1f, 0x8b}

// inflateAll decompresses one whole block of data. What follows it is ignored, as Node does.
func inflateAll(format string, dict, b []byte, limit int64) ([]byte, error) {
	src := bytes.NewReader(b)
	var r io.Reader
	var err error
	switch format {
	case "gzip":
		if !bytes.HasPrefix(b, gzipMagic[:min(len(b), 2)]) {
			return nil, gzip.ErrHeader
		}
		r, err = gzip.NewReader(src)
	case "deflate":
		r, err = zlib.NewReaderDict(src, dict)
	case "brotli":
		r = brotli.NewReader(src)
	default:
		r = flate.NewReaderDict(src, dict)
	}
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	n, err := io.Copy(&out, io.LimitReader(r, limit+1))
	if errors.Is(err, gzip.ErrHeader) && format == "gzip" && out.Len() > 0 {
		err = nil // padding after the last member
	}
	if n > limit {
		err = errBomb
	}
	return out.Bytes(), err
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
	none bool // of a format of zlib's, and nothing was written or flushed
	buf  bytes.Buffer
	w    interface {
		io.WriteCloser
		Flush() error
	}
}

// newDeflater compresses. A level outside the format's range is the format's own.
func newDeflater(format string, level int, dict []byte) *deflater {
	d := &deflater{}
	if format == "brotli" {
		if level < brotli.BestSpeed || level > brotli.BestCompression {
			level = brotli.DefaultCompression
		}
		d.w = brotli.NewWriterLevel(&d.buf, level)
		return d
	}
	d.none = true
	if level < flate.NoCompression || level > flate.BestCompression {
		level = flate.DefaultCompression
	}
	switch format { // the levels are valid, so there are no errors
	case "gzip":
		g, _ := gzip.NewWriterLevel(&d.buf, level)
		g.OS = 3 // Unix, as zlib writes it
		d.w = g
	case "deflate":
		d.w, _ = zlib.NewWriterLevelDict(&d.buf, level, dict)
	default:
		d.w, _ = flate.NewWriterDict(&d.buf, level, dict)
	}
	return d
}

func (d *deflater) flush() []byte {
	d.none = false
	_ = d.w.Flush() // a buffer takes everything
	return d.take()
}

func (d *deflater) put(b []byte) ([]byte, error) {
	if len(b) > 0 {
		d.none = false
	}
	_, _ = d.w.Write(b) // a buffer takes everything
	return d.take(), nil
}

func (d *deflater) end() ([]byte, error) {
	_ = d.w.Close() // a buffer takes everything
	b := d.take()
	if n := bytes.LastIndex(b, emptyBlock); d.none && n >= 0 { // as zlib ends what holds nothing
		b = slices.Concat(b[:n], []byte{3, 0}, b[n+len(emptyBlock):])
	}
	return b, nil
}

// emptyBlock is the last block of a stream without a byte, as compress/flate writes it.
var emptyBlock = []byte{1, 0, 0, 0xff, 0xff}

func (d *deflater) take() []byte {
	return drained(&d.buf)
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

func newInflater(format string, dict []byte, limit int64) *inflater {
	d := &inflater{limit: limit, in: make(chan []byte), ask: make(chan struct{}), done: make(chan struct{})}
	go d.run(format, dict)
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

func (d *inflater) run(format string, dict []byte) {
	defer close(d.done)
	src := bufio.NewReader(d)
	var r io.Reader
	switch format {
	case "gzip":
		if two, _ := src.Peek(2); !bytes.HasPrefix(two, gzipMagic[:len(two)]) {
			d.err = gzip.ErrHeader
			return
		}
		g, err := gzip.NewReader(src)
		if err != nil {
			d.err = err
			return
		}
		g.Multistream(false)
		r = g
	case "deflate":
		z, err := zlib.NewReaderDict(src, dict)
		if err != nil {
			d.err = err
			return
		}
		r = z
	case "brotli":
		r = brotli.NewReader(src)
	default:
		r = flate.NewReaderDict(src, dict)
	}
	// A bare writer: bytes.Buffer's ReadFrom would bring back, after each wait
	// for a chunk, what take has taken in the meantime.
	n, err := io.Copy(struct{ io.Writer }{&d.out}, io.LimitReader(r, d.limit+1))
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
			d.out = bytes.Buffer{}
			if errors.Is(d.err, errTrailing) || errors.Is(d.err, errCut) || errors.Is(d.err, errBomb) {
				return nil, d.err
			}
			return nil, errors.New("Decompression failed: " + d.err.Error())
		}
	default:
	}
	return drained(&d.out), nil
}

// drained takes what b holds. Room for much is not kept: a script may open many
// streams, send each a bomb and keep them.
func drained(b *bytes.Buffer) []byte {
	if b.Cap() > drainedKeeps {
		out := b.Bytes()
		*b = bytes.Buffer{}
		return out
	}
	out := bytes.Clone(b.Bytes())
	b.Reset()
	return out
}

// drainedKeeps is how much room an open stream keeps for what comes next.
const drainedKeeps = 64 << 10

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
