package runner

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"coldstart/sandbox/query"
	"coldstart/sandbox/trace"
	"coldstart/sandbox/webapi"
)

// Roles of a child.
const (
	RoleBuild = "build"
	RoleRun   = "run"
	RoleSQL   = "sql"
)

// Worker is one isolate with a learner's Worker in it. Its methods are safe
// for concurrent use and do not block for long.
type Worker interface {
	// Invoke begins one event. What comes of it goes to sink, last Done. An
	// error means that the isolate is gone and sink is not used.
	Invoke(inv webapi.Invocation, sink webapi.Sink) error
	// Cancel ends a run early: its visitor went away. For webapi.ErrUnread it ends what it sends only.
	Cancel(run string, why error)
	// Pages is the isolate's page map, nil when it has none.
	Pages() []byte
	// Private is how many bytes the isolate holds for itself.
	Private() int64
	// Dead reports that the isolate takes no more events.
	Dead() bool
	// Close ends all runs and frees the isolate.
	Close()
}

// WorkerSpec is what a Worker is made from.
type WorkerSpec struct {
	Name    string // isolate id
	Worker  *trace.Worker
	Limits  trace.Limits
	Backend webapi.Backend
	From    *webapi.Frozen // state to begin with in place of loading the module, nil for none
	// Enter and Leave bracket every turn in which the isolate's code may run,
	// on the goroutine and locked thread that runs it.
	Enter, Leave func()
}

// Started is a Worker and how its making went. With a Fault there is no
// Worker: its module did not load.
type Started struct {
	Worker      Worker
	Fault       *trace.Fault
	Start, Load time.Duration
	LoadCPU     time.Duration // thread CPU time in Load
}

// Engines are what a run child executes with; tests give their own.
type Engines interface {
	// NewWorker makes an isolate and loads the learner's module. An error is ours.
	NewWorker(spec WorkerSpec) (Started, error)
	// Script runs a lowered script to its end or until ctx is done, and gives its result as JSON.
	Script(ctx context.Context, s ScriptSpec) ([]byte, *trace.Fault)
}

// Builder is what a build child builds with.
type Builder interface {
	Build(ctx context.Context, p trace.Project) (*trace.Deployment, error)
	Lower(ctx context.Context, name, source string) (code string, sourceMap []byte, fault *trace.Fault)
}

// Querier is what a sql child runs queries with.
type Querier interface {
	Do(ctx context.Context, q query.Request) query.Reply
}

// Inherited is what a child got from its parent.
type Inherited struct {
	Image *os.File // the engine's snapshot, nil for none
	Cache string   // folder for compiled code, readable until the walls are up; "" for none
}

// Setup makes what a child works with, after its files are there and before
// it is locked down. Only the one that the role asks for is called.
type Setup struct {
	Engines func(Inherited) (Engines, error)
	Builder func() (Builder, error)
	Querier func(memory int64) (Querier, error) // bytes that all databases may take
}

// Descriptors that a child inherits after standard input, output and error.
const (
	fdSocket = 3
	fdBoard  = 4
	fdImage  = 5
)

// ChildMain is the whole life of a child process. It returns the exit code:
// 0 when the parent went away, 2 when something was wrong.
func ChildMain(role string, setup Setup) int {
	if err := childMain(role, setup); err != nil {
		fmt.Fprintln(os.Stderr, "coldstart child:", err)
		return 2
	}
	return 0
}

