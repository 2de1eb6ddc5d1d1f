package runner

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"coldstart/sandbox/trace"
	"coldstart/sandbox/webapi"
)

const (
	// headWait is how long a head whose body is complete waits for the run's
	// end, to leave in one write with it.
	headWait = 200 * time.Microsecond
	// eventWait is how long events wait for others to leave with them.
	eventWait = 5 * time.Millisecond
	// headBody is how much of a body travels in the head's frame.
	headBody = 256 << 10
)

// childRun is one run in the child: the sink that its isolate writes to, and
// the place where the parent's answers arrive.
type childRun struct {
	c      *child
	n      uint64
	id     string
	typ    string
	iso    *childIsolate
	origin int64 // monotonic nanoseconds at which the run's clock is 0
	shift  int64 // microseconds from there to its begin here
	in     *inStream
	out    *outStream
	client *socket

	loadCPU int64 // microseconds, when the isolate was made for this run

	mu        sync.Mutex
	events    []trace.Event
	timer     *time.Timer // flushes events or a held head
	result    []byte
	has       bool
	head      bool
	streams   bool // the body goes by the stream
	socket101 bool // the response is an accepted upgrade
	ending    bool // Done was called
	done      bool // the run is over; nothing is sent any more
	calls     map[uint32]func(any, error)
	flights   map[uint32]int // weights of large calls that were sent and not answered
	flying    int            // of all those
	waiting   []waitingCall  // in order
	waits     int            // bytes of those
	storing   map[uint32]int // calls of an object's storage that were sent and not answered, with their bytes
	stored    int            // all those
	arrived   int            // bytes of large answers that the isolate has not taken yet
	room      sync.Cond      // of mu: one of those was answered, or the run is over
	fetches   map[uint32]*childFetch
	next      uint32
}

type childFetch struct {
	done func(*webapi.Response, error)
	out  *outStream // the request's body
	in   *inStream  // the response's body
	sock *socket
}

func (c *child) start(n uint64, m startMsg) {
	run := &childRun{c: c, n: n, id: m.Run, typ: m.Type, origin: m.Origin, calls: map[uint32]func(any, error){}, fetches: map[uint32]*childFetch{}}
	run.room.L = &run.mu
	run.out = newOutStream(c.conn, n, 0)
	inv := webapi.Invocation{
		Run: m.Run, Type: m.Type, Payload: m.Payload, Entrypoint: m.Entrypoint, Object: m.Object,
		Props: m.Props, Depth: m.Depth, Root: m.Root, Wall: m.Wall, Weigh: m.Weigh,
	}
	if q := m.Request; q != nil {
		r := &webapi.Request{Method: q.Method, URL: q.URL, Headers: q.Headers, Length: q.Length, CF: q.CF}
		if q.Has {
			if q.More {
				run.in = newInStream(c.conn, n, 0)
				r.Body = run.in.first(q.Body, true)
			} else {
				r.Body = webapi.NewMemory(q.Body)
			}
		}
		inv.Request = r
	}
	if m.Upgrade {
		run.client = newSocket(c.conn, n, 0)
		inv.Socket = run.client
	}
	c.mu.Lock()
	iso := c.isolates[m.Isolate]
	w := c.workers[m.Worker]
	made := false
	if iso == nil && m.New && w != nil {
		iso = &childIsolate{number: m.Isolate, ready: make(chan struct{})}
		c.isolates[m.Isolate] = iso
		made = true
	}
	if iso == nil || c.runs[n] != nil {
		c.mu.Unlock()
		_ = c.conn.send(queued, kindRefused, n, nil)
		return
	}
	run.iso = iso
	c.runs[n], c.byID[m.Run] = run, run
	open := iso.open
	if !made && !open {
		iso.waiting = append(iso.waiting, func() { run.begin(inv) })
	}
	c.mu.Unlock()
	if made {
		go func() {
			at := (monotonic() - m.Origin) / 1000
			s := c.make(iso, WorkerSpec{Name: m.Name, Worker: w, Limits: m.Limits}, m.Slot)
			run.phase(trace.PhaseStart, at, s.Start)
			run.phase(trace.PhaseLoad, at+s.Start.Microseconds(), s.Load)
			run.loadCPU = s.LoadCPU.Microseconds()
			run.begin(inv)
			c.openTo(iso)
		}()
		return
	}
	if !open {
		return // the isolate's maker begins it
	}
	run.begin(inv)
}

