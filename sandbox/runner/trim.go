package runner

import (
	"runtime/debug"
	"runtime/metrics"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	trimQuiet  = 300 * time.Millisecond // without frames or work, before memory goes back
	trimMin    = 16 << 20               // bytes that are worth a collection
	trimRounds = 4                      // times trimQuiet, after which a moment without work is enough,
	trimBusy   = 8                      // and after which it goes back while runs are open, which may only wait,
	trimMuch   = 32 << 20               // for this many bytes
	trimTurn   = 10 * time.Millisecond  // a turn that has lasted for longer computes
	trimAgain  = 2                      // looks after a collection: an isolate drops what speeds up its next turn a while after its last
	stacksMin  = 4 << 20                // bytes of stacks that are not worth another collection,
	stacksMost = 6                      // of so many: each halves a stack that nobody needs any more
)

// trimmer gives heap memory that large frames and closed isolates left behind
// back to the machine once a child is quiet, or, under steady light traffic,
// between two requests, or while those that are open only wait. The Go runtime
// alone would keep it for minutes, and a child that waits should be small.
type trimmer struct {
	busy  func() bool // runs are open, or other work is under way
	turns func() bool // one has lasted for longer than trimTurn
	armed atomic.Bool // a fire is to come or under way
	dirty atomic.Bool // a frame came since the last one
	freed atomic.Bool // an isolate was closed since the last look

	// Only the fire uses these.
	rounds int           // fires that were put off
	spent  time.Duration // CPU time of the process until the last fire
	again  int           // looks that follow a collection
	kept   int64         // bytes that the last collection left, 0 before the first
	least  int64         // the fewest that one left
}

// touch is called with every frame.
func (t *trimmer) touch() {
	t.dirty.Store(true)
	t.arm()
}

// closed is called when an isolate is gone: what the last collection had to
// leave may be garbage now.
func (t *trimmer) closed() {
	t.freed.Store(true)
	t.arm()
}

func (t *trimmer) arm() {
	if t.armed.CompareAndSwap(false, true) {
		time.AfterFunc(trimQuiet, t.fire)
	}
}

func (t *trimmer) fire() {
	dirty, busy, worth := t.dirty.Swap(false), t.busy(), int64(trimMin)
	spent := t.spent
	t.spent = cpuSpent()
	// A collection waits for compiled Wasm to come to an end: none while some computes
	// for long. Short turns, however many, are soon over.
	computes := t.spent-spent > trimQuiet/2 || t.turns()
	if dirty || busy {
		t.rounds++
		worth = trimMuch
	}
	if busy && (computes || t.rounds < trimBusy) || dirty && t.rounds < trimRounds {
		time.AfterFunc(trimQuiet, t.fire)
		return
	}
	t.rounds = 0
	if t.look(worth) {
		time.AfterFunc(trimQuiet, t.fire)
		return
	}
	t.armed.Store(false)
	if t.dirty.Load() || t.freed.Load() { // since it looked
		t.arm()
	}
}

// look collects garbage if there may be so many bytes of it, and reports
// whether to look again: what could not go now may be on its way.
func (t *trimmer) look(worth int64) bool {
	used, before := footprint(), t.kept
	if freed := t.freed.Swap(false); freed || t.again > 0 {
		before = t.least
	}
	if used-before <= worth {
		t.kept, t.again = min(t.kept, used), 0
		return false
	}
	collect()
	if t.again > 0 {
		t.again--
	} else {
		t.again = trimAgain
	}
	t.kept = footprint()
	if t.least == 0 || t.kept < t.least {
		t.least = t.kept
	}
	return t.again > 0
}

// collect gives all that is free back to the machine, and the room of stacks
// that were deep once.
func collect() {
	for last, n := stacks(), 0; n < stacksMost; n++ {
		debug.FreeOSMemory()
		now := stacks()
		if now < stacksMin || now > last*3/4 {
			return
		}
		last = now
	}
}

// footprint is what heap and stacks take, garbage and free memory that the runtime keeps included.
func footprint() int64 {
	s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/free:bytes"}, {Name: stackBytes}}
	metrics.Read(s)
	return int64(s[0].Value.Uint64() + s[1].Value.Uint64() + s[2].Value.Uint64())
}

// cpuSpent is the CPU time that the process has had.
func cpuSpent() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

const stackBytes = "/memory/classes/heap/stacks:bytes"

func stacks() int64 {
	s := []metrics.Sample{{Name: stackBytes}}
	metrics.Read(s)
	return int64(s[0].Value.Uint64())
}
