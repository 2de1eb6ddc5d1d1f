package runner

import (
	"context"
	"time"
)

// cellMax is how many runs are tried alone at a time; cellIdle is how long a
// child that was made for it waits for the next.
const (
	cellMax  = 2
	cellIdle = 10 * time.Second
)

// cell is one such child between two runs.
type cell struct {
	p    *Runner // nil for none
	idle *time.Timer
}

// Alone lends a run child that holds nothing else, waiting for one if need be.
// When it dies without being killed from outside, what ran there is to blame.
// The caller gives it back, emptied, exactly once.
func (r *Ring) Alone(ctx context.Context) (p *Runner, back func(), err error) {
	var c *cell
	select {
	case c = <-r.cells:
	case <-ctx.Done():
		return nil, nil, context.Cause(ctx)
	case <-r.ctx.Done():
		return nil, nil, errClosed
	}
	if p := c.p; p != nil && c.idle.Stop() && p.serves() {
		return p, func() { r.empty(p) }, nil
	}
	p, err = r.launch(RoleRun, true)
	if err != nil {
		r.cells <- &cell{}
		return nil, nil, err
	}
	r.mu.Lock()
	closed := r.closed
	select {
	case <-p.dead: // died meanwhile: Start will say so
	default:
		r.all[p] = true
	}
	r.mu.Unlock()
	if closed {
		p.dismiss("the sandbox is closing")
		return nil, nil, errClosed
	}
	return p, func() { r.empty(p) }, nil
}

// empty takes a lent child back.
func (r *Ring) empty(p *Runner) {
	r.cells <- &cell{p: p, idle: time.AfterFunc(cellIdle, func() { p.dismiss("nothing is to be tried alone") })}
}

// serves reports whether the child takes runs.
func (p *Runner) serves() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.gone && p.why == ""
}

// wasDismissed reports whether nothing that ran in the child ended it.
func (p *Runner) wasDismissed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.outside
}
