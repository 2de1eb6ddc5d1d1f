package runner

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"time"

	"coldstart/sandbox/trace"
)

// Runner is one child process, seen from the parent.
type Runner struct {
	ring  *Ring
	role  string
	cmd   *exec.Cmd
	conn  *conn
	board *board
	walls []string
	taken bool          // a build uses it; guarded by the ring
	alone bool          // one run at a time is in it: see Ring.Alone
	ooms  int64         // processes that the kernel had killed for memory when this one started
	left  chan struct{} // closed once it takes no more runs and its place was given up
	dead  chan struct{} // closed once it answers no more and all its runs were told
	tail  *tail         // the beginning of its standard error

	heard    atomic.Int64  // monotonic nanoseconds of the last frame
	received atomic.Uint64 // frames

	turn sync.Mutex // held while runs are told of something, which happens in order

	mu       sync.Mutex
	why      string // not empty: why it was killed
	drain    int64  // not 0: it is killed then, or when no run is left
	gone     bool
	guilty   uint64 // the isolate it was killed for, 0 for none
	outside  bool   // it died of nothing that ran in it
	full     bool   // it died of memory
	building bool   // it died of the build that it had; one at a time is in a child
	runs     map[uint64]*Run
	jobs     map[uint64]*job
	workers  map[string]uint64 // version to handle
	pages    map[uint64][]chan []byte
	slots    []int // free places on the board
	used     int   // places ever given out
	isolates int
	pinged   int64
	newest   uint64 // run number
	strays   int    // frames for runs that were over
	private  int64  // resident memory at the last look
	crowded  int64  // when its owner was last told that it is nearly full
}

// job is something with one answer: a build, a script's lowering.
type job struct {
	want   kind
	answer chan []byte // closed without a value when the child died
}

// PID is the process id.
func (p *Runner) PID() int { return p.cmd.Process.Pid }

// Dead is closed once the process is over and its runs have been told.
func (p *Runner) Dead() <-chan struct{} { return p.dead }

// Left is closed once it takes no more runs and others have its place: when it
// died, or will as soon as the runs that are innocent of it have ended.
func (p *Runner) Left() <-chan struct{} { return p.left }

// Loaded reports whether the child has this Worker already.
func (p *Runner) Loaded(version string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, ok := p.workers[version]
	return ok
}

// Slot takes a place on the status board for a new isolate; false when the
// runner holds as many isolates as it can.
func (p *Runner) Slot() (int, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.slots); n > 0 {
		s := p.slots[n-1]
		p.slots = p.slots[:n-1]
		p.isolates++
		return s, true
	}
	if p.used == boardSlots {
		return 0, false
	}
	p.used++
	p.isolates++
	return p.used - 1, true
}

// Evict closes an isolate and frees its place.
func (p *Runner) Evict(isolate uint64, slot int) {
	_ = p.conn.send(queued, kindEvict, isolate, nil) // a reader may call this
	p.Free(slot)
}

// Free gives back the place of an isolate that the child has closed.
func (p *Runner) Free(slot int) {
	p.mu.Lock()
	p.slots = append(p.slots, slot)
	p.isolates--
	p.mu.Unlock()
}

// Turn says whether code of the isolate in this place runs now, and how many
// turns it began so far. It is what the child says of itself.
func (p *Runner) Turn(slot int) (running bool, turns uint64) {
	t := p.board.at(slot)
	return t.since.Load() != 0, t.count.Load()
}

// Isolates is how many isolates the child holds.
func (p *Runner) Isolates() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.isolates
}

// Private is the process's private resident memory in bytes at the last look.
func (p *Runner) Private() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.private
}

