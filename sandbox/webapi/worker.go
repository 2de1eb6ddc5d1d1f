package webapi

import (
	"context"
	"crypto/sha256"
	"errors"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/text/collate"

	"coldstart/sandbox/isolate"
	"coldstart/sandbox/trace"
)

// ErrClosed is what an evicted Worker answers.
var ErrClosed = errors.New("webapi: the Worker's isolate is closed")

// Config is what a Worker is started from. Engine, Pool, Ops and Backend are
// required; Engine must have been made with Ops and the bootstrap of sandbox/js.
type Config struct {
	Engine  isolate.Engine
	Pool    *isolate.Pool
	Ops     *isolate.Ops
	Worker  trace.Worker
	ID      string // of the isolate, for events
	Backend Backend
	Now     func() time.Time // time.Now when nil
	// From is the state to begin with in place of evaluating the module: the
	// new isolate is a fork. Nil for none. It must be of the same Worker.
	From *Frozen
	// Evicted is told once that the isolate is gone and why: "" when Evict
	// asked for it, else the fault's kind. Nil for none.
	Evicted func(why string)
}

// Worker is one isolate with a learner's Worker in it.
type Worker struct {
	cfg    Config
	limits trace.Limits
	loop   *isolate.Loop
	made   time.Time
	stacks stacks
	keys   chan struct{} // full while a key with primes is made for it

	start, load time.Duration // how long the two phases took
	loadCPU     time.Duration // thread CPU time of the second, set before loading ends

	private atomic.Int64 // bytes, after the last run
	cpu     atomic.Int64 // microseconds of all runs

	mu      sync.Mutex
	active  int
	aside   int // of those, runs that take no place
	waiting []*run
	weighed time.Time     // when private was last asked for; of the loop
	unbegun map[*run]bool // posted or waiting, their first turn not begun
	closed  bool
	served  int
	gates   map[string]*isolate.Gate // of Durable Objects

	// The rest belongs to the isolate's turns.
	runs    map[int]*run
	lastRun int
	bodies  map[int]*hostBody
	uploads map[int]*upload
	fetches map[int]func()
	sockets map[int]*socket
	timers  map[int]*timer
	lastID  int
	codecs  map[int]codec

	collators map[string]*collate.Collator // nil until a script orders texts
	wasm      *wasmHost                    // nil until a script uses WebAssembly
	loading   *loading
	spent     *trace.Fault // why the isolate is spent
}

// loading is the state of a module's top level.
type loading struct {
	done  chan struct{}
	once  sync.Once
	fault *trace.Fault
}

func (l *loading) end(f *trace.Fault) {
	l.once.Do(func() {
		l.fault = f
		close(l.done)
	})
}

// nodeDate is the compatibility date from which nodejs_compat needs no flag.
const nodeDate = "2026-08-04"

// seesErrors reports whether a program can look at errors that the engine made.
func seesErrors(code string) bool {
	for _, word := range []string{"catch", "rejection", ".message", "onerror", "allSettled", "\"error\"", "prepareStackTrace"} {
		if strings.Contains(code, word) {
			return true
		}
	}
	return false
}

// moduleName is what the learner's code is called inside the engine.
const moduleName = "worker.js"

