package quickjs

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"

	"coldstart/sandbox/isolate"
)

var _ isolate.Freezer = (*vm)(nil)

// Freeze implements isolate.Freezer. Between calls nothing is on the
// instance's stack, so its linear memory is all there is to keep.
func (v *vm) Freeze() (*isolate.Frozen, error) {
	if !v.still() {
		return nil, isolate.ErrFreeze
	}
	v.trim()
	f := &isolate.Frozen{Size: v.mem.size, Pages: map[int][]byte{}}
	for i, state := range v.Pages() {
		if page := v.page(i); state == pagePrivate && !bytes.Equal(page, v.eng.image.page(i)) {
			f.Pages[i] = bytes.Clone(page)
		}
	}
	return f, nil
}

// Thaw implements isolate.Freezer. Memory cannot shrink, so the state moves
// into a new instance and the old one is closed.
func (v *vm) Thaw(f *isolate.Frozen) error {
	if !v.still() {
		return isolate.ErrFreeze
	}
	if f.Size > v.mem.limit || f.Size < v.meta.Size || f.Size%wasmPage != 0 {
		return errors.New("isolate: the frozen state does not fit")
	}
	n, err := v.eng.instance(context.Background())
	if err != nil {
		return err
	}
	n.mem.limit = v.mem.limit
	if grow := (f.Size - n.mem.size) / wasmPage; grow > 0 {
		if _, ok := n.mod.Memory().Grow(uint32(grow)); !ok {
			return errors.Join(errors.New("isolate: no memory for the frozen state"), n.mod.Close(context.Background()))
		}
	}
	for i, page := range f.Pages {
		copy(n.page(i), page)
	}
	old := v.mod
	v.mod, v.mem, v.callees = n.mod, n.mem, n.callees
	v.rejected, v.reported = nil, nil
	v.called = true
	v.reseed()
	return old.Close(context.Background())
}

// Written implements isolate.Freezer.
func (v *vm) Written(f *isolate.Frozen) ([]byte, error) {
	if !v.still() {
		return nil, isolate.ErrFreeze
	}
	v.trim()
	list := v.Pages()
	for i := range list {
		was, ok := f.Pages[i]
		if !ok {
			if list[i] != pagePrivate {
				continue
			}
			was = v.eng.image.page(i)
		}
		if !bytes.Equal(v.page(i), was) {
			list[i] = isolate.PageWritten
		}
	}
	return list, nil
}

// still reports that the isolate lives and nothing of it runs or waits to be told.
func (v *vm) still() bool {
	return v.mod != nil && v.dead == nil && v.depth == 0 && v.halting == nil && len(v.rejected) == 0
}

// page is one page of linear memory.
func (v *vm) page(i int) []byte {
	return v.mem.region.base[i*pageSize : (i+1)*pageSize]
}

// reseed gives Math.random a state of its own.
func (v *vm) reseed() {
	var seed [8]byte
	_, _ = rand.Read(seed[:]) // never fails
	v.putU64(v.meta.Random, binary.LittleEndian.Uint64(seed[:])|1)
}

var zeros [pageSize]byte

// page is what the image holds of a page; behind its end there are zeros.
func (i *image) page(n int) []byte {
	at := n * pageSize
	if n < len(i.zero) && i.zero[n] == 0 {
		if i.view != nil {
			return i.view[at : at+pageSize]
		}
		p := make([]byte, pageSize)
		if _, err := i.file.ReadAt(p, int64(at)); err == nil {
			return p
		}
		return nil // equals no page, which then counts as private
	}
	return zeros[:]
}
