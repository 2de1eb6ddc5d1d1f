package runner

import (
	"errors"
	"fmt"
)

// What a run asks of the parent is copied there and held until it is answered,
// and so is the answer. So large arguments go a few at a time, and so do calls
// whose answers may be large; what was asked later waits behind them, because
// calls arrive in the order in which they were made. No more than runCalls are
// open at a time, which the parent insists on. Calls of a Durable Object's storage
// do not wait, their caller does: its answer may not overtake what it wrote.

// Bounds of one run's arguments, in bytes, and of its calls for large answers.
const (
	flyingMax   = 8 << 20
	waitingMax  = 64 << 20
	answersMax  = 32 << 20 // of the answers of other Workers' methods, of which any number may be under way
	flyingLeast = 64 << 10 // smaller ones are not counted
	openMost    = 3
)

// large are the operations whose answers may be large.
var large = map[string]bool{
	"r2.get": true, "r2.list": true, "kv.get": true, "kv.getMany": true, "cache.match": true,
	"storage.get": true, "storage.list": true, "storage.delete": true, // which reads what it deletes
}

// waitingCall is a call that has not been sent yet.
type waitingCall struct {
	m    callMsg
	size int // of its arguments
}

// weight is what it counts for while it is under way.
func (w *waitingCall) weight() int {
	switch {
	case large[w.m.Op]:
		return max(w.size, flyingMax/openMost)
	case w.size < flyingLeast:
		return 0
	}
	return w.size
}

// callBytes is what a call takes beside its arguments while it waits.
const callBytes = 512

// A run's calls of its object's storage and all others have half of runCalls each.
const openCalls = runCalls / 2

// fits reports whether a call may be sent beside those that are open. r.mu is held,
// and the call is none of them yet.
func (r *childRun) fits(w *waitingCall) bool {
	return len(r.calls)-len(r.waiting)-len(r.storing) < openCalls && (r.flying == 0 || w.weight() == 0 || r.flying+w.weight() <= flyingMax)
}

// store waits until a call of an object's storage may be sent beside those that are
// open, none of which needs the isolate, and counts it. It reports whether the run goes on. r.mu is held.
func (r *childRun) store(id uint32, size int) bool {
	for !r.done && (len(r.storing) == openCalls || len(r.storing) > 0 && size > 0 && r.stored+size > flyingMax) {
		r.room.Wait()
	}
	if r.done {
		return false
	}
	if r.storing == nil {
		r.storing = map[uint32]int{}
	}
	r.storing[id] = size
	r.stored += size
	return true
}

// errTooMuch is what code catches that begins more while so much waits.
//
//lint:ignore ST1005 learners read it as it is
var errTooMuch = errors.New("Too much data waits to be written: await earlier writes before beginning more.")

// errTooMuchRead is what code catches that reads more of an object's storage
// while so much waits for it.
//
//lint:ignore ST1005 learners read it as it is
var errTooMuchRead = errors.New("Too much that was read waits for this code: await earlier reads before beginning more.")

// errTooMuchAnswered is what code catches whose call was answered at length while
// as much waited for it already.
//
//lint:ignore ST1005 learners read it as it is
var errTooMuchAnswered = fmt.Errorf("This call was made, but its answer was dropped: %d MiB of answers wait for this code already. Await earlier calls before beginning more.", answersMax>>20)

// errDeep is what code catches whose arguments the parent would take for a
// broken protocol.
//
//lint:ignore ST1005 learners read it as it is
var errDeep = errors.New("The arguments of this call are nested too deeply.")

// errMany is what code catches of whose arguments one is a longer list than a
// frame may carry.
//
//lint:ignore ST1005 learners read it as it is
var errMany = fmt.Errorf("A list in the arguments of this call has more than %d entries: call it with fewer, more often.", listMax)

func checkArgs(args []any) error {
	for _, a := range args {
		if plain(a, 0) != nil {
			return errDeep
		}
		if tooLong(a) {
			return errMany
		}
	}
	return nil
}

// argBytes is about what arguments take.
func argBytes(args []any) (n int) {
	for _, a := range args {
		switch v := a.(type) {
		case string:
			n += len(v)
		case []byte:
			n += len(v)
		case []any:
			n += argBytes(v)
		}
	}
	return n
}

// fly counts a call that is sent. r.mu is held.
func (r *childRun) fly(id uint32, weight int) {
	if weight == 0 {
		return
	}
	if r.flights == nil {
		r.flights = map[uint32]int{}
	}
	r.flights[id] = weight
	r.flying += weight
}

// landed counts a call that was answered, and sends what now fits. It may be
// called by the reader and so does not wait. r.mu is held.
func (r *childRun) landed(id uint32) {
	if size, ok := r.storing[id]; ok {
		delete(r.storing, id)
		r.stored -= size
		r.room.Signal()
	}
	r.flying -= r.flights[id]
	delete(r.flights, id)
	for len(r.waiting) > 0 && r.fits(&r.waiting[0]) {
		w := r.waiting[0]
		r.waiting[0] = waitingCall{}
		r.waiting = r.waiting[1:]
		r.waits -= w.size + callBytes
		if r.done || r.calls[w.m.Call] == nil {
			continue
		}
		r.fly(w.m.Call, w.weight())
		r.sendEvents(held)
		if err := r.c.conn.send(queued, kindCall, r.n, w.m); err != nil {
			done := r.calls[w.m.Call]
			delete(r.calls, w.m.Call)
			r.flying -= w.weight()
			delete(r.flights, w.m.Call)
			if errors.Is(err, errLongFrame) {
				err = errLongCall
			}
			go done(nil, err) // it may call again, and the lock is held
		}
	}
}
