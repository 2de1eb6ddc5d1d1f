package lab

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"coldstart/sandbox"
	"coldstart/sandbox/box"
	"coldstart/sandbox/trace"
)

// Config is what labs work with.
type Config struct {
	// Door is the site's own. It builds, and runs labs that ask little: those wait in the learner's queue
	// like other runs. Whatever burns the machine runs in a sandbox of Open's.
	Door sandbox.Door
	// Open starts a sandbox for one lab, which closes it. Nil: labs have no isolates.
	Open    func(ctx context.Context, r Room) (sandbox.Door, error)
	Nice    int              // of the boxes that labs start; Open sees to its own
	Workerd string           // path of workerd; "" looks on PATH
	Time    time.Duration    // that one lab may take once it began; 0 means 45 s
	Now     func() time.Time // nil: time.Now
}

// Room is what kind of sandbox a lab wants.
type Room struct {
	Engine string // of its Workers: "" for that of learners' ones, or "goja"
	Memory int64  // bytes that its one runner may hold; 0 for the default
}

// Labs runs one lab at a time.
type Labs struct {
	cfg   Config
	place chan struct{} // holds one token while a lab runs
	// witness holds one while a witness is heard.
	witness chan struct{}

	mu      sync.Mutex
	waiting int

	servers servers
}

// New makes Labs.
func New(cfg Config) *Labs {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Time == 0 {
		cfg.Time = 45 * time.Second
	}
	return &Labs{cfg: cfg, place: make(chan struct{}, 1), witness: make(chan struct{}, 1)}
}

// Share is how many percent of a busy processor a process of a lab gets beside
// one of a lesson: at a nice value n it has 0.8 to the power of n of its weight.
func (l *Labs) Share() int {
	weight := math.Pow(0.8, float64(l.cfg.Nice))
	return int(math.Round(100 * weight / (1 + weight)))
}

// machine says what a lab that burns it was measured on, and with which share.
func (l *Labs) machine() string {
	return fmt.Sprintf("%s, labs at %d %% of a busy processor", box.Machine(), l.Share())
}

// ErrBusy is the answer to a lab that would wait behind too many others.
var ErrBusy = errors.New("lab: too many labs are waiting")

// ErrTime ends a lab that takes too long.
var ErrTime = errors.New("lab: it takes too long")

// mostWaiting is how many labs may wait: what a class of thirty can ask for.
const mostWaiting = 40

// enter waits until no other lab runs; whoever came first goes first. ahead is
// told once how many labs are before this one, when there are any.
func (l *Labs) enter(ctx context.Context, ahead func(int)) error {
	select {
	case l.place <- struct{}{}:
		return nil
	default:
	}
	l.mu.Lock()
	if l.waiting >= mostWaiting {
		l.mu.Unlock()
		return ErrBusy
	}
	l.waiting++
	n := l.waiting
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		l.waiting--
		l.mu.Unlock()
	}()
	ahead(n)
	select {
	case l.place <- struct{}{}: // senders are served in the order in which they came
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (l *Labs) leave() { <-l.place }

// Turn runs f when no other lab burns the machine, bounded in time. say hears
// of a wait, if there is one. Errors are ErrBusy, ErrTime joined with what f
// said of it, f's own, or the cause of ctx's end.
func (l *Labs) Turn(ctx context.Context, say func(string), f func(context.Context) error) error {
	err := l.enter(ctx, func(n int) { say(fmt.Sprintf("Waiting: %s ahead of yours.", plural(n, "lab is", "labs are"))) })
	if err != nil {
		return err
	}
	defer l.leave()
	ctx, cancel := context.WithTimeoutCause(ctx, l.cfg.Time, ErrTime)
	defer cancel()
	err = f(ctx)
	if err != nil && errors.Is(context.Cause(ctx), ErrTime) {
		err = errors.Join(ErrTime, err)
	}
	return err
}

// sandboxOf starts a sandbox for one lab, which closes it. A server without one
// gives a *box.MissingError.
func (l *Labs) sandboxOf(ctx context.Context, r Room) (sandbox.Door, error) {
	if l.cfg.Open == nil {
		return nil, &box.MissingError{Why: "this server has no sandbox for labs"}
	}
	door, err := l.cfg.Open(ctx, r)
	if err != nil {
		return nil, fmt.Errorf("open a sandbox for the lab: %w", err)
	}
	return door, nil
}

// Build builds a project of a learner's as key; code that does not build is a *CodeError.
func (l *Labs) Build(ctx context.Context, key sandbox.Key, p trace.Project) (*trace.Deployment, error) {
	d, err := l.cfg.Door.Build(ctx, key, p)
	if err == nil && d.Fault != nil {
		err = &CodeError{d.Fault.Message}
	}
	return d, err
}
