package sandbox

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"coldstart/sandbox/platform"
	"coldstart/sandbox/runner"
	"coldstart/sandbox/trace"
	"coldstart/sandbox/webapi"
)

// bodyShown is how much of a response body a watcher sees, in bytes.
const bodyShown = 256 << 10

// attempt is one try to run an execution in an isolate. It is the run's
// runner.Handler; its methods are called from the child's reader, in order.
type attempt struct {
	e      *execution
	t      *ticket
	from   int64           // microseconds: admitted
	again  bool            // it may be retried
	back   func()          // gives back the runner that it has alone; nil for none
	ctx    context.Context // ends with the run; what is done for it hangs on this
	cancel context.CancelCauseFunc
	unhook func() bool

	headed chan struct{} // closed with the response head
	ended  chan struct{} // closed with the end
	retry  bool          // set before ended: nothing happened yet, try again
	end    runner.End    // set before ended
	sum    *trace.Summary

	head   runner.Head
	result []byte                      // set before headed, for RPC
	fault  atomic.Pointer[trace.Fault] // the last one told of
	shown  int

	turns   map[webapi.Target]chan struct{} // the last call to each; only the reader uses them
	spans   []trace.Span                    // only the reader uses them
	lastEnd int64

	wall   time.Duration // what earlier attempts left of the wall time, 0 for all
	gate   gate
	effect atomic.Bool // it did something that must not be done twice
	opened atomic.Bool // it began a transaction of its object, and did not end it
	inside int         // how many, in one another; for the storage's turns, which go on when the run is over
	whole  atomic.Bool // the response is complete here: a visitor who leaves loses nothing

	mu   sync.Mutex
	run  *runner.Run // nil before it began
	left bool        // the visitor went away
}

func newAttempt(e *execution, t *ticket, from int64) *attempt {
	a := &attempt{e: e, t: t, from: from, lastEnd: from, headed: make(chan struct{}), ended: make(chan struct{})}
	a.ctx, a.cancel = context.WithCancelCause(e.s.ctx)
	return a
}

// start sends the run to its isolate. When ctx ends before the response is
// complete, the run is canceled.
func (a *attempt) start(ctx context.Context) error {
	e, i := a.e, a.t.iso
	if !e.nested {
		a.tellIsolate()
	}
	j := runner.Job{
		Worker: e.group.worker, Isolate: i.number, New: a.t.cold, Slot: i.slot, Name: i.id, Limits: e.group.worker.Limits,
		Run: e.id, Root: e.chain.root, Depth: e.depth, Type: e.typ, Request: e.request, Payload: e.payload,
		Entrypoint: e.entry, Object: e.object, Props: e.props, Upgrade: e.upgrade, Origin: e.chain.origin, Wall: a.wall, Weigh: e.weigh,
	}
	if e.body != nil && !e.body.Again() {
		a.effect.Store(true) // its body is consumed
	}
	if !a.t.cold {
		select {
		case <-i.sent:
		case <-i.runner.Dead():
		}
	}
	a.unhook = context.AfterFunc(ctx, a.leave)
	run, err := i.runner.Start(j, a)
	if a.t.cold {
		i.wasSent()
	}
	if err != nil {
		a.unhook()
		a.cancel(errRunOver)
		return err
	}
	a.mu.Lock()
	a.run = run
	left := a.left
	a.mu.Unlock()
	if left {
		run.Cancel(visitorLeft)
	}
	return nil
}

const visitorLeft = "the visitor went away"

// leave cancels the run unless its response is complete already. One that has
// answered another Worker goes on without a reader.
func (a *attempt) leave() {
	if a.whole.Load() {
		return
	}
	if a.e.nested && a.isHeaded() {
		a.mu.Lock()
		run := a.run
		a.mu.Unlock()
		if run != nil {
			run.Unread()
			return
		}
	}
	a.cancelRun(visitorLeft)
}

func (a *attempt) cancelRun(why string) {
	a.mu.Lock()
	a.left = true
	run := a.run
	a.mu.Unlock()
	if run != nil {
		run.Cancel(why)
	}
}

// thrown is what the called Worker threw instead of answering, nil if it answered.
func (a *attempt) thrown() *trace.Fault {
	if a.head.Status == 500 && a.head.Whole && len(a.head.First) == 0 {
		return a.fault.Load()
	}
	return nil
}

func (a *attempt) tellIsolate() {
	a.e.s.mu.Lock()
	state := "warm"
	if a.t.cold {
		state = "cold"
	}
	st := a.t.iso.state(state, "")
	a.e.s.mu.Unlock()
	a.e.tell(trace.Event{At: a.from, Kind: trace.KindIsolate, Isolate: &st})
}

// phase closes the gap to the phase before: frames and threads took it.
func (a *attempt) phase(p trace.Phase, end int64) {
	end = max(end, a.lastEnd)
	a.spans = append(a.spans, trace.Span{Phase: p, Start: a.lastEnd, End: end})
	a.e.tellSpan(p, a.lastEnd, end)
	a.lastEnd = end
}

