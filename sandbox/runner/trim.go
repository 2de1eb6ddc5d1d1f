package runner

import (
	"runtime/debug"
	"runtime/metrics"
	"sync/atomic"
	"time"
)

const (
	trimQuiet  = 300 * time.Millisecond // without frames or work, before memory goes back
	trimMin    = 16 << 20               // bytes that are worth a collection
	trimRounds = 4                      // times trimQuiet, after which a moment without work is enough,
	trimMuch   = 32 << 20               // for this many bytes
)

// trimmer gives heap memory that large frames and closed isolates left behind
// back to the machine once a child is quiet, or, under steady light traffic,
// between two requests. The Go runtime alone would keep it for minutes, and a
// child that waits should be small.
type trimmer struct {
	busy   func() bool // something is at work
	armed  atomic.Bool // a fire is to come
	dirty  atomic.Bool // a frame came since the last one
	rounds int         // fires that were put off; fire alone uses it
}

// touch is called with every frame.
func (t *trimmer) touch() {
	t.dirty.Store(true)
	if t.armed.CompareAndSwap(false, true) {
		time.AfterFunc(trimQuiet, t.fire)
	}
}

func (t *trimmer) fire() {
	dirty, worth := t.dirty.Swap(false), int64(trimMin)
	if dirty {
		t.rounds++
		worth = trimMuch
	}
	if t.busy() || dirty && t.rounds < trimRounds {
		time.AfterFunc(trimQuiet, t.fire)
		return
	}
	t.rounds = 0
	t.armed.Store(false)
	if idleHeap() > worth {
		debug.FreeOSMemory()
	}
}

// idleHeap is how many bytes the heap holds beside live objects, at most.
func idleHeap() int64 {
	s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/free:bytes"}, {Name: "/gc/heap/live:bytes"}}
	metrics.Read(s)
	return int64(s[0].Value.Uint64() + s[1].Value.Uint64() - s[2].Value.Uint64())
}
