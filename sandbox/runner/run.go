package runner

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"coldstart/sandbox/trace"
	"coldstart/sandbox/webapi"
)

// Job is one event for an isolate.
type Job struct {
	Worker  *trace.Worker
	Isolate uint64 // number, unique in the ring
	New     bool   // make the isolate
	Slot    int    // its place on the board
	Name    string // isolate id as learners see it
	Limits  trace.Limits

	Run        string
	Root       string
	Depth      int
	Type       string
	Request    *webapi.Request // fetch; Body is read and closed
	Payload    []byte
	Entrypoint string
	Object     string
	Props      string
	Upgrade    bool
	Origin     int64         // Monotonic at which the run's clock is 0
	Wall       time.Duration // left of the run's wall time, 0 for all of it
	Weigh      bool          // measure the isolate's memory at the end of this very run
}

// Monotonic is the clock that Job.Origin counts in, in nanoseconds.
func Monotonic() int64 { return monotonic() }

// Head is the beginning of a response.
type Head struct {
	trace.ResponseHead
	Body   io.ReadCloser // closing it before its end cancels the run, or is Run.Unread where another run reads it
	Socket webapi.Socket // status 101 of an upgrade
	First  []byte        // what came with the head; Body gives it too
	Whole  bool          // First is all of the body
	At     int64         // microseconds since the run's origin
}

// Lost says why a run ended without the child's word.
type Lost int

// The ways to lose a run.
const (
	NotLost      Lost = iota
	LostRefused       // its isolate was gone; nothing ran
	LostInnocent      // its runner died, for no fault of this run's isolate
	LostSuspect       // its runner died, and it is not known of which isolate
	LostGuilty        // its runner died because of this run's isolate
)

// End closes a run.
type End struct {
	Lost    Lost
	Why     string        // for lost runs, for the log
	Full    bool          // lost: the runner died of memory
	Alone   bool          // lost and guilty: nothing else was in the runner, which is how it is known
	Summary trace.Summary // Run, Worker, Isolate and Engine are empty: whoever started the run knows them
	Result  []byte        // JSON outcome of an event without a response, nil for none
	Spent   bool          // the isolate is gone
	Private int64         // bytes the isolate holds for itself
}

// Handler gets what a run produces, in order, from the child's reader: it
// must not block. End is called exactly once, last.
type Handler interface {
	Head(Head)
	Events([]trace.Event)
	// Body sees each further piece of the response body as it comes, and at last
	// its end with why it broke off. It must not keep the piece.
	Body(piece []byte, end bool, broken string)
	// Result is what an RPC call gives back, at most once.
	Result(payload []byte)
	// Call answers by done, exactly once, from any goroutine.
	Call(op string, args []any, done func(result any, err error))
	Fetch(to webapi.Target, r *webapi.Request, done func(*webapi.Response, error))
	End(End)
}

// Bounds on what one child may ask of the parent at a time.
const (
	runCalls  = 256      // open calls of one run
	runAsks   = 96 << 20 // bytes of their arguments: an honest child stays below two thirds of that, see child_calls.go
	runEvents = 4096
)

// Run is one event in a child, seen from the parent.
type Run struct {
	p       *Runner
	n       uint64
	h       Handler
	isolate uint64
	slot    int
	started int64
	base    int64 // bytes that its runner held when it began
	cpuMax  int64 // nanoseconds of CPU time that one turn may take at most
	wallMax int64 // nanoseconds that one turn may last at most
	upgrade bool
	object  bool // of a Durable Object: see condemn
	nested  bool // another run reads its answer
	events  int

	// Guarded by p.mu, for the watch.
	hard     int64
	hardened bool
	turn     uint64 // the turn being looked at
	thread   int64
	cpu      int64 // its thread's CPU time at first look

	out *outStream // request body

	mu     sync.Mutex
	over   bool
	head   bool
	whole  bool      // the head came with all of the body
	in     *inStream // response body
	client *socket
	calls  map[uint32]bool
	asks   int  // bytes of the arguments of those
	script bool // an instructor's, whose calls have no such bound
	subs   map[uint32]*sub
}