// openTo begins the runs that came while an isolate was being made.
func (c *child) openTo(iso *childIsolate) {
	for {
		c.mu.Lock()
		list := iso.waiting
		iso.waiting, iso.open = nil, len(list) == 0
		c.mu.Unlock()
		if len(list) == 0 {
			return
		}
		for _, begin := range list {
			begin()
		}
	}
}

// phase tells of a phase that the isolate's making took.
func (r *childRun) phase(p trace.Phase, at int64, took time.Duration) {
	if took > 0 {
		span := trace.Span{Phase: p, Start: at, End: at + took.Microseconds()}
		r.mu.Lock()
		r.events = append(r.events, trace.Event{Run: r.id, At: span.End, Kind: trace.KindPhase, Span: &span})
		r.arm(eventWait)
		r.mu.Unlock()
	}
}

// begin hands the run to its isolate.
func (r *childRun) begin(inv webapi.Invocation) {
	r.shift = (monotonic() - r.origin) / 1000
	if f := r.iso.fault; f != nil {
		r.Done(trace.Summary{Run: r.id, Outcome: string(f.Kind), Fault: f})
		return
	}
	if r.iso.err != nil {
		r.Done(trace.Summary{Run: r.id, Outcome: string(trace.FaultPlatform), Fault: &trace.Fault{
			Kind: trace.FaultPlatform, Message: "Our isolate did not start: " + r.iso.err.Error() + ". It was not your code.",
		}})
		return
	}
	if r.iso.worker.Invoke(inv, r) != nil {
		r.Refused()
	}
}

// Refused implements webapi.Sink.
func (r *childRun) Refused() {
	r.mu.Lock()
	r.ending = true
	r.mu.Unlock()
	r.c.drop(r)
	_ = r.c.conn.send(now, kindRefused, r.n, nil)
}

// drop forgets a run.
func (c *child) drop(r *childRun) {
	c.mu.Lock()
	delete(c.runs, r.n)
	if c.byID[r.id] == r {
		delete(c.byID, r.id)
	}
	c.mu.Unlock()
}

// Head implements webapi.Sink.
func (r *childRun) Head(head trace.ResponseHead, body []byte, end bool) error {
	r.mu.Lock()
	if r.ending || r.head {
		r.mu.Unlock()
		return errStopped
	}
	r.head = true
	m := headMsg{Events: r.takeEvents(), Head: head, Body: body, End: end, At: (monotonic() - r.origin) / 1000}
	if len(body) > headBody {
		m.Body, m.End = nil, false
	}
	how := now
	if m.End {
		how = held
	}
	r.streams = !m.End
	r.socket101 = head.Status == 101 && r.client != nil
	err := errLongFrame
	if len(head.Headers) <= listMax {
		err = r.c.conn.send(how, kindHead, r.n, m)
	}
	if errors.Is(err, errLongFrame) { // a bare one may follow
		err = errLongHead
		r.head, r.streams, r.socket101 = false, false, false
		r.events = m.Events
	}
	if err == nil && m.End {
		r.arm(headWait)
	}
	r.mu.Unlock()
	if err == nil && !m.End && len(body) > 0 {
		r.out.write(now, body, func(error) {})
		if end {
			r.out.end(now, nil)
		}
	}
	return err
}

