package isolate

import (
	"runtime"
	"sync"
)

// Pool runs the turns of many loops on a few operating system threads, one
// turn at a time in the order in which loops became ready. A turn has its
// thread to itself, so that its CPU time is the thread's.
type Pool struct {
	mu     sync.Mutex
	wake   sync.Cond
	queue  []*Loop // ready loops, first come first served
	closed bool
	wg     sync.WaitGroup
}

// NewPool starts threads for turns; with 0 as many as there are CPUs. The
// caller closes it after the last loop.
func NewPool(threads int) *Pool {
	if threads <= 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	p := &Pool{}
	p.wake.L = &p.mu
	for range threads {
		p.wg.Go(p.work)
	}
	return p
}

// Close ends the threads once the turns in progress are over. Ready loops do
// not run any more.
func (p *Pool) Close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.wake.Broadcast()
	p.wg.Wait()
}

func (p *Pool) add(l *Loop) {
	p.mu.Lock()
	p.queue = append(p.queue, l)
	p.mu.Unlock()
	p.wake.Signal()
}

func (p *Pool) work() {
	for {
		p.mu.Lock()
		for len(p.queue) == 0 && !p.closed {
			p.wake.Wait()
		}
		if p.closed {
			p.mu.Unlock()
			return
		}
		l := p.queue[0]
		p.queue[0] = nil
		p.queue = p.queue[1:]
		p.mu.Unlock()
		// Locked for the turn only: a goroutine that waits while locked costs
		// two more thread switches each time it is woken.
		runtime.LockOSThread()
		more := l.turn()
		runtime.UnlockOSThread()
		if more {
			p.add(l)
		}
	}
}
