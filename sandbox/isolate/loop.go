package isolate

import (
	"container/heap"
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// ErrCPU is the cause of a stop after an account's CPU time ran out.
var ErrCPU = errors.New("isolate: CPU time limit")

// ErrClosed is what a closed loop answers.
var ErrClosed = errors.New("isolate: loop is closed")

// Turn is a piece of work on an isolate: it calls in, microtasks run, it
// returns. An error that it returns goes to LoopConfig.Failed.
type Turn func(Isolate) error

// LoopConfig is what a Loop is made from.
type LoopConfig struct {
	Pool   *Pool
	Engine Engine
	Ops    *Ops
	Memory int64 // as Spec.Memory
	// Owner is the owner's own data, such as the web APIs' state; see Loop.Owner.
	Owner any
	// Failed is told, inside the turn, of the error a turn returned: what a
	// timer's callback threw, or why the isolate is spent. Nil drops them.
	Failed func(a *Account, err error)
	// Broken is told once that the isolate is spent and why, after Failed.
	// No turn runs afterwards; the owner closes the loop. Nil for none.
	Broken func(err error)
	// Rejection is told of rejections without a handler, see Host. Nil drops them.
	Rejection func(a *Account, id uint32, reason *Exception, handled bool)
	// Now is the clock, time.Now when nil.
	Now func() time.Time
	// IdleAfter is how long after its last turn an isolate drops what only
	// speeds up the next one, 250 ms when zero.
	IdleAfter time.Duration
}

// Loop is the event loop that owns one isolate: one turn at a time calls into
// it, on a thread of the pool. Timers and finished host work are posted to it,
// and each turn is charged to the account that queued it.
//
// Methods marked "inside a turn" are for turns and host functions only; the
// others may be called from any goroutine.
type Loop struct {
	cfg    LoopConfig
	iso    Isolate
	ctx    context.Context
	cancel context.CancelCauseFunc

	mu      sync.Mutex
	queue   []task
	ready   bool // in the pool's queue or in a turn
	closing bool
	broken  bool
	timers  timerHeap
	alarm   *time.Timer // for the first of timers
	due     bool        // the alarm went off during the turn in progress
	idle    *time.Timer
	seq     uint64
	done    chan struct{} // closed with the isolate

	stop atomic.Pointer[error] // why running code must stop

	meter atomic.Pointer[meter] // of the turn in progress, nil between turns

	// Of the turn in progress; used by its thread only.
	current *Account
	now     time.Time // frozen, as on Workers
	began   time.Time // of the turn, for its timers
	share   share
}

// meter measures a turn. It may be read from any thread: an engine that cannot
// ask Interrupted from inside its code asks from beside it.
type meter struct {
	a     *Account
	clock cpuClock
	begin time.Duration // on clock
	stop  *atomic.Pointer[error]
}

func (m *meter) used() time.Duration { return m.a.CPU() + m.clock.now() - m.begin }

type task struct {
	a       *Account
	f       Turn
	storage bool // it hands over what Storage reserved
}

// NewLoop makes an isolate and its loop.
func NewLoop(ctx context.Context, cfg LoopConfig) (*Loop, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.IdleAfter <= 0 {
		cfg.IdleAfter = 250 * time.Millisecond
	}
	l := &Loop{cfg: cfg, done: make(chan struct{})}
	l.ctx, l.cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	iso, err := cfg.Engine.New(ctx, Spec{Memory: cfg.Memory, Host: l})
	if err != nil {
		l.cancel(err)
		return nil, err
	}
	l.iso = iso
	return l, nil
}

// Post queues a turn for an account. It returns ErrClosed when the turn will
// never run: the loop is closed, its isolate spent or the account closed.
func (l *Loop) Post(a *Account, f Turn) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if a.closed || l.closing || l.broken {
		return ErrClosed
	}
	a.pending++
	l.push(task{a: a, f: f})
	return nil
}

// push queues a task that is already counted. l.mu is held.
func (l *Loop) push(t task) {
	l.queue = append(l.queue, t)
	l.wake()
}

func (l *Loop) wake() {
	if !l.ready {
		l.ready = true
		l.cfg.Pool.add(l)
	}
}

// nudge has the loop look again at the turns that a gate held back. l.mu is held.
func (l *Loop) nudge() {
	if len(l.queue) > 0 && !l.closing && !l.broken {
		l.wake()
	}
}

