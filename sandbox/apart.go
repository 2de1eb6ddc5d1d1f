package sandbox

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"coldstart/sandbox/runner"
	"coldstart/sandbox/trace"
)

// A runner that dies of memory, or of itself, takes the runs of several
// learners with it, and none of them is known to be the cause. Those that can
// begin again do so apart: one at a time in a runner that holds nothing else,
// where whoever is the cause kills only that one and is found out. A learner
// whose run could not begin again has the next ones apart, and what these call
// with them: a Durable Object moves, and is in one place at a time. A WebSocket
// may last for hours, so it has to wait until its learner is cleared.

// Times that a learner's runs stay apart. One good run ends a suspicion; being
// found out lasts.
const (
	suspectFor = time.Minute
	guiltyFor  = time.Minute
)

// separable reports whether a run may be tried apart: not in an isolate that
// was chosen, and not for hours.
func (e *execution) separable() bool { return !e.upgrade && e.only == nil }

// cell is a runner that holds one run and what that calls, until all have ended.
type cell struct {
	runner *runner.Runner
	users  atomic.Int32
	free   func()
}

// join counts another user, unless the last has left already.
func (c *cell) join() bool {
	for n := c.users.Load(); n > 0; n = c.users.Load() {
		if c.users.CompareAndSwap(n, n+1) {
			return true
		}
	}
	return false
}

func (c *cell) leave() {
	if c.users.Add(-1) == 0 {
		c.free()
	}
}

// apart waits for a cell for e when it must be apart, or joins its caller's;
// back is nil when it is not apart. A fault says that all are busy.
func (e *execution) apart(ctx context.Context) (back func(), fault *trace.Fault, err error) {
	s := e.s
	e.cell.Store(nil)
	if c := e.above; c != nil && c.join() {
		e.cell.Store(c)
		return c.leave, nil, nil
	}
	if e.only != nil { // while its learner's runs are apart there is none to choose but an older one
		return nil, nil, nil
	}
	s.mu.Lock()
	l := s.learnerOf(e.project.key.Learner)
	if !e.suspect && !time.Now().Before(l.apart) {
		s.mu.Unlock()
		return nil, nil, nil
	}
	if e.upgrade {
		s.mu.Unlock()
		return nil, socketFault(), nil
	}
	if l.cell == nil {
		l.cell = make(chan struct{}, 1)
	}
	mine := l.cell
	s.mu.Unlock()
	wait, cancel := context.WithTimeoutCause(ctx, s.cfg.QueueWait, errApart)
	defer cancel()
	select {
	case mine <- struct{}{}:
	case <-wait.Done():
		return nil, apartFault(wait), apartError(wait)
	}
	p, give, err := s.ring.Alone(wait)
	if err != nil {
		<-mine
		if wait.Err() != nil {
			return nil, apartFault(wait), apartError(wait)
		}
		return nil, nil, err
	}
	c := &cell{runner: p, free: func() { give(); <-mine }}
	c.users.Store(1)
	e.cell.Store(c)
	return c.leave, nil, nil
}

var errApart = errors.New("sandbox: no runner is free for a run that must be apart")

func apartError(wait context.Context) error {
	if err := context.Cause(wait); !errors.Is(err, errApart) {
		return err
	}
	return nil
}

func apartFault(wait context.Context) *trace.Fault {
	if apartError(wait) != nil {
		return nil
	}
	return &trace.Fault{
		Kind: trace.FaultBusy, Message: "Busy: runs whose runner stopped are tried one at a time, and others are before this one.",
		Hint: "Wait until your other runs have ended, then run again.",
	}
}

func socketFault() *trace.Fault {
	return &trace.Fault{
		Kind: trace.FaultBusy, Message: "Busy: our runner stopped while your code ran, so its next run is apart from others, and a WebSocket cannot be.",
		Hint: "Send an ordinary request first, or wait a minute, then open it again.",
	}
}

// judge remembers what a run's end says about its learner.
func (s *Sandbox) judge(a *attempt, end runner.End) {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	l := a.t.learner
	switch {
	case end.Lost == runner.LostGuilty && (end.Full || end.Alone):
		l.apart, l.guilty = now.Add(guiltyFor), true
	case end.Lost == runner.LostSuspect && !a.retry && !l.guilty:
		l.apart = now.Add(suspectFor)
	case end.Lost == runner.NotLost && a.back != nil && !l.guilty:
		l.apart = time.Time{}
	case l.guilty && now.After(l.apart):
		l.guilty = false
	}
}

// lostFault is what a learner reads whose runner died of their code, or may have.
func lostFault(end runner.End) *trace.Fault {
	switch {
	case end.Lost == runner.LostSuspect && end.Full:
		return &trace.Fault{
			Kind: trace.FaultPlatform, Message: "Our runner's memory was full while this ran. It is not known whose code filled it.",
			Hint: "Run again: your next run is apart from others, so that the cause shows.",
		}
	case end.Lost == runner.LostSuspect:
		return &trace.Fault{
			Kind: trace.FaultPlatform, Message: "Our runner stopped while this ran. It is not known whose code did it.",
			Hint: "Run again: your next run is apart from others, so that the cause shows.",
		}
	case end.Full:
		return &trace.Fault{
			Kind: trace.FaultMemory, Message: "Memory limit: your code filled the memory of its whole runner, which was replaced.",
			Hint: "Keep less at once: stream large data, and start less work at the same time.",
		}
	case end.Alone:
		return &trace.Fault{
			Kind: trace.FaultRunner, Message: "Your code stopped its runner, in which nothing else ran; the runner was replaced.",
			Hint: "Take back the last change to see what does it.",
		}
	}
	return &trace.Fault{
		Kind: trace.FaultRunner, Message: "Your code could not be stopped gently; its runner was replaced.",
		Hint: "Look for one built-in call on very large input, such as join, indexOf or a regular expression.",
	}
}
