package sandbox

import "sync"

// pumpMax is how many bytes of messages may wait for one client or Worker.
const pumpMax = 4 << 20

// pumpEach is what a message counts beside its bytes.
const pumpEach = 64

// pump does things in order, away from whoever asks: messages come from the
// reader of a runner, which all its runs share and which must not wait for one.
type pump struct {
	mu    sync.Mutex
	list  []pumped
	bytes int
	busy  bool
	wg    sync.WaitGroup
}

type pumped struct {
	n int
	f func()
}

// add does f after all before it; false says that too much waits already.
func (p *pump) add(n int, f func()) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n += pumpEach; p.bytes+n > pumpMax {
		return false
	}
	p.push(pumped{n, f})
	return true
}

// last is add for what must be done in any case.
func (p *pump) last(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.push(pumped{0, f})
}

func (p *pump) push(d pumped) {
	p.list = append(p.list, d)
	p.bytes += d.n
	if !p.busy {
		p.busy = true
		p.wg.Go(p.run)
	}
}

func (p *pump) run() {
	p.mu.Lock()
	for len(p.list) > 0 {
		d := p.list[0]
		p.list[0] = pumped{}
		p.list = p.list[1:]
		p.mu.Unlock()
		d.f()
		p.mu.Lock()
		p.bytes -= d.n
	}
	p.list, p.busy = nil, false
	p.mu.Unlock()
}

// wait returns once all has been done. Nothing may be added any more.
func (p *pump) wait() { p.wg.Wait() }