// sub is a subrequest of a run.
type sub struct {
	in    *inStream  // its request's body, nil for none
	out   *outStream // its response's body
	sock  *socket
	reply bool // answered
}

// Start begins a run in this child. An error means that nothing was begun and
// h is not called.
func (p *Runner) Start(j Job, h Handler) (*Run, error) {
	handle, err := p.load(j.Worker)
	if err != nil {
		return nil, err
	}
	r := &Run{p: p, n: p.ring.number(), h: h, isolate: j.Isolate, slot: j.Slot, started: monotonic(), upgrade: j.Upgrade, object: j.Object != "", nested: j.Depth > 0, calls: map[uint32]bool{}, subs: map[uint32]*sub{}}
	r.cpuMax = int64(max(j.Limits.CPU, j.Limits.StartCPU) + turnGrace)
	r.wallMax = int64(j.Limits.Wall + wallGrace)
	if !j.Upgrade {
		r.hard = r.started + int64(j.Limits.Wall+hardSlack)
	}
	m := startMsg{
		Isolate: j.Isolate, New: j.New, Slot: j.Slot, Name: j.Name, Worker: handle, Run: j.Run, Type: j.Type, Payload: j.Payload,
		Entrypoint: j.Entrypoint, Object: j.Object, Props: j.Props, Upgrade: j.Upgrade, Depth: j.Depth, Root: j.Root, Origin: j.Origin, Wall: j.Wall, Weigh: j.Weigh,
	}
	if j.New {
		m.Limits = j.Limits
	}
	r.out = newOutStream(p.conn, r.n, 0)
	var body io.ReadCloser
	if q := j.Request; q != nil {
		qm := requestOf(q)
		if q.Body != nil {
			body = q.Body
			if b, ok := body.(*Replay); ok {
				qm.Body, qm.More = b.head()
				if !qm.More {
					body = nil
				}
			} else {
				qm.More = true
			}
		}
		m.Request = &qm
	}
	if j.Upgrade {
		r.client = newSocket(p.conn, r.n, 0)
	}
	if err := p.begin(r, kindStart, m); err != nil {
		return nil, err
	}
	if body != nil {
		go r.out.copyFrom(body)
	}
	return r, nil
}

// ScriptJob is a lowered script for a run child.
type ScriptJob struct {
	Name   string
	Code   string
	Map    []byte
	Limits trace.Limits
	Slot   int
}

// StartScript begins a script. Its result and fault come with h's End; of h
// only Call and End are used.
func (p *Runner) StartScript(j ScriptJob, h Handler) (*Run, error) {
	r := &Run{p: p, n: p.ring.number(), h: h, slot: j.Slot, started: monotonic(), script: true, calls: map[uint32]bool{}, subs: map[uint32]*sub{}}
	r.isolate = r.n
	r.cpuMax = int64(min(j.Limits.CPU, j.Limits.StartCPU) + turnGrace) // of one turn; Limits.CPU is for all
	r.wallMax = int64(j.Limits.Wall + wallGrace)
	r.hard = r.started + int64(j.Limits.Wall+hardSlack)
	r.out = newOutStream(p.conn, r.n, 0)
	return r, p.begin(r, kindScript, scriptMsg(j))
}

// begin enters a run and sends what starts it.
func (p *Runner) begin(r *Run, k kind, m any) error {
	p.mu.Lock()
	if p.gone || p.why != "" {
		p.mu.Unlock()
		return errClosed
	}
	r.base = p.private
	p.runs[r.n] = r
	p.newest = max(p.newest, r.n)
	p.mu.Unlock()
	if err := p.conn.send(now, k, r.n, m); err != nil {
		p.mu.Lock()
		_, mine := p.runs[r.n]
		delete(p.runs, r.n)
		p.mu.Unlock()
		if mine {
			return err
		}
		// The child died and h was told.
	}
	return nil
}

