package quickjs

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tetratelabs/wazero/api"

	"coldstart/sandbox/isolate"
)

// Reasons to halt, also used as panics that leave Wasm at once.
var (
	errHaltInterrupted = errors.New("interrupted")
	errHaltMemory      = errors.New("memory ceiling")
)

// vm is one instance, and an isolate once it has a host.
type vm struct {
	eng  *Engine
	host isolate.Host
	mod  api.Module
	mem  *linear
	meta *meta
	ctx  *callContext

	polls   api.MutableGlobal // rounds of loops until the next poll
	callees [fnCount]callees
	stack   [8]uint64

	called   bool                // an entry was called, so the isolate has done something
	depth    int                 // calls into the instance that are on the stack
	halting  error               // why running code is being stopped
	due      time.Duration       // CPU time at which a poll found first that it is to be stopped; else 0
	last     *lastWords          // while an isolate that is full tells where; else nil
	dead     error               // why no call is accepted any more
	boot     map[string]string   // sources, while the bootstrap is evaluated
	imports  map[string][]string // which module imports which, while it is compiled
	served   map[string]bool     // those the module loader gave out
	crossing int                 // calls of cross whose values are being copied
	room     int64               // bytes that may still be copied meanwhile
	rejected []rejection
	reported map[uint32]uint32 // promise to the id it was reported under
	lastID   uint32
}

// die records why the instance is spent.
func (v *vm) die(cause error) {
	if v.dead != nil {
		return
	}
	switch {
	case errors.Is(cause, errHaltMemory) || v.mem.full:
		v.dead = &isolate.Stop{Cause: isolate.ErrMemory}
	case errors.Is(cause, errHaltInterrupted) || errors.Is(v.halting, errHaltInterrupted):
		v.dead = &isolate.Stop{Cause: isolate.ErrInterrupted}
	default:
		v.dead = fmt.Errorf("%w: %v", isolate.ErrBroken, firstLine(cause.Error()))
	}
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return s
}

// halt ends a vm whose code was told to stop, keeping the place it was at.
func (v *vm) halt(stack string) error {
	if v.dead == nil {
		cause := isolate.ErrInterrupted
		if v.mem.full || errors.Is(v.halting, errHaltMemory) {
			cause = isolate.ErrMemory
		}
		v.dead = &isolate.Stop{Cause: cause, Stack: stack}
	}
	return v.dead
}

// invoke calls a function value with arguments it takes over, and returns an
// owned result. An error is *isolate.Exception or the end of the instance.
func (v *vm) invoke(f uint64, args ...uint64) (uint64, error) {
	at := v.meta.Scratch + argsAt
	if v.depth > 0 || len(args) > argsMax {
		var err error
		if at, err = v.malloc(8 * len(args)); err != nil {
			return 0, err
		}
		defer v.call(fnFree, uint64(at))
	}
	for i, a := range args {
		v.putU64(at+uint32(8*i), a)
	}
	v.depth++
	r, err := v.call(fnCall, uint64(v.meta.Context), f, undefined, uint64(len(args)), uint64(at))
	v.depth--
	if err != nil {
		return 0, err
	}
	for _, a := range args {
		v.free(a)
	}
	return v.result(r)
}

// result checks what running code gave back.
func (v *vm) result(r uint64) (uint64, error) {
	if v.depth == 0 && tagOf(r) != tagException {
		v.sayLastWords()
	}
	v.noticeMemory()
	if tagOf(r) != tagException {
		if v.halting != nil {
			v.free(r)
			return 0, v.halt("")
		}
		return r, nil
	}
	if v.halting != nil {
		return 0, v.halt(v.takeStack())
	}
	return 0, v.takeException()
}

// takeStack removes the pending exception and gives its frames. Nothing else
// is asked of it: its properties may be getters, and code is being stopped.
func (v *vm) takeStack() string {
	e, err := v.call(fnGetException, uint64(v.meta.Context))
	if err != nil {
		return ""
	}
	defer v.free(e)
	if isErr, err := v.call(fnIsError, e); err != nil || uint32(isErr) == 0 {
		return ""
	}
	return v.stackOf(e)
}

