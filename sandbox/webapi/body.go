package webapi

import (
	"bytes"
	"errors"
	"io"

	"coldstart/sandbox/isolate"
)

// chunkSize is how much of a body is read at once.
const chunkSize = 64 << 10

// hostBody is a body that a script reads: a request's, or a fetched response's.
type hostBody struct {
	id     int
	r      io.ReadCloser
	length int64 // -1 when unknown
}

func (b *hostBody) close() {
	if b.r != nil {
		_ = b.r.Close() // the reader's owner learns what matters from Read
		b.r = nil
	}
}

// whole gives the body at once when it is short and already in memory.
func (b *hostBody) whole() []byte {
	m, ok := b.r.(interface{ Bytes() []byte })
	if !ok {
		return nil
	}
	data := m.Bytes()
	if len(data) > chunkSize || data == nil {
		return nil
	}
	return data
}

// Memory is a body that is already in memory, so that reading it needs no
// goroutine.
type Memory struct{ *bytes.Buffer }

// NewMemory is a body of the given bytes, which it takes over.
func NewMemory(b []byte) Memory { return Memory{bytes.NewBuffer(b)} }

// Close implements io.Closer.
func (Memory) Close() error { return nil }

// addBody registers a body for the run.
func (r *run) addBody(body io.ReadCloser, length int64) *hostBody {
	r.w.lastID++
	b := &hostBody{id: r.w.lastID, r: body, length: length}
	r.w.bodies[b.id] = b
	r.bodies = append(r.bodies, b.id)
	return b
}

// async starts host work for the current run; finish settles the script's
// promise id and may be called from any goroutine, once.
func async(h *isolate.Loop, id int) (finish func(v isolate.Value, err error)) {
	if r := runOf(h); r != nil {
		r.used = true
	}
	res := h.Reserve()
	return func(v isolate.Value, err error) {
		res.Post(func(iso isolate.Isolate) error {
			return settle(iso, id, v, err)
		})
	}
}

// settle ends the script's promise id.
func settle(iso isolate.Isolate, id int, v isolate.Value, err error) error {
	name, message, code := "", "", ""
	if err != nil {
		v = nil
		name, message = "Error", err.Error()
		var t *isolate.Throw
		var f *FaultError
		switch {
		case errors.As(err, &t):
			name, message, code = t.Name, t.Message, t.Code
		case errors.As(err, &f):
			message = f.Fault.Message
			if f.Fault.Name != "" {
				name = f.Fault.Name
			}
		}
	}
	_, err = iso.Call("settle", id, v, name, message, code)
	return err
}

// write sends a piece of the response's body, inside a turn; done is told when there
// is room for more, from any goroutine. r may be nil, and then is over.
func (r *run) write(piece []byte, done func(error)) {
	switch {
	case r == nil || r.over || r.ended:
		done(errors.New("the response is over"))
	case r.inv.Request != nil && r.inv.Request.Method == "HEAD":
		done(nil)
	case r.sent+int64(len(piece)) > r.w.limits.Body:
		done(nil)
		r.fail(r.bodyFault())
		r.finish()
	default:
		r.sent += int64(len(piece))
		r.lastByte = r.at()
		took := func(err error) {
			if err != nil {
				err = &isolate.Throw{Name: "ReaderGone", Message: err.Error()} // as main.ts knows it
			}
			done(err)
		}
		var err error
		r.w.loop.Aside(func() { err = r.sink.Write(piece, took) })
		if err != nil {
			done(err)
			r.fail(gone())
			r.finish()
		}
	}
}

// passing is a body that the host holds on its way into a response. Each piece is a
// turn of its own, which calls nothing in the isolate, so it costs the run next to
// no CPU time.
type passing struct {
	run  *run
	from io.Reader
	loop *isolate.Loop
	id   int // of the script's promise
}

