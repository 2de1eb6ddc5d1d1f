package runner

import (
	"context"
	"errors"
	"strings"
	"time"

	"coldstart/sandbox/isolate"
	"coldstart/sandbox/webapi"
)

// Freezer is a Worker whose isolate can be frozen; see webapi.Worker.
type Freezer interface {
	Freeze(ctx context.Context) (*webapi.Frozen, error)
	Rewind(ctx context.Context, f *webapi.Frozen) (time.Duration, error)
	Written(ctx context.Context, f *webapi.Frozen) ([]byte, error)
}

// What may be asked about an isolate's state.
const (
	stateFreeze  = "freeze"
	stateRewind  = "rewind"
	stateFork    = "fork"
	stateWritten = "written"
)

// stateMsg asks for something about the state of an isolate.
type stateMsg struct {
	Op      string `cbor:"1,keyasint"`
	Isolate uint64 `cbor:"2,keyasint"`
	Fork    uint64 `cbor:"3,keyasint"` // number of the isolate to make
	Name    string `cbor:"4,keyasint"` // its id as learners see it
	Slot    int    `cbor:"5,keyasint"` // its place on the status board
}

// stateReply answers it.
type stateReply struct {
	Pages []byte        `cbor:"1,keyasint"` // written: the page map
	Count int           `cbor:"2,keyasint"` // pages that the frozen state holds
	Took  time.Duration `cbor:"3,keyasint"`
	Error string        `cbor:"4,keyasint"`
}

// stateWait is how long an isolate may take to come between two turns.
const stateWait = 2 * time.Second

// state answers a stateMsg; the isolate's other work goes on beside it.
func (c *child) state(n uint64, m stateMsg) {
	c.mu.Lock()
	iso := c.isolates[m.Isolate]
	c.mu.Unlock()
	go func() {
		reply, err := c.doState(iso, m)
		if err != nil {
			reply.Error = err.Error()
		}
		_ = c.conn.send(now, kindStated, n, reply)
	}()
}

func (c *child) doState(iso *childIsolate, m stateMsg) (reply stateReply, err error) {
	if iso == nil {
		return reply, errGoneIsolate
	}
	<-iso.ready
	z, ok := iso.worker.(Freezer)
	if !ok {
		return reply, errGoneIsolate
	}
	ctx, cancel := context.WithTimeoutCause(c.ctx, stateWait, errors.New("its code does not pause"))
	defer cancel()
	began := time.Now()
	if m.Op == stateFreeze {
		f, err := z.Freeze(ctx)
		if err != nil {
			return reply, err
		}
		iso.frozen.Store(f)
		return stateReply{Count: len(f.Memory.Pages), Took: time.Since(began)}, nil
	}
	f := iso.frozen.Load()
	if f == nil {
		return reply, errors.New("it was not frozen")
	}
	reply.Count = len(f.Memory.Pages)
	switch m.Op {
	case stateRewind:
		reply.Took, err = z.Rewind(ctx, f)
	case stateWritten:
		reply.Pages, err = z.Written(ctx, f)
	case stateFork:
		err = c.fork(iso, f, m)
		reply.Took = time.Since(began)
	default:
		err = violation("state %q", m.Op)
	}
	return reply, err
}

var errGoneIsolate = errors.New("the isolate is gone")

// fork makes an isolate that begins with another's frozen state, and is frozen there too.
func (c *child) fork(from *childIsolate, f *webapi.Frozen, m stateMsg) error {
	to := &childIsolate{number: m.Fork, ready: make(chan struct{})}
	to.frozen.Store(f)
	c.mu.Lock()
	if c.isolates[m.Fork] != nil {
		c.mu.Unlock()
		return violation("isolate %d twice", m.Fork)
	}
	c.isolates[m.Fork] = to
	c.mu.Unlock()
	spec := from.spec
	spec.Name, spec.From = m.Name, f
	c.make(to, spec, m.Slot)
	c.openTo(to)
	switch {
	case to.err != nil:
		return to.err
	case to.fault != nil:
		return errors.New(to.fault.Message)
	}
	return nil
}

// make starts an isolate's Worker.
func (c *child) make(iso *childIsolate, spec WorkerSpec, slot int) Started {
	t := c.board.at(slot)
	spec.Backend = c
	spec.Enter, spec.Leave = func() { t.enter(monotonic(), threadID()) }, t.leave
	iso.spec = spec
	var s Started
	s, iso.err = c.engines.NewWorker(spec)
	iso.worker, iso.fault = s.Worker, s.Fault
	close(iso.ready)
	return s
}

// State is what freezing, forking or rewinding an isolate took.
type State struct {
	Pages int // that the frozen state holds beyond the snapshot
	Took  time.Duration
}

// Freeze keeps an isolate's state in the child, in place of what was kept before.
func (p *Runner) Freeze(ctx context.Context, n uint64) (State, error) {
	r, err := p.state(ctx, stateMsg{Op: stateFreeze, Isolate: n})
	return State{r.Count, r.Took}, err
}

// Rewind gives an isolate the state that was kept.
func (p *Runner) Rewind(ctx context.Context, n uint64) (State, error) {
	r, err := p.state(ctx, stateMsg{Op: stateRewind, Isolate: n})
	return State{r.Count, r.Took}, err
}

// Fork makes isolate number to, called name and in the given place, with the state that isolate n kept.
func (p *Runner) Fork(ctx context.Context, n, to uint64, name string, slot int) (State, error) {
	r, err := p.state(ctx, stateMsg{Op: stateFork, Isolate: n, Fork: to, Name: name, Slot: slot})
	return State{r.Count, r.Took}, err
}

// Written is an isolate's page map, with isolate.PageWritten for pages that differ from what was kept.
func (p *Runner) Written(ctx context.Context, n uint64) ([]byte, error) {
	r, err := p.state(ctx, stateMsg{Op: stateWritten, Isolate: n})
	for _, s := range r.Pages {
		if s > isolate.PageWritten {
			return nil, errors.New("the child drew a page in an unknown state")
		}
	}
	return r.Pages, err
}

// state asks; the child answers or dies, so that a visitor who leaves ends nothing.
func (p *Runner) state(ctx context.Context, m stateMsg) (stateReply, error) {
	b, err := p.ask(context.WithoutCancel(ctx), kindState, kindStated, m)
	if err != nil {
		return stateReply{}, err
	}
	r, err := decode[stateReply](b)
	if err == nil && r.Error != "" {
		err = errors.New(strings.ToValidUTF8(r.Error[:min(len(r.Error), 300)], "?")) // the child is not to be trusted
	}
	return r, err
}
