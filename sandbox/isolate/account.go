package isolate

import (
	"sync/atomic"
	"time"
)

// Account is one run's share of a loop: the turns it queued are charged to it,
// and what it still waits for is counted. The loop's owner makes one per run
// and closes it when the run is over.
type Account struct {
	// Run names the run, for the owner's use.
	Run string
	// Limit is the CPU time all turns of the account may use together; 0
	// means no limit. Code beyond it is stopped, which spends the isolate.
	Limit time.Duration
	// Quiet is called at the end of a turn after which nothing is pending for
	// the account, so that no promise it waits for can settle any more. It
	// runs inside a turn of the account. Nil for none.
	Quiet Turn
	// End is called at the end of every turn of the account, microtasks and
	// reports of rejections included, before Quiet. Nil for none.
	End Turn
	// Owner is the owner's own data.
	Owner any

	cpu     atomic.Int64 // nanoseconds of finished turns
	pending int          // guarded by the loop: queued turns, timers, reservations
	closed  bool         // guarded by the loop
}

// CPU is the thread CPU time of the account's finished turns.
func (a *Account) CPU() time.Duration { return time.Duration(a.cpu.Load()) }
