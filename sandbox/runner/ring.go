package runner

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"coldstart/sandbox/query"
	"coldstart/sandbox/trace"
)

// Config is what a Ring is made from.
type Config struct {
	Runners    int           // run children that serve, default the number of CPUs, at least 2
	Builders   int           // build children that serve, default 1
	Executable string        // default: this program
	Suffix     string        // behind a child's role: "-goja" for other engines
	Nice       int           // makes the kernel prefer everyone else, 0 to 19: see nice(1)
	Args       []string      // before --role=…; default "child"
	Image      *os.File      // the engine's snapshot, inherited by run children; not closed here
	Cache      string        // folder for compiled code, read by run children before they lock down
	Memory     int64         // bytes of private memory a child may hold, default 1 GiB
	MemoryAll  int64         // bytes all children may hold together, default 3 GiB
	BuildWall  time.Duration // how long a build may take, waiting for a processor included, default 15 s
	ReadyWall  time.Duration // how long a child may take to be ready, default 1 min: the engine may have to be compiled
	Open       bool          // no walls: only for tests of the protocol
	Log        *slog.Logger
	// Lost is told of every serving run child that died, before its runs are.
	// It must not block.
	Lost func(p *Runner, why string)
	// Tight is told, from the watch, how many bytes all run children hold
	// beyond what they may together. It should evict idle isolates.
	Tight func(over int64)
	// Crowded is told, from the watch, how many bytes a run child holds beyond
	// three quarters of what it may. It should evict idle isolates there.
	Crowded func(p *Runner, over int64)
}

func (c Config) withDefaults() Config {
	if c.Runners == 0 {
		c.Runners = max(2, runtime.NumCPU())
	}
	if c.Builders == 0 {
		c.Builders = 1
	}
	if c.Executable == "" {
		c.Executable = selfPath
	}
	if c.Args == nil {
		c.Args = []string{"child"}
	}
	if c.Memory == 0 {
		c.Memory = 1 << 30
	}
	if c.MemoryAll == 0 {
		c.MemoryAll = 3 << 30
	}
	if c.BuildWall == 0 {
		c.BuildWall = 15 * time.Second * instrumented
	}
	if c.ReadyWall == 0 {
		c.ReadyWall = time.Minute
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Lost == nil {
		c.Lost = func(*Runner, string) {}
	}
	if c.Tight == nil {
		c.Tight = func(int64) {}
	}
	if c.Crowded == nil {
		c.Crowded = func(*Runner, int64) {}
	}
	return c
}

// Ring is the parent's half: the children that serve, their spares, and the watch.
type Ring struct {
	cfg    Config
	ctx    context.Context
	stop   context.CancelFunc
	wg     sync.WaitGroup
	next   atomic.Uint64
	starts chan start
	cells  chan *cell
	builds *semaphore.Weighted // one for each build child; whoever came first goes first

	mu       sync.Mutex
	changed  chan struct{} // closed and replaced when a place changes
	places   map[string][]*Runner
	spares   map[string]*Runner
	refills  map[string]bool
	all      map[*Runner]bool
	restarts int
	deaths   map[string][]time.Time // recent ones, by role
	closed   bool
	boards   []*board // of dead children, for new ones
}

type start struct {
	cmd  *exec.Cmd
	done chan error
}

// New starts the children and returns once the first that runs and the first that
// builds are ready. The one for SQL starts after all others, or with the first query.
func New(ctx context.Context, cfg Config) (*Ring, error) {
	cfg = cfg.withDefaults()
	r := &Ring{
		cfg: cfg, starts: make(chan start), cells: make(chan *cell, cellMax), changed: make(chan struct{}),
		builds: semaphore.NewWeighted(int64(cfg.Builders)),
		places: map[string][]*Runner{RoleRun: make([]*Runner, cfg.Runners), RoleBuild: make([]*Runner, cfg.Builders), RoleSQL: make([]*Runner, 1)},
		spares: map[string]*Runner{}, refills: map[string]bool{}, all: map[*Runner]bool{}, deaths: map[string][]time.Time{},
	}
	r.ctx, r.stop = context.WithCancel(context.WithoutCancel(ctx))
	for range cellMax {
		r.cells <- &cell{}
	}
	r.wg.Go(r.starter)
	r.wg.Go(r.watch)
	for _, role := range []string{RoleRun, RoleBuild} {
		p, err := r.launch(role, false)
		if err != nil {
			_ = r.Close()
			return nil, err
		}
		r.place(p)
		r.refill(role)
	}
	return r, nil
}

// starter starts processes from one thread that lives as long as the ring:
// children die with the thread that started them.
func (r *Ring) starter() {
	runtime.LockOSThread() // never unlocked: the thread ends with this goroutine
	for {
		select {
		case s := <-r.starts:
			s.done <- s.cmd.Start()
		case <-r.ctx.Done():
			return
		}
	}
}

func (r *Ring) spawn(cmd *exec.Cmd) error {
	s := start{cmd: cmd, done: make(chan error, 1)}
	select {
	case r.starts <- s:
		return <-s.done
	case <-r.ctx.Done():
		return errClosed
	}
}

// board gives a new child its board. Boards are used again and never unmapped,
// because someone may still look at a dead child's.
func (r *Ring) board() (*board, error) {
	r.mu.Lock()
	if n := len(r.boards); n > 0 {
		b := r.boards[n-1]
		r.boards = r.boards[:n-1]
		r.mu.Unlock()
		clear(b.mem)
		return b, nil
	}
	r.mu.Unlock()
	return makeBoard()
}

func (r *Ring) retire(b *board) {
	r.mu.Lock()
	r.boards = append(r.boards, b)
	r.mu.Unlock()
}

func (r *Ring) number() uint64 { return r.next.Add(1) }

// NextIsolate is a fresh isolate number.
func (r *Ring) NextIsolate() uint64 { return r.number() }

// Size is how many run children serve.
func (r *Ring) Size() int { return r.cfg.Runners }

// place puts a ready child where one is missing, else makes it the spare.
func (r *Ring) place(p *Runner) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		go p.dismiss("the sandbox is closing")
		return
	}
	r.all[p] = true
	select {
	case <-p.dead: // died meanwhile
		delete(r.all, p)
		return
	default:
	}
	for i, q := range r.places[p.role] {
		if q == nil {
			r.places[p.role][i] = p
			r.notify()
			return
		}
	}
	if r.spares[p.role] == nil {
		r.spares[p.role] = p
		return
	}
	go p.dismiss("one too many")
}