// Start makes an isolate and evaluates the Worker's module in it. A fault
// tells the learner why the module could not start; an error is ours.
func Start(ctx context.Context, cfg Config) (*Worker, *trace.Fault, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	w := &Worker{
		cfg: cfg, limits: withDefaults(cfg.Worker.Limits), made: time.Now(),
		keys: make(chan struct{}, 1), gates: map[string]*isolate.Gate{}, runs: map[int]*run{}, unbegun: map[*run]bool{}, bodies: map[int]*hostBody{}, uploads: map[int]*upload{}, fetches: map[int]func(){}, sockets: map[int]*socket{}, timers: map[int]*timer{}, codecs: map[int]codec{},
		loading: &loading{done: make(chan struct{})},
	}
	w.stacks.worker = &w.cfg.Worker
	began := time.Now()
	loop, err := isolate.NewLoop(ctx, isolate.LoopConfig{
		Pool: cfg.Pool, Engine: cfg.Engine, Ops: cfg.Ops, Memory: w.limits.Memory, Owner: w,
		Failed: w.failed, Broken: w.broken, Rejection: w.rejection, Now: w.now,
	})
	if err != nil {
		return nil, nil, err
	}
	w.loop = loop
	w.start = time.Since(began)
	began = time.Now()
	account := &isolate.Account{Run: "load", Limit: w.limits.StartCPU, Quiet: func(isolate.Isolate) error {
		w.loading.end(&trace.Fault{
			Kind: trace.FaultStartup, Message: "The module's top level waits for a promise that never resolves.",
			Hint: "Move the await into a handler; at the top level only work that ends by itself can be awaited.",
		})
		return nil
	}}
	turn := w.loadTurn
	if cfg.From != nil {
		turn = w.fork(cfg.From)
	}
	if err := loop.Post(account, turn); err != nil {
		return nil, nil, err
	}
	select {
	case <-w.loading.done:
	case <-ctx.Done():
		_ = loop.Close()
		return nil, nil, context.Cause(ctx)
	}
	w.load = time.Since(began)
	if w.loading.fault != nil {
		_ = loop.Close()
		return nil, w.loading.fault, nil
	}
	return w, nil, nil
}

func withDefaults(l trace.Limits) trace.Limits {
	d := trace.Default()
	for _, f := range []struct{ v, d *time.Duration }{{&l.CPU, &d.CPU}, {&l.StartCPU, &d.StartCPU}, {&l.Wall, &d.Wall}} {
		if *f.v <= 0 {
			*f.v = *f.d
		}
	}
	for _, f := range []struct{ v, d *int64 }{{&l.Memory, &d.Memory}, {&l.Body, &d.Body}, {&l.Request, &d.Request}} {
		if *f.v <= 0 {
			*f.v = *f.d
		}
	}
	for _, f := range []struct{ v, d *int }{{&l.LogBytes, &d.LogBytes}, {&l.LogCount, &d.LogCount}, {&l.Calls, &d.Calls}, {&l.Depth, &d.Depth}, {&l.Requests, &d.Requests}} {
		if *f.v <= 0 {
			*f.v = *f.d
		}
	}
	return l
}

func (w *Worker) loadTurn(iso isolate.Isolate) error {
	wk := &w.cfg.Worker
	bindings := make([]any, 0, 10*len(wk.Bindings))
	for _, b := range wk.Bindings {
		if b.Type == "version" {
			b.ID, b.Props = versionID(wk.Version), w.made.UTC().Format(time.RFC3339Nano)
		}
		bindings = append(bindings, b.Name, b.Type, b.Value, b.ID, b.Service, b.Entrypoint, b.Class, b.Props, b.Limit, b.Period)
	}
	node := (wk.Date >= nodeDate || w.compat("nodejs_compat") || w.compat("nodejs_compat_v2")) && !w.compat("no_nodejs_compat")
	if _, err := iso.Call("init", bindings, wk.Classic, wk.Date, node, seesErrors(wk.Code), strings.Join(wk.Flags, " "), wk.Outbound != ""); err != nil {
		return err
	}
	err := iso.Load(moduleName, importWasm(wk), wk.Classic)
	if exc := (*isolate.Exception)(nil); errors.As(err, &exc) {
		if f := w.refusedPattern(iso, exc); f != nil {
			return &FaultError{f}
		}
	}
	return err
}

// versionID is a Worker's version, a hash in hexadecimal, in the shape of a UUID.
func versionID(version string) string {
	sum := sha256.Sum256([]byte(version))
	return uuid([16]byte(sum[:16]))
}

// wasmImport finds what the bundler writes for an import of a .wasm file.
var wasmImport = regexp.MustCompile(`(?m)^import (\w+) from ("coldstart:wasm/[^"\n]+");$`)

// importWasm turns the imports of .wasm files into calls, since the engine's
// modules are scripts. Lines and columns of other code stay.
func importWasm(w *trace.Worker) string {
	if len(w.Wasm) == 0 {
		return w.Code
	}
	code := wasmImport.ReplaceAllString(w.Code, `const $1 = WebAssembly[Symbol.for("coldstart.module")]($2);`)
	return wasmDynamic.ReplaceAllString(code, `(async () => ({ default: WebAssembly[Symbol.for("coldstart.module")]($1) }))()`)
}

