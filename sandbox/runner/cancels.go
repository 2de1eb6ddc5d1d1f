package runner

import (
	"context"
	"sync"
)

// cancels are the ways to end the runs of one isolate early.
type cancels struct {
	mu   sync.Mutex
	runs map[string]context.CancelCauseFunc
}

func (c *cancels) add(run string) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	c.mu.Lock()
	if c.runs == nil {
		c.runs = map[string]context.CancelCauseFunc{}
	}
	c.runs[run] = cancel
	c.mu.Unlock()
	return ctx, func() {
		c.mu.Lock()
		delete(c.runs, run)
		c.mu.Unlock()
		cancel(nil)
	}
}

func (c *cancels) cancel(run string, why error) {
	c.mu.Lock()
	f := c.runs[run]
	c.mu.Unlock()
	if f != nil {
		f(why)
	}
}