// stackOf gives the engine's frames of an error, unmapped.
func (v *vm) stackOf(e uint64) string {
	at, err := v.malloc(8)
	if err != nil {
		return ""
	}
	defer v.call(fnFree, uint64(at))
	v.putU64(at, e)
	v.depth++
	x, err := v.call(fnCall, uint64(v.meta.Context), v.meta.StackOf, undefined, 1, uint64(at))
	v.depth--
	if err != nil {
		return ""
	}
	defer v.free(x)
	switch tagOf(x) {
	case tagException:
		v.dropException()
	case tagString, tagRope:
		if s, err := v.stringOf(x); err == nil {
			return isolate.Frames(s)
		}
	}
	return ""
}

// noticeMemory stops an isolate that was refused memory, even when its code
// caught the error: what the code did without it cannot be trusted.
func (v *vm) noticeMemory() {
	if v.mem.full && v.halting == nil {
		v.halting = errHaltMemory
		v.mem.room = lastRoom
	}
}

// What an isolate that is full gets to tell of the error: microtasks, checks
// for interrupts, and memory.
const (
	lastJobs = 16
	lastAsks = 2
	lastRoom = 256 << 10
)

type lastWords struct{ asks int } // checks for interrupts that were let pass

// sayLastWords lets the bootstrap tell of the error that the first refused
// allocation became. An asynchronous handler turned it into a rejection, of
// which the bootstrap hears a few microtasks later, and only that knows the
// place. Only operations for that have an effect meanwhile.
func (v *vm) sayLastWords() {
	if !v.mem.full || v.halting != nil || v.dead != nil {
		return
	}
	v.noticeMemory()
	v.last = &lastWords{}
	defer func() { v.last = nil }()
	for range lastJobs {
		v.depth++
		n, err := v.call(fnExecutePendingJob, uint64(v.meta.Runtime), uint64(v.outSlot(1)))
		v.depth--
		if err != nil || int32(n) == 0 {
			return
		}
		if int32(n) < 0 {
			v.dropException()
		}
	}
}

// takeException removes the pending exception and describes it.
func (v *vm) takeException() error {
	e, err := v.call(fnGetException, uint64(v.meta.Context))
	if err != nil {
		return err
	}
	exc, err := v.describe(e)
	v.free(e)
	if err != nil {
		return err
	}
	return exc
}

func (v *vm) dropException() {
	if e, err := v.call(fnGetException, uint64(v.meta.Context)); err == nil {
		v.free(e)
	}
}

// describe makes an Exception of a thrown value. Properties may be getters
// that throw; what cannot be read is left out.
func (v *vm) describe(e uint64) (*isolate.Exception, error) {
	return v.describeWith(e, isolate.MaxCauses)
}

// describeWith describes a thrown value and at most so many of its causes.
func (v *vm) describeWith(e uint64, causes int) (*isolate.Exception, error) {
	exc := &isolate.Exception{}
	isErr, err := v.call(fnIsError, e)
	if err != nil {
		return nil, err
	}
	if uint32(isErr) == 0 {
		exc.Message = v.display(e)
		return exc, v.dead
	}
	exc.Name = v.property(e, "name")
	exc.Message = v.property(e, "message")
	exc.Stack = v.stackOf(e)
	if exc.Name == "" {
		exc.Name = "Error"
	}
	if causes > 0 {
		if cause, ok := v.get(e, "cause"); ok {
			if tagOf(cause) != tagUndefined || isFloat(cause) {
				exc.Cause, err = v.describeWith(cause, causes-1)
			}
			v.free(cause)
			if err != nil {
				return nil, err
			}
		}
	}
	return exc, v.dead
}

// rejectedAt is the stack of the error that a promise was rejected with, "" when there is none.
func (v *vm) rejectedAt(promise uint64) string {
	state, err := v.call(fnPromiseState, uint64(v.meta.Context), promise)
	if err != nil || int32(state) != promiseRejected {
		return ""
	}
	reason, err := v.call(fnPromiseResult, uint64(v.meta.Context), promise)
	if err != nil {
		return ""
	}
	defer v.free(reason)
	exc, err := v.describe(reason)
	if err != nil {
		return ""
	}
	return exc.Stack
}

