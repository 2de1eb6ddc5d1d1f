package runner

import (
	"context"
	"encoding/json"
	"errors"
	"sync"

	"coldstart/sandbox/trace"
)

// ScriptSpec is what a script is run with.
type ScriptSpec struct {
	Name   string
	Code   string // a classic script whose completion value is a promise or a value
	Map    []byte
	Limits trace.Limits
	Call   func(op string, args []any, done func(any, error))
	// Enter and Leave bracket every turn; see WorkerSpec.
	Enter, Leave func()
}

// childScript is a running script in the child. Its calls and their answers
// use the frames of a run.
type childScript struct {
	cancel context.CancelCauseFunc

	mu    sync.Mutex
	next  uint32
	calls map[uint32]func(any, error)
	waits []callMsg // in order; no more than runCalls are open at a time
	over  bool
}

// scriptWaits is how many calls of a script may wait for earlier ones.
const scriptWaits = 10_000

func (c *child) script(n uint64, m scriptMsg) {
	if c.engines == nil {
		return
	}
	ctx, cancel := context.WithCancelCause(c.ctx)
	s := &childScript{cancel: cancel, calls: map[uint32]func(any, error){}}
	c.mu.Lock()
	c.scripts[n] = s
	c.mu.Unlock()
	t := c.board.at(m.Slot)
	go func() {
		defer cancel(nil)
		result, fault := c.engines.Script(ctx, ScriptSpec{
			Name: m.Name, Code: m.Code, Map: m.Map, Limits: m.Limits,
			Call:  func(op string, args []any, done func(any, error)) { s.call(c, n, op, args, done) },
			Enter: func() { t.enter(monotonic(), threadID()) },
			Leave: t.leave,
		})
		if fault == nil && !json.Valid(result) {
			fault = &trace.Fault{Kind: trace.FaultPlatform, Message: "The script's result is not JSON."}
		}
		s.mu.Lock()
		s.over = true
		s.mu.Unlock()
		c.mu.Lock()
		delete(c.scripts, n)
		c.mu.Unlock()
		d := doneMsg{Result: result, Has: true, Summary: trace.Summary{Outcome: "ok", Fault: fault}}
		if fault != nil {
			d.Summary.Outcome = string(fault.Kind)
		}
		if err := c.conn.send(now, kindDone, n, d); err != nil && !errors.Is(err, errClosed) {
			d.Result = nil
			d.Summary.Fault = &trace.Fault{Kind: trace.FaultLimit, Message: "The script's result is too large."}
			_ = c.conn.send(now, kindDone, n, d)
		}
	}()
}

func (s *childScript) call(c *child, n uint64, op string, args []any, done func(any, error)) {
	s.mu.Lock()
	if s.over {
		s.mu.Unlock()
		done(nil, errStopped)
		return
	}
	err := checkArgs(args)
	if len(s.waits) == scriptWaits {
		err = errTooMuch
	}
	if err != nil {
		s.mu.Unlock()
		done(nil, err)
		return
	}
	s.next++
	s.calls[s.next] = done
	s.waits = append(s.waits, callMsg{Call: s.next, Op: op, Args: args})
	s.mu.Unlock()
	s.send(c, n)
}

// send sends what waits and fits. It may be called by the reader and so does not wait.
func (s *childScript) send(c *child, n uint64) {
	s.mu.Lock()
	var failed []replyMsg
	for len(s.waits) > 0 && len(s.calls)-len(s.waits) < runCalls {
		m := s.waits[0]
		s.waits[0] = callMsg{}
		s.waits = s.waits[1:]
		if err := c.conn.send(queued, kindCall, n, m); err != nil {
			failed = append(failed, replyMsg{Call: m.Call, Error: throwOf(err)})
		}
	}
	s.mu.Unlock()
	for _, m := range failed {
		s.reply(m)
	}
}

func (s *childScript) reply(m replyMsg) {
	s.mu.Lock()
	done := s.calls[m.Call]
	delete(s.calls, m.Call)
	s.mu.Unlock()
	if done != nil {
		done(m.Result, m.Error.err())
	}
}

// handle takes a frame of the parent about this script.
func (s *childScript) handle(c *child, f frame) error {
	switch f.kind {
	case kindReply:
		m, err := decode[replyMsg](f.payload)
		if err != nil {
			return err
		}
		s.reply(m)
		s.send(c, f.n)
	case kindCancel:
		m, err := decode[cancelMsg](f.payload)
		if err != nil {
			return err
		}
		s.cancel(errors.New(m.Why))
	}
	return nil
}
