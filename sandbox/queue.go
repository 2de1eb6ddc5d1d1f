package sandbox

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"time"

	"coldstart/sandbox/runner"
	"coldstart/sandbox/trace"
)

// The queue is fair by learner: each learner's CPU time advances their virtual
// time, and who is furthest behind goes next. What is at work at once is
// bounded by expected CPU time, not by count: runs that wait for something
// else do not hold up others, which the status board tells. Runs that others
// call do not count: they cannot wait, and however many a learner has begun at
// once, the next learner would wait for all of them.
const (
	// aheadPerCPU is how much expected work may be in the runners per CPU. It
	// is also about how long a benign run waits behind hogs.
	aheadPerCPU = 50 * time.Millisecond
	firstCost   = 3 * time.Millisecond   // expected of a Worker that never ran
	leastCost   = 100 * time.Microsecond // of any run, for the work of moving it
	pollEvery   = 2 * time.Millisecond   // while somebody waits
	queuedAfter = 150 * time.Millisecond // a wait that is shown
	queuedAgain = time.Second
	runningMax  = 2048 // runs in all children

	// A learner of whom nothing runs may pass those who wait for room with a run that
	// is expected to be short, while so many per CPU are at work at most: two long runs
	// fill the room for half a second. Whoever waits is passed so often at most.
	shortCost  = 5 * time.Millisecond
	busyPerCPU = 4
	passedMost = 32
)

// learner is whose CPU time and places are counted together.
type learner struct {
	id       string
	place    int   // of the runner that holds their isolates, -1 for none
	virtual  int64 // nanoseconds of CPU time, never behind the queue's clock when active
	cpu      int64 // nanoseconds used in all
	isolates int
	running  int
	stalled  bool // within one dispatch: its next run has nowhere to go
	queue    []*ticket
	apart    time.Time // until then its runs have a runner to themselves, one at a time: see apart.go
	guilty   bool      // within apart: one of its runs ended its runner
	cell     chan struct{}
}

// ticket is a run's place in the queue and then in an isolate.
type ticket struct {
	learner *learner
	group   *group
	asked   time.Time
	shown   time.Time      // when the wait was last shown
	passed  int            // how often others went first because they are short
	held    bool           // it was counted that its learner's isolates are all there are
	only    *iso           // not nil: the isolate that was asked for
	cell    *runner.Runner // not nil: it has this runner alone
	queued  func(trace.Queued)
	ready   chan struct{} // closed when it has an isolate

	// Set when ready.
	iso    *iso
	cold   bool
	cost   int64
	turns  uint64 // of the isolate when it was admitted
	busy   bool   // counted in Sandbox.load; never where nested
	nested bool
}

func (s *Sandbox) learnerOf(id string) *learner {
	l := s.learners[id]
	if l == nil {
		l = &learner{id: id, place: -1, virtual: s.clock}
		s.learners[id] = l
	}
	return l
}

// enqueue puts a ticket at the end of its learner's queue. s.mu is held.
func (s *Sandbox) enqueue(l *learner, t *ticket) {
	if len(l.queue) == 0 {
		s.waiting = append(s.waiting, l)
	}
	l.queue = append(l.queue, t)
	s.queued++
}

// dequeue takes the ticket at a place out of a learner's queue. s.mu is held.
func (s *Sandbox) dequeue(l *learner, at int) {
	l.queue = slices.Delete(l.queue, at, at+1)
	s.queued--
	if len(l.queue) == 0 {
		n := slices.Index(s.waiting, l)
		s.waiting = slices.Delete(s.waiting, n, n+1)
	}
}

// trim forgets learners who have nothing here. s.mu is held.
func (s *Sandbox) trim() {
	now := time.Now()
	for id, l := range s.learners {
		if l.isolates == 0 && l.running == 0 && len(l.queue) == 0 && l.virtual <= s.clock && !now.Before(l.apart) {
			delete(s.learners, id)
		}
	}
}