// Pages asks for the page map of an isolate.
func (p *Runner) Pages(ctx context.Context, isolate uint64) ([]byte, error) {
	ch := make(chan []byte, 1)
	p.mu.Lock()
	if len(p.pages) > 256 {
		p.mu.Unlock()
		return nil, errors.New("too many page maps are being read")
	}
	p.pages[isolate] = append(p.pages[isolate], ch)
	p.mu.Unlock()
	if err := p.conn.send(now, kindPages, isolate, nil); err != nil {
		return nil, err
	}
	select {
	case b := <-ch:
		return b, nil
	case <-p.dead:
		return nil, errClosed
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// load sends a Worker unless the child has it, and gives its handle.
func (p *Runner) load(w *trace.Worker) (uint64, error) {
	p.mu.Lock()
	h, ok := p.workers[w.Version]
	if !ok {
		h = p.ring.number()
		p.workers[w.Version] = h
	}
	p.mu.Unlock()
	if ok {
		return h, nil
	}
	lean := *w
	lean.Assets = nil // the parent serves them
	if err := p.conn.send(now, kindWorker, h, &lean); err != nil {
		p.mu.Lock()
		delete(p.workers, w.Version)
		p.mu.Unlock()
		return 0, err
	}
	return h, nil
}

// Forget drops a Worker's code.
func (p *Runner) Forget(version string) {
	p.mu.Lock()
	h, ok := p.workers[version]
	delete(p.workers, version)
	p.mu.Unlock()
	if ok {
		_ = p.conn.send(queued, kindForget, h, nil)
	}
}

// condemn stops an isolate that cannot be asked to. Only killing the process
// does that, so runs of other isolates may end first, for a while: the stuck
// turn has its own thread. A Durable Object is not let run on, because it may
// be needed elsewhere at once and there must not be two of it.
func (p *Runner) condemn(why string, isolate uint64) {
	p.turn.Lock()
	defer p.turn.Unlock()
	p.mu.Lock()
	if p.why != "" || p.gone {
		p.mu.Unlock()
		return
	}
	p.why, p.guilty, p.drain = why, isolate, monotonic()+int64(drainMax)
	var over []*Run
	for n, r := range p.runs {
		if r.isolate == isolate || r.object {
			over = append(over, r)
			delete(p.runs, n)
		}
	}
	p.mu.Unlock()
	p.ring.replace(p, why)
	close(p.left)
	for _, r := range over {
		r.end(p.blame(r))
	}
}

// read delivers the child's frames until it dies or breaks the protocol.
func (p *Runner) read(r *frameReader) {
	var err error
	for err == nil {
		var f frame
		if f, err = r.next(); err == nil {
			p.heard.Store(monotonic())
			p.received.Add(1)
			p.turn.Lock()
			err = p.handle(f)
			p.turn.Unlock()
		}
	}
	if errors.Is(err, errProtocol) {
		p.ring.cfg.Log.Error("child broke the protocol", "pid", p.PID(), "role", p.role, "error", err)
		p.kill(err.Error(), 0)
	}
	p.conn.close()
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
	p.over()
}

func (p *Runner) handle(f frame) error {
	switch f.kind {
	case kindPong:
		return nil
	case kindPages:
		b, err := decode[[]byte](f.payload)
		if err != nil {
			return err
		}
		p.mu.Lock()
		w := p.pages[f.n]
		delete(p.pages, f.n)
		p.mu.Unlock()
		for _, ch := range w {
			ch <- b
		}
		return nil
	case kindBuilt, kindLowered, kindStated, kindQueried:
		p.mu.Lock()
		j := p.jobs[f.n]
		if j != nil && j.want == f.kind {
			delete(p.jobs, f.n)
		}
		p.mu.Unlock()
		if j == nil || j.want != f.kind {
			return violation("answer %d to no question", f.n)
		}
		j.answer <- append([]byte(nil), f.payload...)
		return nil
	}
	p.mu.Lock()
	run := p.runs[f.n]
	if run == nil {
		// What was on its way when the run ended is nothing; a run that never
		// was, or endless chatter, is.
		p.strays++
		bad := f.n > p.newest || f.kind < kindToParent && !f.kind.both() || p.strays > straysMax
		p.mu.Unlock()
		if bad {
			return violation("kind %d for run %d, which is not running", f.kind, f.n)
		}
		return nil
	}
	p.mu.Unlock()
	return run.handle(f)
}

// straysMax is how many frames a child may send for runs that are over.
const straysMax = 100_000

// over tells everyone who waits for the child that it is gone.
func (p *Runner) over() {
	p.turn.Lock()
	defer p.turn.Unlock()
	p.mu.Lock()
	p.gone = true
	if p.why == "" {
		p.postmortem()
	}
	p.building = p.role == RoleBuild && len(p.jobs) > 0 && !p.outside
	why, drained := p.why, p.drain != 0
	runs, jobs := p.runs, p.jobs
	p.runs, p.jobs = map[uint64]*Run{}, map[uint64]*job{}
	p.mu.Unlock()
	for _, j := range jobs {
		close(j.answer)
	}
	p.ring.lost(p, why)
	if !drained {
		close(p.left)
	}
	for _, r := range runs {
		r.end(p.blame(r))
	}
	p.ring.retire(p.board)
	close(p.dead)
}

// ask sends a job and waits for its answer; the child is killed when ctx ends first.
func (p *Runner) ask(ctx context.Context, k, want kind, v any) ([]byte, error) {
	n := p.ring.number()
	j := &job{want: want, answer: make(chan []byte, 1)}
	p.mu.Lock()
	if p.gone {
		p.mu.Unlock()
		return nil, errClosed
	}
	p.jobs[n] = j
	p.mu.Unlock()
	if err := p.conn.send(now, k, n, v); err != nil {
		return nil, err
	}
	select {
	case b, ok := <-j.answer:
		if !ok {
			return nil, errClosed
		}
		return b, nil
	case <-ctx.Done():
		p.kill(context.Cause(ctx).Error(), 0)
		<-p.dead
		return nil, context.Cause(ctx)
	}
}

// watch looks for what the child cannot tell: turns that never yield, runs
// that never end, silence, and too much memory.
func (p *Runner) watch(t int64) {
	p.mu.Lock()
	if p.gone || p.why != "" {
		over := !p.gone && p.drain != 0 && (t > p.drain || len(p.runs) == 0)
		p.mu.Unlock()
		if over {
			_ = p.cmd.Process.Kill()
		}
		return
	}
	var kill string
	var blame uint64
	seen := map[uint64]bool{}
	oldest := t
	for _, r := range p.runs {
		oldest = min(oldest, r.started)
		if !seen[r.isolate] {
			seen[r.isolate] = true
			if r.stuck(t) {
				kill, blame = "code did not yield", r.isolate
				break
			}
		}
		switch {
		case r.hard != 0 && t > r.hard+int64(hardGrace):
			kill, blame = "a run did not end", r.isolate
		case r.hard != 0 && t > r.hard && !r.hardened:
			r.hardened = true
			go r.Cancel("the time limit has passed")
		}
	}
	busy := len(p.runs)+len(p.jobs) > 0
	silent := t - max(p.heard.Load(), oldest)
	ping := false
	if kill == "" && len(p.runs) > 0 {
		switch {
		case silent > int64(silenceMax) && p.pinged != 0 && t-p.pinged > int64(silenceMax):
			kill = "it fell silent"
		case silent > int64(silenceMax)/2 && t-p.pinged > int64(silenceMax):
			p.pinged, ping = t, true
		}
	}
	if p.heard.Load() > p.pinged {
		p.pinged = 0
	}
	p.mu.Unlock()
	if ping {
		go p.conn.send(now, kindPing, 1, nil)
	}
	if kill == "" && busy {
		m := privateMemory(p.PID())
		p.mu.Lock()
		p.private = m
		crowded := m > p.ring.cfg.Memory*3/4 && t-p.crowded > int64(crowdedEvery)
		if crowded {
			p.crowded = t
		}
		if m > p.ring.cfg.Memory {
			kill, blame = p.overfull(m)
		}
		p.mu.Unlock()
		if crowded && kill == "" {
			p.ring.cfg.Crowded(p, m-p.ring.cfg.Memory*3/4)
		}
	}
	if kill != "" {
		p.ring.cfg.Log.Warn("runner killed", "pid", p.PID(), "role", p.role, "why", kill)
		if blame != 0 && !p.full {
			p.condemn(kill, blame)
		} else {
			p.kill(kill, blame) // at once: its memory does not wait
		}
	}
}

// Bounds of the watch.
const (
	watchEvery = 20 * time.Millisecond
	// turnGrace is CPU time beyond a run's limits after which its isolate is
	// beyond asking: the interrupt handler should have stopped it.
	turnGrace = 150 * time.Millisecond
	// wallGrace is time beyond a run's wall limit after which a turn that still lasts
	// is beyond asking. On a busy machine a turn gets little of a CPU, and ends by itself
	// once it has some.
	wallGrace = time.Second
	// turnSoon is the age of a turn at which its thread is first looked at.
	turnSoon   = 60 * time.Millisecond
	silenceMax = 2 * time.Second
	// crowdedEvery is how often a child's owner hears that it is nearly full.
	crowdedEvery = 100 * time.Millisecond
	// drainMax is how long the other runs of a child may go on beside a stuck one.
	drainMax = time.Second
	// hardSlack is added to a run's wall limit before it is cancelled from
	// here; hardGrace later its runner is killed.
	hardSlack = 2 * time.Second
	hardGrace = 2 * time.Second
	// afterGrace is how long waitUntil may go on after the response.
	afterGrace = 30 * time.Second
)

// tail keeps the first bytes written to it.
type tail struct {
	mu sync.Mutex
	b  []byte
}

const tailMax = 4 << 10

func (t *tail) Write(p []byte) (int, error) {
	heard(p, t)
	t.mu.Lock()
	defer t.mu.Unlock()
	// The beginning of a crash tells more than its end.
	if room := tailMax - len(t.b); room > 0 {
		t.b = append(t.b, p[:min(room, len(p))]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.b)
}

// launch starts a child and waits until it is ready. alone is as in Runner.
func (r *Ring) launch(role string, alone bool) (*Runner, error) {
	ours, theirs, err := socketPair()
	if err != nil {
		return nil, err
	}
	p := &Runner{
		ring: r, role: role, alone: alone, ooms: oomKills(), conn: newConn(ours), dead: make(chan struct{}), left: make(chan struct{}), tail: &tail{},
		runs: map[uint64]*Run{}, jobs: map[uint64]*job{}, workers: map[string]uint64{}, pages: map[uint64][]chan []byte{},
	}
	if p.board, err = r.board(); err != nil {
		_ = ours.Close()
		_ = theirs.Close()
		return nil, err
	}
	cmd := exec.Command(r.cfg.Executable, append(append([]string(nil), r.cfg.Args...), "--role="+role+r.cfg.Suffix)...)
	cmd.Env = []string{}
	cmd.Dir = "/"
	cmd.Stderr = p.tail
	cmd.ExtraFiles = []*os.File{theirs, p.board.file}
	if r.cfg.Image != nil && role == RoleRun {
		cmd.ExtraFiles = append(cmd.ExtraFiles, r.cfg.Image)
	}
	attributes(cmd)
	p.cmd = cmd
	err = r.spawn(cmd)
	_ = theirs.Close() // now only the child has it, so its death can be seen
	if err != nil {
		_ = ours.Close()
		r.retire(p.board)
		return nil, fmt.Errorf("start a %s child: %w", role, err)
	}
	cfg := configMsg{Memory: r.cfg.Memory * 3 / 4, Board: true, Image: len(cmd.ExtraFiles) > 2, Open: r.cfg.Open, Nice: r.cfg.Nice}
	if role == RoleRun {
		cfg.Cache = r.cfg.Cache
	}
	reader := newFrameReader(ours, true)
	timer := time.AfterFunc(r.cfg.ReadyWall, func() { _ = cmd.Process.Kill() })
	ready, err := p.greet(reader, cfg)
	timer.Stop()
	if err != nil {
		_ = ours.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		r.retire(p.board)
		return nil, fmt.Errorf("start a %s child: %w%s", role, err, after(": ", p.tail.String()))
	}
	p.walls = ready.Walls
	p.heard.Store(monotonic())
	r.wg.Go(func() { p.read(reader) })
	return p, nil
}

func (p *Runner) greet(r *frameReader, cfg configMsg) (readyMsg, error) {
	if err := p.conn.send(now, kindConfig, 0, cfg); err != nil {
		return readyMsg{}, err
	}
	f, err := r.next()
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = errors.New("it stopped before it was ready")
		}
		return readyMsg{}, err
	}
	if f.kind != kindReady {
		return readyMsg{}, violation("first frame is of kind %d", f.kind)
	}
	m, err := decode[readyMsg](f.payload)
	if err == nil && m.Error != "" {
		err = errors.New(m.Error)
	}
	return m, err
}

func after(sep, s string) string {
	if s == "" {
		return ""
	}
	return sep + s
}