// get reads a property; the caller frees it. It is false where reading it throws.
func (v *vm) get(obj uint64, name string) (uint64, bool) {
	p, done, err := v.stage(len(name) + 1)
	if err != nil {
		return 0, false
	}
	copy(v.bytes(p, uint32(len(name)+1)), name+"\x00")
	v.depth++
	x, err := v.call(fnGetPropertyStr, uint64(v.meta.Context), obj, uint64(p))
	v.depth--
	done()
	if err != nil {
		return 0, false
	}
	if tagOf(x) == tagException && !isFloat(x) {
		v.dropException()
		return 0, false
	}
	return x, true
}

// property reads a string property, "" when it is not a string.
func (v *vm) property(obj uint64, name string) string {
	x, ok := v.get(obj, name)
	if !ok {
		return ""
	}
	switch tagOf(x) {
	case tagString, tagRope:
		s, err := v.stringOf(x)
		v.free(x)
		if err != nil {
			return ""
		}
		return s
	}
	v.free(x)
	return ""
}

// display is a thrown value that is not an Error, as text.
func (v *vm) display(x uint64) string {
	if t := tagOf(x); t == tagUndefined && !isFloat(x) {
		return "undefined"
	} else if t == tagNull && !isFloat(x) {
		return "null"
	}
	v.depth++
	s, err := v.stringOf(x)
	v.depth--
	if err != nil {
		return "a value that cannot be shown"
	}
	return s
}

// Call implements isolate.Isolate.
func (v *vm) Call(entry string, args ...isolate.Value) (isolate.Value, error) {
	f, ok := v.meta.Entries[entry]
	if !ok {
		return nil, fmt.Errorf("isolate: the bootstrap has no entry %q", entry)
	}
	if v.dead != nil {
		return nil, broken(v.dead)
	}
	v.called = true
	in := make([]uint64, 0, argsMax)
	for _, a := range args {
		x, err := v.toJS(a, 0)
		if err != nil {
			return nil, err
		}
		in = append(in, x)
	}
	r, err := v.invoke(f, in...)
	var out isolate.Value
	if err == nil {
		done := v.cross()
		out, err = v.toGo(r, 0)
		done()
		v.free(r)
		if err != nil && v.dead == nil {
			err = fmt.Errorf("isolate: entry %q: %w", entry, err)
		}
	}
	if v.depth == 0 {
		err = v.worse(err, v.settle())
	}
	if err != nil {
		return nil, err
	}
	return out, nil
}

// worse picks what a caller must know first: that the instance is spent, then
// what its own code threw, then what a microtask threw.
func (v *vm) worse(own, settled error) error {
	if settled != nil && (own == nil || v.dead != nil) {
		return settled
	}
	return own
}

// broken is the answer of a spent instance to a further call.
func broken(dead error) error {
	if errors.Is(dead, isolate.ErrBroken) {
		return dead
	}
	return fmt.Errorf("%w: it was stopped before (%v)", isolate.ErrBroken, dead)
}

// settle runs microtasks until none is left, then reports rejections, which
// may queue more. The first exception of a microtask is returned.
func (v *vm) settle() error {
	var first error
	for {
		if err := v.microtasks(); err != nil {
			if v.dead != nil {
				return v.dead
			}
			if first == nil {
				first = err
			}
			continue
		}
		if len(v.rejected) == 0 {
			return first
		}
		if err := v.reportRejections(); err != nil {
			return err
		}
	}
}

func (v *vm) microtasks() error {
	for {
		v.depth++
		n, err := v.call(fnExecutePendingJob, uint64(v.meta.Runtime), uint64(v.outSlot(1)))
		v.depth--
		if err != nil {
			return err
		}
		if int32(n) >= 0 {
			v.sayLastWords()
		}
		if v.noticeMemory(); v.halting != nil {
			_, err := v.result(tagException << 32)
			return err
		}
		switch n := int32(n); {
		case n == 0:
			return nil
		case n < 0:
			return v.takeException()
		}
	}
}

// rejection is a promise that was rejected without a handler, or got one.
type rejection struct {
	promise, reason uint32 // boxes owned by the vm
	handled         bool
}

