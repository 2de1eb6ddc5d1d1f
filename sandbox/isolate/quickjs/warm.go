package quickjs

import (
	"sync"
	"sync/atomic"
)

// A request writes to much the same pages in every isolate. The engine learns
// them from its first isolates and has them copied while an instance is made
// ahead of time, so that a cold start does not stop at each.

const (
	learnFrom = 4   // isolates whose common pages are taken
	maxWarm   = 256 // pages copied ahead; more would be some isolate's own habit
)

// pages is a run of pages, in bytes.
type pages struct{ first, end int }

type warmer struct {
	done atomic.Bool
	mu   sync.Mutex
	n    int
	seen []byte // how many isolates wrote to each page
	runs atomic.Pointer[[]pages]
}

// learn takes the page states of an isolate that has answered.
func (w *warmer) learn(v *vm) {
	if w.done.Load() || !v.called {
		return
	}
	list := make([]byte, v.meta.Size/pageSize)
	if !v.private(list) {
		w.done.Store(true)
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.n == learnFrom {
		return
	}
	w.n++
	if w.seen == nil {
		w.seen = make([]byte, len(list))
	}
	for i, s := range list {
		if s == pagePrivate {
			w.seen[i]++
		}
	}
	if w.n < learnFrom {
		return
	}
	w.done.Store(true)
	var runs []pages
	count := 0
	for i := 0; i < len(w.seen); i++ {
		first := i
		for i < len(w.seen) && w.seen[i] == learnFrom {
			i++
		}
		if i > first {
			runs = append(runs, pages{first * pageSize, i * pageSize})
			count += i - first
		}
	}
	if count <= maxWarm {
		w.runs.Store(&runs)
	}
}

// warm copies the learned pages of a new instance and maps the others.
func (w *warmer) warm(v *vm) {
	if runs := w.runs.Load(); runs != nil {
		for _, r := range *runs {
			v.mem.region.copyAhead(r.first, r.end)
		}
	}
	v.mem.region.readAhead(int(v.meta.Stack), int(v.meta.Size))
}
