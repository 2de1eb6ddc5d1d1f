package webapi

import (
	"context"
	"errors"
	"time"

	"coldstart/sandbox/isolate"
	"coldstart/sandbox/trace"
)

// ErrNotQuiet is the answer to freezing or rewinding an isolate that is at
// work, or of which the host holds a part: a socket, a Wasm module.
var ErrNotQuiet = errors.New("the isolate is at work, or holds a socket or a Wasm module; wait for its requests to end and try again")

// Frozen is a Worker's isolate at one moment between requests.
type Frozen struct {
	Memory          *isolate.Frozen
	lastRun, lastID int
}

// Freeze keeps the isolate's state.
func (w *Worker) Freeze(ctx context.Context) (*Frozen, error) {
	f := &Frozen{}
	err := w.between(ctx, func(iso isolate.Freezer) (err error) {
		f.lastRun, f.lastID = w.lastRun, w.lastID
		f.Memory, err = iso.Freeze()
		return err
	})
	if err != nil {
		return nil, err
	}
	return f, nil
}

// Rewind gives the isolate the state that f holds. What its requests stored
// elsewhere meanwhile stays stored. The time is what replacing the memory took.
func (w *Worker) Rewind(ctx context.Context, f *Frozen) (took time.Duration, err error) {
	err = w.between(ctx, func(iso isolate.Freezer) error {
		began := time.Now()
		defer func() { took = time.Since(began) }()
		return w.thaw(iso, f)
	})
	return took, err
}

// Written is the page map, with isolate.PageWritten for pages that differ from f.
func (w *Worker) Written(ctx context.Context, f *Frozen) (list []byte, err error) {
	err = w.between(ctx, func(iso isolate.Freezer) error {
		list, err = iso.Written(f.Memory)
		return err
	})
	return list, err
}

// thaw happens inside a turn. Numbers that the host gave out are not given out
// again, since the script half may remember them.
func (w *Worker) thaw(iso isolate.Freezer, f *Frozen) error {
	w.lastRun, w.lastID = max(w.lastRun, f.lastRun), max(w.lastID, f.lastID)
	err := iso.Thaw(f.Memory)
	w.private.Store(w.loop.Isolate().Memory().Private)
	return err
}

// between runs f as a turn of an isolate without requests.
func (w *Worker) between(ctx context.Context, f func(isolate.Freezer) error) error {
	end := make(chan error, 1)
	err := w.loop.Post(&isolate.Account{Run: "freeze"}, func(iso isolate.Isolate) error {
		z, ok := iso.(isolate.Freezer)
		w.mu.Lock()
		quiet := w.active == 0 && len(w.unbegun) == 0 && !w.closed
		w.mu.Unlock()
		if !ok || !quiet || len(w.sockets) > 0 || len(w.codecs) > 0 || w.wasm != nil {
			end <- ErrNotQuiet
			return nil
		}
		end <- f(z)
		return nil
	})
	if err != nil {
		return ErrClosed
	}
	select {
	case err := <-end:
		return err
	case <-w.loop.Done():
		return ErrClosed
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// fork is what Start does instead of evaluating the module.
func (w *Worker) fork(f *Frozen) func(isolate.Isolate) error {
	return func(iso isolate.Isolate) error {
		z, ok := iso.(isolate.Freezer)
		if !ok {
			w.loading.end(&trace.Fault{Kind: trace.FaultPlatform, Message: "This engine cannot fork an isolate."})
			return nil
		}
		err := w.thaw(z, f)
		if err == nil {
			w.loading.end(nil)
		}
		return err
	}
}
