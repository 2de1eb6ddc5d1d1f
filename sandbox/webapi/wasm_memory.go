package webapi

import (
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/tetratelabs/wazero/experimental"
)

// wasmBudget bounds what all WebAssembly memories of an isolate hold together:
// each alone is within the limit, but a script can make a thousand. It is the
// allocator of their memory and is used inside the isolate's turns only.
type wasmBudget struct {
	used, limit int64
	over        bool // a new memory did not fit; wazero cannot be told so, its maker is
}

// Allocate implements experimental.MemoryAllocator.
func (b *wasmBudget) Allocate(_, _ uint64) experimental.LinearMemory { return &wasmLinear{b: b} }

// exceeded reports once that the memory made last did not fit.
func (b *wasmBudget) exceeded() bool {
	over := b.over
	b.over = false
	return over
}

// take counts n bytes of another kind, if there is room.
func (b *wasmBudget) take(n int64) bool {
	if b.used+n > b.limit {
		return false
	}
	b.used += n
	return true
}

type wasmLinear struct {
	b   *wasmBudget
	buf []byte
}

// Reallocate implements experimental.LinearMemory. Growing beyond the budget is
// refused; a first size beyond it is given, because it must be, and noted.
func (m *wasmLinear) Reallocate(size uint64) []byte {
	more := int64(size) - int64(len(m.buf))
	if m.b.used+more > m.b.limit {
		if m.buf != nil {
			return nil
		}
		m.b.over = true
	}
	m.b.used += more
	if m.buf == nil || uint64(cap(m.buf)) < size {
		room := max(size, min(2*uint64(cap(m.buf)), uint64(m.b.limit)))
		grown := make([]byte, size, room)
		copy(grown, m.buf)
		m.buf = grown
	}
	m.buf = m.buf[:size]
	return m.buf
}

// Free implements experimental.LinearMemory.
func (m *wasmLinear) Free() {
	m.b.used -= int64(len(m.buf))
	m.buf = nil
}

var lastFree atomic.Int64 // Unix seconds

// freeLater gives memory that a closed host held back to the machine, at most
// once a second: the runtime alone would keep it for minutes.
func freeLater(held int64) {
	now := time.Now().Unix()
	if last := lastFree.Load(); held > 4<<20 && now > last && lastFree.CompareAndSwap(last, now) {
		time.AfterFunc(200*time.Millisecond, debug.FreeOSMemory) // when nothing refers to it any more
	}
}
