package webapi

import (
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
		if err := r.countCall(); err != nil {
			return nil, err
		}
		t := target(list(args, 2))
		r.backend(h, integer(args, 1), trace.Call{Kind: t.Type, Name: t.Binding + "." + str(args, 3), Worker: t.Worker}, "rpc.call", append(append([]any{}, list(args, 2)...), str(args, 3), str(args, 4)))
		return nil, nil
	})
	// call: run, id, kind, name, operation, arguments → the backend's result
	o.Add("call", func(h *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		r := runOf(h)
		if r == nil {
			return nil, &isolate.Throw{Name: "Error", Message: str(args, 3) + " is not available within global scope."}
		}
		if err := r.countCall(); err != nil {
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
	res := h.Reserve()
	r.w.cfg.Backend.Call(r.inv.Run, op, args, func(v any, err error) {
		res.Post(func(iso isolate.Isolate) error {
			if err != nil {
				c.Error = err.Error()
			}
			r.called(c)
			return settle(iso, id, v, err)
		})
	})
}
