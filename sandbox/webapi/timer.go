package webapi

import (
	"time"

	"coldstart/sandbox/isolate"
)

// timer is a setTimeout or setInterval of a run.
type timer struct {
	run    *run
	t      *isolate.Timer
	every  time.Duration
	repeat bool
}

func timerOps(o *isolate.Ops) {
	// clock: → milliseconds, finer than Date.now where the engine's clock is
	o.Add("clock", func(h *isolate.Loop, _ []isolate.Value) (isolate.Value, error) {
		return float64(h.Now().UnixMicro()) / 1000, nil
	})
	// timer.set: run, id, milliseconds, repeat
	o.Add("timer.set", func(h *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		w, id := of(h), integer(args, 1)
		d := time.Duration(num(args, 2) * float64(time.Millisecond))
		r := runOf(h)
		if r == nil {
			return nil, typeError("timers are not available while the module loads")
		}
		r.used = true
		if flag(args, 3) && d < time.Millisecond {
			d = time.Millisecond
		}
		t := &timer{run: r, every: d, repeat: flag(args, 3)}
		w.timers[id] = t
		w.arm(id, t)
		return nil, nil
	})
	// resume: run, id → settles in a turn of that run, whoever's turn this is
	o.Add("resume", func(h *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		if r := of(h).runs[integer(args, 0)]; r != nil {
			return nil, h.Post(r.account, func(iso isolate.Isolate) error { return settle(iso, integer(args, 1), nil, nil) })
		}
		return nil, nil
	})
	o.Add("timer.clear", func(h *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		w, id := of(h), integer(args, 0)
		if t := w.timers[id]; t != nil {
			t.t.Stop()
			delete(w.timers, id)
		}
		return nil, nil
	})
}

func (w *Worker) arm(id int, t *timer) {
	t.t = w.loop.After(t.every, func(iso isolate.Isolate) error {
		if w.timers[id] != t {
			return nil
		}
		if t.repeat {
			w.arm(id, t)
		} else {
			delete(w.timers, id)
		}
		_, err := iso.Call("timer", id)
		return err
	})
}

// dropTimers forgets the timers of a run that is over.
func (w *Worker) dropTimers(r *run) {
	if !r.used {
		return
	}
	for id, t := range w.timers {
		if t.run == r {
			delete(w.timers, id)
		}
	}
}
