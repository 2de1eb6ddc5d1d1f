package runner

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"coldstart/sandbox/isolate"
	"coldstart/sandbox/trace"
)

// scriptBootstrap gives a script host.call, which answers by a promise, and
// tells of its end: the module's default export, awaited.
const scriptBootstrap = `(function (host) {
	"use strict";
	var CALL = host.op("call"), END = host.op("end"), send = host.call, waiting = new Map(), next = 1;
	var stringify = JSON.stringify, Fail = Error, Later = Promise, get = Map.prototype.get, set = Map.prototype.set, drop = Map.prototype.delete;
	var uncurry = Function.prototype.call.bind(Function.prototype.bind, Function.prototype.call);
	get = uncurry(get); set = uncurry(set); drop = uncurry(drop);
	globalThis.host = {
		call: function (op) {
			for (var args = [], i = 1; i < arguments.length; i++) args[i - 1] = arguments[i];
			return new Later(function (ok, no) {
				var id = next++;
				set(waiting, id, [ok, no]);
				send(CALL, id, "" + op, args);
			});
		},
	};
	return {
		loaded: function (ns) {
			Promise.resolve(ns && ns.default).then(function (v) {
				var text = stringify(v);
				send(END, text === undefined ? "null" : text);
			});
		},
		settle: function (id, ok, v) {
			var w = get(waiting, id);
			drop(waiting, id);
			if (w) ok ? w[0](v) : w[1](new Fail(v));
		},
	};
})`

func scriptOps() *isolate.Ops {
	ops := &isolate.Ops{}
	ops.Add("call", func(h *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		s := h.Owner().(*scriptRun)
		id, op := args[0], args[1].(string)
		list, _ := args[2].([]any)
		res := h.Reserve()
		s.spec.Call(op, list, func(v any, err error) {
			res.Post(func(iso isolate.Isolate) error {
				ok := err == nil
				if !ok {
					v = err.Error()
					if t, is := errors.AsType[*isolate.Throw](err); is {
						v = t.Message
					}
				}
				_, err := iso.Call("settle", id, ok, v)
				return err
			})
		})
		return nil, nil
	})
	ops.Add("end", func(h *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		s := h.Owner().(*scriptRun)
		s.result = []byte(args[0].(string))
		return nil, nil
	})
	return ops
}

// scriptRun is one script on its loop. It ends when it waits for nothing any
// more, or at the first error that nobody caught.
type scriptRun struct {
	spec   ScriptSpec
	loop   *isolate.Loop
	result []byte // of the loop's turns

	once  sync.Once
	fault *trace.Fault
	done  chan struct{}
}

func (s *scriptRun) end(f *trace.Fault) {
	s.once.Do(func() {
		s.fault = f
		close(s.done)
	})
}

// Script implements Engines.
func (e *engines) Script(ctx context.Context, spec ScriptSpec) ([]byte, *trace.Fault) {
	s := &scriptRun{spec: spec, result: []byte("null"), done: make(chan struct{})}
	rejected := map[uint32]*isolate.Exception{}
	loop, err := isolate.NewLoop(ctx, isolate.LoopConfig{
		Pool: e.pool, Engine: watched{e.scripts, spec.Enter, spec.Leave}, Ops: scriptOps(), Memory: spec.Limits.Memory, Owner: s,
		Failed: func(_ *isolate.Account, err error) { s.end(s.faultOf(err)) },
		Rejection: func(_ *isolate.Account, id uint32, reason *isolate.Exception, handled bool) {
			if handled {
				delete(rejected, id)
			} else {
				rejected[id] = reason
			}
		},
	})
	if err != nil {
		return nil, &trace.Fault{Kind: trace.FaultPlatform, Message: "Our isolate for the script did not start. Run again."}
	}
	s.loop = loop
	account := &isolate.Account{Run: spec.Name, Limit: spec.Limits.CPU, Quiet: func(isolate.Isolate) error {
		for _, reason := range rejected {
			s.end(s.faultOf(reason))
		}
		s.end(nil)
		return nil
	}}
	code := spec.Code + "\n;globalThis.__exports = typeof __coldstart_module === 'undefined' ? undefined : __coldstart_module;"
	if err := loop.Post(account, func(iso isolate.Isolate) error {
		return iso.(*turning).LoadMapped(spec.Name, code, spec.Map)
	}); err != nil {
		s.end(s.faultOf(err))
	}
	ctx, cancel := context.WithTimeoutCause(ctx, spec.Limits.Wall, errWall)
	defer cancel()
	select {
	case <-s.done:
	case <-ctx.Done():
		f := &trace.Fault{Kind: trace.FaultCanceled, Message: spec.Name + " was stopped."}
		if errors.Is(context.Cause(ctx), errWall) {
			f = &trace.Fault{Kind: trace.FaultWall, Message: fmt.Sprintf("%s did not end within %v.", spec.Name, spec.Limits.Wall)}
		}
		s.end(f)
		<-s.done
	}
	_ = loop.Close() // frees the isolate; nothing depends on it any more
	return s.result, s.fault
}

var errWall = errors.New("the script's time is over")

// faultOf says in the author's words what stopped the script.
func (s *scriptRun) faultOf(err error) *trace.Fault {
	if x, ok := errors.AsType[*isolate.Exception](err); ok {
		return &trace.Fault{Kind: trace.FaultException, Name: x.Name, Message: x.Message, Frames: s.frames(x.Stack)}
	}
	stack := ""
	if stop, ok := errors.AsType[*isolate.Stop](err); ok {
		stack = stop.Stack
	}
	switch {
	case errors.Is(err, isolate.ErrInterrupted):
		return &trace.Fault{Kind: trace.FaultCPU, Message: fmt.Sprintf("%s used its %v of CPU time.", s.spec.Name, s.spec.Limits.CPU), Frames: s.frames(stack)}
	case errors.Is(err, isolate.ErrMemory):
		return &trace.Fault{Kind: trace.FaultMemory, Message: s.spec.Name + " is out of memory.", Frames: s.frames(stack)}
	}
	return &trace.Fault{Kind: trace.FaultPlatform, Message: "Our isolate for the script broke. Run again."}
}

var scriptFrame = regexp.MustCompile(`^\s*at (?:(.*?) \()?([^()]*?):(\d+)(?::(\d+))?\)?$`)

// frames are the places in the script itself, innermost first.
func (s *scriptRun) frames(stack string) []trace.Frame {
	var out []trace.Frame
	for line := range strings.Lines(stack) {
		m := scriptFrame.FindStringSubmatch(strings.TrimRight(line, "\r\n"))
		if m == nil || m[2] != s.spec.Name || len(out) == 16 {
			continue
		}
		l, _ := strconv.Atoi(m[3])
		c, _ := strconv.Atoi(m[4])
		out = append(out, trace.Frame{Func: m[1], File: m[2], Line: l, Column: c})
	}
	return out
}