// Owner is LoopConfig.Owner.
func (l *Loop) Owner() any { return l.cfg.Owner }

// Context is done when the loop closes.
func (l *Loop) Context() context.Context { return l.ctx }

// Account is whose turn it is, inside a turn.
func (l *Loop) Account() *Account { return l.current }

// Isolate is the loop's isolate, inside a turn. Host functions may call into it.
func (l *Loop) Isolate() Isolate { return l.iso }

// CPU is the CPU time the current account has used so far, inside a turn.
func (l *Loop) CPU() time.Duration { return l.meter.Load().used() }

// Reservation keeps an account pending while the host works for it elsewhere.
type Reservation struct {
	l       *Loop
	a       *Account
	storage bool
	used    atomic.Bool
}

// Reserve announces host work for the current account, inside a turn. Exactly
// one Post must follow, from any goroutine.
func (l *Loop) Reserve() *Reservation {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.current.pending++
	return &Reservation{l: l, a: l.current}
}

// Storage is Reserve for an operation on the storage of a Durable Object: until
// its result is handed over, the account's gate is closed.
func (l *Loop) Storage() *Reservation {
	r := l.Reserve()
	l.mu.Lock()
	defer l.mu.Unlock()
	if g := r.a.Gate; g != nil {
		r.storage = true
		g.storage++
	}
	return r
}

// Hold has the current account hold its gate, or with false no more, as often
// as it was told to, inside a turn. An account that is closed holds nothing.
func (l *Loop) Hold(on bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	g := l.current.Gate
	switch {
	case g == nil:
	case on && g.holder == l.current:
		g.depth++
	case on:
		g.holder, g.depth = l.current, 1
	case g.holder == l.current:
		if g.depth--; g.depth == 0 {
			g.holder = nil
		}
	}
}

// Post ends the reservation with a turn that hands over the result; nil hands
// over nothing. A second Post does nothing. Where the turn can never run, it
// is dropped.
func (r *Reservation) Post(f Turn) {
	if r.used.Swap(true) {
		return
	}
	l := r.l
	l.mu.Lock()
	defer l.mu.Unlock()
	if r.a.closed || l.closing || l.broken {
		r.a.pending--
		if r.storage {
			r.a.Gate.storage--
			l.nudge()
		}
		return
	}
	if f == nil {
		f = func(Isolate) error { return nil }
	}
	l.push(task{a: r.a, f: f, storage: r.storage})
}

// Pending is how many queued turns, timers and reservations an account has.
// Inside the last turn of an account that waits for nothing it is 0.
func (l *Loop) Pending(a *Account) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return a.pending
}

// CloseAccount ends a run: its timers, queued turns and finished host work are
// dropped from now on.
func (l *Loop) CloseAccount(a *Account) {
	l.mu.Lock()
	defer l.mu.Unlock()
	a.closed = true
	if a.Gate != nil {
		l.nudge()
	}
	n := len(l.timers)
	l.timers = slices.DeleteFunc(l.timers, func(t *Timer) bool {
		if t.a == a { // it could be weeks until it is due
			t.index = -1
			a.pending--
		}
		return t.a == a
	})
	if len(l.timers) < n {
		for i, t := range l.timers {
			t.index = i
		}
		heap.Init(&l.timers)
		l.arm()
	}
}

// Stop ends the code that runs, or the next that would, with ErrInterrupted;
// StopCause tells why. The isolate is spent afterwards.
func (l *Loop) Stop(cause error) { l.stop.CompareAndSwap(nil, &cause) }

// StopTurn ends the turn in progress like Stop, if it is one of a's.
func (l *Loop) StopTurn(a *Account, cause error) {
	if m := l.meter.Load(); m != nil && m.a == a {
		m.stop.CompareAndSwap(nil, &cause)
	}
}

// StopCause is why code was stopped: ErrCPU, what Stop was given, or nil.
func (l *Loop) StopCause() error {
	if p := l.stop.Load(); p != nil {
		return *p
	}
	return nil
}

// HostCall implements Host.
func (l *Loop) HostCall(op int, args []Value) (Value, error) {
	f := l.cfg.Ops.Func(op)
	if f == nil {
		return nil, &Throw{Name: "TypeError", Message: "no such host operation"}
	}
	return f(l, args)
}