func (r *Ring) notify() {
	close(r.changed)
	r.changed = make(chan struct{})
}

// missing reports whether a place or the spare of a role is empty. A sql child
// holds databases, which a spare would have to read again, and starts as
// quickly as they are read: it has none.
func (r *Ring) missing(role string) bool {
	for _, q := range r.places[role] {
		if q == nil {
			return true
		}
	}
	return r.spares[role] == nil && role != RoleSQL
}

// refill starts children in the background until none is missing.
func (r *Ring) refill(role string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.refills[role] || r.closed || !r.missing(role) {
		return
	}
	r.refills[role] = true
	r.wg.Go(func() {
		failures := 0
		for {
			r.mu.Lock()
			if r.closed || !r.missing(role) {
				r.refills[role] = false
				whole := !r.missing(RoleRun) && !r.missing(RoleBuild)
				r.mu.Unlock()
				if whole {
					r.refill(RoleSQL) // after all others, unless a query came before: no first answer waits for it
				}
				return
			}
			wait := backoff(len(r.deaths[role]) + 2*failures)
			r.mu.Unlock()
			if wait > 0 {
				select {
				case <-time.After(wait):
				case <-r.ctx.Done():
				}
			}
			p, err := r.launch(role, false)
			if err != nil {
				if r.ctx.Err() == nil {
					r.cfg.Log.Error("child did not start", "role", role, "error", err)
				}
				failures++
				continue
			}
			failures = 0
			r.place(p)
		}
	})
}

// deathWindow is how long a death counts towards a crash loop.
const deathWindow = 10 * time.Second

// backoff is the wait before the next start after n deaths in deathWindow that
// nobody's code explains. Being killed for stuck code is ordinary, comes no more
// often than code can be waited for, and must not make everybody else wait.
func backoff(n int) time.Duration {
	if n <= 8 {
		return 0
	}
	return min(2*time.Second, 10*time.Millisecond<<min(n-8, 10))
}

// lost takes a dead child out and puts the spare in its place.
func (r *Ring) lost(p *Runner, why string) {
	r.mu.Lock()
	delete(r.all, p)
	r.mu.Unlock()
	if out := p.tail.String(); out != "" && r.ctx.Err() == nil {
		r.cfg.Log.Error("child crashed", "pid", p.PID(), "role", p.role, "why", why, "stderr", out)
	}
	r.replace(p, why)
}

// replace puts the spare in the place of a child that takes no more runs.
func (r *Ring) replace(p *Runner, why string) {
	p.mu.Lock()
	known := p.guilty != 0 || p.building
	p.mu.Unlock()
	r.mu.Lock()
	served, spare := false, r.spares[p.role] == p
	if spare {
		r.spares[p.role] = nil
	}
	for i, q := range r.places[p.role] {
		if q == p {
			served = true
			r.places[p.role][i] = r.spares[p.role]
			r.spares[p.role] = nil
		}
	}
	closed := r.closed
	if p.alone && !p.wasDismissed() {
		r.restarts++
	}
	if !closed && (served || spare) {
		r.restarts++
		cut, d := time.Now().Add(-deathWindow), r.deaths[p.role]
		if !known {
			d = append(d, time.Now())
		}
		for len(d) > 0 && d[0].Before(cut) {
			d = d[1:]
		}
		r.deaths[p.role] = d
		r.notify()
	}
	r.mu.Unlock()
	if closed {
		return
	}
	if (served || p.alone) && p.role == RoleRun {
		r.cfg.Lost(p, why)
	}
	r.refill(p.role)
}

