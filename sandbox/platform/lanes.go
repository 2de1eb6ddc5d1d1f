package platform

import (
	"context"
	"errors"
	"sync"
	"time"
)

// A statement of SQL can be all work. So few are under way at once, in a
// process that gives way to every other, one of a learner at a time: each in a
// lane. What a learner used of late is a debt: those deep in it share one lane,
// and of all who wait the least indebted is next. What nobody knew to be long
// leaves its lane to others once it is, and goes on beside them.

// Bounds of the lanes.
const (
	laneCount = 8
	laneLong  = 50 * time.Millisecond  // after which one does not count
	laneAll   = 64                     // also with those
	laneDeep  = 250 * time.Millisecond // debt from which one shares a lane with others
	laneRepay = 10                     // a second repays a tenth of one
	laneMost  = 10_000                 // learners remembered
)

// lanes are those who wait, and the goroutines that serve them.
type lanes struct {
	charge func(learner string, cpu time.Duration) // told what each use of a lane took
	now    func() time.Time

	mu       sync.Mutex
	more     sync.Cond // something waits, or all is over
	learners map[string]*lane
	serving  int
	idle     int
	long     int // of serving, how many have been at one wish for laneLong
	deep     int // learners deep in debt that have one
	closed   bool
}

// lane is one learner's.
type lane struct {
	debt    time.Duration
	at      time.Time // of debt
	running bool
	waiting []*laned
}

// laned is a wish for a lane.
type laned struct {
	f    func() time.Duration // gives the CPU time that it took
	done chan struct{}
	err  error // set before done: f was not begun
}

var errLanes = errors.New("the server is stopping")

func newLanes(now func() time.Time, charge func(string, time.Duration)) *lanes {
	l := &lanes{charge: charge, now: now, learners: map[string]*lane{}}
	l.more.L = &l.mu
	return l
}

// do runs f in a lane for a learner and returns when it is done. When ctx ends
// before f began, it never does.
func (l *lanes) do(ctx context.Context, learner string, f func() time.Duration) error {
	w := &laned{f: f, done: make(chan struct{})}
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return errLanes
	}
	n := l.learners[learner]
	if n == nil {
		l.forget()
		n = &lane{at: l.now()}
		l.learners[learner] = n
	}
	n.waiting = append(n.waiting, w)
	l.widen()
	l.mu.Unlock()
	l.more.Signal()
	select {
	case <-w.done:
		return w.err
	case <-ctx.Done():
	}
	l.mu.Lock()
	for i, o := range n.waiting {
		if o == w {
			n.waiting = append(n.waiting[:i:i], n.waiting[i+1:]...)
			l.mu.Unlock()
			return context.Cause(ctx)
		}
	}
	l.mu.Unlock()
	<-w.done // it has begun, and looks at ctx itself
	return w.err
}

// widen opens another lane if one may be needed. l.mu is held.
func (l *lanes) widen() {
	if l.idle == 0 && l.serving-l.long < laneCount && l.serving < laneAll && !l.closed {
		l.serving++
		go l.serve()
	}
}

// serve serves until all is over, or more lanes are open than should be.
func (l *lanes) serve() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		name, n := l.next()
		if n == nil {
			if l.closed || l.serving-l.long > laneCount {
				l.serving--
				l.more.Broadcast()
				return
			}
			l.idle++
			l.more.Wait()
			l.idle--
			continue
		}
		w := n.waiting[0]
		n.waiting = n.waiting[1:]
		n.running = true
		deep := l.owed(n) > laneDeep
		if deep {
			l.deep++
		}
		l.mu.Unlock()
		slow := time.AfterFunc(laneLong, func() {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.long++
			l.widen()
		})
		begin := time.Now()
		used := min(max(0, w.f()), time.Since(begin)) // a stranger may have said it
		l.charge(name, used)
		close(w.done)
		quick := slow.Stop()
		l.mu.Lock()
		if !quick {
			l.long--
		}
		n.debt, n.at = l.owed(n)+used, l.now()
		n.running = false
		if deep {
			l.deep--
		}
		l.more.Broadcast()
	}
}

// next is who gets a lane now, nil for nobody. l.mu is held.
func (l *lanes) next() (name string, best *lane) {
	for k, n := range l.learners {
		if len(n.waiting) == 0 || n.running || l.deep > 0 && l.owed(n) > laneDeep {
			continue
		}
		if best == nil || l.owed(n) < l.owed(best) {
			name, best = k, n
		}
	}
	return name, best
}

// owed is a learner's debt now. l.mu is held.
func (l *lanes) owed(n *lane) time.Duration {
	return max(0, n.debt-l.now().Sub(n.at)/laneRepay)
}

// forget makes room for another learner. l.mu is held.
func (l *lanes) forget() {
	if len(l.learners) < laneMost {
		return
	}
	for k, n := range l.learners {
		if !n.running && len(n.waiting) == 0 && l.owed(n) == 0 {
			delete(l.learners, k)
		}
	}
}

// close waits for what runs; what waits is not begun any more.
func (l *lanes) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	for _, n := range l.learners {
		for _, w := range n.waiting {
			w.err = errLanes
			close(w.done)
		}
		n.waiting = nil
	}
	l.more.Broadcast()
	for l.serving > 0 {
		l.more.Wait()
	}
}
