package webapi

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"coldstart/sandbox/isolate"
	"coldstart/sandbox/trace"
)

// run is one invocation in progress. Its fields belong to the isolate's turns.
type run struct {
	w       *Worker
	id      int
	inv     Invocation
	sink    Sink
	account *isolate.Account
	began   time.Time
	wall    *time.Timer
	stop    func() bool // undoes watching the caller's context

	headed    bool         // the response head, or the result, was given
	ended     bool         // nothing more will be given
	done      bool         // waitUntil is over
	finishing bool         // all is done; the turn under way is the last
	closing   bool         // its last socket closed, whose handler may have more to do
	lingers   bool         // all is done, but for what it works on for another run: see lends
	lent      int          // streams of it that another isolate may still read
	aside     bool         // it takes no place: see giveWay
	over      bool         // Done was called
	quiet     bool         // nothing is pending for it
	told      *trace.Fault // the last that its sink was told of
	status    int
	headAt    int64
	lastByte  int64
	sent      int64
	fault     *trace.Fault
	calls     []trace.Call
	callCount int
	// bindingCount is how many calls of bindings it made.
	bindingCount int
	logs         int
	logBytes     int
	treeBytes    int // of the values beside the log's text
	faults       int // exceptions told of
	dropped      int
	sockets      int // open ones that keep the run alive
	bodies       []int
	codecs       []int
	socketID     int
	used         bool          // it left timers or operations in the isolate
	keys         int           // weight of the RSA keys that it asked for
	beside       atomic.Int64  // microseconds that making them took
	gone         chan struct{} // closed when it is over
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// Invoke runs one event. It returns at once; everything the event produces
// goes to sink, from the isolate's goroutine, until Sink.Done. When ctx ends,
// the run is canceled; when it ends for ErrUnread, only what the run still sends.
func (w *Worker) Invoke(ctx context.Context, inv Invocation, sink Sink) error {
	r := &run{w: w, inv: inv, sink: sink, began: time.Now(), gone: make(chan struct{})}
	r.account = &isolate.Account{Run: inv.Run, Limit: w.limits.CPU, Owner: r, Quiet: r.onQuiet, End: r.onEnd}
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return ErrClosed
	}
	r.account.Gate = w.gate(inv)
	if ctx.Done() != nil {
		r.stop = context.AfterFunc(ctx, func() {
			if errors.Is(context.Cause(ctx), ErrUnread) {
				r.unread()
			} else {
				r.abort(gone())
			}
		})
	}
	r.wall = time.AfterFunc(cmp.Or(inv.Wall, w.limits.Wall), func() {
		r.abort(w.wallFault())
		// Its own code may be what keeps the isolate from ending it.
		time.AfterFunc(wallGrace, func() { w.loop.StopTurn(r.account, errWall) })
	})
	w.unbegun[r] = true
	if w.full() && !inv.ofStub() {
		w.waiting = append(w.waiting, r)
		w.mu.Unlock()
		return nil
	}
	w.active++
	w.mu.Unlock()
	if r.begin() != nil && r.drop() {
		return ErrClosed
	}
	return nil
}

// full reports whether as many runs are open as may be. w.mu is held.
func (w *Worker) full() bool { return w.active-w.aside >= w.limits.Requests }

// ofStub reports whether an event is a call of a stub. Whoever passed the stub on
// may be waiting for it, so that it cannot wait for a place itself.
func (inv *Invocation) ofStub() bool {
	return inv.Type == "rpc" && len(inv.Payload) > 0 && inv.Payload[0] == 0
}

// giveWay lets another run begin in the place of one that works on nothing of its
// own: those that wait for a place may be what it waits for.
func (r *run) giveWay() {
	w := r.w
	w.mu.Lock()
	defer w.mu.Unlock()
	if !r.aside && !r.over {
		r.aside = true
		w.aside++
		w.admit()
	}
}

// admit begins runs that wait while there is room. w.mu is held.
func (w *Worker) admit() {
	for !w.full() && len(w.waiting) > 0 && !w.closed {
		next := w.waiting[0]
		w.waiting = w.waiting[1:]
		if next.begin() == nil {
			w.active++
		}
	}
}

