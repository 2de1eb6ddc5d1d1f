package sandbox

import (
	"sync"

	"coldstart/sandbox/trace"
)

// watch delivers a run's events to Run.Watch, in order and one at a time, so
// that a slow watcher holds up nobody else.
type watch struct {
	f func(trace.Event)

	mu      sync.Mutex
	list    []trace.Event
	running bool
	over    bool
	done    chan struct{} // closed once KindDone was delivered
}

func newWatch(f func(trace.Event)) *watch {
	return &watch{f: f, done: make(chan struct{})}
}

// add delivers e. After KindDone nothing is delivered any more.
func (w *watch) add(s *Sandbox, e trace.Event) {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.over {
		return
	}
	w.over = e.Kind == trace.KindDone
	w.list = append(w.list, e)
	if !w.running {
		w.running = true
		s.wg.Go(w.deliver)
	}
}

func (w *watch) deliver() {
	for {
		w.mu.Lock()
		list := w.list
		w.list = nil
		if len(list) == 0 {
			w.running = false
			w.mu.Unlock()
			return
		}
		w.mu.Unlock()
		for _, e := range list {
			w.f(e)
			if e.Kind == trace.KindDone {
				close(w.done)
			}
		}
	}
}
