package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"coldstart/sandbox"
	"coldstart/sandbox/box"
	"coldstart/sandbox/trace"
)

// isolates are isolates of one deployment in a sandbox of the lab's own, each
// of a tenant of its own. Learners' isolates are elsewhere, so neither side
// evicts the other or is counted as the other's memory.
type isolates struct {
	door   sandbox.Door
	deploy *trace.Deployment
	goja   bool
	n      int
	last   *isolate // that was started; nil for none
	// started is told of each isolate that has answered; nil for nobody.
	started func(*isolate)
}

var (
	_ box.Kind    = (*isolates)(nil)
	_ box.Resting = (*isolates)(nil)
)

// isolate is one of them.
type isolate struct {
	kind  *isolates
	key   sandbox.Key
	first time.Duration
	parts []box.Phase
}

// Start implements box.Kind.
func (k *isolates) Start(ctx context.Context) (box.Box, error) {
	k.n++
	b := &isolate{kind: k, key: sandbox.Key{Learner: fmt.Sprintf("tenant-%d", k.n), Project: "lab"}}
	if err := k.door.Deploy(ctx, b.key, k.deploy); err != nil {
		return nil, err
	}
	k.door.KeepWarm(b.key, true)
	var s *trace.Summary
	var err error
	b.first, s, err = b.request(ctx)
	if err != nil {
		return b, err
	}
	b.parts = phases(s, b.first)
	k.last = b
	if k.started != nil {
		k.started(b)
	}
	return b, nil
}

// phases divide a cold run as the runner measured it. What it waited in the
// queue is part of making the isolate; what its frames took on their way is
// part of the answer.
func phases(s *trace.Summary, first time.Duration) []box.Phase {
	at := func(p trace.Phase) time.Duration {
		for _, span := range s.Spans {
			if span.Phase == p {
				return min(time.Duration(span.End)*time.Microsecond, first)
			}
		}
		return 0
	}
	made := at(trace.PhaseStart)
	loaded := max(at(trace.PhaseLoad), made)
	return []box.Phase{
		{Kind: box.Start, Name: "make the isolate", To: made},
		{Kind: box.Load, Name: "load the code", From: made, To: loaded},
		{Kind: box.Handle, Name: "the handler, and the way back", From: loaded, To: first},
	}
}

// Phases implements box.Box.
func (b *isolate) Phases() []box.Phase { return b.parts }

// FirstByte implements box.Box.
func (b *isolate) FirstByte() time.Duration { return b.first }

// CodeError is what the measured code did instead of answering.
type CodeError struct{ Message string }

func (e *CodeError) Error() string { return e.Message }

// Request implements box.Box. The time is that to the response head and the
// first piece of the body.
func (b *isolate) Request(ctx context.Context) (time.Duration, error) {
	took, _, err := b.request(ctx)
	return took, err
}

func (b *isolate) request(ctx context.Context) (time.Duration, *trace.Summary, error) {
	begin := time.Now()
	resp, err := b.kind.door.Invoke(ctx, sandbox.Run{Key: b.key, Method: "GET", URL: "https://tenant.example/", Length: -1})
	if err != nil {
		return 0, nil, err
	}
	took := time.Since(begin)
	if resp.Body != nil {
		var one [1]byte
		_, err := resp.Body.Read(one[:])
		took = time.Since(begin)
		if err == nil {
			_, err = io.Copy(io.Discard, resp.Body)
		}
		if cerr := resp.Body.Close(); err == nil || errors.Is(err, io.EOF) {
			err = cerr
		}
		if err != nil && ctx.Err() != nil {
			return 0, nil, context.Cause(ctx)
		}
	}
	s, err := resp.Summary(ctx)
	if err != nil {
		return 0, nil, err
	}
	if s.Outcome != "ok" {
		if ctx.Err() != nil { // it ended because the lab did
			return 0, nil, context.Cause(ctx)
		}
		message := s.Outcome
		if s.Fault != nil {
			message = s.Fault.Message
		}
		return 0, nil, &CodeError{message}
	}
	return took, s, nil
}

// Stop implements box.Box.
func (b *isolate) Stop() error {
	b.kind.door.KeepWarm(b.key, false)
	return b.kind.door.Evict(context.Background(), b.key, "")
}

// Memory implements box.Kind: what the processes hold in which the isolates live.
func (k *isolates) Memory() (int64, error) {
	var pids []int
	for _, r := range k.door.Stats().Runners {
		if r.Role == "run" && r.Isolates > 0 {
			pids = append(pids, r.PID)
		}
	}
	if len(pids) == 0 {
		return 0, errors.New("lab: no runner says that it holds isolates")
	}
	return box.Memory(pids...)
}

// What it takes until isolates rest. Each gives back what its last answer
// needed a quarter of a second after it, and its process gives back what those
// left behind a little after the last thing that it was asked.
const (
	restFirst = 350 * time.Millisecond
	restLook  = 200 * time.Millisecond // between two readings
	restCalm  = 2                      // readings in a row that do not fall
	restMost  = 4 * time.Second
)

// Rest implements box.Resting: it waits until what the processes hold falls no more.
func (k *isolates) Rest(ctx context.Context) error {
	if k.goja || k.last == nil { // goja's give nothing back
		return nil
	}
	wait := func(d time.Duration) error {
		select {
		case <-time.After(d):
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	if err := wait(restFirst); err != nil {
		return err
	}
	for _, i := range k.door.Isolates(k.last.key) { // ask it something, whatever it says
		_, _ = k.door.Pages(ctx, k.last.key, i.ID)
	}
	least, calm := int64(math.MaxInt64), 0
	for begin := time.Now(); calm < restCalm && time.Since(begin) < restMost; {
		if err := wait(restLook); err != nil {
			return err
		}
		held, err := k.Memory()
		if err != nil {
			return err
		}
		if calm++; held < least-least/256 {
			least, calm = held, 0
		}
	}
	return nil
}

// Walls implements box.Walled: what bounds one isolate, and its process.
func (k *isolates) Walls() []box.Wall {
	var limits trace.Limits
	if len(k.deploy.Workers) > 0 {
		limits = k.deploy.Workers[0].Limits
	}
	memory := box.Wall{Name: "memory", Text: fmt.Sprintf("%d MB for an isolate, by Wasm: its memory cannot grow beyond", limits.Memory>>20), Holds: true}
	if k.goja {
		memory = box.Wall{Name: "memory", Text: "none for an isolate: its objects lie in the memory of its whole process, which has a cap"}
	}
	view := box.Wall{Name: "view", Text: "an isolate sees only what it was handed; no file, no socket"}
	if walls := k.door.Stats().Walls; len(walls) > 0 {
		view.Text += "; its process is behind " + strings.Join(walls, ", ")
	}
	view.Holds = true
	return []box.Wall{memory, {Name: "processor", Text: fmt.Sprintf("%v of processor time a request, by the engine’s interrupt", limits.CPU), Holds: true}, view}
}

// Close implements box.Kind.
func (k *isolates) Close() error { return k.door.Close() }