// lend keeps the run open for a stream that another isolate may read, or with
// false no longer.
func (r *run) lend(on bool) error {
	if on {
		r.lent++
		r.used = true
		r.giveWay()
		return nil
	}
	if r.lent--; r.lent > 0 {
		return nil
	}
	return r.w.loop.Post(r.account, func(isolate.Isolate) error { return nil }) // it may be quiet now
}

// gate is that of the Durable Object an event is for, nil for none. A stub's
// address is that of its isolate, then "@" and the object's. w.mu is held.
func (w *Worker) gate(inv Invocation) *isolate.Gate {
	object := inv.Entrypoint + "@" + inv.Object
	if _, behind, ok := strings.Cut(inv.Object, "@"); ok {
		object = behind
	} else if inv.Object == "" || inv.Entrypoint == "" {
		return nil
	}
	g := w.gates[object]
	if g == nil {
		g = &isolate.Gate{}
		w.gates[object] = g
	}
	return g
}

// begin queues the run's first turn.
func (r *run) begin() error {
	w := r.w
	return w.loop.Post(r.account, func(iso isolate.Isolate) error {
		w.mu.Lock()
		mine := w.unbegun[r]
		delete(w.unbegun, r)
		w.mu.Unlock()
		if !mine { // dropped while it waited
			return nil
		}
		w.lastRun++
		r.id = w.lastRun
		w.runs[r.id] = r
		return r.enter(iso)
	})
}

// drop takes back a run whose first turn has not begun, and reports whether it could.
func (r *run) drop() bool {
	w := r.w
	w.mu.Lock()
	mine := w.unbegun[r]
	delete(w.unbegun, r)
	if at := slices.Index(w.waiting, r); at >= 0 {
		w.waiting = slices.Delete(w.waiting, at, at+1)
	} else if mine {
		w.active--
	}
	w.mu.Unlock()
	if mine {
		r.unwatch()
	}
	return mine
}

// unwatch stops what could end the run from outside.
func (r *run) unwatch() {
	r.wall.Stop()
	if r.stop != nil {
		r.stop()
	}
}

// wallGrace is how long a turn may go on after its run's time is over.
const wallGrace = 50 * time.Millisecond

var errWall = errors.New("wall time limit")

func (w *Worker) wallFault() *trace.Fault {
	return &trace.Fault{Kind: trace.FaultWall, Message: "Time limit: no answer within " + trace.WaitText(w.limits.Wall) + ".", Hint: "Await less, or answer first and continue in ctx.waitUntil()."}
}

// late says what of the run was not over in time, where that is not its answer.
func (r *run) late(f *trace.Fault) {
	limit := trace.WaitText(r.w.limits.Wall)
	switch {
	case r.sockets > 0:
		f.Message, f.Hint = "Time limit: a WebSocket that this request opened was still connected after "+limit+".", "Close it when all is said: it ends with the request that opened it."
	case r.closing:
		f.Message, f.Hint = "Time limit: the WebSocket closed, but what was waited for then had not ended after "+limit+".", "Await less when it closes."
	case r.ended:
		f.Message, f.Hint = "Time limit: the answer was given, but what ctx.waitUntil() waits for had not ended after "+limit+".", "Start less after the answer, or spread it over several requests."
	case r.headed:
		f.Message, f.Hint = "Time limit: the answer's body had not ended after "+limit+".", "Send less, write it sooner, and close the stream when all is written."
	case r.inv.Type == "queue" || r.inv.Type == "scheduled" || r.inv.Type == "alarm":
		f.Message, f.Hint = "Time limit: the "+r.inv.Type+" handler had not ended after "+limit+".", "Await less, or spread the work over several events."
	}
}

// abort ends the run from outside its turns. One that waits for its first turn
// behind a busy isolate is over at once.
func (r *run) abort(f *trace.Fault) {
	if r.drop() {
		r.w.loop.CloseAccount(r.account)
		r.sink.Event(trace.Event{Run: r.inv.Run, Kind: trace.KindFault, At: r.at(), Fault: f})
		r.sink.Done(trace.Summary{Run: r.inv.Run, Worker: r.w.cfg.Worker.Name, Isolate: r.w.cfg.ID, Engine: r.w.cfg.Engine.Name(), Outcome: string(f.Kind), Wall: r.at(), Fault: f})
		return
	}
	_ = r.w.loop.Post(r.account, func(iso isolate.Isolate) error {
		var err error
		if r.lingers { // it answered in time
			r.finish()
			return nil
		}
		if f.Kind == trace.FaultWall && !r.over {
			r.late(f)
			err = r.placeWait(iso, f)
		}
		r.fail(f)
		r.finish()
		return err
	})
}

