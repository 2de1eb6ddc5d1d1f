package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
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
	n      int
}

var _ box.Kind = (*isolates)(nil)

// isolate is one of them.
type isolate struct {
	kind  *isolates
	key   sandbox.Key
	first time.Duration
}

// Start implements box.Kind.
func (k *isolates) Start(ctx context.Context) (box.Box, error) {
	k.n++
	b := &isolate{kind: k, key: sandbox.Key{Learner: fmt.Sprintf("tenant-%d", k.n), Project: "lab"}}
	if err := k.door.Deploy(ctx, b.key, k.deploy); err != nil {
		return nil, err
	}
	k.door.KeepWarm(b.key, true)
	var err error
	b.first, err = b.Request(ctx)
	return b, err
}

// FirstByte implements box.Box.
func (b *isolate) FirstByte() time.Duration { return b.first }

// CodeError is what the measured code did instead of answering.
type CodeError struct{ Message string }

func (e *CodeError) Error() string { return e.Message }

// Request implements box.Box. The time is that to the response head and the
// first piece of the body.
func (b *isolate) Request(ctx context.Context) (time.Duration, error) {
	begin := time.Now()
	resp, err := b.kind.door.Invoke(ctx, sandbox.Run{Key: b.key, Method: "GET", URL: "https://tenant.example/", Length: -1})
	if err != nil {
		return 0, err
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
			return 0, context.Cause(ctx)
		}
	}
	s, err := resp.Summary(ctx)
	if err != nil {
		return 0, err
	}
	if s.Outcome != "ok" {
		if ctx.Err() != nil { // it ended because the lab did
			return 0, context.Cause(ctx)
		}
		message := s.Outcome
		if s.Fault != nil {
			message = s.Fault.Message
		}
		return 0, &CodeError{message}
	}
	return took, nil
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

// Close implements box.Kind.
func (k *isolates) Close() error { return k.door.Close() }