// trackRejection takes over both boxes.
func (v *vm) trackRejection(promise, reason uint32, handled bool) {
	if handled {
		p := v.getU64(promise)
		for i, r := range v.rejected {
			if !r.handled && v.getU64(r.promise) == p {
				// Handled before anyone was told: nothing happened.
				v.rejected = append(v.rejected[:i], v.rejected[i+1:]...)
				v.freeBoxes(r.promise, r.reason, promise, reason)
				return
			}
		}
		if _, ok := v.reported[uint32(p)]; !ok {
			v.freeBoxes(promise, reason)
			return
		}
	}
	v.rejected = append(v.rejected, rejection{promise, reason, handled})
}

func (v *vm) freeBoxes(boxes ...uint32) {
	for _, b := range boxes {
		_, _ = v.call(fnFreeBox, uint64(b)) // a spent instance is noticed by the next call
	}
}

// maxReported bounds the promises remembered for a later "handled".
const maxReported = 1024

func (v *vm) reportRejections() error {
	list := v.rejected
	v.rejected = nil
	for _, r := range list {
		promise, reason := v.getU64(r.promise), v.getU64(r.reason)
		var err error
		if f, ok := v.meta.Entries["rejection"]; ok {
			var x uint64
			x, err = v.invoke(f, v.dup(promise), v.dup(reason), fromBool(r.handled))
			if err == nil {
				v.free(x)
			}
		} else {
			err = v.reportToHost(promise, reason, r.handled)
		}
		if v.dead != nil {
			return v.dead
		}
		if err != nil {
			return err
		}
		if v.reported == nil || len(v.reported) >= maxReported {
			v.reported = map[uint32]uint32{}
		}
		if r.handled {
			delete(v.reported, uint32(promise))
		} else if _, ok := v.reported[uint32(promise)]; !ok {
			v.reported[uint32(promise)] = v.lastID
		}
		v.freeBoxes(r.promise, r.reason)
	}
	return v.dead
}

func (v *vm) reportToHost(promise, reason uint64, handled bool) error {
	exc, err := v.describe(reason)
	if err != nil {
		return err
	}
	id := v.reported[uint32(promise)]
	if !handled {
		v.lastID++
		id = v.lastID
	}
	if v.host != nil {
		v.host.Rejection(id, exc, handled)
	}
	return nil
}

// JS_Eval flags.
const (
	evalModule      = 1
	evalCompileOnly = 1 << 5
)

// eval compiles and runs source and returns an owned value.
func (v *vm) eval(name, source string, flags uint64) (uint64, error) {
	src, err := v.cstring(source)
	if err != nil {
		return 0, err
	}
	file, err := v.cstring(name)
	if err != nil {
		return 0, err
	}
	v.depth++
	r, err := v.call(fnEval, uint64(v.meta.Context), uint64(src), uint64(len(source)), uint64(file), flags)
	v.depth--
	if err != nil {
		return 0, err
	}
	_, _ = v.call(fnFree, uint64(src))
	_, _ = v.call(fnFree, uint64(file))
	return v.result(r)
}

func (v *vm) cstring(s string) (uint32, error) {
	p, err := v.malloc(len(s) + 1)
	if err != nil {
		return 0, err
	}
	b := v.bytes(p, uint32(len(s)+1))
	copy(b, s)
	b[len(s)] = 0
	return p, nil
}

// evalModuleCode evaluates a module and returns its promise and a function
// for its namespace.
func (v *vm) evalModuleCode(name, source string) (promise uint64, def uint32, err error) {
	m, err := v.eval(name, source, evalModule|evalCompileOnly)
	if err != nil {
		return 0, 0, err
	}
	def = uint32(m)
	v.depth++
	r, err := v.call(fnEvalFunction, uint64(v.meta.Context), m)
	v.depth--
	if err != nil {
		return 0, 0, err
	}
	if v.halting != nil && tagOf(r) != tagException {
		// A module that is stopped rejects its promise; the reason has the place.
		return 0, 0, v.halt(v.rejectedAt(r))
	}
	promise, err = v.result(r)
	if err == nil {
		_, err = v.call(fnPromiseMarkAsHandled, uint64(v.meta.Context), promise)
	}
	return promise, def, err
}