// ErrUnread is why a run's context ends when nobody reads its answer any more.
var ErrUnread = errors.New("the reader went away")

// unread cancels the sources of what the run sends.
func (r *run) unread() {
	_ = r.w.loop.Post(r.account, func(iso isolate.Isolate) error { // a run that is over sends nothing
		if r.over {
			return nil
		}
		_, err := iso.Call("unread", r.id)
		return err
	})
}

// placeWait puts a fault where the program began what the run waits for.
func (r *run) placeWait(iso isolate.Isolate, f *trace.Fault) error {
	stack, err := iso.Call("waitsAt", r.id)
	if text, ok := stack.(string); ok {
		r.w.stacks.place(f, text)
	}
	return err
}

// enter calls into the isolate with the event.
func (r *run) enter(iso isolate.Isolate) error {
	inv := &r.inv
	var err error
	switch inv.Type {
	case "", "fetch":
		req := inv.Request
		body, length, id := []byte(nil), int64(0), 0
		var bytes isolate.Value
		if req.Body != nil {
			b := r.addBody(req.Body, req.Length)
			id, length = b.id, req.Length
			if body = b.whole(); body != nil {
				bytes, id = body, 0
			}
		}
		_, err = iso.Call("fetch", r.id, some(inv.Entrypoint), some(inv.Object), some(inv.Props), req.Method, req.URL, joinHeaders(req.Headers), id, length, bytes, some(req.CF))
	case "rpc":
		method, args, _ := strings.Cut(string(inv.Payload), "\n")
		_, err = iso.Call("rpc", r.id, some(inv.Entrypoint), some(inv.Object), some(inv.Props), method, args)
	default:
		_, err = iso.Call("event", r.id, some(inv.Entrypoint), some(inv.Object), some(inv.Props), inv.Type, string(inv.Payload))
	}
	return err
}

// some is a text, or undefined in place of an empty one: that costs nothing to pass.
func some(s string) isolate.Value {
	if s == "" {
		return nil
	}
	return s
}

// joinHeaders is the form in which headers cross: names in lower case and
// values on lines in turn.
func joinHeaders(list [][2]string) string {
	if len(list) == 0 {
		return ""
	}
	var b strings.Builder
	for i, h := range list {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(strings.ToLower(h[0]))
		b.WriteByte('\n')
		b.WriteString(cleanValue(h[1]))
	}
	return b.String()
}

func cleanValue(v string) string {
	if strings.ContainsAny(v, "\n\r") {
		v = strings.Map(func(c rune) rune {
			if c == '\n' || c == '\r' {
				return ' '
			}
			return c
		}, v)
	}
	return strings.Trim(v, " \t")
}

func splitHeaders(s string) [][2]string {
	if s == "" {
		return nil
	}
	parts := strings.Split(s, "\n")
	out := make([][2]string, 0, len(parts)/2)
	for i := 0; i+1 < len(parts); i += 2 {
		out = append(out, [2]string{parts[i], parts[i+1]})
	}
	return out
}