// Runner is the child that serves in a place, waiting for one if need be.
func (r *Ring) Runner(ctx context.Context, place int) (*Runner, error) {
	return r.take(ctx, RoleRun, place)
}

func (r *Ring) take(ctx context.Context, role string, place int) (*Runner, error) {
	for {
		r.mu.Lock()
		p, changed, closed := r.places[role][place], r.changed, r.closed
		r.mu.Unlock()
		if closed {
			return nil, errClosed
		}
		if p != nil {
			return p, nil
		}
		r.refill(role)
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-r.ctx.Done():
			return nil, errClosed
		}
	}
}

// ErrBuildTime is the cause of a build that was stopped for its CPU time.
var ErrBuildTime = errors.New("building took too long")

// ErrBuildLate is the error of a build that did not end in time and had not
// used up its CPU time: the machine is busy, the project may be fine.
var ErrBuildLate = errors.New("building did not end in time: this server is busy")

// ErrBuildDied is the error of a build whose child died of it.
var ErrBuildDied = errors.New("building stopped")

// ErrBuildLost is the error of a build whose children died one after the other,
// of something else: nothing is known of the project.
var ErrBuildLost = errors.New("the build children stopped, for no fault of this build")

// buildTries is how many children are given a build that none of them died of.
const buildTries = 3

// buildCPU bounds the CPU time of one build.
const buildCPU = 2 * time.Second * instrumented

// builder runs f with a build child that nobody else uses meanwhile.
func (r *Ring) builder(ctx context.Context, f func(context.Context, *Runner) error) error {
	waiting, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(r.ctx, func() { cancel(errClosed) })()
	if r.builds.Acquire(waiting, 1) != nil {
		return context.Cause(waiting)
	}
	defer r.builds.Release(1)
	for try := 1; ; try++ {
		p, err := r.idleBuilder(ctx)
		if err != nil {
			return err
		}
		err = func() error {
			bctx, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), r.cfg.BuildWall, ErrBuildLate)
			defer cancel()
			done := make(chan struct{})
			defer close(done)
			r.wg.Go(func() { p.limitCPU(done, buildCPU) })
			return f(bctx, p)
		}()
		r.mu.Lock()
		p.taken = false
		r.notify()
		r.mu.Unlock()
		if !errors.Is(err, errClosed) {
			return err
		}
		<-p.dead
		p.mu.Lock()
		why, ofIt := p.why, p.building
		p.mu.Unlock()
		switch {
		case why == ErrBuildTime.Error():
			return ErrBuildTime
		case ofIt:
			return ErrBuildDied
		case try == buildTries:
			return ErrBuildLost
		}
	}
}

// idleBuilder takes a build child for one build.
func (r *Ring) idleBuilder(ctx context.Context) (*Runner, error) {
	for {
		r.mu.Lock()
		if r.closed {
			r.mu.Unlock()
			return nil, errClosed
		}
		for _, p := range r.places[RoleBuild] {
			if p != nil && !p.taken {
				p.taken = true
				r.mu.Unlock()
				return p, nil
			}
		}
		changed := r.changed
		r.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-r.ctx.Done():
			return nil, errClosed
		}
	}
}

// limitCPU kills the child when it uses more CPU time before done is closed.
func (p *Runner) limitCPU(done <-chan struct{}, limit time.Duration) {
	begin := processCPU(p.PID())
	t := time.NewTicker(watchEvery)
	defer t.Stop()
	for {
		select {
		case <-done:
			return
		case <-p.dead:
			return
		case <-t.C:
			if processCPU(p.PID())-begin > int64(limit) {
				p.kill(ErrBuildTime.Error(), 0)
				return
			}
		}
	}
}

// Build builds a project in a build child. ErrBuildTime and ErrBuildDied say
// that the project made its child stop, ErrBuildLate that the child got no time,
// ErrBuildLost that something else stopped the children it was given to.
func (r *Ring) Build(ctx context.Context, project trace.Project) (*trace.Deployment, error) {
	var d *trace.Deployment
	err := r.builder(ctx, func(ctx context.Context, p *Runner) error {
		b, err := p.ask(ctx, kindBuild, kindBuilt, project)
		if err != nil {
			return err
		}
		m, err := decode[builtMsg](b)
		if err != nil {
			p.kill(err.Error(), 0)
			return ErrBuildDied
		}
		if m.Error != "" {
			return fmt.Errorf("build: %s", m.Error)
		}
		d = &m.Deployment
		return nil
	})
	return d, err
}