var wasmDynamic = regexp.MustCompile(`import\(("coldstart:wasm/[^"\n]+")\)`)

// failed gets what a turn threw: an exception of a timer's callback, or why
// the isolate is spent.
func (w *Worker) failed(a *isolate.Account, err error) {
	f := w.faultOf(err)
	if r, ok := a.Owner.(*run); ok {
		r.uncaught(f)
		if f.Kind != trace.FaultException {
			w.spent = f
			r.fail(f)
		}
		return
	}
	if f.Kind == trace.FaultException {
		f.Kind = trace.FaultStartup
	}
	w.loading.end(f)
}

// weighEvery is how old the memory figure of a busy isolate may be: asking the
// kernel takes about as long as a small request.
const weighEvery = 50 * time.Millisecond

// weigh is the isolate's private memory, inside a turn of a run that is over;
// with now as it is at this moment.
func (w *Worker) weigh(sink Sink, now bool) int64 {
	if at := time.Now(); now || at.Sub(w.weighed) >= weighEvery {
		w.loop.Aside(sink.Flush)
		w.weighed = at
		w.private.Store(w.loop.Isolate().Memory().Private)
	}
	return w.private.Load()
}

// now is the clock that scripts see: it does not run while the module loads.
func (w *Worker) now() time.Time {
	if !w.isLoaded() {
		return time.Unix(0, 0)
	}
	return w.cfg.Now()
}

// faultOf says in the learner's words what an engine's error means.
func (w *Worker) faultOf(err error) *trace.Fault {
	var exc *isolate.Exception
	var stop *isolate.Stop
	where := ""
	if errors.As(err, &stop) {
		where = stop.Stack
	}
	var known *FaultError
	switch {
	case errors.As(err, &known):
		return known.Fault
	case errors.As(err, &exc):
		return w.exception(exc.Name, exc.Message, exc.Stack, w.causes(exc))
	case errors.Is(err, isolate.ErrMemory):
		return w.stacks.place(&trace.Fault{Kind: trace.FaultMemory, Message: w.memoryMessage(), Hint: memoryHint}, where)
	case errors.Is(err, isolate.ErrInterrupted):
		if errors.Is(w.loop.StopCause(), isolate.ErrCPU) {
			f := &trace.Fault{Kind: trace.FaultCPU, Message: "CPU limit: stopped after " + trace.WaitText(w.limits.CPU) + ".", Hint: "Look for a loop that does not end, or do less work per request; waiting costs no CPU time."}
			if !w.isLoaded() {
				f.Message = "CPU limit: stopped after " + trace.WaitText(w.limits.StartCPU) + " at the module’s top level."
				f.Hint = "Look for a loop that does not end, or move work into the handler: the top level runs before the first request."
			}
			return w.stacks.placeLoop(f, where)
		}
		if cause := w.loop.StopCause(); errors.Is(cause, errEvicted) || errors.Is(cause, isolate.ErrClosed) {
			return &trace.Fault{Kind: trace.FaultCanceled, Message: "The isolate was evicted while the request ran."}
		}
		return w.stacks.placeLoop(w.wallFault(), where)
	}
	return &trace.Fault{Kind: trace.FaultPlatform, Message: "Our isolate broke. It was not your code.", Hint: "Run again: a new isolate takes over."}
}

const memoryHint = "Keep less at once: stream large data, and drop what is no longer needed from global variables."

func (w *Worker) memoryMessage() string {
	return "Memory limit: " + trace.SizeText(w.limits.Memory) + " are full."
}

func (w *Worker) isLoaded() bool {
	select {
	case <-w.loading.done:
		return true
	default:
		return false
	}
}

var errEvicted = errors.New("evicted")

// broken ends every run of a spent isolate.
func (w *Worker) broken(err error) {
	f := w.spent
	if f == nil {
		f = w.faultOf(err)
	}
	others := &trace.Fault{Kind: f.Kind, Message: f.Message, Hint: f.Hint}
	if w.spent != nil {
		others.Hint = "Another request in the same isolate reached it, and this one ended with it: see that one's run, then run again."
	}
	w.shut(string(f.Kind), others)
	w.loop.Shutdown()
}