// Write implements webapi.Sink.
func (r *childRun) Write(piece []byte, ready func(error)) error {
	r.mu.Lock()
	bad := r.done || !r.head
	r.mu.Unlock()
	if bad {
		return errStopped
	}
	r.out.write(now, piece, ready)
	return nil
}

// End implements webapi.Sink.
func (r *childRun) End(err error) { r.out.end(now, err) }

// Result implements webapi.Sink.
func (r *childRun) Result(payload []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ending || r.head || r.has {
		return
	}
	if r.typ == "rpc" && payload != nil {
		// The caller waits for it, and not for waitUntil.
		r.head = true
		r.sendEvents(held)
		if len(payload) > headBody { // it waits for room, and nobody for it with the lock held
			r.mu.Unlock()
			_ = r.c.conn.send(now, kindResult, r.n, payload)
			r.mu.Lock()
			return
		}
		_ = r.c.conn.send(held, kindResult, r.n, payload)
		r.arm(headWait)
		return
	}
	r.result, r.has = payload, true
}

// Event implements webapi.Sink.
func (r *childRun) Event(e trace.Event) {
	e.At += r.shift
	if e.Span != nil {
		s := *e.Span
		s.Start += r.shift
		s.End += r.shift
		e.Span = &s
	}
	if e.Call != nil {
		k := *e.Call
		k.Start += r.shift
		k.End += r.shift
		e.Call = &k
	}
	r.mu.Lock()
	if !r.done {
		r.events = append(r.events, e)
		if len(r.events) >= 64 {
			r.sendEvents(held)
		}
		r.arm(eventWait)
	}
	r.mu.Unlock()
}

// Flush implements webapi.Sink.
func (r *childRun) Flush() {
	r.c.conn.kick(now)
	yield() // on a single CPU the answer would wait for what follows all the same
}

// arm makes sure that what waits leaves within d.
func (r *childRun) arm(d time.Duration) {
	if r.timer == nil {
		r.timer = time.AfterFunc(d, func() {
			r.mu.Lock()
			r.timer = nil
			if !r.done {
				r.sendEvents(held)
			}
			r.mu.Unlock()
			r.c.conn.kick(now)
		})
	} else if d < eventWait {
		r.timer.Reset(d)
	}
}

func (r *childRun) takeEvents() []trace.Event {
	ev := r.events
	r.events = nil
	return ev
}

func (r *childRun) sendEvents(m mode) {
	if len(r.events) > 0 {
		_ = r.c.conn.send(m, kindEvents, r.n, r.takeEvents())
	}
}

// Done implements webapi.Sink. A body that still waits for a slow reader
// delays it.
func (r *childRun) Done(s trace.Summary) {
	r.mu.Lock()
	if r.ending {
		r.mu.Unlock()
		return
	}
	r.ending = true
	streams, socket := r.streams, r.socket101
	r.mu.Unlock()
	if socket {
		// The visitor's socket may be joined to another Worker's and outlive
		// this one's code; the run is over when the socket is.
		go func() {
			r.client.settled()
			r.finish(now, s)
		}()
		return
	}
	if !streams {
		r.finish(now, s)
		return
	}
	r.out.end(now, errors.New("the Worker stopped before the end of its response"))
	r.out.drained(func(m mode) { r.finish(m, s) })
}