// Cancel asks the child to end the run. Its End still comes.
func (r *Run) Cancel(why string) {
	r.out.stop(errors.New(why))
	_ = r.p.conn.send(now, kindCancel, r.n, cancelMsg{Why: why})
}

// Unread tells the run that nobody reads any more what it sends: the sources of its
// streams are canceled, and the rest of it goes on.
func (r *Run) Unread() {
	_ = r.p.conn.raw(queued, kindStop, r.n, 0, 0, nil)
	r.bodyEnded()
}

// stuck judges the turn that this run's isolate is in. It is called with p.mu held.
func (r *Run) stuck(t int64) bool {
	turn := r.p.board.at(r.slot)
	since := turn.since.Load()
	if since == 0 || t-since < int64(turnSoon) {
		return false
	}
	if t-since > r.wallMax {
		return true
	}
	count, thread := turn.count.Load(), turn.thread.Load()
	cpu, ok := threadCPU(r.p.PID(), thread)
	if !ok {
		// No such clock here: the wall has to do, with room for others' work.
		return t-since > 8*r.cpuMax
	}
	if r.turn != count || r.thread != thread {
		r.turn, r.thread, r.cpu = count, thread, cpu
		return false
	}
	return cpu-r.cpu > r.cpuMax
}

// handle takes a frame of the child about this run.
func (r *Run) handle(f frame) error {
	switch f.kind {
	case kindRefused:
		if r.begun() {
			return violation("refusal of a run that began")
		}
		r.forget()
		r.end(End{Lost: LostRefused})
		return nil
	case kindEvents:
		ev, err := decode[[]trace.Event](f.payload)
		if err != nil {
			return err
		}
		return r.deliver(ev)
	case kindHead:
		m, err := decode[headMsg](f.payload)
		if err != nil {
			return err
		}
		return r.onHead(m)
	case kindResult:
		b, err := decode[[]byte](f.payload)
		if err != nil {
			return err
		}
		r.mu.Lock()
		twice := r.head || b == nil
		r.head = true
		r.mu.Unlock()
		if twice {
			return violation("second result")
		}
		r.h.Result(b)
		return nil
	case kindCall:
		m, err := decode[callMsg](f.payload)
		if err != nil {
			return err
		}
		return r.onCall(m)
	case kindFetch:
		m, err := decode[fetchMsg](f.payload)
		if err != nil {
			return err
		}
		return r.onFetch(m)
	case kindDone:
		m, err := decode[doneMsg](f.payload)
		if err != nil {
			return err
		}
		if err := r.deliver(m.Events); err != nil {
			return err
		}
		r.forget()
		e := End{Summary: m.Summary, Spent: m.Spent, Private: m.Private}
		if m.Has {
			e.Result = m.Result
			if e.Result == nil {
				e.Result = []byte{}
			}
		}
		r.end(e)
		return nil
	case kindSockEnd:
		m, err := decode[sockEndMsg](f.payload)
		if err != nil {
			return err
		}
		s := r.socket(m.Stream)
		if s == nil {
			return violation("close of socket %d, which is not there", m.Stream)
		}
		s.finish(m)
		return nil
	case kindBody, kindCredit, kindStop, kindMessage:
		stream, flags, data, err := parseRaw(f.payload)
		if err != nil {
			return err
		}
		return r.stream(f.kind, stream, flags, data)
	}
	return violation("kind %d from a child", f.kind)
}

func (r *Run) begun() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.head || len(r.calls) > 0 || len(r.subs) > 0 || r.events > 0
}

func (r *Run) deliver(ev []trace.Event) error {
	if len(ev) == 0 {
		return nil
	}
	if r.events += len(ev); r.events > runEvents {
		return violation("%d events of one run", r.events)
	}
	r.h.Events(ev)
	return nil
}

