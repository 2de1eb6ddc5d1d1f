package isolate

import (
	"container/heap"
	"runtime"
	"sync"
	"time"
)

// lendAfter is how long a turn waits in Loop.Aside before its thread's place
// goes to others.
const lendAfter = 2 * time.Millisecond

// lead is how much more CPU time than its peers a loop may have used and still
// get a spare thread.
const lead = 10 * time.Millisecond

// Pool runs the turns of many loops on a few operating system threads. A turn
// has its thread to itself, so that its CPU time is the thread's. Of the loops
// that are ready, the one that has used least CPU time goes next, first come
// first served among equals.
//
// A turn cannot be interrupted to let another run, so there are spare threads,
// as many again, for loops that have used little: the operating system then
// shares the CPUs between them and the long turns.
type Pool struct {
	mu      sync.Mutex
	wake    sync.Cond
	queue   readyHeap
	threads int           // for any loop; as many again are spare
	working int           // threads in a turn that does not wait
	surplus int           // threads that took the place of one that is back, and must end
	clock   time.Duration // virtual time of the loop that went last
	seq     uint64
	closed  bool
	wg      sync.WaitGroup
}

// share is a loop's place among the loops of its pool, which owns it between turns.
type share struct {
	virtual time.Duration // CPU time used, at least the pool's clock when it became ready
	seq     uint64        // since when it is ready
}

// NewPool starts threads for turns; with 0 as many as there are CPUs. The
// caller closes it after the last loop.
func NewPool(threads int) *Pool {
	if threads <= 0 {
		threads = runtime.NumCPU()
	}
	p := &Pool{threads: threads}
	p.wake.L = &p.mu
	for range 2 * threads {
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
	p.push(l)
	p.mu.Unlock()
	p.wake.Signal()
}

// push makes a loop ready. p.mu is held.
func (p *Pool) push(l *Loop) {
	p.seq++
	l.share.seq = p.seq
	l.share.virtual = max(l.share.virtual, p.clock)
	heap.Push(&p.queue, l)
}

// next takes the loop whose turn it is, nil when there is none or no thread
// for it. p.mu is held.
func (p *Pool) next() *Loop {
	if len(p.queue) == 0 || p.working >= p.threads && p.queue[0].share.virtual > p.clock+lead {
		return nil
	}
	l := heap.Pop(&p.queue).(*Loop)
	p.clock = max(p.clock, l.share.virtual)
	return l
}

func (p *Pool) work() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for !p.closed {
		if p.surplus > 0 {
			p.surplus--
			return
		}
		l := p.next()
		if l == nil {
			p.wake.Wait()
			continue
		}
		p.working++
		p.mu.Unlock()
		// Locked for the turn only: a goroutine that waits while locked costs
		// two more thread switches each time it is woken.
		runtime.LockOSThread()
		more := l.turn()
		runtime.UnlockOSThread()
		p.mu.Lock()
		p.working--
		if more {
			p.push(l)
		}
	}
}

// aside runs f inside a turn. Once that has taken lendAfter, another thread works
// in place of this one until f is over, and waiting is told so.
func (p *Pool) aside(f func(), waiting func(bool)) {
	var over, lent bool // guarded by p.mu
	timer := time.AfterFunc(lendAfter, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if over || p.closed {
			return
		}
		lent = true
		p.working--
		waiting(true)
		p.wg.Go(p.work)
	})
	f()
	timer.Stop()
	p.mu.Lock()
	over = true
	if lent {
		waiting(false)
		p.working++
		p.surplus++
	}
	p.mu.Unlock()
	if lent {
		p.wake.Signal()
	}
}

type readyHeap []*Loop

func (h readyHeap) Len() int { return len(h) }

func (h readyHeap) Less(i, j int) bool {
	a, b := h[i].share, h[j].share
	if a.virtual != b.virtual {
		return a.virtual < b.virtual
	}
	return a.seq < b.seq
}

func (h readyHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }

func (h *readyHeap) Push(x any) { *h = append(*h, x.(*Loop)) }

func (h *readyHeap) Pop() any {
	old := *h
	l := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return l
}