// read reads the next piece and sends it in a turn of res. Any goroutine may call it.
func (p *passing) read(res *isolate.Reservation) {
	go func() {
		buf := make([]byte, chunkSize)
		n, err := 0, error(nil)
		for n == 0 && err == nil {
			n, err = p.from.Read(buf)
		}
		res.Post(func(iso isolate.Isolate) error {
			switch {
			case n == 0 && errors.Is(err, io.EOF):
				return settle(iso, p.id, nil, nil)
			case n == 0:
				return settle(iso, p.id, nil, bodyError(err))
			}
			next := p.loop.Reserve()
			p.run.write(buf[:n], func(err error) {
				if err == nil {
					p.read(next)
					return
				}
				next.Post(func(iso isolate.Isolate) error { return settle(iso, p.id, nil, err) })
			})
			return nil
		})
	}()
}

func bodyOps(o *isolate.Ops) {
	// body.read: run, id, body → the next piece, undefined at the end
	o.Add("body.read", func(h *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		b, finish := of(h).bodies[integer(args, 2)], async(h, integer(args, 1))
		if b == nil || b.r == nil {
			finish(nil, nil)
			return nil, nil
		}
		from := b.r // cancel may take it from the body while this reads
		go func() {
			buf := make([]byte, chunkSize)
			n, err := from.Read(buf)
			for n == 0 && err == nil {
				n, err = from.Read(buf)
			}
			switch {
			case n > 0:
				finish(buf[:n], nil)
			case errors.Is(err, io.EOF):
				finish(nil, nil)
			default:
				finish(nil, bodyError(err))
			}
		}()
		return nil, nil
	})
	// body.all: run, id, body → everything that is left
	o.Add("body.all", func(h *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		w := of(h)
		b, finish := w.bodies[integer(args, 2)], async(h, integer(args, 1))
		if b == nil || b.r == nil {
			finish([]byte{}, nil)
			return nil, nil
		}
		from := b.r // as above
		go func() {
			all, err := io.ReadAll(io.LimitReader(from, w.limits.Memory+1))
			switch {
			case err != nil:
				finish(nil, bodyError(err))
			case int64(len(all)) > w.limits.Memory:
				finish(nil, &isolate.Throw{Name: "RangeError", Message: "the body is larger than the isolate's memory; read it as a stream"})
			default:
				finish(all, nil)
			}
		}()
		return nil, nil
	})
	o.Add("body.cancel", func(h *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		w := of(h)
		if b := w.bodies[integer(args, 0)]; b != nil {
			b.close()
			delete(w.bodies, b.id)
		}
		return nil, nil
	})
	// body.write: run, id, piece: a piece of the response body
	o.Add("body.write", func(h *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		r, finish := of(h).runs[integer(args, 0)], async(h, integer(args, 1))
		r.write(data(args, 2), func(err error) { finish(nil, err) })
		return nil, nil
	})
	// body.pass: run, id, body that the run answers with: it goes out without being shown to the script
	o.Add("body.pass", func(h *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		w, id := of(h), integer(args, 1)
		r, b := w.runs[integer(args, 0)], w.bodies[integer(args, 2)]
		if b == nil || b.r == nil {
			async(h, id)(nil, nil)
			return nil, nil
		}
		if r != nil {
			r.used = true
		}
		(&passing{run: r, from: b.r, loop: h, id: id}).read(h.Reserve())
		return nil, nil
	})
	// body.end: run, name, message, stack and causes of the error that broke it off
	o.Add("body.end", func(h *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		r := of(h).runs[integer(args, 0)]
		if r == nil || r.ended {
			return nil, nil
		}
		if name := str(args, 1); name != "" {
			f := r.w.exception(name, str(args, 2), str(args, 3), str(args, 4))
			r.uncaught(f)
			r.fail(f)
			return nil, nil
		}
		r.ended = true
		r.lastByte = r.at()
		h.Aside(func() { r.sink.End(nil) })
		return nil, nil
	})
}

func bodyError(err error) error {
	var f *FaultError
	if errors.As(err, &f) {
		return err
	}
	if t, ok := errors.AsType[*isolate.Throw](err); ok {
		return t
	}
	return &isolate.Throw{Name: "Error", Message: "Network connection lost."}
}