// home is the place of a learner's runner: where fewest others live, when they
// have none yet. s.mu is held.
func (s *Sandbox) home(l *learner) int {
	if l.place >= 0 && (l.isolates > 0 || l.running > 0) {
		return l.place
	}
	count := make([]int, s.ring.Size())
	for _, o := range s.learners {
		if o != l && o.place >= 0 && (o.isolates > 0 || o.running > 0) {
			count[o.place] += 1 + 4*min(o.running, 1)
		}
	}
	best := 0
	for i, n := range count {
		if n < count[best] {
			best = i
		}
	}
	l.place = best
	return best
}

// admit waits for a place in an isolate for e. A fault says that all is busy.
func (s *Sandbox) admit(ctx context.Context, e *execution, queued func(trace.Queued)) (*ticket, *trace.Fault, error) {
	g, nested := e.group, e.nested
	var done doings
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil, nil, ErrClosed
	}
	l := s.learnerOf(g.project.key.Learner)
	t := &ticket{learner: l, group: s.group(g), only: e.only, asked: time.Now(), queued: queued, ready: make(chan struct{}), nested: nested}
	if c := e.cell.Load(); c != nil {
		t.cell = c.runner
	}
	limit := t.group.worker.Limits.Queue
	if nested {
		// The run above holds its place until this one ends, so waiting could
		// be for ever.
		if i, cold := s.fit(t, &done); i != nil {
			s.enter(t, i, cold, &done)
			s.mu.Unlock()
			done.do()
			return t, nil, nil
		}
	} else {
		if len(l.queue) >= limit {
			place, wait := s.position(t, len(l.queue))
			s.mu.Unlock()
			s.reached.add(limitQueue)
			return nil, busy(place, wait), nil
		}
		if len(l.queue) == 0 && l.running == 0 {
			l.virtual = max(l.virtual, s.clock)
		}
	}
	s.enqueue(l, t)
	s.dispatch(&done)
	s.mu.Unlock()
	done.do()
	select {
	case <-t.ready:
		return t, nil, nil
	default:
	}
	select {
	case s.wake <- struct{}{}:
	default:
	}
	timer := time.NewTimer(s.cfg.QueueWait)
	defer timer.Stop()
	var why error
	select {
	case <-t.ready:
		return t, nil, nil
	case <-timer.C:
	case <-ctx.Done():
		why = context.Cause(ctx)
	case <-s.ctx.Done():
		why = ErrClosed
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-t.ready: // just now
		return t, nil, nil
	default:
	}
	at := slices.Index(l.queue, t)
	s.dequeue(l, at)
	if why != nil {
		return nil, nil, why
	}
	place, wait := s.position(t, at)
	return nil, busy(place, wait), nil
}

func busy(place int, wait time.Duration) *trace.Fault {
	return &trace.Fault{
		Kind: trace.FaultBusy, Message: fmt.Sprintf("Busy: you are %s in line, about %s.", ordinal(place), seconds(wait)),
		Hint: "Wait until your other runs have ended, then run again.",
	}
}

func ordinal(n int) string {
	suffix := "th"
	if n%100/10 != 1 {
		switch n % 10 {
		case 1:
			suffix = "st"
		case 2:
			suffix = "nd"
		case 3:
			suffix = "rd"
		}
	}
	return fmt.Sprint(n, suffix)
}

func seconds(d time.Duration) string {
	if n := int(d.Round(time.Second).Seconds()); n > 1 {
		return fmt.Sprint(n, " seconds")
	}
	return "1 second"
}

// position estimates a ticket's place in line, 1 being next, and its wait;
// ahead is how many of the learner's own go first. s.mu is held.
func (s *Sandbox) position(t *ticket, ahead int) (int, time.Duration) {
	place := ahead + 1
	var work int64
	for _, l := range s.waiting {
		if l == t.learner {
			work += int64(ahead) * t.group.cost
			continue
		}
		// Others' runs alternate with this learner's.
		n := min(len(l.queue), ahead+1)
		if l.virtual > t.learner.virtual {
			n--
		}
		place += n
		work += int64(n) * l.queue[0].group.cost
	}
	return place, time.Duration((work + s.load) / int64(runtime.NumCPU()))
}