func childMain(role string, setup Setup) error {
	if role != RoleRun && role != RoleBuild && role != RoleSQL {
		return fmt.Errorf("unknown role %q", role)
	}
	sock, err := openSocket(fdSocket)
	if err != nil {
		return fmt.Errorf("no socket from a parent: %w", err)
	}
	r := newFrameReader(sock, false)
	f, err := r.next()
	if err != nil {
		return fmt.Errorf("read configuration: %w", err)
	}
	if f.kind != kindConfig {
		return violation("first frame is of kind %d", f.kind)
	}
	cfg, err := decode[configMsg](f.payload)
	if err != nil {
		return err
	}
	if cfg.Memory > 0 {
		debug.SetMemoryLimit(cfg.Memory + heapFloor)
	}
	dieFirst()
	nice := cfg.Nice
	if role == RoleSQL {
		nice += sqlNice
	}
	if nice > 0 {
		beNice(nice)
	}
	if role == RoleRun {
		steady()
	}
	debug.SetMaxStack(256 << 20)
	c := newChild(sock)
	in := Inherited{Cache: cfg.Cache}
	if cfg.Board {
		if c.board, err = mapBoard(fdBoard); err != nil {
			return fmt.Errorf("map the status board: %w", err)
		}
	}
	if cfg.Image {
		in.Image = os.NewFile(fdImage, "image")
	}
	var ready readyMsg
	switch role {
	case RoleRun:
		c.engines, err = setup.Engines(in)
	case RoleBuild:
		c.builder, err = setup.Builder()
	case RoleSQL:
		c.querier, err = setup.Querier(cfg.Memory / 2)
	}
	if err == nil && !cfg.Open {
		ready.Walls, err = lockdown(role)
	}
	if err != nil {
		ready.Error = err.Error()
		_ = c.conn.send(now, kindReady, 0, ready)
		return err
	}
	if err := c.conn.send(now, kindReady, 0, ready); err != nil {
		return err
	}
	c.trim.touch() // a spare hears nothing, and starting leaves much behind
	err = c.serve(r)
	c.stop(errors.New("the parent went away"))
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}

func newChild(w io.WriteCloser) *child {
	c := &child{
		conn: newConn(w), runs: map[uint64]*childRun{}, byID: map[string]*childRun{},
		scripts: map[uint64]*childScript{}, isolates: map[uint64]*childIsolate{}, workers: map[uint64]*trace.Worker{},
	}
	c.ctx, c.stop = context.WithCancelCause(context.Background())
	c.trim.busy = c.busy
	c.trim.turns = func() bool { return c.board.lasting(monotonic(), int64(trimTurn)) }
	return c
}

// child is the state of a child process.
type child struct {
	conn    *conn
	board   *board
	engines Engines
	builder Builder
	querier Querier
	ctx     context.Context // the process's life
	stop    context.CancelCauseFunc
	trim    trimmer

	mu       sync.Mutex
	runs     map[uint64]*childRun
	byID     map[string]*childRun
	scripts  map[uint64]*childScript
	isolates map[uint64]*childIsolate
	workers  map[uint64]*trace.Worker
	building int // builds and queries at work
}

type childIsolate struct {
	number uint64
	ready  chan struct{} // closed once one of these is set
	worker Worker
	fault  *trace.Fault
	err    error
	spec   WorkerSpec // of worker
	frozen atomic.Pointer[webapi.Frozen]

	// Runs begin in the order in which they came, also while the isolate is being made. Guarded by the child's mu.
	open    bool     // those that waited have begun
	waiting []func() // what begins them
}

// busy reports whether the child works on something.
func (c *child) busy() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.runs)+len(c.scripts)+c.building > 0
}

// begun counts builds and queries at work: +1 and -1.
func (c *child) begun(n int) {
	c.mu.Lock()
	c.building += n
	c.mu.Unlock()
}

// serve reads frames until the parent goes away.
func (c *child) serve(r *frameReader) error {
	for {
		f, err := r.next()
		if err != nil {
			return err
		}
		c.trim.touch()
		if err := c.handle(f); err != nil {
			return err
		}
	}
}

