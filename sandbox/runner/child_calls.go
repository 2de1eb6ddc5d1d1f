package runner

import "errors"

// What a run asks of the parent is copied there and held until it is answered.
// So large arguments go a few at a time; what was asked later waits behind
// them, because calls arrive in the order in which they were made.

// Bounds of one run's arguments, in bytes.
const (
	flyingMax   = 8 << 20
	waitingMax  = 64 << 20
	flyingLeast = 64 << 10 // smaller ones are not counted
)

// waitingCall is a call that has not been sent yet.
type waitingCall struct {
	m    callMsg
	size int
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
func (r *childRun) fly(id uint32, size int) {
	if size == 0 {
		return
	}
	if r.flights == nil {
		r.flights = map[uint32]int{}
	}
	r.flights[id] = size
	r.flying += size
}

// landed counts a call that was answered, and sends what now fits. It may be
// called by the reader and so does not wait. r.mu is held.
func (r *childRun) landed(id uint32) {
	r.flying -= r.flights[id]
	delete(r.flights, id)
	for len(r.waiting) > 0 && (r.flying == 0 || r.flying+r.waiting[0].size <= flyingMax) {
		w := r.waiting[0]
		r.waiting[0] = waitingCall{}
		r.waiting = r.waiting[1:]
		r.waits -= w.size
		if r.done || r.calls[w.m.Call] == nil {
			continue
		}
		r.fly(w.m.Call, w.size)
		r.sendEvents(held)
		if err := r.c.conn.send(queued, kindCall, r.n, w.m); err != nil {
			done := r.calls[w.m.Call]
			delete(r.calls, w.m.Call)
			r.flying -= w.size
			delete(r.flights, w.m.Call)
			go done(nil, err) // it may call again, and the lock is held
		}
	}
}
