package quickjs

import (
	"sync"
	"sync/atomic"
)

// A request writes to and reads much the same pages in every isolate, and calls
// the same exports. The engine learns them from its first isolates and prepares
// them while an instance is made ahead of time, so that a cold start does not
// stop at each.

const (
	learnFrom = 4   // isolates whose common pages are taken
	maxWarm   = 256 // pages copied ahead; more would be some isolate's own habit
	bridge    = 16  // pages between two runs that are read ahead with them: one fault maps as many
)

// pages is a run of pages, in bytes.
type pages struct{ first, end int }

// habits are what isolates have in common.
type habits struct {
	written, read []pages
	called        [fnCount]bool
}

type warmer struct {
	done    atomic.Bool
	mu      sync.Mutex
	n       int
	written []byte // how many isolates wrote to each page
	mapped  []byte // in how many isolates it is mapped
	called  [fnCount]bool
	habits  atomic.Pointer[habits]
}

// learn takes the page states of an isolate that has answered.
func (w *warmer) learn(v *vm) {
	if w.done.Load() || !v.called {
		return
	}
	size := v.meta.Size / pageSize
	private, mapped := make([]byte, size), make([]byte, size)
	if !v.private(private) || !v.mem.region.mapped(v.eng.pagemap, mapped) {
		w.done.Store(true)
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.n == learnFrom {
		return
	}
	w.n++
	if w.written == nil {
		w.written, w.mapped = make([]byte, size), make([]byte, size)
	}
	for i := range private {
		if private[i] == pagePrivate {
			w.written[i]++
		}
		w.mapped[i] += mapped[i]
	}
	for id, free := range v.callees {
		if len(free) > 0 {
			w.called[id] = true
		}
	}
	if w.n < learnFrom {
		return
	}
	w.done.Store(true)
	h := &habits{read: runs(w.mapped, bridge), called: w.called}
	count := 0
	for _, r := range runs(w.written, 1) {
		h.written = append(h.written, r)
		count += (r.end - r.first) / pageSize
	}
	if count > maxWarm {
		h.written = nil
	}
	w.habits.Store(h)
}

// runs are the pages that all isolates learned from have in common; a gap of
// less than bridge pages does not end a run.
func runs(seen []byte, bridge int) []pages {
	var list []pages
	for i, n := range seen {
		if n < learnFrom {
			continue
		}
		if k := len(list) - 1; k >= 0 && i*pageSize-list[k].end < bridge*pageSize {
			list[k].end = (i + 1) * pageSize
		} else {
			list = append(list, pages{i * pageSize, (i + 1) * pageSize})
		}
	}
	return list
}

// warm copies the pages of a new instance that will be written, maps those that
// will be read, looks up the exports that will be called, and calls the
// bootstrap's entry "warm", if it has one.
func (w *warmer) warm(v *vm) error {
	h := w.habits.Load()
	if h == nil {
		return nil
	}
	for _, r := range h.written {
		v.mem.region.copyAhead(r.first, r.end)
	}
	for _, r := range h.read {
		v.mem.region.readAhead(r.first, r.end)
	}
	for id, called := range h.called {
		if called {
			v.callees[id] = append(v.callees[id], v.mod.ExportedFunction(fnNames[id]))
		}
	}
	f, ok := v.meta.Entries["warm"]
	if !ok {
		return nil
	}
	r, err := v.invoke(f)
	if err == nil {
		v.free(r)
	}
	return err
}