// Events implements runner.Handler.
func (a *attempt) Events(list []trace.Event) {
	for _, ev := range list {
		switch {
		case ev.Kind == trace.KindPhase && ev.Span != nil:
			switch ev.Span.Phase {
			case trace.PhaseStart, trace.PhaseLoad:
				a.phase(ev.Span.Phase, ev.Span.End)
			}
		case ev.Kind == trace.KindLog && ev.Log != nil, ev.Kind == trace.KindCall && ev.Call != nil, ev.Kind == trace.KindFault && ev.Fault != nil:
			if ev.Kind == trace.KindFault {
				a.fault.Store(ev.Fault)
			}
			if ev.Call != nil && ev.Call.Error != "" && a.e.object != "" {
				a.gate.met(ev.Call.Error)
			}
			a.effect.Store(true)
			a.e.tell(ev)
		}
	}
}

// Head implements runner.Handler.
func (a *attempt) Head(h runner.Head) {
	a.effect.Store(true)
	a.phase(trace.PhaseHandle, h.At)
	a.gate.answer()
	if h.Whole {
		a.whole.Store(true)
	}
	a.head = h
	if !a.e.nested {
		head := h.ResponseHead
		a.e.tell(trace.Event{At: a.lastEnd, Kind: trace.KindResponse, Response: &head})
		a.shown = a.e.showBody(h.First, a.shown)
	}
	close(a.headed)
}

// Body implements runner.Handler.
func (a *attempt) Body(piece []byte, end bool, _ string) {
	if end {
		a.whole.Store(true)
		return
	}
	a.shown = a.e.showBody(piece, a.shown)
}

// Result implements runner.Handler: what an RPC call gives back, ahead of waitUntil.
func (a *attempt) Result(payload []byte) {
	a.effect.Store(true)
	a.gate.answer()
	a.result = payload
	close(a.headed)
}

// Call implements runner.Handler.
func (a *attempt) Call(op string, args []any, done func(any, error)) {
	if !platform.ReadOnly(op) {
		a.effect.Store(true)
	}
	if op == "rpc.call" {
		t := rpcTarget(args)
		a.inTurn(t, func(began func()) {
			if err := a.passed(); err != nil { // whom it calls hears of its writes
				done(nil, err)
				return
			}
			done(a.e.callMethod(a.ctx, t, args, began))
		})
		return
	}
	if a.e.object != "" && !platform.ReadOnly(op) {
		done = a.gate.begin(done)
	}
	if strings.HasPrefix(op, "storage.") { // a Durable Object's own: each sees what those before did
		a.inTurn(webapi.Target{Type: "storage"}, func(func()) {
			// What was written counts though nobody waited for it and the run is over,
			// unless it is part of a transaction that ended with it.
			ctx := a.e.s.ctx
			if a.inside > 0 {
				ctx = a.ctx
			}
			v, err := a.e.call(ctx, op, args)
			a.transacted(op, err)
			done(v, err)
		})
		return
	}
	a.e.s.wg.Go(func() { done(a.e.call(a.ctx, op, args)) })
}

// transacted keeps whether the run has a transaction open. One that nobody
// waited for is undone when its run ends: else what later runs of the object
// write would be part of it, and never stored.
func (a *attempt) transacted(op string, err error) {
	switch {
	case op == "storage.begin" && err == nil:
		a.inside++
		a.opened.Store(true)
		if a.ctx.Err() != nil && a.opened.Swap(false) { // the run ended meanwhile
			a.e.s.platform.Rollback(a.e.caller())
		}
	case op == "storage.end":
		if a.inside = max(0, a.inside-1); a.inside == 0 {
			a.opened.Store(false)
		}
	}
}

// inTurn runs f once the run's earlier calls of the same Worker or object have
// been sent there, so that they arrive in the order in which they were made.
// f says when its own was.
func (a *attempt) inTurn(to webapi.Target, f func(began func())) {
	to.Binding = ""
	if to.Type == "durable" {
		to.Props = "" // what is known of an object, which does not tell it apart
	}
	before, mine := a.turns[to], make(chan struct{})
	if a.turns == nil {
		a.turns = map[webapi.Target]chan struct{}{}
	}
	a.turns[to] = mine
	began := sync.OnceFunc(func() { close(mine) })
	a.e.s.wg.Go(func() {
		defer began()
		over := a.ctx.Done()
		if to.Type == "storage" {
			over = nil // its calls end, and their order counts to the last
		}
		if before != nil {
			select {
			case <-before:
			case <-over:
			}
		}
		f(began)
	})
}

// Fetch implements runner.Handler.
func (a *attempt) Fetch(to webapi.Target, r *webapi.Request, done func(*webapi.Response, error)) {
	a.effect.Store(true)
	if to.Type == "service" || to.Type == "durable" {
		a.inTurn(to, func(began func()) { a.fetchGated(to, r, began, done) })
		return
	}
	a.e.s.wg.Go(func() { a.fetchGated(to, r, nil, done) })
}