func runOps(o *isolate.Ops) {
	o.Add("loaded", func(h *isolate.Loop, _ []isolate.Value) (isolate.Value, error) {
		of(h).loadCPU = h.CPU()
		of(h).loading.end(nil)
		return nil, nil
	})
	o.Add("loaded.failed", func(h *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		w := of(h)
		f := w.exception(str(args, 0), str(args, 1), str(args, 2), str(args, 3))
		f.Kind = trace.FaultStartup
		w.loading.end(f)
		return nil, nil
	})
	// respond: run, status, statusText, headers, body, socket (-1: a stream follows), more, length; the last ones may be left out
	o.Add("respond", func(h *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		r := of(h).runs[integer(args, 0)]
		if r == nil || r.headed || r.over {
			return nil, nil
		}
		r.respond(args)
		return nil, nil
	})
	o.Add("done", func(h *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		if r := of(h).runs[integer(args, 0)]; r != nil {
			r.done = true
			r.maybeFinish()
		}
		return nil, nil
	})
	// fail: run, name, message, stack, kind, causes
	o.AddLast("fail", func(args []isolate.Value) bool { return str(args, 2) == outOfMemory }, func(h *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		if r := of(h).runs[integer(args, 0)]; r != nil {
			f := r.w.exception(str(args, 1), str(args, 2), str(args, 3), str(args, 5))
			if len(f.Frames) == 0 && strings.HasPrefix(f.Message, usedBody) {
				r.w.placeHandler(f, r.inv.Entrypoint)
			}
			if kind := str(args, 4); kind != "" {
				f.Kind = trace.FaultKind(kind)
				if f.Kind == trace.FaultHandler {
					f.Name, f.Frames, f.Code = "", nil, ""
					r.w.placeHandler(f, r.inv.Entrypoint)
					switch h := r.w.stacks.nearlyFetch(f); {
					case r.inv.Entrypoint != "" && strings.Contains(f.Message, "not export a fetch"):
						f.Hint = "Add async fetch(request) { … } to " + r.inv.Entrypoint + ", or call another of its methods."
					case h != "":
						f.Hint = h
					}
				}
			}
			r.uncaught(f)
			r.fail(f)
		}
		return nil, nil
	})
	o.Add("result", func(h *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		if r := of(h).runs[integer(args, 0)]; r != nil && !r.ended {
			r.headed, r.ended = true, true
			r.headAt = r.at()
			r.lastByte = r.headAt
			h.Aside(func() { r.sink.Result([]byte(str(args, 1))) })
		}
		return nil, nil
	})
	// uncaught: run, name, message, stack, causes
	o.Add("uncaught", func(h *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		w := of(h)
		f := w.exception(str(args, 1), str(args, 2), str(args, 3), str(args, 4))
		if r := w.runs[integer(args, 0)]; r != nil {
			r.uncaught(f)
		} else if r := runOf(h); r != nil {
			r.uncaught(f)
		}
		return nil, nil
	})
}

// at is the time in the run, in microseconds.
func (r *run) at() int64 { return time.Since(r.began).Microseconds() }

func (r *run) event(e trace.Event) {
	if r.over {
		return
	}
	e.Run, e.At, e.Worker = r.inv.Run, r.at(), r.w.cfg.Worker.Name
	if e.Fault != nil {
		r.told = e.Fault
	}
	r.sink.Event(e)
}

// faultsMax is how many exceptions of one run are told of: a loop can reject
// ten thousand promises, and each would come with an excerpt of the code.
const faultsMax = 100

// uncaught records an exception nobody caught.
func (r *run) uncaught(f *trace.Fault) {
	if r.fault == nil && f.Kind != trace.FaultException {
		r.fault = f
	}
	if f.Kind == trace.FaultException {
		if r.faults >= faultsMax {
			r.tooMany(itoa(faultsMax) + " uncaught errors")
			return
		}
		r.faults++
	}
	r.event(trace.Event{Kind: trace.KindFault, Fault: f})
}

func (r *run) respond(args []isolate.Value) {
	head := trace.ResponseHead{Status: integer(args, 1), StatusText: str(args, 2), Headers: splitHeaders(str(args, 3))}
	var body []byte
	switch b := arg(args, 4).(type) {
	case string:
		body = []byte(wellFormed(b))
	case []byte:
		body = b
	}
	socket, more := integer(args, 5), flag(args, 6)
	if head.Length = int64(len(body)); socket == -1 {
		head.Length = max(0, int64(num(args, 7)))
	}
	head.Encoded = flag(args, 8)
	if r.inv.Request != nil && r.inv.Request.Method == "HEAD" {
		body = nil
	}
	if int64(len(body)) > r.w.limits.Body {
		f := r.bodyFault()
		r.fail(f)
		r.finish()
		return
	}
	r.headed, r.status, r.headAt = true, head.Status, r.at()
	r.sent = int64(len(body))
	streaming := socket == -1
	var err error
	r.w.loop.Aside(func() { err = r.sink.Head(head, body, !streaming && socket == 0) })
	if err != nil {
		f := gone()
		if known, ok := errors.AsType[*FaultError](err); ok {
			f = known.Fault
			r.headed, r.sent = false, 0 // nothing was given
		}
		r.fail(f)
		r.finish()
		return
	}
	switch {
	case socket > 0:
		r.socketID = socket
		r.connect(socket)
		r.ended = true
		if r.sockets > 0 {
			r.wall.Stop() // a connection may last; what is left when it closes has its own time, see socket.end
			r.giveWay()
		}
	case !streaming:
		r.ended = true
	}
	r.lastByte = r.at()
	if !more {
		r.done = true
	}
	r.maybeFinish()
}

