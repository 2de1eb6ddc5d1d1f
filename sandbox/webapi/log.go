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
		if !r.room(len(text)) {
			return nil, nil
		}
		l := &trace.Log{Level: clip(str(args, 1), faultName), Text: text, Frame: w.stacks.logged(str(args, 3))}
		left := min(treeBytes, w.limits.LogBytes-r.treeBytes)
		had := left
		for _, t := range list(args, 4) {
			if left <= 0 {
				break
			}
			l.Args = append(l.Args, tree(t, 0, &left))
		}
		r.treeBytes += had - left
		r.event(trace.Event{Kind: trace.KindLog, Log: l})
		return nil, nil
	})
}

// room takes a record of n bytes into the run's log, and reports whether there
// was room. What the log has no room for is counted, and the first such time
// is told.
func (r *run) room(n int) bool {
	if r.logs >= r.w.limits.LogCount {
		r.tooMany(itoa(int64(r.w.limits.LogCount)) + " lines")
		return false
	}
	if r.logBytes+n > r.w.limits.LogBytes {
		r.tooMany(trace.SizeText(int64(r.w.limits.LogBytes)))
		return false
	}
	r.logs++
	r.logBytes += n
	return true
}

// tooMany counts a record that is not kept because of this limit.
func (r *run) tooMany(limit string) {
	if r.dropped++; r.dropped == 1 {
		r.event(trace.Event{Kind: trace.KindLog, Log: &trace.Log{Level: "warn", Text: "The log of this request is full: " + limit + ". Further lines are dropped."}})
	}
}

// Bounds of the values of one console call, in bytes. Names and texts are the
// learner's, and a symbol or a key may be as long as the heap.
const (
	treeBytes = 64 << 10
	treeText  = 2 << 10
	treeKey   = 256
)

// tree reads [type, text, more, key, child, …] and takes its size from left.
// What does not fit counts as more.
func tree(v any, depth int, left *int) trace.Value {
	l, _ := v.([]any)
	if len(l) < 3 || depth > 16 {
		*left -= 16
		return trace.Value{Type: "undefined"}
	}
	out := trace.Value{Type: clip(str(l, 0), treeKey), Text: clip(wellFormed(str(l, 1)), treeText), More: integer(l, 2)}
	*left -= len(out.Type) + len(out.Text) + 16
	for i := 3; i+1 < len(l); i += 2 {
		if *left <= 0 {
			out.More += (len(l) - i) / 2
			break
		}
		key := clip(wellFormed(str(l, i)), treeKey)
		*left -= len(key)
		out.Entries = append(out.Entries, trace.Entry{Key: key, Value: tree(l[i+1], depth+1, left)})
	}
	return out
}