func (r *Run) onHead(m headMsg) error {
	if err := r.deliver(m.Events); err != nil {
		return err
	}
	if m.Head.Status < 100 || m.Head.Status > 999 {
		return violation("status %d", m.Head.Status)
	}
	r.mu.Lock()
	if r.head || r.over {
		r.mu.Unlock()
		return violation("second head")
	}
	r.head, r.whole = true, m.End
	in := newInStream(r.p.conn, r.n, 0)
	in.quit = func() {
		if r.nested {
			r.Unread()
		} else {
			r.Cancel("the visitor went away")
		}
	}
	r.in = in
	h := Head{ResponseHead: m.Head, Body: in.first(m.Body, !m.End), First: m.Body, Whole: m.End, At: m.At}
	if m.Head.Status == 101 && r.client != nil {
		h.Socket = r.client
	}
	r.mu.Unlock()
	if m.End {
		r.bodyEnded()
	}
	r.h.Head(h)
	return nil
}

func (r *Run) onCall(m callMsg) error {
	if len(m.Op) > 64 {
		return violation("operation name of %d bytes", len(m.Op))
	}
	for _, a := range m.Args {
		if err := plain(a, 0); err != nil {
			return err
		}
	}
	size := argBytes(m.Args)
	r.mu.Lock()
	if r.calls[m.Call] || len(r.calls) >= runCalls || r.asks+size > runAsks && !r.script {
		n, asks := len(r.calls), r.asks
		r.mu.Unlock()
		return violation("call %d with %d bytes beside %d others with %d", m.Call, size, n, asks)
	}
	r.calls[m.Call] = true
	r.asks += size
	r.mu.Unlock()
	r.h.Call(m.Op, m.Args, func(result any, err error) {
		r.mu.Lock()
		open := r.calls[m.Call] && !r.over
		delete(r.calls, m.Call)
		r.asks -= size
		r.mu.Unlock()
		if !open {
			return
		}
		if tooLong(result) { // the child would take it for a broken protocol
			result, err = nil, fmt.Errorf("%s: the answer cannot be given: a list in it has more than %d entries", m.Op, listMax)
		}
		reply := replyMsg{Call: m.Call, Result: result, Error: throwOf(err)}
		how := queued
		if argBytes([]any{result}) > headBody {
			how = now // large ones come from goroutines of their own, and wait there for room
		}
		if err := r.p.conn.send(how, kindReply, r.n, reply); err != nil && !errors.Is(err, errClosed) {
			reply = replyMsg{Call: m.Call, Error: throwOf(fmt.Errorf("%s: the answer cannot be given: %w", m.Op, err))}
			_ = r.p.conn.send(queued, kindReply, r.n, reply)
		}
	})
	return nil
}

func (r *Run) onFetch(m fetchMsg) error {
	r.mu.Lock()
	if m.Call == 0 || r.subs[m.Call] != nil || len(r.subs) >= runCalls {
		r.mu.Unlock()
		return violation("subrequest %d", m.Call)
	}
	s := &sub{}
	q := &webapi.Request{Method: m.Request.Method, URL: m.Request.URL, Headers: m.Request.Headers, Length: m.Request.Length, CF: m.Request.CF}
	if m.Request.Has {
		s.in = newInStream(r.p.conn, r.n, m.Call)
		q.Body = s.in.first(m.Request.Body, m.Request.More)
	}
	r.subs[m.Call] = s
	r.mu.Unlock()
	to := webapi.Target{Type: m.Type, Binding: m.Binding, Worker: m.Worker, Entrypoint: m.Entrypoint, Class: m.Class, Object: m.Object, Props: m.Props}
	r.h.Fetch(to, q, func(resp *webapi.Response, err error) { r.answer(m.Call, s, resp, err) })
	return nil
}

