package isolate

import "errors"

// ErrFreeze is the answer of an isolate whose state cannot be kept: its
// instance is spent or one of its calls is on the stack.
var ErrFreeze = errors.New("isolate: its state cannot be kept now")

// Frozen is what an isolate's memory held at one moment, beyond the snapshot
// that all isolates share. It is plain data and may be thawed any number of
// times, in isolates of the engine that made it.
type Frozen struct {
	Size  int64          // bytes of memory in use, the shared ones included
	Pages map[int][]byte // page number to its 4 KiB; every other page is as in the snapshot
}

// Bytes is how much a Frozen holds.
func (f *Frozen) Bytes() int64 {
	var n int64
	for _, p := range f.Pages {
		n += int64(len(p))
	}
	return n
}

// PageWritten is a page whose bytes differ from those that were frozen; the
// other states are those of Isolate.Pages.
const PageWritten = 3

// Freezer is an Isolate whose state can be kept. Its methods are called
// between calls, as Isolate.Call is; ErrFreeze when that is not so.
type Freezer interface {
	// Freeze copies what the isolate holds.
	Freeze() (*Frozen, error)
	// Thaw gives the isolate, running or new, what f holds in place of all it
	// held. Its random numbers go on anew, so that two that were thawed alike differ in them.
	Thaw(f *Frozen) error
	// Written is Isolate.Pages, with PageWritten for pages that differ from f.
	Written(f *Frozen) ([]byte, error)
}
