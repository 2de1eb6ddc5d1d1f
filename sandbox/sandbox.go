package sandbox

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"coldstart/sandbox/platform"
	"coldstart/sandbox/runner"
	"coldstart/sandbox/trace"
)

// ErrClosed is what a closed Sandbox answers.
var ErrClosed = errors.New("sandbox: closed")

// ErrNotDeployed is what Invoke answers before the first Deploy of a project.
var ErrNotDeployed = errors.New("sandbox: nothing is deployed for this project")

// Sandbox is the Door: a ring of child processes, the isolates in them, the
// queue before them and the platform around them.
type Sandbox struct {
	cfg      Config
	ring     *runner.Ring
	platform *platform.Platform
	net      *network
	builds   *builds
	ctx      context.Context
	stop     context.CancelFunc
	wg       sync.WaitGroup
	wake     chan struct{} // the queue is not empty
	reached  *reached
	restores singleflight.Group // by restoreKey

	mu        sync.Mutex
	closed    bool
	projects  map[Key]*project
	code      int64 // bytes of what is deployed
	learners  map[string]*learner
	isolates  map[string]*iso
	followers map[Key]map[int]func(Happened)
	follows   int   // ever
	load      int64 // expected CPU nanoseconds of runs that are at work
	busy      int   // how many those are
	clock     int64 // virtual time of the fair queue
	running   int
	waiting   []*learner // who has tickets in their queue
	queued    int        // tickets in all queues
}

var _ Door = (*Sandbox)(nil)

// project is what is deployed under a key.
type project struct {
	key    Key
	deploy *trace.Deployment // nil for nothing
	routes *platform.RouteTable
	assets map[string]*platform.Assets // static files of Workers that have some, by version
	size   int                         // bytes of deploy
	bare   bool                        // deploy holds no code: see deployed.go
	pinned bool                        // nobody else keeps what is deployed
	used   time.Time                   // last time that a run chose it
	keep   bool
	groups map[groupKey]*group
}

// groupKey names the isolates that may answer for one another.
type groupKey struct {
	fresh   string
	worker  string
	version string
	durable bool // the one isolate in which the Worker's objects live
}

// group is a Worker's isolates.
type group struct {
	project  *project
	key      groupKey
	worker   *trace.Worker
	isolates []*iso
	cost     int64 // expected CPU nanoseconds of one run
}

// New starts the children and returns once they can serve.
func New(ctx context.Context, cfg Config) (*Sandbox, error) {
	cfg = cfg.withDefaults()
	s := &Sandbox{
		cfg: cfg, wake: make(chan struct{}, 1), builds: newBuilds(), reached: newReached(),
		projects: map[Key]*project{}, learners: map[string]*learner{}, isolates: map[string]*iso{},
		followers: map[Key]map[int]func(Happened){},
	}
	var err error
	if s.net, err = newNetwork(cfg.FetchAllow, cfg.DNS); err != nil {
		return nil, err
	}
	s.ctx, s.stop = context.WithCancel(context.WithoutCancel(ctx))
	suffix := ""
	if cfg.Engine == "goja" {
		suffix, cfg.Image = gojaSuffix, nil
	}
	s.ring, err = runner.New(ctx, runner.Config{
		Runners: cfg.Runners, Builders: cfg.Builders, Executable: cfg.Executable, Args: cfg.Args, Suffix: suffix, Nice: cfg.Nice, Image: cfg.Image, Cache: cfg.Cache,
		Memory: cfg.Memory, MemoryAll: cfg.MemoryAll, Log: cfg.Log, Lost: s.lost,
		Tight: func(over int64) { s.tight(nil, over) }, Crowded: s.tight,
	})
	if err != nil {
		s.stop()
		return nil, fmt.Errorf("start the sandbox: %w", err)
	}
	s.platform = platform.New(platform.Config{Store: cfg.Store, Invoke: s.event, SQL: s.ring.Query, Full: func() { s.reached.add(limitStorage) }, Watched: s.followed, Charge: s.charge, Log: cfg.Log})
	s.wg.Go(s.poll)
	s.wg.Go(s.sweep)
	if cfg.Restore != nil {
		s.wg.Go(func() { s.every(time.Second, func() { s.shed(time.Now().Add(-unusedFor)) }) })
	}
	return s, nil
}

// Close ends all runs and children and waits for them.
func (s *Sandbox) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	s.mu.Unlock()
	s.stop()
	err := errors.Join(s.platform.Close(), s.ring.Close())
	s.wg.Wait()
	return err
}

// NewRunID makes the id of a run: 80 random bits.
func NewRunID() string { return "r" + random(10) }

func random(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

// Evict implements Door. Runs in progress end as canceled; stored data stays.
func (s *Sandbox) Evict(_ context.Context, key Key, fresh string) error {
	s.mu.Lock()
	var done doings
	if p := s.projects[key]; p != nil {
		for k, g := range p.groups {
			if k.fresh == fresh {
				for _, i := range append([]*iso(nil), g.isolates...) {
					s.remove(i, "evicted", "asked for", true, &done)
				}
			}
		}
	}
	s.mu.Unlock()
	done.do()
	return nil
}

// KeepWarm implements Door.
func (s *Sandbox) KeepWarm(key Key, on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.projects[key]; p != nil { // a page may name a project that there is not
		p.keep = on
	}
}

// project finds or makes a project. s.mu is held.
func (s *Sandbox) project(key Key) *project {
	p := s.projects[key]
	if p == nil {
		p = &project{key: key, groups: map[groupKey]*group{}}
		s.projects[key] = p
	}
	return p
}

// Isolates implements Door.
func (s *Sandbox) Isolates(key Key) []trace.IsolateState {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []trace.IsolateState
	if p := s.projects[key]; p != nil {
		for _, g := range p.groups {
			for _, i := range g.isolates {
				list = append(list, i.state(i.mood(), ""))
			}
		}
	}
	return list
}

// Pages implements Door.
func (s *Sandbox) Pages(ctx context.Context, key Key, isolate string) ([]byte, error) {
	i, err := s.isolateOf(key, isolate)
	if err != nil {
		return nil, err
	}
	return i.runner.Pages(ctx, i.number)
}

// Stats implements Door.
func (s *Sandbox) Stats() Stats {
	list, restarts, walls := s.ring.Snapshot()
	s.mu.Lock()
	defer s.mu.Unlock()
	st := Stats{Projects: len(s.projects), Code: s.code, Isolates: len(s.isolates), Running: s.running, Queued: s.queued, Restarts: restarts, Walls: walls, Reached: s.reached.all()}
	for _, i := range list {
		st.Runners = append(st.Runners, RunnerStats{PID: i.PID, Role: i.Role, Isolates: i.Isolates, RSS: i.Private, Spare: i.Spare, Alone: i.Alone})
	}
	return st
}

// doings are effects decided under the lock and done after it.
type doings []func()

func (d *doings) add(f func()) { *d = append(*d, f) }

func (d doings) do() {
	for _, f := range d {
		f()
	}
}

// every calls f at each tick until the sandbox closes.
func (s *Sandbox) every(d time.Duration, f func()) {
	t := time.NewTicker(d)
	defer t.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-t.C:
			f()
		}
	}
}