// Interrupted implements Host, and may be called from any goroutine. Engines
// ask every few thousand steps, so reading the clock each time is cheap enough.
func (l *Loop) Interrupted() bool {
	if l.stop.Load() != nil {
		return true
	}
	m := l.meter.Load()
	if m == nil {
		return false
	}
	if cause := m.stop.Load(); cause != nil {
		l.Stop(*cause)
		return true
	}
	if m.a.Limit <= 0 || m.used() <= m.a.Limit {
		return false
	}
	l.Stop(ErrCPU)
	return true
}

// Due implements Host.
func (l *Loop) Due() bool {
	m := l.meter.Load()
	return l.stop.Load() != nil || m != nil && (m.stop.Load() != nil || m.a.Limit > 0 && m.used() > m.a.Limit)
}

// Rejection implements Host.
func (l *Loop) Rejection(id uint32, reason *Exception, handled bool) {
	if l.cfg.Rejection != nil {
		l.cfg.Rejection(l.current, id, reason, handled)
	}
}

// Now implements Host: the time at which the turn began.
func (l *Loop) Now() time.Time {
	if l.current == nil {
		return l.cfg.Now()
	}
	return l.now
}

// turn runs one task and tells whether another is waiting.
func (l *Loop) turn() (more bool) {
	l.mu.Lock()
	at := l.first()
	if l.closing || l.broken || at < 0 {
		return l.rest()
	}
	t := l.queue[at]
	if at == 0 {
		l.queue[0] = task{}
		l.queue = l.queue[1:]
	} else {
		l.queue = slices.Delete(l.queue, at, at+1)
	}
	t.a.pending--
	if t.storage {
		t.a.Gate.storage--
	}
	drop := t.a.closed
	l.mu.Unlock()
	if !drop {
		l.run(t)
	}
	l.mu.Lock()
	if l.due {
		l.fireDue()
	}
	if l.first() >= 0 && !l.broken && !l.closing {
		l.mu.Unlock()
		return true
	}
	return l.rest()
}

// first is the place of the first task that may begin, -1 when there is none.
// l.mu is held.
func (l *Loop) first() int {
	return slices.IndexFunc(l.queue, func(t task) bool { return !t.a.Gate.holds(t) })
}

// rest ends the loop's place in the pool. l.mu is held and given up.
func (l *Loop) rest() bool {
	defer l.mu.Unlock()
	l.ready = false
	if l.closing {
		l.finish()
		return false
	}
	if l.idle == nil {
		l.idle = time.AfterFunc(l.cfg.IdleAfter, l.goIdle)
	} else {
		l.idle.Reset(l.cfg.IdleAfter)
	}
	return false
}

// goIdle runs on a timer's goroutine; nobody else is in the isolate while
// ready is false and the lock is held.
func (l *Loop) goIdle() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.ready && !l.closing && !l.broken {
		l.iso.Idle()
	}
}

func (l *Loop) run(t task) {
	clock := threadClock()
	l.current, l.now, l.began = t.a, l.cfg.Now(), time.Now()
	l.meter.Store(&meter{t.a, clock, clock.now(), &atomic.Pointer[error]{}})
	l.report(t.a, t.f(l.iso))
	if t.a.End != nil {
		l.report(t.a, t.a.End(l.iso))
	}
	if t.a.Quiet != nil && l.Pending(t.a) == 0 && !l.isOver(t.a) {
		l.report(t.a, t.a.Quiet(l.iso))
	}
	l.charge()
	l.meter.Store(nil)
	l.current = nil
}

// charge adds what the turn has used so far to its account.
func (l *Loop) charge() {
	m := l.meter.Load()
	now := m.clock.now()
	l.meter.Store(&meter{m.a, m.clock, now, m.stop})
	m.a.cpu.Add(int64(now - m.begin))
	l.share.virtual += now - m.begin
}

// Aside runs f, which waits for something else than the CPU, inside a turn:
// if that lasts, other loops get a thread in place of the turn's, and an
// isolate that is a Waiter is told.
func (l *Loop) Aside(f func()) {
	waiting := func(bool) {}
	if w, ok := l.iso.(Waiter); ok {
		waiting = w.Waiting
	}
	l.cfg.Pool.aside(f, waiting)
}

