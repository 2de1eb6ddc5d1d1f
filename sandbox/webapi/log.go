package webapi

import (
	"coldstart/sandbox/isolate"
	"coldstart/sandbox/trace"
)

func logOps(o *isolate.Ops) {
	// log: run, level, text, stack, trees
	o.Add("log", func(h *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		w := of(h)
		r := w.runs[integer(args, 0)]
		if r == nil {
			if r = runOf(h); r == nil {
				return nil, nil // while the module loads nobody listens
			}
		}
		text := wellFormed(str(args, 2))
		if r.logs >= w.limits.LogCount || r.logBytes+len(text) > w.limits.LogBytes {
			if r.dropped++; r.dropped == 1 {
				r.event(trace.Event{Kind: trace.KindLog, Log: &trace.Log{Level: "warn", Text: "The log of this request is full; further lines are dropped."}})
			}
			return nil, nil
		}
		r.logs++
		r.logBytes += len(text)
		l := &trace.Log{Level: str(args, 1), Text: text, Frame: w.stacks.first(str(args, 3))}
		for _, t := range list(args, 4) {
			l.Args = append(l.Args, tree(t, 0))
		}
		r.event(trace.Event{Kind: trace.KindLog, Log: l})
		return nil, nil
	})
}

// tree reads [type, text, more, key, child, …].
func tree(v any, depth int) trace.Value {
	l, _ := v.([]any)
	if len(l) < 3 || depth > 16 {
		return trace.Value{Type: "undefined"}
	}
	out := trace.Value{Type: str(l, 0), Text: wellFormed(str(l, 1)), More: integer(l, 2)}
	for i := 3; i+1 < len(l); i += 2 {
		out.Entries = append(out.Entries, trace.Entry{Key: wellFormed(str(l, i)), Value: tree(l[i+1], depth+1)})
	}
	return out
}
