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
	// Gate holds back the account's turns, nil for none.
	Gate *Gate
	// Owner is the owner's own data.
	Owner any

	cpu     atomic.Int64 // nanoseconds of finished turns
	pending int          // guarded by the loop: queued turns, timers, reservations
	closed  bool         // guarded by the loop
}

// Gate is shared by the accounts of all runs of one Durable Object. While work
// that was reserved as Storage is under way no turn of them begins except those
// that hand over its results, and while one account holds the gate no turn of the
// others does: so what an event does between reading and writing is not
// interrupted. See "input gates" in the Durable Objects documentation.
type Gate struct {
	// Guarded by the loop.
	storage int      // reservations whose turn has not begun
	holder  *Account // nil for none
	depth   int      // how often holder was told to hold it
}

// holds reports whether a task may not begin now.
func (g *Gate) holds(t task) bool {
	return g != nil && !t.storage && !t.a.closed && (g.storage > 0 || g.holder != nil && g.holder != t.a && !g.holder.closed)
}

// CPU is the thread CPU time of the account's finished turns.
func (a *Account) CPU() time.Duration { return time.Duration(a.cpu.Load()) }