func (r *childRun) finish(how mode, s trace.Summary) {
	spent := r.iso.worker == nil || r.iso.worker.Dead()
	r.mu.Lock()
	r.done = true
	r.room.Broadcast()
	if r.timer != nil {
		r.timer.Stop()
	}
	spans := make([]trace.Span, len(s.Spans))
	for i, sp := range s.Spans {
		spans[i] = trace.Span{Phase: sp.Phase, Start: sp.Start + r.shift, End: sp.End + r.shift}
	}
	s.Calls = slices.Clone(s.Calls)
	for i := range s.Calls {
		s.Calls[i].Start += r.shift
		s.Calls[i].End += r.shift
	}
	s.Spans, s.LoadCPU = spans, r.loadCPU
	s.Run, s.Worker, s.Isolate, s.Engine = "", "", "", "" // the parent knows
	m := doneMsg{Events: r.takeEvents(), Summary: s, Result: r.result, Has: r.has, Spent: spent}
	calls, fetches := r.calls, r.fetches
	r.calls, r.fetches = nil, nil
	r.mu.Unlock()
	if spent {
		r.c.mu.Lock()
		if r.c.isolates[r.iso.number] == r.iso {
			delete(r.c.isolates, r.iso.number)
			go r.c.close(r.iso)
		}
		r.c.mu.Unlock()
	} else if r.iso.worker != nil {
		m.Private = r.iso.worker.Private()
	}
	r.c.drop(r)
	if err := r.c.conn.send(how, kindDone, r.n, m); err != nil && !errors.Is(err, errClosed) {
		_ = r.c.conn.send(how, kindDone, r.n, doneMsg{Spent: spent, Summary: trace.Summary{
			Run: r.id, Outcome: string(trace.FaultLimit), Spans: spans, CPU: s.CPU, Wall: s.Wall,
			Fault: &trace.Fault{Kind: trace.FaultLimit, Message: "The record of this run is too large to keep."},
		}})
	}
	// Nobody answers these any more; the isolate may only have forgotten them.
	for _, done := range calls {
		done(nil, errStopped)
	}
	for _, f := range fetches {
		f.abandon()
	}
	if r.in != nil {
		r.in.finish(errStopped)
	}
	if r.client != nil {
		r.client.finish(sockEndMsg{Code: 1006})
	}
}

func (f *childFetch) abandon() {
	f.out.stop(errStopped)
	if f.in != nil {
		f.in.finish(errStopped)
	}
	if f.sock != nil {
		f.sock.finish(sockEndMsg{Code: 1006})
	}
	if f.done != nil {
		f.done(nil, errStopped)
	}
}

// Call implements webapi.Backend.
func (c *child) Call(run, op string, args []any, done func(any, error)) {
	r := c.run(run)
	if r == nil {
		done(nil, errStopped)
		return
	}
	if err := checkArgs(args); err != nil {
		done(nil, err)
		return
	}
	r.mu.Lock()
	if r.done {
		r.mu.Unlock()
		done(nil, errStopped)
		return
	}
	size := argBytes(args)
	r.next++
	id := r.next
	w := waitingCall{callMsg{Call: id, Op: op, Args: args}, size}
	if strings.HasPrefix(op, "storage.") {
		if large[op] && r.arrived > waitingMax {
			r.mu.Unlock()
			done(nil, errTooMuchRead)
			return
		}
		if !r.store(id, w.weight()) {
			r.mu.Unlock()
			done(nil, errStopped)
			return
		}
		r.calls[id] = done
	} else {
		if r.waits+size+callBytes > waitingMax {
			r.mu.Unlock()
			done(nil, errTooMuch)
			return
		}
		wait := len(r.waiting) > 0 || !r.fits(&w)
		r.calls[id] = done
		if wait {
			r.waiting = append(r.waiting, w)
			r.waits += size + callBytes
			r.mu.Unlock()
			return
		}
		r.fly(id, w.weight())
	}
	r.sendEvents(held)
	r.mu.Unlock()
	if err := c.conn.send(now, kindCall, r.n, w.m); err != nil {
		if errors.Is(err, errLongFrame) {
			err = errLongCall
		}
		if f, _ := r.takeCall(id, 0); f != nil {
			f(nil, fmt.Errorf("%s: %w", op, err))
		}
	}
}

// CallSync implements webapi.SyncBackend: the isolate waits for as long as the storage takes.
func (c *child) CallSync(run, op string, args []any) (any, error) {
	type answer struct {
		v   any
		err error
	}
	ch := make(chan answer, 1)
	c.Call(run, op, args, func(v any, err error) { ch <- answer{v, err} })
	a := <-ch
	if h, ok := a.v.(webapi.Handed); ok {
		h.Taken()
		return h.Value, a.err
	}
	return a.v, a.err
}