// Promise states of JS_PromiseState.
const (
	promisePending = iota
	promiseFulfilled
	promiseRejected
)

// Load implements isolate.Isolate.
func (v *vm) Load(name, source string, classic bool) error {
	if v.dead != nil {
		return broken(v.dead)
	}
	loaded, ok := v.meta.Entries["loaded"]
	if !ok {
		return errors.New("isolate: the bootstrap has no entry \"loaded\"")
	}
	if classic {
		return v.loadClassic(name, source, loaded)
	}
	promise, def, err := v.evalModuleCode(name, source)
	if err != nil {
		return err
	}
	defer v.free(promise)
	settleErr := v.settle()
	if v.dead != nil {
		return v.dead
	}
	state, err := v.call(fnPromiseState, uint64(v.meta.Context), promise)
	if err != nil {
		return err
	}
	if int32(state) == promiseRejected {
		reason, err := v.call(fnPromiseResult, uint64(v.meta.Context), promise)
		if err != nil {
			return err
		}
		exc, err := v.describe(reason)
		v.free(reason)
		if err != nil {
			return err
		}
		return exc
	}
	ns, err := v.call(fnGetModuleNamespace, uint64(v.meta.Context), uint64(def))
	if err != nil {
		return err
	}
	var r uint64
	if int32(state) == promiseFulfilled {
		r, err = v.invoke(loaded, ns)
	} else {
		failed, ok := v.meta.Entries["failed"]
		if !ok {
			failed = undefined
		}
		r, err = v.invoke(v.meta.Loaded, v.dup(promise), ns, v.dup(loaded), v.dup(failed))
	}
	if err == nil {
		v.free(r)
		err = settleErr
	}
	return v.worse(err, v.settle())
}

func (v *vm) loadClassic(name, source string, loaded uint64) error {
	r, err := v.eval(name, source, 0)
	if err == nil {
		v.free(r)
		if r, err = v.invoke(v.meta.Exports); err == nil {
			if r, err = v.invoke(loaded, r); err == nil {
				v.free(r)
			}
		}
	}
	return v.worse(err, v.settle())
}

// hostCall is host.call: it returns a box that the engine frees, or 0 with an
// exception set.
func (v *vm) hostCall(argc, argv uint32) uint32 {
	if argc == 2 {
		switch v.getU64(v.getU32(argv)) {
		case fromFloat(opPromiseState):
			return v.promisePart(fnPromiseState, v.getU64(v.getU32(argv+4)))
		case fromFloat(opPromiseResult):
			return v.promisePart(fnPromiseResult, v.getU64(v.getU32(argv+4)))
		}
	}
	var buf [8]isolate.Value
	args := buf[:0]
	op := -1
	done := v.cross()
	for i := range argc {
		x := v.getU64(v.getU32(argv + 4*i))
		if i == 0 {
			if tagOf(x) == tagInt {
				op = int(int32(x))
			}
			continue
		}
		a, err := v.toGo(x, 0)
		if err != nil {
			done()
			return v.refuse(err)
		}
		args = append(args, a)
	}
	done()
	if v.host == nil {
		return v.throw(&isolate.Throw{Name: "Error", Message: "the host cannot be called while the bootstrap is evaluated"})
	}
	var out isolate.Value
	var err error
	if v.last == nil || v.eng.cfg.Bootstrap.Ops.Last(op, args) {
		out, err = v.host.HostCall(op, args)
	}
	if v.dead != nil {
		panic(v.dead)
	}
	if err != nil {
		return v.refuse(err)
	}
	x, err := v.toJS(out, 0)
	if err != nil {
		return v.throw(err)
	}
	box, err := v.malloc(8)
	if err != nil {
		panic(v.dead)
	}
	v.putU64(box, x)
	return box
}

// The prelude reaches what scripts cannot see of a promise through these
// operations, which take no plain values. A prelude without engine.promiseState
// never uses them.
const (
	opPromiseState  = -1 // 0 pending, 1 fulfilled, 2 rejected
	opPromiseResult = -2
)

