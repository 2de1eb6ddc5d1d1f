package sandbox

import (
	"context"
	"errors"
	"time"

	"coldstart/sandbox/runner"
	"coldstart/sandbox/trace"
	"coldstart/sandbox/webapi"
)

// Script implements Door.
func (s *Sandbox) Script(ctx context.Context, in Script) ([]byte, *trace.Fault, error) {
	if in.Call == nil {
		in.Call = func(context.Context, string, []any) (any, error) {
			return nil, errors.New("host.call is not available here")
		}
	}
	// An instructor's script waits for the runs it starts, so it has limits of its own.
	limits := in.Limits.Clamp(scriptCeiling)
	code, sourceMap, fault, err := s.ring.Lower(ctx, in.Name, in.Source)
	switch {
	case errors.Is(err, runner.ErrBuildTime), errors.Is(err, runner.ErrBuildDied):
		return nil, &trace.Fault{Kind: trace.FaultBuild, Message: "Our builder stopped on " + in.Name + ".", Hint: "Split what is long or deeply nested."}, nil
	case err != nil:
		return nil, nil, err
	case fault != nil:
		return nil, fault, nil
	}
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil, nil, ErrClosed
	}
	place := s.home(s.learnerOf(in.Learner))
	s.mu.Unlock()
	for try := 0; ; try++ {
		end, began, err := s.script(ctx, place, runner.ScriptJob{Name: in.Name, Code: code, Map: sourceMap, Limits: limits}, in.Call)
		if err != nil {
			return nil, nil, err
		}
		switch end.Lost {
		case runner.NotLost:
			return end.Result, end.Summary.Fault, nil
		case runner.LostGuilty:
			return nil, &trace.Fault{Kind: trace.FaultRunner, Message: in.Name + " could not be stopped gently; its runner was replaced."}, nil
		}
		if began || try > 0 {
			return nil, platformFault(), nil
		}
	}
}

// script runs a script once. began says that it asked for something already.
func (s *Sandbox) script(ctx context.Context, place int, j runner.ScriptJob, call func(context.Context, string, []any) (any, error)) (end runner.End, began bool, err error) {
	p, err := s.ring.Runner(ctx, place)
	if err != nil {
		return end, false, err
	}
	slot, ok := p.Slot()
	if !ok {
		return end, false, errors.New("sandbox: the runner is full")
	}
	defer p.Free(slot)
	j.Slot = slot
	h := &scripting{s: s, call: call, ended: make(chan runner.End, 1)}
	h.ctx, h.cancel = context.WithCancelCause(ctx)
	defer h.cancel(errRunOver)
	run, err := p.StartScript(j, h)
	if err != nil {
		return runner.End{Lost: runner.LostInnocent}, false, nil
	}
	stop := context.AfterFunc(ctx, func() { run.Cancel("the checks were stopped") })
	end = <-h.ended
	stop()
	if err := ctx.Err(); err != nil {
		return end, h.began, context.Cause(ctx)
	}
	return end, h.began, nil
}

// scripting is a script's runner.Handler.
type scripting struct {
	s      *Sandbox
	ctx    context.Context
	cancel context.CancelCauseFunc
	call   func(context.Context, string, []any) (any, error)
	began  bool
	ended  chan runner.End
}

func (h *scripting) Call(op string, args []any, done func(any, error)) {
	h.began = true
	h.s.wg.Go(func() { done(h.call(h.ctx, op, args)) })
}

func (h *scripting) End(e runner.End) { h.ended <- e }

func (h *scripting) Head(runner.Head)          {}
func (h *scripting) Events([]trace.Event)      {}
func (h *scripting) Body([]byte, bool, string) {}
func (h *scripting) Result([]byte)             {}

func (h *scripting) Fetch(_ webapi.Target, _ *webapi.Request, done func(*webapi.Response, error)) {
	done(nil, errors.New("scripts have no fetch"))
}

// scriptCeiling is the most a script may ask for: it waits for many runs.
var scriptCeiling = trace.Limits{CPU: 10 * time.Second, StartCPU: 2 * time.Second, Wall: 5 * time.Minute, Memory: 256 << 20}
