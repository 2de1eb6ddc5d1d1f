package isolate

import (
	"context"
	"time"
)

// A Value crosses the engine boundary as plain data, copied both ways:
//
//	nil, bool, float64, int, int64 (a number), string, []byte (an ArrayBuffer;
//	views arrive as their bytes), []any (an array of Values)
//
// Host functions receive null and undefined as nil.
type Value = any

// HostFunc is one host operation, called on the isolate's own goroutine. It
// must not block. A returned error is thrown in JavaScript: a *Throw chooses
// its class, anything else is an Error.
type HostFunc func(h *Loop, args []Value) (Value, error)

// Throw is an error to be thrown in JavaScript as an instance of the global
// class Name (TypeError, RangeError, DOMException, …).
type Throw struct {
	Name    string // class
	Message string
	Code    string // DOMException name, such as DataCloneError, when Name is DOMException
}

func (t *Throw) Error() string { return t.Name + ": " + t.Message }

// Ops is the ordered table of host operations. Scripts resolve a name to its
// index once, when the bootstrap is evaluated, so a snapshot is only valid
// with the table it was made with.
type Ops struct {
	names []string
	funcs []HostFunc
	last  map[int]func(args []Value) bool
}

// Add appends an operation. Names are unique; a second Add of a name panics,
// because two packages then disagree about its meaning.
func (o *Ops) Add(name string, f HostFunc) {
	if o.Index(name) >= 0 {
		panic("isolate: host operation " + name + " added twice")
	}
	o.names, o.funcs = append(o.names, name), append(o.funcs, f)
}

// AddLast is Add for an operation that the bootstrap needs to tell of an error
// that nobody caught: an isolate whose memory is full may still call it where when says so.
func (o *Ops) AddLast(name string, when func(args []Value) bool, f HostFunc) {
	o.Add(name, f)
	if o.last == nil {
		o.last = map[int]func([]Value) bool{}
	}
	o.last[o.Index(name)] = when
}

// Last reports whether an isolate whose memory is full may still make this call.
func (o *Ops) Last(i int, args []Value) bool {
	when := o.last[i]
	return when != nil && when(args)
}

// Index is the number of an operation, or -1.
func (o *Ops) Index(name string) int {
	for i, n := range o.names {
		if n == name {
			return i
		}
	}
	return -1
}

// Names lists the operations in order. Callers must not change it.
func (o *Ops) Names() []string { return o.names }

// Func is the operation at an index, nil when there is none.
func (o *Ops) Func(i int) HostFunc {
	if i < 0 || i >= len(o.funcs) {
		return nil
	}
	return o.funcs[i]
}

// Bootstrap is the script half of the web APIs, evaluated before any learner
// code and, where the engine can, kept in its snapshot.
type Bootstrap struct {
	// Script is a classic script whose completion value is a function
	// (host) => entries. host has op(name) → number and call(number, ...args) → Value.
	// entries is an object of functions that Isolate.Call reaches by name.
	Script string
	// Modules are ES modules learner code may import by these names
	// ("cloudflare:workers", "node:buffer", …). They are evaluated into the snapshot.
	// Their sources reach the bootstrap's values through the global
	// __coldstart, which is deleted before any learner code runs.
	Modules []Module
	Ops     *Ops
}

// Module is an ES module by name.
type Module struct{ Name, Source string }

// Engine makes isolates from one bootstrap. It is safe for concurrent use.
type Engine interface {
	// Name is "quickjs" or "goja".
	Name() string
	// New makes an isolate; the time it takes is the start phase.
	New(ctx context.Context, spec Spec) (Isolate, error)
	// Close frees what the engine shares among isolates. All isolates are closed before.
	Close() error
}

// Spec is what one isolate gets.
type Spec struct {
	Memory int64 // ceiling in bytes, rounded up to 64 KiB; 0 means 32 MiB
	Host   Host
}

// Waiter is an Isolate that is told while its code waits inside a host function.
type Waiter interface {
	// Waiting is called with true once it waits, by another goroutine than the
	// turn's, and then with false before its code goes on.
	Waiting(on bool)
}

// Host is the owner's side of an isolate: the Loop implements it.
type Host interface {
	// HostCall performs the operation with this index.
	HostCall(op int, args []Value) (Value, error)
	// Interrupted is asked often while code runs; true stops the code with
	// an error that scripts cannot catch. It must be cheap.
	Interrupted() bool
	// Due is what Interrupted would answer; it stops nothing.
	Due() bool
	// CPU is the CPU time that the code which runs is charged with so far.
	CPU() time.Duration
	// Rejection is told of a rejected promise without a handler
	// (handled false) and of one that got its handler later (handled true),
	// once no microtask is left. id is the same for both. A bootstrap with an
	// entry "rejection" gets (promise, reason, handled) itself instead.
	Rejection(id uint32, reason *Exception, handled bool)
	// Now is the wall clock as Workers show it.
	Now() time.Time
}

// Isolate is one heap with the bootstrap in it. It is not safe for concurrent
// use: one goroutine at a time, in practice the Loop's.
type Isolate interface {
	// Call calls a bootstrap entry and then runs microtasks until none is
	// left. A JavaScript exception comes back as *Exception, a stop as
	// ErrInterrupted, a full heap as ErrMemory, a dead instance as ErrBroken.
	Call(entry string, args ...Value) (Value, error)
	// Load evaluates the learner's module under name and gives its namespace
	// to the bootstrap entry "loaded" once its top level has settled. When the
	// top level still awaits something, Load returns nil and "loaded" is called
	// in a later turn, or "failed" with the error. A classic script
	// is evaluated in global scope instead; "loaded" gets what it assigned to
	// the global __exports, which is then deleted, else undefined.
	Load(name, source string, classic bool) error
	// Memory reports what the isolate holds now.
	Memory() Memory
	// Pages reports each 4 KiB page of the isolate's memory: 0 untouched,
	// 1 shared with the snapshot, 2 private. Nil where the engine has none.
	Pages() []byte
	// Idle tells that no call is expected soon, so that what only speeds up
	// the next call may be dropped.
	Idle()
	// Close frees the isolate. Calls after Close return ErrBroken.
	Close() error
}

// Memory is what an isolate holds, in bytes.
type Memory struct {
	Private int64 // pages of its own
	Shared  int64 // pages shared with the snapshot
	Used    int64 // live heap as the engine counts it, 0 when unknown
	Limit   int64
}