// promisePart asks for a promise's state or result. The prelude has made sure
// that x is a promise.
func (v *vm) promisePart(f fn, x uint64) uint32 {
	var r uint64
	var err error
	if f == fnPromiseState {
		if r, err = v.call(f, uint64(v.meta.Context), x); err == nil {
			r = fromFloat(float64(int32(r)))
		}
	} else {
		r, err = v.call(f, uint64(v.meta.Context), x)
	}
	if err != nil {
		return v.throw(err)
	}
	box, err := v.malloc(8)
	if err != nil {
		panic(v.dead)
	}
	v.putU64(box, r)
	return box
}

// refuse leaves a host function that failed.
func (v *vm) refuse(err error) uint32 {
	if v.dead == nil && errors.Is(err, isolate.ErrInterrupted) {
		v.halting = errHaltInterrupted
		panic(v.halting) // leave Wasm: the code is being stopped
	}
	return v.throw(err)
}

// throw sets an exception for a host function to leave with.
func (v *vm) throw(err error) uint32 {
	if v.dead != nil {
		panic(v.dead) // leave Wasm: nothing may run in this instance again
	}
	t := &isolate.Throw{Name: "Error", Message: err.Error()}
	var exc *isolate.Exception
	if !errors.As(err, &t) && errors.As(err, &exc) {
		t.Name, t.Message = exc.Name, exc.Message
	}
	var args [3]uint64
	for i, s := range [...]string{t.Name, t.Message, t.Code} {
		x, err := v.newString(s)
		if err != nil {
			panic(v.dead)
		}
		args[i] = x
	}
	e, err := v.invoke(v.meta.MakeError, args[:]...)
	if err == nil {
		_, err = v.call(fnThrow, uint64(v.meta.Context), e)
	}
	if err != nil && v.dead != nil {
		panic(v.dead)
	}
	return 0
}

// normalizeModule resolves an import: learner code is one module, so the only
// names are the bootstrap's. The result is a C string the engine frees.
func (v *vm) normalizeModule(base, name uint32) uint32 {
	n := v.cstringAt(name)
	if !v.eng.moduleNames[n] {
		return v.throw(&isolate.Throw{Name: "Error", Message: fmt.Sprintf("No such module %q, imported from %q.", n, v.cstringAt(base))})
	}
	if v.imports != nil {
		b := v.cstringAt(base)
		v.imports[b] = append(v.imports[b], n)
	}
	p, err := v.cstring(n)
	if err != nil {
		panic(v.dead)
	}
	return p
}

// loadModule gives the source of a bootstrap module that another one imports
// before its own turn.
func (v *vm) loadModule(name, length uint32) uint32 {
	n := v.cstringAt(name)
	src, ok := v.boot[n]
	if !ok {
		return v.throw(&isolate.Throw{Name: "Error", Message: fmt.Sprintf("No such module %q.", n)})
	}
	p, err := v.cstring(src)
	if err != nil {
		panic(v.dead)
	}
	v.putU32(length, uint32(len(src)))
	v.served[n] = true
	return p
}

func (v *vm) cstringAt(p uint32) string {
	mem := v.mem.region.base[p:v.mem.size]
	for i, c := range mem {
		if c == 0 {
			return string(mem[:i])
		}
	}
	return ""
}

// Idle implements isolate.Isolate: each function that was called keeps a stack,
// which is dropped here, as are the isolate's copies of pages that are as in the
// snapshot again: an object that was only looked at had its reference count
// written twice.
func (v *vm) Idle() {
	if v.depth > 0 || v.mod == nil {
		return
	}
	v.eng.warmer.learn(v)
	v.callees = [fnCount]callees{}
	v.trim()
}

// Close implements isolate.Isolate.
func (v *vm) Close() error {
	if v.mod == nil {
		return nil
	}
	if v.depth > 0 {
		return errors.New("isolate: closed from inside one of its own calls")
	}
	v.eng.warmer.learn(v)
	mod := v.mod
	v.mod, v.dead, v.callees = nil, isolate.ErrBroken, [fnCount]callees{}
	v.eng.live.Add(-1)
	return mod.Close(context.Background())
}
