package runner

import (
	"os"
	"sync/atomic"
	"unsafe"
)

// The board is memory that parent and child share. For each isolate it says
// since when code runs and on which thread, so that the parent can judge a
// turn that never yields although the child can no longer speak: native code
// that loops also stops the child's garbage collector, and with it every
// other goroutine there. The parent only reads it, and trusts it only for
// choosing whom to blame and when to stop waiting early.
const (
	boardSlots = 8192
	boardSize  = boardSlots * int(unsafe.Sizeof(turn{}))
)

type turn struct {
	since  atomic.Int64 // monotonic nanoseconds; 0 between turns
	thread atomic.Int64
	count  atomic.Uint64 // turns begun
	_      uint64
}

type board struct {
	turns []turn
	mem   []byte
	file  *os.File // the parent's, for inheriting
}

// boardOn lays a board over shared memory of boardSize bytes, page aligned.
func boardOn(mem []byte) *board {
	return &board{turns: unsafe.Slice((*turn)(unsafe.Pointer(unsafe.SliceData(mem))), boardSlots)}
}

func (b *board) at(slot int) *turn {
	if b == nil || slot < 0 || slot >= len(b.turns) {
		return &turn{}
	}
	return &b.turns[slot]
}

// lasting reports whether a turn has been under way for longer than least nanoseconds.
func (b *board) lasting(now, least int64) bool {
	if b == nil {
		return false
	}
	for i := range b.turns {
		if since := b.turns[i].since.Load(); since != 0 && now-since > least {
			return true
		}
	}
	return false
}

func (t *turn) enter(now int64, thread int) {
	t.count.Add(1)
	t.thread.Store(int64(thread))
	t.since.Store(now)
}

func (t *turn) leave() { t.since.Store(0) }
