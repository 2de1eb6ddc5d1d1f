package runner

import "errors"

// What a run asks of the parent is copied there and held until it is answered,
// and so is the answer. So large arguments go a few at a time, and so do calls
// whose answers may be large; what was asked later waits behind them, because
// calls arrive in the order in which they were made.

// Bounds of one run's arguments, in bytes, and of its calls for large answers.
const (
	flyingMax   = 8 << 20
	waitingMax  = 64 << 20
	flyingLeast = 64 << 10 // smaller ones are not counted
	openMost    = 3
)

// large are the operations whose answers may be large.
var large = map[string]bool{"r2.get": true, "kv.get": true, "kv.getMany": true, "cache.match": true}

// waitingCall is a call that has not been sent yet.
type waitingCall struct {
	m    callMsg
	size int // of its arguments
}

// weight is what it counts for while it is under way.
func (w *waitingCall) weight() int {
	if large[w.m.Op] {
		return max(w.size, flyingMax/openMost)
	}
	return w.size
}

// errTooMuch is what code catches that begins more while so much waits.
//
//lint:ignore ST1005 learners read it as it is
var errTooMuch = errors.New("Too much data waits to be written: await earlier writes before beginning more.")

// argBytes is about what arguments take, 0 when that is little.
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
	if n < flyingLeast {
		return 0
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
	r.flying -= r.flights[id]
	delete(r.flights, id)
	for len(r.waiting) > 0 && (r.flying == 0 || r.flying+r.waiting[0].weight() <= flyingMax) {
		w := r.waiting[0]
		r.waiting[0] = waitingCall{}
		r.waiting = r.waiting[1:]
		r.waits -= w.size
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
			go done(nil, err) // it may call again, and the lock is held
		}
	}
}