func (l *Loop) isOver(a *Account) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return a.closed || l.broken || l.closing
}

func (l *Loop) report(a *Account, err error) {
	if err == nil {
		return
	}
	l.charge()
	if l.cfg.Failed != nil {
		l.cfg.Failed(a, err)
	}
	if !errors.Is(err, ErrInterrupted) && !errors.Is(err, ErrMemory) && !errors.Is(err, ErrBroken) {
		return
	}
	l.mu.Lock()
	first := !l.broken
	l.broken = true
	l.mu.Unlock()
	if first && l.cfg.Broken != nil {
		l.cfg.Broken(err)
	}
}

// Shutdown lets the turn in progress be the last and frees the isolate after
// it. It does not wait, so a turn may call it.
func (l *Loop) Shutdown() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closing {
		return
	}
	l.closing = true
	l.cancel(ErrClosed)
	if l.alarm != nil {
		l.alarm.Stop()
	}
	if l.idle != nil {
		l.idle.Stop()
	}
	if !l.ready {
		l.finish()
	}
}

// finish frees the isolate. l.mu is held and no turn runs.
func (l *Loop) finish() {
	l.queue, l.timers = nil, nil
	_ = l.iso.Close() // nothing depends on a closed isolate
	close(l.done)
}

// Close stops the code that runs, frees the isolate and waits for both. It
// must not be called inside a turn.
func (l *Loop) Close() error {
	l.Stop(ErrClosed)
	l.Shutdown()
	<-l.done
	return nil
}

// Done is closed once the isolate is freed.
func (l *Loop) Done() <-chan struct{} { return l.done }

// Timer is a turn to come.
type Timer struct {
	l     *Loop
	a     *Account
	f     Turn
	at    time.Time
	seq   uint64
	index int
}

// After queues a turn for the current account once d has passed since the turn
// that it is called in began, so that what is set for later never comes before
// what is set for sooner, however busy the machine is. Timers that are due at
// the same time run in the order they were set.
func (l *Loop) After(d time.Duration, f Turn) *Timer {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seq++
	l.current.pending++
	t := &Timer{l: l, a: l.current, f: f, at: l.began.Add(max(d, 0)), seq: l.seq}
	heap.Push(&l.timers, t)
	l.arm()
	return t
}

// Stop cancels a timer and tells whether it was still to come.
func (t *Timer) Stop() bool {
	t.l.mu.Lock()
	defer t.l.mu.Unlock()
	if t.index < 0 || t.l.timers == nil {
		return false
	}
	heap.Remove(&t.l.timers, t.index)
	t.a.pending--
	t.l.arm()
	return true
}

// arm sets the alarm for the first timer. l.mu is held.
func (l *Loop) arm() {
	if len(l.timers) == 0 {
		if l.alarm != nil {
			l.alarm.Stop()
		}
		return
	}
	d := time.Until(l.timers[0].at)
	if l.alarm == nil {
		l.alarm = time.AfterFunc(d, l.fire)
	} else {
		l.alarm.Reset(d)
	}
}

// fire queues the turns of all timers that are due, or has the turn in progress
// do so at its end: that one may still set a timer that comes before them.
func (l *Loop) fire() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.meter.Load() != nil {
		l.due = true
		return
	}
	l.fireDue()
}

// fireDue queues the turns of all timers that are due. l.mu is held.
func (l *Loop) fireDue() {
	l.due = false
	now := time.Now()
	for len(l.timers) > 0 && !l.timers[0].at.After(now) {
		t := heap.Pop(&l.timers).(*Timer)
		if l.closing || l.broken {
			t.a.pending--
			continue
		}
		l.push(task{a: t.a, f: t.f}) // its place in pending passes to the turn
	}
	l.arm()
}

type timerHeap []*Timer

func (h timerHeap) Len() int { return len(h) }

func (h timerHeap) Less(i, j int) bool {
	if !h[i].at.Equal(h[j].at) {
		return h[i].at.Before(h[j].at)
	}
	return h[i].seq < h[j].seq
}

func (h timerHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

func (h *timerHeap) Push(x any) {
	t := x.(*Timer)
	t.index = len(*h)
	*h = append(*h, t)
}

func (h *timerHeap) Pop() any {
	old := *h
	t := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	t.index = -1
	return t
}