// answer sends the response of a subrequest to the child.
func (r *Run) answer(call uint32, s *sub, resp *webapi.Response, err error) {
	m := responseMsg{Call: call, Error: throwOf(err)}
	var body io.ReadCloser
	if resp != nil {
		m.Head = resp.Head
		body = resp.Body
		m.Has, m.More = body != nil, body != nil
		m.Socket = resp.Socket != nil
	}
	r.mu.Lock()
	if r.over || s.reply {
		r.mu.Unlock()
		if body != nil {
			_ = body.Close()
		}
		if resp != nil && resp.Socket != nil {
			resp.Socket.Close(1001, "")
		}
		return
	}
	s.reply = true
	s.out = newOutStream(r.p.conn, r.n, call)
	if body != nil {
		s.out.unread = func() { go body.Close() } // what it is read from may have nothing to say for long
	}
	if m.Socket {
		s.sock = newSocket(r.p.conn, r.n, call)
	}
	out, sock := s.out, s.sock
	if err != nil || (body == nil && sock == nil) {
		// Nothing more comes from here; an unread request body may.
		out.stop(errStopped)
	}
	r.mu.Unlock()
	if e := r.p.conn.send(queued, kindResponse, r.n, m); e != nil && !errors.Is(e, errClosed) {
		_ = r.p.conn.send(queued, kindResponse, r.n, responseMsg{Call: call, Error: throwOf(e)})
	}
	if sock != nil {
		webapi.Bridge(resp.Socket, sock, 1009, "message not delivered")
	}
	if body != nil {
		go out.copyFrom(body)
	}
}

func (r *Run) socket(stream uint32) *socket {
	if stream == 0 {
		return r.client
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if s := r.subs[stream]; s != nil {
		return s.sock
	}
	return nil
}

func (r *Run) stream(k kind, stream uint32, flags byte, data []byte) error {
	r.mu.Lock()
	in, out := r.in, r.out
	if stream == 0 && r.whole {
		in = nil
	}
	if stream != 0 {
		s := r.subs[stream]
		if s == nil {
			r.mu.Unlock()
			return violation("stream %d, which is not there", stream)
		}
		in, out = s.in, s.out
	}
	r.mu.Unlock()
	switch k {
	case kindMessage:
		s := r.socket(stream)
		if s == nil {
			return violation("message for socket %d, which is not there", stream)
		}
		return s.deliver(append([]byte(nil), data...), flags&flagBinary != 0)
	case kindCredit:
		if flags&flagSocket != 0 {
			return r.socket(stream).credit(data)
		}
		return credit(out, data)
	case kindStop:
		if out == nil {
			return violation("stop of stream %d, which is not there", stream)
		}
		out.stop(errStopped)
		return nil
	}
	if in == nil {
		return violation("body for stream %d, which has none", stream)
	}
	if err := in.take(flags, data); err != nil {
		return err
	}
	if stream == 0 {
		switch {
		case flags&flagEnd == 0:
			r.h.Body(data, false, "")
		case flags&flagBroken != 0:
			r.h.Body(nil, true, string(data))
		default:
			r.h.Body(nil, true, "")
		}
		if flags&flagEnd != 0 {
			r.bodyEnded()
		}
	}
	return nil
}

// bodyEnded moves the hard deadline: only waitUntil is left.
func (r *Run) bodyEnded() {
	r.p.mu.Lock()
	if r.hard != 0 {
		r.hard = monotonic() + int64(afterGrace)
	}
	r.p.mu.Unlock()
}

// forget takes the run out of its runner.
func (r *Run) forget() {
	r.p.mu.Lock()
	delete(r.p.runs, r.n)
	r.p.mu.Unlock()
}

// end closes everything that hangs on the run and tells its handler.
func (r *Run) end(e End) {
	r.mu.Lock()
	if r.over {
		r.mu.Unlock()
		return
	}
	r.over = true
	in, subs := r.in, r.subs
	r.mu.Unlock()
	r.out.stop(errStopped)
	if in != nil {
		in.finish(errBroken)
	}
	for _, s := range subs {
		if s.in != nil {
			s.in.finish(errBroken)
		}
		if s.out != nil {
			s.out.stop(errStopped)
		}
		if s.sock != nil {
			s.sock.finish(sockEndMsg{Code: 1006})
		}
	}
	if r.client != nil {
		r.client.finish(sockEndMsg{Code: 1006})
	}
	r.h.End(e)
}

// errBroken is what the reader of a body gets whose sender died.
var errBroken = errors.New("the response broke off: its Worker stopped")