func gone() *trace.Fault {
	return &trace.Fault{Kind: trace.FaultCanceled, Message: "The client went away before the response was complete."}
}

func (r *run) bodyFault() *trace.Fault {
	return &trace.Fault{Kind: trace.FaultLimit, Message: "The response body is larger than " + trace.SizeText(r.w.limits.Body) + ".", Hint: "Send less, or in several responses."}
}

// fail gives the failure as the outcome, where there is none yet.
func (r *run) fail(f *trace.Fault) {
	if r.over {
		return
	}
	if r.fault == nil {
		r.fault = f
	}
	switch {
	case !r.headed:
		if r.told != f && f.Kind != trace.FaultCanceled { // before the bare head, which says nothing
			r.event(trace.Event{Kind: trace.KindFault, Fault: f})
		}
		r.headed, r.ended = true, true
		r.headAt = r.at()
		r.lastByte = r.headAt
		if r.inv.Type == "" || r.inv.Type == "fetch" {
			r.status = 500
			_ = r.sink.Head(trace.ResponseHead{Status: 500, StatusText: "Internal Server Error"}, nil, true) // a client that is gone loses nothing
		} else {
			r.sink.Result(nil)
		}
	case !r.ended:
		r.ended = true
		r.lastByte = r.at()
		r.w.loop.Aside(func() { r.sink.End(&FaultError{f}) })
	}
}

// FaultError is a fault as a Go error.
type FaultError struct{ Fault *trace.Fault }

func (e *FaultError) Error() string { return e.Fault.Message }

// maybeFinish ends the run when nothing of it is left to do: with the turn when
// it is one of the run's own, because what is rejected in it without a handler is
// told at its end.
func (r *run) maybeFinish() {
	switch {
	case !r.done || !r.ended || r.sockets > 0:
	case r.w.loop.Account() == r.account:
		r.finishing = true
	default:
		r.close()
	}
}

// onEnd is the end of one of the run's turns.
func (r *run) onEnd(isolate.Isolate) error {
	if r.finishing {
		r.finishing = false
		r.close()
	}
	return nil
}

// lends reports whether a Durable Object's run works on something when all else of
// it is done: on what webSocketClose awaits, or while another
// request of the object waits: what it resolved may have had that one go on, and
// what that one then asked for came out of this one's turn.
func (r *run) lends() bool {
	if r.inv.Object == "" || r.w.loop.Pending(r.account) == 0 {
		return false
	}
	if r.closing {
		return true
	}
	for _, o := range r.w.runs {
		if o != r && !o.ended && o.inv.Object == r.inv.Object && o.inv.Entrypoint == r.inv.Entrypoint {
			return true
		}
	}
	return false
}

// close finishes a run of which nothing is left to do, once nobody needs it.
func (r *run) close() {
	if r.lingers = r.lends(); r.lingers {
		r.giveWay()
	} else {
		r.finish()
	}
}

