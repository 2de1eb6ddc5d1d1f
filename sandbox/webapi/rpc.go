package webapi

import (
	"strings"

	"coldstart/sandbox/isolate"
	"coldstart/sandbox/trace"
)

func rpcOps(o *isolate.Ops) {
	// rpc.call: run, id, target, method, arguments → the result's text
	o.Add("rpc.call", func(h *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		r := runOf(h)
		if r == nil {
			return nil, &isolate.Throw{Name: "Error", Message: "RPC is not available within global scope."}
		}
		t := target(list(args, 2))
		if t.Type == "stub" && t.Binding == StreamPieces {
			r.backend(h, integer(args, 1), trace.Call{}, "rpc.call", append(append([]any{}, list(args, 2)...), str(args, 3), str(args, 4)))
			return nil, nil
		}
		if t.Type != "stub" { // the parent counts those
			if err := r.countCall(); err != nil {
				return nil, err
			}
		}
		name := t.Binding + "." + strings.ReplaceAll(str(args, 3), "\x1f", ".")
		if t.Type == "stub" { // the object's number says nothing to a reader
			number, rest, dot := strings.Cut(name, ".\x00")
			if _, path, ok := strings.Cut(rest, "."); dot && ok {
				name = number + "." + path
			} else {
				name = number
			}
		}
		r.backend(h, integer(args, 1), trace.Call{Kind: t.Type, Name: name, Worker: t.Worker}, "rpc.call", append(append([]any{}, list(args, 2)...), str(args, 3), str(args, 4)))
		return nil, nil
	})
	// rpc.self → what a stub of an object of this isolate must know beside its number: isolate, and class and id of a Durable Object
	o.Add("rpc.self", func(h *isolate.Loop, _ []isolate.Value) (isolate.Value, error) {
		self := of(h).cfg.ID
		if r := runOf(h); r != nil && r.inv.Object != "" {
			self += "@" + r.inv.Entrypoint + "@" + r.inv.Object
		}
		return self, nil
	})
	// lend: run, whether it keeps a stream for another isolate, or no longer
	o.Add("lend", func(h *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		if r := of(h).runs[integer(args, 0)]; r != nil && !r.over {
			_ = r.lend(flag(args, 1)) // an isolate that is gone keeps nothing
		}
		return nil, nil
	})
	// call: run, id, kind, name, operation, arguments → the backend's result
	o.Add("call", func(h *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		r := runOf(h)
		if r == nil {
			return nil, &isolate.Throw{Name: "Error", Message: str(args, 3) + " is not available within global scope."}
		}
		if err := r.countBinding(); err != nil {
			return nil, err
		}
		r.backend(h, integer(args, 1), trace.Call{Kind: str(args, 2), Name: str(args, 3)}, str(args, 4), list(args, 5))
		return nil, nil
	})
}

// backend asks the outside and settles the script's promise with the answer.
func (r *run) backend(h *isolate.Loop, id int, c trace.Call, op string, args []any) {
	c.Start = r.at()
	r.used = true
	reserve := h.Reserve
	if strings.HasPrefix(op, "storage.") {
		reserve = h.Storage
	}
	res := reserve()
	answered := func(v any, err error) {
		taken := func() {}
		if h, ok := v.(Handed); ok {
			v, taken = h.Value, h.Taken
		}
		res.Post(func(iso isolate.Isolate) error {
			if err != nil {
				c.Error = err.Error()
			}
			if op == "storage.begin" && err == nil || op == "storage.end" {
				h.Hold(op == "storage.begin")
			}
			if c.Kind != "" {
				r.called(c)
			}
			defer taken()
			return settle(iso, id, v, err)
		})
	}
	h.Aside(func() { r.w.cfg.Backend.Call(r.inv.Run, op, args, answered) })
}