func (c *child) run(id string) *childRun {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.byID[id]
}

// takeCall ends a call whose answer has size bytes. What waits behind it goes on
// once that is in the isolate, if it is large: taken, else nil, is to be called then.
// The isolate may be busy while answers come, and they are held here, up to
// answersMax: what comes beyond it is dropped, and the caller told.
func (r *childRun) takeCall(id uint32, size int) (done func(any, error), taken func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	done = r.calls[id]
	delete(r.calls, id)
	_, storing := r.storing[id]
	if done == nil || size < flyingLeast {
		r.landed(id)
		return done, nil
	}
	if r.flights[id] == 0 && !storing && r.arrived+size > answersMax { // the others are few until they are taken
		r.landed(id)
		tell := done
		return func(any, error) { tell(nil, errTooMuchAnswered) }, nil
	}
	r.arrived += size
	if storing { // the isolate may be waiting for it
		r.landed(id)
	}
	return done, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.arrived -= size
		if !storing {
			r.landed(id)
		}
	}
}

// errLongHead is why a response with too much before its body is not given.
var errLongHead = &webapi.FaultError{Fault: &trace.Fault{
	Kind:    trace.FaultLimit,
	Message: fmt.Sprintf("The response has too many headers: %d, and %d MiB in all, are the most.", listMax, callMax>>20),
	Hint:    "Put what is long into the body.",
}}

// errLongRequest is what code catches whose subrequest has too long a head.
//
//lint:ignore ST1005 learners read it as it is
var errLongRequest = errors.New("The request's address and headers may have 1 MiB together.")

// errLongCall is what code catches that hands over more than a frame carries.
//
//lint:ignore ST1005 learners read it as it is
var errLongCall = fmt.Errorf("What this call stores or sends is larger than %d MiB, the most that it may be here.", callMax>>20)

// Fetch implements webapi.Backend.
func (c *child) Fetch(run string, to webapi.Target, q *webapi.Request, done func(*webapi.Response, error)) {
	r := c.run(run)
	if r == nil {
		done(nil, errStopped)
		return
	}
	if len(q.Headers) > listMax {
		done(nil, errLongRequest)
		return
	}
	r.mu.Lock()
	if r.done {
		r.mu.Unlock()
		done(nil, errStopped)
		return
	}
	r.next++
	id := r.next
	f := &childFetch{done: done, out: newOutStream(c.conn, r.n, id)}
	r.fetches[id] = f
	r.sendEvents(held)
	r.mu.Unlock()
	m := fetchMsg{
		Call: id, Type: to.Type, Binding: to.Binding, Worker: to.Worker, Entrypoint: to.Entrypoint,
		Class: to.Class, Object: to.Object, Props: to.Props, Request: requestOf(q),
	}
	m.Request.More = q.Body != nil
	if err := c.conn.send(now, kindFetch, r.n, m); err != nil {
		r.mu.Lock()
		delete(r.fetches, id)
		r.mu.Unlock()
		if errors.Is(err, errLongFrame) {
			err = errLongRequest
		}
		done(nil, err)
		return
	}
	if q.Body != nil {
		go f.out.copyFrom(q.Body)
	}
}

