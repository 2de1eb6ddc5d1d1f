package lab

import (
	"context"
	"errors"
	"sync"
	"time"

	"coldstart/sandbox"
)

// Config is what labs work with.
type Config struct {
	// Door builds. It is the site's own; no lab runs anything in it.
	Door sandbox.Door
	// Open starts a sandbox for one lab, which closes it. Nil: labs have no isolates.
	Open func(ctx context.Context) (sandbox.Door, error)
	Time time.Duration    // that one lab may take once it began; 0 means 45 s
	Now  func() time.Time // nil: time.Now
}

// Labs runs one lab at a time.
type Labs struct {
	cfg   Config
	place chan struct{} // holds one token while a lab runs

	mu      sync.Mutex
	waiting int
}

// New makes Labs.
func New(cfg Config) *Labs {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Time == 0 {
		cfg.Time = 45 * time.Second
	}
	return &Labs{cfg: cfg, place: make(chan struct{}, 1)}
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
