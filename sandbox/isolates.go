package sandbox

import (
	"slices"
	"sync"
	"time"

	"coldstart/sandbox/runner"
	"coldstart/sandbox/trace"
)

// iso is one isolate, seen from the parent. Its fields are guarded by Sandbox.mu.
type iso struct {
	id       string
	number   uint64 // in the ring
	slot     int    // on its runner's board
	place    int    // of its runner
	runner   *runner.Runner
	group    *group
	learner  *learner
	made     time.Time
	used     time.Time
	active   int // runs in it
	tickets  []*ticket
	begun    int // runs that began so far
	cpu      int64
	private  int64
	retiring bool // takes no more runs and goes once idle
	gone     bool
	alone    bool // retiring from the start: its only run has a runner to itself

	// sent is closed once the run that makes the isolate was sent, or never
	// will be. Others wait for it: a child refuses runs for isolates it does not know.
	sent     chan struct{}
	sendOnce sync.Once
}

func (i *iso) wasSent() { i.sendOnce.Do(func() { close(i.sent) }) }

// mood is an isolate's state between changes.
func (i *iso) mood() string {
	if i.active > 0 {
		return "warm"
	}
	return "idle"
}

func (i *iso) state(state, why string) trace.IsolateState {
	return trace.IsolateState{
		ID: i.id, State: state, Why: why, Engine: engineName, Age: time.Since(i.made).Microseconds(), Requests: i.begun, CPU: i.cpu / 1000,
		Private: i.private, Limit: i.group.worker.Limits.Memory, Kept: i.group.project.keep, Runner: i.place,
	}
}

const engineName = "quickjs"

// tell reports a state change once the lock is released.
func (s *Sandbox) tell(i *iso, state, why string, done *doings) {
	key, st := i.group.project.key, i.state(state, why)
	done.add(func() { s.cfg.Isolate(key, st) })
}

// create makes a new isolate of a group in its learner's runner, or returns nil
// when that runner has no room or is being replaced. s.mu is held.
func (s *Sandbox) create(g *group, l *learner) *iso {
	return s.createIn(s.ring.Peek(s.home(l)), g, l)
}

// createIn is create in a runner of choice, nil for none. s.mu is held.
func (s *Sandbox) createIn(p *runner.Runner, g *group, l *learner) *iso {
	if p == nil {
		return nil
	}
	slot, ok := p.Slot()
	if !ok {
		return nil
	}
	now := time.Now()
	i := &iso{number: s.ring.NextIsolate(), slot: slot, place: l.place, runner: p, group: g, learner: l, made: now, used: now, sent: make(chan struct{})}
	for i.id == "" || s.isolates[i.id] != nil {
		i.id = random(4)
	}
	s.isolates[i.id] = i
	g.isolates = append(g.isolates, i)
	l.isolates++
	return i
}

// remove takes an isolate out of the books. inform says that its child still
// holds it and must let go. s.mu is held.
func (s *Sandbox) remove(i *iso, state, why string, inform bool, done *doings) {
	if i.gone {
		return
	}
	i.gone = true
	delete(s.isolates, i.id)
	g := i.group
	if n := slices.Index(g.isolates, i); n >= 0 {
		g.isolates = slices.Delete(g.isolates, n, n+1)
	}
	if len(g.isolates) == 0 {
		delete(g.project.groups, g.key)
	}
	i.learner.isolates--
	s.tell(i, state, why, done)
	p, number, slot := i.runner, i.number, i.slot
	done.add(func() {
		if inform {
			p.Evict(number, slot)
		} else {
			p.Free(slot)
		}
	})
	if forget := len(g.isolates) == 0; forget {
		version := g.key.version
		done.add(func() { s.forget(p, version) })
	}
}

// forget drops a version's code from a runner that holds no isolate of it.
func (s *Sandbox) forget(p *runner.Runner, version string) {
	s.mu.Lock()
	for _, i := range s.isolates {
		if i.runner == p && i.group.key.version == version {
			s.mu.Unlock()
			return
		}
	}
	s.mu.Unlock()
	p.Forget(version)
}

// retire lets a group's isolates go as soon as they are idle. s.mu is held.
func (s *Sandbox) retire(g *group, why string, done *doings) {
	for _, i := range append([]*iso(nil), g.isolates...) {
		if i.active == 0 {
			s.remove(i, "evicted", why, true, done)
		} else {
			i.retiring = true
		}
	}
}

// idlest is the learner's isolate that has been idle longest, nil when none
// is; without a learner anybody's, in runner p or with nil in any, and those
// that are kept warm last. s.mu is held.
func (s *Sandbox) idlest(l *learner, p *runner.Runner) *iso {
	var best *iso
	kept := func(i *iso) bool { return l == nil && i.group.project.keep }
	for _, i := range s.isolates {
		if l != nil && i.learner != l || p != nil && i.runner != p || i.active > 0 {
			continue
		}
		if best == nil || kept(best) && !kept(i) || kept(best) == kept(i) && i.used.Before(best.used) {
			best = i
		}
	}
	return best
}

// keptFor is how long an isolate that is kept warm may go without a request.
const keptFor = time.Hour

// sweep evicts isolates that have been idle too long.
func (s *Sandbox) sweep() {
	s.every(250*time.Millisecond, func() {
		now := time.Now()
		var done doings
		s.mu.Lock()
		for _, i := range s.isolates {
			most := i.group.worker.Limits.IdleAfter
			if i.group.project.keep {
				most = max(most, keptFor)
			}
			if i.active == 0 && now.Sub(i.used) > most {
				s.remove(i, "evicted", "idle", true, &done)
			}
		}
		s.trim()
		s.mu.Unlock()
		done.do()
	})
}

// tight evicts idle isolates, longest idle first, until about over bytes are
// free, in runner p or with nil in all.
func (s *Sandbox) tight(p *runner.Runner, over int64) {
	var done doings
	s.mu.Lock()
	for over > 0 {
		i := s.idlest(nil, p)
		if i == nil {
			break
		}
		over -= max(i.private, 256<<10)
		s.remove(i, "evicted", "memory is needed elsewhere", true, &done)
	}
	s.mu.Unlock()
	done.do()
}

// lost is told by the ring that a runner died: its isolates died with it.
func (s *Sandbox) lost(p *runner.Runner, why string) {
	var done doings
	s.mu.Lock()
	for _, i := range s.isolates {
		if i.runner == p {
			s.remove(i, "killed", "its runner stopped: "+why, false, &done)
		}
	}
	s.mu.Unlock()
	done.do()
}