// handle takes a frame of the parent about this run; it runs on the reader.
func (r *childRun) handle(f frame) error {
	switch f.kind {
	case kindCancel:
		m, err := decode[cancelMsg](f.payload)
		if err != nil {
			return err
		}
		r.cancel(errors.New(m.Why))
	case kindReply:
		m, err := decode[replyMsg](f.payload)
		if err != nil {
			return err
		}
		done, taken := r.takeCall(m.Call, argBytes([]any{m.Result}))
		switch {
		case done == nil:
		case taken == nil:
			done(m.Result, m.Error.err())
		default:
			done(webapi.Handed{Value: m.Result, Taken: taken}, m.Error.err())
		}
	case kindResponse:
		m, err := decode[responseMsg](f.payload)
		if err != nil {
			return err
		}
		r.response(m)
	case kindSockEnd:
		m, err := decode[sockEndMsg](f.payload)
		if err != nil {
			return err
		}
		if s := r.socket(m.Stream); s != nil {
			s.finish(m)
		}
	default:
		stream, flags, data, err := parseRaw(f.payload)
		if err != nil {
			return err
		}
		return r.stream(f.kind, stream, flags, data)
	}
	return nil
}

func (r *childRun) cancel(why error) {
	if r.in != nil {
		r.in.finish(why)
	}
	r.out.stop(why)
	r.tell(why)
}

// tell gives the run's isolate a reason to end it.
func (r *childRun) tell(why error) {
	go func() {
		if <-r.iso.ready; r.iso.worker != nil {
			r.iso.worker.Cancel(r.id, why)
		}
	}()
}

func (r *childRun) response(m responseMsg) {
	r.mu.Lock()
	f := r.fetches[m.Call]
	if f == nil || f.done == nil {
		r.mu.Unlock()
		return
	}
	done := f.done
	f.done = nil
	var resp *webapi.Response
	if m.Error != nil {
		delete(r.fetches, m.Call)
	} else {
		resp = &webapi.Response{Head: m.Head}
		switch {
		case m.More:
			f.in = newInStream(r.c.conn, r.n, m.Call)
			resp.Body = f.in.first(m.Body, true)
		case m.Has:
			resp.Body = webapi.NewMemory(m.Body)
		}
		if m.Socket {
			f.sock = newSocket(r.c.conn, r.n, m.Call)
			resp.Socket = f.sock
		}
	}
	r.mu.Unlock()
	done(resp, m.Error.err())
}

func (r *childRun) socket(stream uint32) *socket {
	if stream == 0 {
		return r.client
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if f := r.fetches[stream]; f != nil {
		return f.sock
	}
	return nil
}

func (r *childRun) stream(k kind, stream uint32, flags byte, data []byte) error {
	in, out := r.in, r.out
	if stream != 0 {
		r.mu.Lock()
		f := r.fetches[stream]
		if f == nil {
			r.mu.Unlock()
			return nil
		}
		in, out = f.in, f.out
		r.mu.Unlock()
	}
	switch k {
	case kindMessage:
		if s := r.socket(stream); s != nil {
			return s.deliver(append([]byte(nil), data...), flags&flagBinary != 0)
		}
		return nil
	case kindCredit:
		if flags&flagSocket != 0 {
			if s := r.socket(stream); s != nil {
				return s.credit(data)
			}
			return nil
		}
		return credit(out, data)
	case kindStop:
		out.stop(errStopped)
		if stream == 0 {
			r.tell(webapi.ErrUnread)
		}
		return nil
	}
	if in == nil {
		return violation("body for stream %d, which has none", stream)
	}
	return in.take(flags, data)
}

// credit gives what a credit frame says to a stream.
func credit(out *outStream, data []byte) error {
	if out == nil || len(data) != 4 {
		return violation("credit of %d bytes", len(data))
	}
	return out.add(int(binary.BigEndian.Uint32(data)))
}

// first is the stream with bytes in front that needed no credit.
func (s *inStream) first(head []byte, more bool) io.ReadCloser {
	if !more {
		s.finish(nil)
	}
	if len(head) == 0 {
		return s
	}
	return &headed{head: head, inStream: s}
}

type headed struct {
	head []byte
	*inStream
}

func (h *headed) Read(p []byte) (int, error) {
	if len(h.head) > 0 {
		n := copy(p, h.head)
		h.head = h.head[n:]
		return n, nil
	}
	return h.inStream.Read(p)
}
