package platform

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"time"
)

// SQLite runs in this process, and a statement can be all work. So statements
// run on a few threads of their own, which give way to everything else here,
// one of a learner at a time. What a learner used of late is a debt: those
// deep in it share one thread, and of all who wait the least indebted is next.

// Bounds of the lanes.
const (
	laneThreads = 8
	laneNice    = 5
	laneDeep    = 250 * time.Millisecond // debt from which one shares a thread with others
	laneRepay   = 10                     // a second repays a tenth of one
	laneMost    = 10_000                 // learners remembered
)

// lanes are those threads.
type lanes struct {
	charge func(learner string, cpu time.Duration) // told what each use of a thread took
	now    func() time.Time

	mu       sync.Mutex
	more     sync.Cond // something waits, or all is over
	learners map[string]*lane
	threads  int
	idle     int
	deep     int // learners deep in debt that have a thread
	closed   bool
}

// lane is one learner's.
type lane struct {
	debt    time.Duration
	at      time.Time // of debt
	running bool
	waiting []*laned
}

// laned is a wish for a thread.
type laned struct {
	f    func()
	done chan struct{}
	err  error // set before done: f was not begun
}

var errLanes = errors.New("the server is stopping")

func newLanes(now func() time.Time, charge func(string, time.Duration)) *lanes {
	l := &lanes{charge: charge, now: now, learners: map[string]*lane{}}
	l.more.L = &l.mu
	return l
}

// do runs f on a thread for a learner and returns when it is done. When ctx
// ends before f began, it never does.
func (l *lanes) do(ctx context.Context, learner string, f func()) error {
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
	if l.idle == 0 && l.threads < laneThreads {
		l.threads++
		go l.thread()
	}
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

// thread serves until all is over.
func (l *lanes) thread() {
	runtime.LockOSThread() // never unlocked: the thread, which has become nice, ends with this goroutine
	niceThread(laneNice)
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		name, n := l.next()
		if n == nil {
			if l.closed {
				l.threads--
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
		before := threadTime()
		w.f()
		used := threadTime() - before
		l.charge(name, used)
		close(w.done)
		l.mu.Lock()
		n.debt, n.at = l.owed(n)+used, l.now()
		n.running = false
		if deep {
			l.deep--
		}
		l.more.Broadcast()
	}
}

// next is who gets a thread now, nil for nobody. l.mu is held.
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
	for l.threads > 0 {
		l.more.Wait()
	}
}