// Lower makes a classic script of a module, in a build child.
func (r *Ring) Lower(ctx context.Context, name, source string) (code string, sourceMap []byte, fault *trace.Fault, err error) {
	err = r.builder(ctx, func(ctx context.Context, p *Runner) error {
		b, err := p.ask(ctx, kindLower, kindLowered, lowerMsg{Name: name, Source: source})
		if err != nil {
			return err
		}
		m, err := decode[loweredMsg](b)
		if err != nil {
			p.kill(err.Error(), 0)
			return ErrBuildDied
		}
		code, sourceMap, fault = m.Code, m.Map, m.Fault
		return nil
	})
	return code, sourceMap, fault, err
}

// queryWall is how long a query may last before its child is killed: it ends
// by itself at query.Wall unless something in SQLite does not look at the time.
const queryWall = (query.Wall + time.Second) * instrumented

// Query asks the sql child. Its errors are query's, or that the ring closes.
func (r *Ring) Query(ctx context.Context, q query.Request) (query.Reply, error) {
	p, err := r.take(ctx, RoleSQL, 0)
	if err != nil {
		return query.Reply{}, err
	}
	asking, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), queryWall, query.ErrTime)
	defer cancel()
	b, err := p.ask(asking, kindQuery, kindQueried, q)
	if errors.Is(err, errClosed) {
		<-p.dead // another is on its way
		err = query.ErrDied
	}
	if err != nil {
		return query.Reply{}, err
	}
	reply, err := decode[query.Reply](b)
	if err == nil {
		if bad := reply.Valid(&q); bad != nil {
			err = violation("%v", bad)
		}
	}
	if err != nil {
		p.kill(err.Error(), 0)
		<-p.dead
		return query.Reply{}, query.ErrDied
	}
	return reply, nil
}

// watch looks after all children.
func (r *Ring) watch() {
	t := time.NewTicker(watchEvery)
	defer t.Stop()
	memory := 0
	for {
		select {
		case <-r.ctx.Done():
			return
		case <-t.C:
		}
		at := monotonic()
		r.mu.Lock()
		list := make([]*Runner, 0, len(r.all))
		for p := range r.all {
			list = append(list, p)
		}
		r.mu.Unlock()
		for _, p := range list {
			p.watch(at)
		}
		if memory++; memory%25 == 0 {
			r.weigh(list)
		}
	}
}

// weigh compares what all children hold with what they may.
func (r *Ring) weigh(list []*Runner) {
	var sum int64
	for _, p := range list {
		m := privateMemory(p.PID())
		p.mu.Lock()
		p.private = m
		p.mu.Unlock()
		sum += m
	}
	if sum > r.cfg.MemoryAll {
		r.cfg.Tight(sum - r.cfg.MemoryAll)
	}
}

// Info is one child in a snapshot.
type Info struct {
	PID      int
	Role     string
	Isolates int
	Private  int64
	Spare    bool
	Alone    bool // of Ring.Alone
}

// Snapshot lists the children, how many had to be replaced, and the walls that
// every one of them has.
func (r *Ring) Snapshot() (list []Info, restarts int, walls []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	add := func(p *Runner, spare bool) {
		if p == nil {
			return
		}
		p.mu.Lock()
		list = append(list, Info{PID: p.PID(), Role: p.role, Isolates: p.isolates, Private: p.private, Spare: spare, Alone: p.alone})
		p.mu.Unlock()
		if walls == nil {
			walls = p.walls
		}
		walls = common(walls, p.walls)
	}
	for _, role := range []string{RoleRun, RoleBuild, RoleSQL} {
		for _, p := range r.places[role] {
			add(p, false)
		}
		add(r.spares[role], true)
	}
	for p := range r.all {
		if p.alone {
			add(p, false)
		}
	}
	return list, r.restarts, walls
}

func common(a, b []string) []string {
	out := []string{}
	for _, x := range a {
		for _, y := range b {
			if x == y {
				out = append(out, x)
			}
		}
	}
	return out
}

// Close kills all children and waits for them.
func (r *Ring) Close() error {
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return nil
	}
	r.closed = true
	r.notify()
	var list []*Runner
	for p := range r.all {
		list = append(list, p)
	}
	r.mu.Unlock()
	for _, p := range list {
		p.dismiss("the sandbox is closing")
	}
	r.stop()
	r.wg.Wait()
	for _, b := range r.boards {
		b.free()
	}
	return nil
}

// Peek is the child that serves in a place now, nil while there is none.
func (r *Ring) Peek(place int) *Runner {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.places[RoleRun][place]
}