// groupOf names a group; the group itself is made when it is first needed.
type groupOf struct {
	project *project
	key     groupKey
	worker  *trace.Worker
}

// group finds or makes a group. s.mu is held.
func (s *Sandbox) group(g groupOf) *group {
	have := g.project.groups[g.key]
	if have == nil {
		have = &group{project: g.project, key: g.key, worker: g.worker, cost: int64(firstCost)}
		g.project.groups[g.key] = have
	}
	return have
}

// fit finds an isolate for a ticket, or makes one. s.mu is held.
func (s *Sandbox) fit(t *ticket, done *doings) (i *iso, cold bool) {
	g, l := t.group, t.learner
	switch have := g.project.groups[g.key]; have { // it may have been empty and dropped while the ticket waited
	case g:
	case nil:
		g.project.groups[g.key] = g
	default:
		g, t.group = have, have
	}
	lim := g.worker.Limits
	if t.only != nil && !t.only.gone && t.only.group == g {
		if t.nested || t.only.active < lim.Requests { // a stub's: those that are open may be waiting for it
			return t.only, false
		}
		return nil, false
	}
	var best *iso
	for _, i := range slices.Clone(g.isolates) {
		if g.key.durable && (t.cell != nil || i.alone) {
			switch { // objects are in one place at a time
			case i.runner == t.cell:
				return i, false
			case i.active > 0:
				return nil, false
			}
			s.remove(i, "evicted", "its runs are apart from others", true, done)
			continue
		}
		if i.retiring || t.cell != nil {
			continue
		}
		if (i.active < lim.Requests || g.key.durable) && (best == nil || i.active < best.active) {
			best = i
		}
	}
	if best != nil {
		return best, false
	}
	if l.isolates >= lim.Isolates && !t.nested {
		if !t.held {
			t.held = true
			s.reached.add(limitIsolates)
		}
		idle := s.idlest(l, nil)
		if idle == nil {
			return nil, false
		}
		s.remove(idle, "evicted", "its place was needed", true, done)
	}
	g.project.groups[g.key] = g // what was removed may have been its last
	if t.cell != nil {
		s.home(l)
		if i = s.createIn(t.cell, g, l); i != nil {
			i.retiring, i.alone = true, true
		}
		return i, true
	}
	i = s.create(g, l)
	return i, true
}

// enter gives a ticket its isolate. s.mu is held.
func (s *Sandbox) enter(t *ticket, i *iso, cold bool, done *doings) {
	t.iso, t.cold, t.cost, t.busy = i, cold, t.group.cost, !t.nested
	_, t.turns = i.runner.Turn(i.slot)
	l := t.learner
	l.running++
	l.virtual += t.cost
	i.active++
	i.begun++
	i.used = time.Now()
	i.tickets = append(i.tickets, t)
	if t.busy {
		s.load += t.cost
		s.busy++
	}
	s.running++
	state := "warm"
	if cold {
		state = "cold"
	}
	s.tell(i, state, "", done)
	close(t.ready)
}

// dispatch lets runs in while there is room, the learner furthest behind
// first. s.mu is held.
func (s *Sandbox) dispatch(done *doings) {
	cpus := runtime.NumCPU()
	room := int64(aheadPerCPU) * int64(cpus)
	var first *ticket // of those who wait for room
	for s.queued > 0 && s.running < runningMax {
		var next *learner
		for _, l := range s.waiting {
			if !l.stalled && (first == nil || s.short(l)) && (next == nil || l.virtual < next.virtual) {
				next = l
			}
		}
		if next == nil {
			break
		}
		t := next.queue[0]
		if s.busy >= cpus && s.load+t.group.cost > room && !s.short(next) {
			first = t
			continue
		}
		if first != nil && first.passed == passedMost {
			break
		}
		i, cold := s.fit(t, done)
		if i == nil {
			next.stalled = true // its own isolates are full; others go on
			continue
		}
		if first != nil {
			first.passed++
		}
		s.dequeue(next, 0)
		s.clock = max(s.clock, next.virtual)
		s.enter(t, i, cold, done)
	}
	for _, l := range s.waiting {
		l.stalled = false
	}
}