// finish closes the run; it must be inside a turn of the isolate.
func (r *run) finish() {
	if r.over {
		return
	}
	if !r.ended {
		r.fail(&trace.Fault{Kind: trace.FaultCanceled, Message: "The run was canceled."})
	}
	w := r.w
	cpu := r.account.CPU()
	if w.loop.Account() == r.account {
		cpu = w.loop.CPU()
	}
	outcome := "ok"
	if r.fault != nil {
		outcome = string(r.fault.Kind)
	}
	wall := r.at()
	memory := w.weigh(r.sink, r.inv.Weigh)
	w.cpu.Add(cpu.Microseconds())
	s := trace.Summary{
		Run: r.inv.Run, Worker: w.cfg.Worker.Name, Isolate: w.cfg.ID, Engine: w.cfg.Engine.Name(), Outcome: outcome, Status: r.status,
		Spans: []trace.Span{{Phase: trace.PhaseHandle, Start: 0, End: r.headAt}, {Phase: trace.PhaseStream, Start: r.headAt, End: wall}},
		Calls: r.calls, CPU: cpu.Microseconds(), Memory: memory, Wall: wall, BodyBytes: r.sent, Logs: r.logs, LogsDropped: r.dropped, Fault: r.fault,
		CallsRefused: max(0, r.callCount-w.limits.Calls) + max(0, r.bindingCount-w.limits.Calls*bindingCalls), Beside: r.beside.Load(),
	}
	r.over = true
	close(r.gone)
	r.unwatch()
	for _, id := range r.bodies {
		if b := w.bodies[id]; b != nil {
			b.close()
			delete(w.bodies, id)
		}
	}
	for _, id := range r.codecs {
		if c := w.codecs[id]; c != nil {
			c.close()
			delete(w.codecs, id)
		}
	}
	if r.closing {
		maps.DeleteFunc(w.sockets, func(_ int, s *socket) bool { return s.run == r && s.gone })
	}
	if r.sockets > 0 { // whoever is at their other ends would wait for nothing
		for _, s := range w.sockets {
			if s.run == r && s.accepted && !s.gone && !s.closed && s.remote != nil {
				s.closed = true
				w.loop.Aside(func() { s.remote.Close(1011, "") })
			}
		}
	}
	w.dropTimers(r)
	delete(w.runs, r.id)
	w.loop.CloseAccount(r.account)
	w.loop.Aside(func() { r.sink.Done(s) })
	w.ended(r)
}

// ended makes room for the next waiting run.
func (w *Worker) ended(r *run) {
	w.mu.Lock()
	w.served++
	if r.id != 0 {
		w.active--
	}
	if r.aside {
		w.aside--
	}
	w.admit()
	closed := w.closed
	w.mu.Unlock()
	if closed {
		return
	}
	for _, o := range w.runs {
		if o.lingers && !o.lends() {
			_ = w.loop.Post(o.account, func(isolate.Isolate) error { // nobody waits for it now
				if o.lingers && !o.lends() {
					o.finish()
				}
				return nil
			})
		}
	}
	// A run that waits for nothing may have waited for this one. What this turn
	// resolved reaches it before the next turn.
	if len(w.runs) > 0 && w.allQuiet() {
		_ = w.loop.Post(&isolate.Account{Run: "quiet"}, func(isolate.Isolate) error {
			w.hangs()
			return nil
		})
	}
	if r.used {
		_ = w.loop.Post(&isolate.Account{Run: "over"}, func(iso isolate.Isolate) error {
			_, err := iso.Call("over", r.id)
			return err
		})
	}
}

func (w *Worker) allQuiet() bool {
	for _, r := range w.runs {
		if !r.isQuiet() {
			return false
		}
	}
	return true
}

func (r *run) isQuiet() bool {
	return r.quiet && r.sockets == 0 && r.lent == 0 && r.w.loop.Pending(r.account) == 0
}

// onQuiet runs when nothing is pending for the run: whatever its handler
// awaits can only come from another run of the isolate, and if those wait for
// nothing either, it never will.
func (r *run) onQuiet(isolate.Isolate) error {
	if r.over {
		return nil
	}
	if r.inv.Object != "" {
		r.giveWay() // another request of the object may be what it waits for
	}
	if r.sockets > 0 || r.lent > 0 {
		return nil
	}
	if r.lingers {
		r.finish()
		return nil
	}
	r.quiet = true
	r.w.hangs()
	return nil
}

// hangs ends all runs when each waits for nothing but another. A Durable Object's
// that has not answered goes on until its time is over: requests wait for one
// another there, and the next may come whenever it likes.
func (w *Worker) hangs() {
	if w.allQuiet() {
		for _, r := range w.runs {
			if r.inv.Object == "" || r.ended {
				r.hung()
			}
		}
	}
}

// hung ends a run whose promise can never settle.
func (r *run) hung() {
	if r.over {
		return
	}
	if !r.ended {
		f := &trace.Fault{
			Kind: trace.FaultHung, Name: "Error", Message: "This promise will never resolve: the handler waits, but no timer, request or other work is left that could wake it.",
			Hint: "Resolve or reject the promise on every path, or do not await it.",
		}
		if at := r.w.stacks.promise(); at != nil {
			f.Frames, f.Code = []trace.Frame{*at}, r.w.stacks.code(*at)
		}
		r.fail(f)
	}
	r.finish()
}
