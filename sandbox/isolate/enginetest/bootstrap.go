package enginetest

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"coldstart/sandbox/isolate"
)

// script is a bootstrap with just enough of a platform for the suite: console,
// timers, one asynchronous operation, and a fetch handler that answers text.
const script = `(function (host) {
	"use strict";
	const opLog = host.op("log"), opTimer = host.op("timer"), opEcho = host.op("echo"), opLater = host.op("later"), opFail = host.op("fail"), opBack = host.op("back");
	const call = host.call, waiting = new Map();
	let next = 1, handler, failure;
	globalThis.console = { log(...a) { call(opLog, a.map(String).join(" ")); } };
	globalThis.setTimeout = (f, ms, ...a) => { const id = next++; waiting.set(id, () => f(...a)); call(opTimer, id, ms || 0); return id; };
	globalThis.clearTimeout = (id) => { waiting.delete(id); };
	globalThis.echo = (...a) => call(opEcho, ...a);
	globalThis.callBack = (n) => call(opBack, n);
	globalThis.fail = (...a) => call(opFail, ...a);
	globalThis.later = (v) => new Promise((ok, no) => { const id = next++; waiting.set(id, (e, r) => e ? no(new Error(e)) : ok(r)); call(opLater, id, v); });
	return {
		loaded(ns) { handler = ns && ns.default; if (!handler) throw new TypeError("no default export"); },
		failed(e) { failure = e; },
		failure() { return failure && String(failure); },
		fetch(id, url) {
			Promise.resolve().then(() => handler.fetch({ url })).then(
				(r) => { call(opLog, "answer " + id + " " + r); },
				(e) => { call(opLog, "error " + id + " " + e); });
		},
		wake(id, ...a) { const f = waiting.get(id); waiting.delete(id); if (f) f(...a); },
		get(v) { return handler[v]; },
		run(name, ...a) { return handler[name](...a); },
		same(v) { return v; },
	};
})`

// Ops is the operation table of the suite's bootstrap.
func Ops() *isolate.Ops {
	ops := &isolate.Ops{}
	ops.Add("log", func(l *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		l.Owner().(*Lines).add(args[0].(string))
		return nil, nil
	})
	ops.Add("timer", func(l *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		id := args[0]
		l.After(time.Duration(args[1].(float64)*1e6), func(iso isolate.Isolate) error {
			_, err := iso.Call("wake", id)
			return err
		})
		return nil, nil
	})
	ops.Add("echo", func(_ *isolate.Loop, args []isolate.Value) (isolate.Value, error) { return args, nil })
	ops.Add("later", func(l *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		r := l.Reserve()
		go r.Post(func(iso isolate.Isolate) error {
			_, err := iso.Call("wake", args[0], nil, args[1])
			return err
		})
		return nil, nil
	})
	ops.Add("fail", func(_ *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		if len(args) == 1 {
			return nil, fmt.Errorf("plain %v", args[0])
		}
		return nil, &isolate.Throw{Name: args[0].(string), Message: args[1].(string), Code: "DataCloneError"}
	})
	ops.Add("back", func(l *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		return l.Isolate().Call("run", "inner", args[0])
	})
	return ops
}

// Bootstrap is the suite's bootstrap.
func Bootstrap() isolate.Bootstrap { return isolate.Bootstrap{Script: script, Ops: Ops()} }

// Lines collects what a Worker logged.
type Lines struct {
	mu    sync.Mutex
	lines []string
}

func (l *Lines) add(s string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, s)
}

func (l *Lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, "\n")
}

// worker is a loop under test.
type worker struct {
	t       *testing.T
	loop    *isolate.Loop
	account *isolate.Account
	spent   chan struct{} // closed once the loop says that its isolate is
	lines   Lines

	mu     sync.Mutex
	failed []error
	broken error
}

func (w *worker) errors() []error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.failed
}

// start makes a worker with a CPU limit.
func start(t *testing.T, pool *isolate.Pool, e isolate.Engine, limit time.Duration) *worker {
	t.Helper()
	w := &worker{t: t, spent: make(chan struct{})}
	l, err := isolate.NewLoop(t.Context(), isolate.LoopConfig{
		Pool: pool, Engine: e, Ops: Ops(), Owner: &w.lines,
		Failed: func(_ *isolate.Account, err error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.failed = append(w.failed, err)
		},
		Broken: func(err error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.broken = err
			close(w.spent)
		},
		Rejection: func(_ *isolate.Account, id uint32, reason *isolate.Exception, handled bool) {
			if handled {
				w.lines.add(fmt.Sprintf("handled %d", id))
				return
			}
			w.lines.add(fmt.Sprintf("unhandled %d %v", id, reason))
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.loop = l
	w.account = &isolate.Account{Run: "test", Limit: limit}
	t.Cleanup(func() { _ = l.Close() })
	return w
}

// do runs a turn and waits until nothing is pending for the account.
func (w *worker) do(f isolate.Turn) error {
	w.t.Helper()
	done := make(chan struct{})
	var first error
	var once sync.Once
	w.account.Quiet = func(isolate.Isolate) error {
		once.Do(func() { close(done) })
		return nil
	}
	if err := w.loop.Post(w.account, func(iso isolate.Isolate) error {
		first = f(iso)
		return first
	}); err != nil {
		return err
	}
	select {
	case <-done:
	case <-w.spent:
	case <-w.loop.Done():
	case <-time.After(30 * time.Second):
		w.t.Fatal("the worker is not quiet after 30 s")
	}
	return first
}

func (w *worker) load(source string) error {
	return w.do(func(iso isolate.Isolate) error { return iso.Load("index.js", source, true) })
}

func (w *worker) call(entry string, args ...isolate.Value) (v isolate.Value, err error) {
	err = w.do(func(iso isolate.Isolate) error {
		v, err = iso.Call(entry, args...)
		return err
	})
	return v, err
}