func (c *child) handle(f frame) error {
	switch f.kind {
	case kindPing:
		return c.conn.send(queued, kindPong, f.n, nil)
	case kindWorker:
		w, err := decode[trace.Worker](f.payload)
		if err != nil {
			return err
		}
		c.mu.Lock()
		c.workers[f.n] = &w
		c.mu.Unlock()
	case kindForget:
		c.mu.Lock()
		delete(c.workers, f.n)
		c.mu.Unlock()
	case kindStart:
		m, err := decode[startMsg](f.payload)
		if err != nil {
			return err
		}
		c.start(f.n, m)
	case kindEvict:
		c.evict(f.n)
	case kindPages:
		c.pages(f.n)
	case kindState:
		m, err := decode[stateMsg](f.payload)
		if err != nil {
			return err
		}
		c.state(f.n, m)
	case kindBuild:
		p, err := decode[trace.Project](f.payload)
		if err != nil {
			return err
		}
		go c.build(f.n, p)
	case kindLower:
		m, err := decode[lowerMsg](f.payload)
		if err != nil {
			return err
		}
		go c.lower(f.n, m)
	case kindQuery:
		q, err := decode[query.Request](f.payload)
		if err != nil {
			return err
		}
		go c.query(f.n, q)
	case kindScript:
		m, err := decode[scriptMsg](f.payload)
		if err != nil {
			return err
		}
		c.script(f.n, m)
	case kindBody, kindCredit, kindStop, kindCancel, kindReply, kindResponse, kindMessage, kindSockEnd:
		c.mu.Lock()
		run, script := c.runs[f.n], c.scripts[f.n]
		c.mu.Unlock()
		switch {
		case run != nil:
			return run.handle(f)
		case script != nil:
			return script.handle(c, f)
		}
		return nil // it was over before the parent knew
	default:
		return violation("kind %d from the parent", f.kind)
	}
	return nil
}

func (c *child) build(n uint64, p trace.Project) {
	if c.builder == nil {
		_ = c.conn.send(now, kindBuilt, n, builtMsg{Error: "not a build child"})
		return
	}
	c.begun(1)
	defer c.begun(-1)
	d, err := c.builder.Build(c.ctx, p)
	var m builtMsg
	if err != nil {
		m.Error = err.Error()
	} else {
		m.Deployment = *d
	}
	if err := c.conn.send(now, kindBuilt, n, m); err != nil && !errors.Is(err, errClosed) {
		_ = c.conn.send(now, kindBuilt, n, builtMsg{Error: err.Error()})
	}
}

func (c *child) lower(n uint64, m lowerMsg) {
	if c.builder == nil {
		_ = c.conn.send(now, kindLowered, n, loweredMsg{Fault: &trace.Fault{Kind: trace.FaultPlatform, Message: "Our runner was asked to build. It was not your code. Run again."}})
		return
	}
	c.begun(1)
	defer c.begun(-1)
	code, sourceMap, fault := c.builder.Lower(c.ctx, m.Name, m.Source)
	_ = c.conn.send(now, kindLowered, n, loweredMsg{Code: code, Map: sourceMap, Fault: fault})
}

// sqlNice is how much more than other children a sql child gives way.
const sqlNice = 5

func (c *child) query(n uint64, q query.Request) {
	var r query.Reply
	if c.querier == nil {
		r.Error = &query.Error{Name: "Error", Message: "Our runner was asked for SQL. It was not your code. Run again."}
	} else {
		c.begun(1)
		defer c.begun(-1)
		r = c.querier.Do(c.ctx, q)
	}
	if err := c.conn.send(now, kindQueried, n, r); err != nil && !errors.Is(err, errClosed) {
		_ = c.conn.send(now, kindQueried, n, query.Reply{Error: &query.Error{Name: "Error", Message: err.Error()}})
	}
}

// evict closes an isolate. Its runs end with their own Done.
func (c *child) evict(n uint64) {
	c.mu.Lock()
	iso := c.isolates[n]
	delete(c.isolates, n)
	c.mu.Unlock()
	if iso != nil {
		go c.close(iso)
	}
}

func (c *child) close(iso *childIsolate) {
	<-iso.ready
	if iso.worker != nil {
		iso.worker.Close()
		c.trim.closed()
	}
}

func (c *child) pages(n uint64) {
	c.mu.Lock()
	iso := c.isolates[n]
	c.mu.Unlock()
	go func() {
		var p []byte
		if iso != nil {
			if <-iso.ready; iso.worker != nil {
				p = iso.worker.Pages()
			}
		}
		_ = c.conn.send(now, kindPages, n, p)
	}()
}