// short reports whether a learner who waits may pass others. s.mu is held.
func (s *Sandbox) short(l *learner) bool {
	return l.running == 0 && l.queue[0].group.cost <= int64(shortCost) && s.busy < busyPerCPU*runtime.NumCPU()
}

// leave gives a ticket's place back. cpu is what the run used, in nanoseconds.
func (s *Sandbox) leave(t *ticket, cpu int64, end runner.End) (state trace.IsolateState, live int) {
	var done doings
	s.mu.Lock()
	i, l, g := t.iso, t.learner, t.group
	s.rest(t)
	s.running--
	l.running--
	l.virtual += cpu - t.cost
	l.cpu += cpu
	g.cost = max(int64(leastCost), (3*g.cost+cpu)/4)
	i.active--
	i.cpu += cpu
	i.used = time.Now()
	for n, o := range i.tickets {
		if o == t {
			i.tickets = append(i.tickets[:n:n], i.tickets[n+1:]...)
			break
		}
	}
	if end.Private > 0 {
		i.private = end.Private
	}
	switch {
	case i.gone:
	case end.Spent:
		why := "its code was stopped"
		if f := end.Summary.Fault; f != nil {
			why = string(f.Kind)
		}
		s.remove(i, "killed", why, false, &done)
	case end.Lost == runner.LostRefused:
		s.remove(i, "evicted", "it was gone", false, &done)
	case i.alone && i.active == 0:
		s.remove(i, "evicted", "its run was apart from others", true, &done)
	case i.retiring && i.active == 0:
		s.remove(i, "evicted", "a newer one took over", true, &done)
	case i.active == 0:
		s.tell(i, "idle", "", &done)
	}
	state, live = i.state(i.mood(), ""), len(g.isolates)
	s.dispatch(&done)
	s.mu.Unlock()
	done.do()
	return state, live
}

// charge counts CPU time that the parent spent for a learner.
func (s *Sandbox) charge(learner string, cpu time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.learners[learner]; l != nil {
		l.virtual += int64(cpu)
		l.cpu += int64(cpu)
	}
}

// rest takes a ticket out of the expected work. s.mu is held.
func (s *Sandbox) rest(t *ticket) {
	if t.busy {
		t.busy = false
		s.load -= t.cost
		s.busy--
	}
}

// poll looks, while somebody waits, for runs that wait for something else than
// the CPU, and shows long waits.
func (s *Sandbox) poll() {
	t := time.NewTicker(pollEvery)
	defer t.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-s.wake:
		}
		for waiting := true; waiting; {
			select {
			case <-s.ctx.Done():
				return
			case <-t.C:
			}
			waiting = s.look()
		}
	}
}

// look is one poll; it reports whether somebody still waits.
func (s *Sandbox) look() bool {
	var done doings
	s.mu.Lock()
	for _, i := range s.isolates {
		running, turns := i.runner.Turn(i.slot)
		for _, t := range i.tickets {
			if t.busy && !running && turns > t.turns {
				s.rest(t)
			}
		}
	}
	s.dispatch(&done)
	now := time.Now()
	for _, l := range s.waiting {
		for n, t := range l.queue {
			if t.queued != nil && now.Sub(t.asked) > queuedAfter && now.Sub(t.shown) > queuedAgain {
				t.shown = now
				place, wait := s.position(t, n)
				queued := t.queued
				done.add(func() { queued(trace.Queued{Place: place, Wait: wait.Microseconds()}) })
			}
		}
	}
	waiting := s.queued > 0
	s.mu.Unlock()
	done.do()
	return waiting
}