// End implements runner.Handler.
func (a *attempt) End(end runner.End) {
	a.unhook()
	a.cancel(errRunOver)
	opened := a.opened.Swap(false)
	cpu := (end.Summary.CPU + end.Summary.Beside) * 1000
	if end.Lost == runner.LostGuilty {
		cpu = int64(a.e.group.worker.Limits.CPU)
	}
	if a.e.object != "" && (opened || end.Lost != runner.NotLost || end.Spent) {
		a.e.s.platform.Rollback(a.e.caller())
	}
	state, live := a.e.s.leave(a.t, cpu, end)
	if a.back != nil {
		a.back()
	}
	a.end = end
	headed := a.isHeaded()
	a.retry = end.Lost != runner.NotLost && end.Lost != runner.LostGuilty && a.again && !headed && (end.Lost == runner.LostRefused || !a.effect.Load()) &&
		(end.Lost != runner.LostSuspect || a.e.separable())
	a.e.s.judge(a, end)
	if a.retry {
		close(a.ended)
		return
	}
	a.finish(end, state, live, headed)
	close(a.ended)
}

func (a *attempt) isHeaded() bool {
	select {
	case <-a.headed:
		return true
	default:
		return false
	}
}

// finish makes the summary and tells of the end.
func (a *attempt) finish(end runner.End, state trace.IsolateState, live int, headed bool) {
	e := a.e
	sum := end.Summary
	switch end.Lost {
	case runner.LostGuilty, runner.LostSuspect:
		sum.Fault = lostFault(end)
	case runner.LostInnocent:
		sum.Fault = platformFault()
	case runner.LostRefused:
		sum.Fault = &trace.Fault{
			Kind: trace.FaultPlatform, Message: "The isolate was gone before this request began. Run again.",
			Hint: "Another request in the same isolate may have been stopped at a limit; see its run.",
		}
	}
	if end.Lost != runner.NotLost {
		sum.CPU = 0
		if e.s.ctx.Err() == nil {
			e.s.cfg.Log.Warn("run lost", "run", e.id, "why", end.Why)
		}
	}
	sum.Outcome = "ok"
	if sum.Fault != nil {
		sum.Outcome = string(sum.Fault.Kind)
		if told := a.fault.Load(); sum.Fault != told && !sameFault(sum.Fault, told) {
			e.tell(trace.Event{At: e.chain.at(), Kind: trace.KindFault, Fault: sum.Fault})
		}
	}
	streamEnd := e.chain.at()
	for _, sp := range sum.Spans {
		if sp.Phase == trace.PhaseStream {
			streamEnd = min(sp.End, streamEnd)
		}
	}
	if headed {
		a.phase(trace.PhaseStream, streamEnd)
		sum.Status = a.head.Status
	} else {
		a.phase(trace.PhaseHandle, streamEnd)
		if e.typ == "fetch" {
			sum.Status = 500
			a.head = runner.Head{ResponseHead: trace.ResponseHead{Status: 500}}
			if !e.nested {
				head := a.head.ResponseHead
				e.tell(trace.Event{At: a.lastEnd, Kind: trace.KindResponse, Response: &head})
			}
		}
	}
	sum.Run, sum.Worker, sum.Route, sum.Isolate, sum.Engine = e.id, e.group.worker.Name, e.route, a.t.iso.id, engineName
	sum.Temperature = trace.Warm
	if a.t.cold {
		sum.Temperature = trace.Cold
	}
	sum.Spans = append(append([]trace.Span(nil), e.spans...), a.spans...)
	sum.Wall = e.chain.at()
	sum.Isolates = live
	if sum.Memory == 0 {
		sum.Memory = state.Private
	}
	e.s.reached.run(&sum)
	a.sum = &sum
	if !e.nested {
		e.tell(trace.Event{At: sum.Wall, Kind: trace.KindDone, Summary: &sum})
	}
}

func sameFault(a, b *trace.Fault) bool {
	return b != nil && a.Kind == b.Kind && a.Message == b.Message
}

// response is what Invoke gives its caller.
func (a *attempt) response() *Response {
	r := &Response{Run: a.e.id, Head: a.head.ResponseHead, Socket: nil, Summary: a.summary}
	if a.head.Socket != nil {
		r.Socket = a.head.Socket
	} else if a.head.Body != nil && !(a.head.Whole && len(a.head.First) == 0) {
		r.Body = a.head.Body
	}
	if !a.head.Whole || r.Socket != nil {
		r.Body, r.Socket = a.gated(r.Body, r.Socket)
	}
	switch {
	case a.e.typ == "fetch":
		if r.Head.Status >= 500 && r.Body == nil && len(r.Head.Headers) == 0 {
			r.Fault = a.stopped()
		}
	case a.result != nil:
		r.Result = a.result
	default:
		r.Result = a.end.Result
	}
	return r
}

// stopped is the fault that kept the Worker from answering, nil when it did answer.
func (a *attempt) stopped() *trace.Fault {
	select {
	case <-a.ended:
		return a.sum.Fault
	default:
		return a.fault.Load()
	}
}

// summary waits for the run's end, and until its watcher has been told.
func (a *attempt) summary(ctx context.Context) (*trace.Summary, error) {
	select {
	case <-a.ended:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	return a.sum, a.e.told(ctx)
}