// shut ends all runs and refuses new ones.
func (w *Worker) shut(why string, f *trace.Fault) {
	w.mu.Lock()
	was := w.closed
	w.closed = true
	unbegun := w.unbegun
	w.waiting, w.unbegun = nil, map[*run]bool{}
	w.mu.Unlock()
	w.loading.end(f)
	for _, r := range w.runs {
		r.fail(f)
		r.finish()
	}
	for r := range unbegun {
		r.unwatch()
		r.sink.Refused()
	}
	for id, b := range w.bodies {
		b.close()
		delete(w.bodies, id)
	}
	for id, c := range w.codecs {
		c.close()
		delete(w.codecs, id)
	}
	if w.wasm != nil {
		w.wasm.close()
		w.wasm = nil
	}
	for _, s := range w.sockets {
		s.shut()
	}
	if !was && w.cfg.Evicted != nil {
		w.cfg.Evicted(why)
	}
}

func (w *Worker) rejection(a *isolate.Account, _ uint32, reason *isolate.Exception, handled bool) {
	if r, ok := a.Owner.(*run); ok && !handled {
		r.uncaught(w.exception(reason.Name, reason.Message, reason.Stack, w.causes(reason)))
	}
}

// StartTime and LoadTime are how long the two phases of the start took.
func (w *Worker) StartTime() time.Duration { return w.start }

// LoadTime is how long the module's top level took.
func (w *Worker) LoadTime() time.Duration { return w.load }

// LoadCPU is the thread CPU time of the module's top level.
func (w *Worker) LoadCPU() time.Duration { return w.loadCPU }

// ID is Config.ID.
func (w *Worker) ID() string { return w.cfg.ID }

// Active is how many invocations are running or waiting for their turn.
func (w *Worker) Active() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.active + len(w.waiting)
}

// Closed tells whether the isolate takes no more invocations.
func (w *Worker) Closed() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.closed
}

// Stats is the isolate's state as the interface shows it.
func (w *Worker) Stats() trace.IsolateState {
	w.mu.Lock()
	defer w.mu.Unlock()
	state := "idle"
	switch {
	case w.closed:
		state = "evicted"
	case w.active > 0:
		state = "warm"
	}
	return trace.IsolateState{ID: w.cfg.ID, State: state, Engine: w.cfg.Engine.Name(), Age: time.Since(w.made).Microseconds(), Requests: w.served, CPU: w.cpu.Load(), Private: w.private.Load(), Limit: w.limits.Memory}
}

// Pages is the page map of the isolate; see isolate.Isolate. It waits for the
// turn in progress.
func (w *Worker) Pages(ctx context.Context) ([]byte, error) {
	type result struct{ pages []byte }
	got := make(chan result, 1)
	if err := w.loop.Post(&isolate.Account{Run: "pages"}, func(iso isolate.Isolate) error {
		got <- result{iso.Pages()}
		return nil
	}); err != nil {
		return nil, ErrClosed
	}
	select {
	case r := <-got:
		return r.pages, nil
	case <-w.loop.Done():
		return nil, ErrClosed
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// Evict closes the isolate. Runs in progress end with a canceled fault.
func (w *Worker) Evict() {
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		<-w.loop.Done()
		return
	}
	w.mu.Unlock()
	ended := make(chan struct{})
	if err := w.loop.Post(&isolate.Account{Run: "evict"}, func(isolate.Isolate) error {
		defer close(ended)
		w.shut("", &trace.Fault{Kind: trace.FaultCanceled, Message: "The isolate was evicted while the request ran."})
		return nil
	}); err == nil {
		// A turn that does not end is stopped.
		t := time.AfterFunc(100*time.Millisecond, func() { w.loop.Stop(errEvicted) })
		select {
		case <-ended:
		case <-w.loop.Done():
		}
		t.Stop()
	}
	_ = w.loop.Close()
}

// compat tells whether a compatibility flag is on.
func (w *Worker) compat(flag string) bool {
	for _, f := range w.cfg.Worker.Flags {
		if strings.EqualFold(f, flag) {
			return true
		}
	}
	return false
}
