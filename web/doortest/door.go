package doortest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"coldstart/sandbox"
	"coldstart/sandbox/trace"
)

// Door is a sandbox.Door in memory. A project builds into one Worker whose
// code is the text of its main file; a file that begins with "syntax error"
// does not build. Handle answers requests.
type Door struct {
	// Handle plays the Worker. Nil answers 200 with the code.
	Handle func(c *Call)

	mu       sync.Mutex
	builds   int
	deploys  int
	deployed map[sandbox.Key]*trace.Deployment
	isolates map[sandbox.Key]*trace.IsolateState
	made     int
	kept     map[sandbox.Key]bool
	closed   bool
}

// Call is one invocation as Handle sees it. Its methods are called from
// Handle's goroutine only.
type Call struct {
	context.Context
	Run  sandbox.Run
	Code string // of the deployed Worker

	begin time.Time
	head  chan trace.ResponseHead
	pipe  *io.PipeWriter
	sum   trace.Summary
	sent  bool

	socket chan sandbox.Socket
}

func (c *Call) at() int64 { return time.Since(c.begin).Microseconds() }

func (c *Call) emit(e trace.Event) {
	e.Run, e.At = c.sum.Run, c.at()
	if c.Run.Watch != nil {
		c.Run.Watch(e)
	}
}

// Log logs a line.
func (c *Call) Log(text string) {
	c.sum.Logs++
	c.emit(trace.Event{Kind: trace.KindLog, Log: &trace.Log{Level: "log", Text: text}})
}

// Head sends the response head; later calls do nothing.
func (c *Call) Head(status int, headers ...[2]string) {
	if c.sent {
		return
	}
	c.sent = true
	head := trace.ResponseHead{Status: status, Headers: headers}
	c.sum.Status = status
	c.emit(trace.Event{Kind: trace.KindResponse, Response: &head})
	c.head <- head
}

// Accept answers an upgrade with a WebSocket whose messages come back in upper case.
func (c *Call) Accept() {
	if c.sent {
		return
	}
	c.sent = true
	c.sum.Status = 101
	c.socket <- &echo{}
	c.head <- trace.ResponseHead{Status: 101}
}

// echo is a Worker's end of a WebSocket.
type echo struct {
	mu      sync.Mutex
	message func([]byte, bool)
	closed  func(int, string, bool)
	ended   bool
}

func (e *echo) Send(data []byte, binary bool) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.ended {
		return errors.New("doortest: closed")
	}
	e.message([]byte(strings.ToUpper(string(data))), binary)
	return nil
}

func (e *echo) Close(code int, reason string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.ended {
		e.ended = true
		e.closed(code, reason, true)
	}
}

func (e *echo) Receive(message func([]byte, bool), closed func(int, string, bool)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.message, e.closed = message, closed
}

// Write sends a piece of the body, after a head of 200 if none was sent.
func (c *Call) Write(p []byte) (int, error) {
	c.Head(200)
	n, err := c.pipe.Write(p)
	c.sum.BodyBytes += int64(n)
	return n, err
}

// Fail ends the run with a fault.
func (c *Call) Fail(f *trace.Fault) {
	c.sum.Fault, c.sum.Outcome = f, string(f.Kind)
	c.emit(trace.Event{Kind: trace.KindFault, Fault: f})
}

// Counts says how often the door built and deployed.
func (d *Door) Counts() (builds, deploys int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.builds, d.deploys
}

// Build implements sandbox.Door.
func (d *Door) Build(_ context.Context, _ sandbox.Key, p trace.Project) (*trace.Deployment, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.builds++
	main := p.Main
	for _, name := range []string{"src/index.ts", "src/index.js", "worker.js"} {
		if _, ok := p.Files[name]; ok && main == "" {
			main = name
		}
	}
	code, ok := p.Files[main]
	if !ok {
		return &trace.Deployment{Fault: &trace.Fault{Kind: trace.FaultBuild, Message: "The project has no entry file."}}, nil
	}
	if strings.HasPrefix(string(code), "syntax error") {
		return &trace.Deployment{Fault: &trace.Fault{Kind: trace.FaultBuild, Message: "Expected \";\" but found \"error\"", Frames: []trace.Frame{{File: main, Line: 1, Column: 8}}}}, nil
	}
	return &trace.Deployment{Workers: []trace.Worker{{Name: "worker", Code: string(code), Main: main}}}, nil
}

// Deploy implements sandbox.Door.
func (d *Door) Deploy(_ context.Context, key sandbox.Key, dep *trace.Deployment) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.deploys++
	if d.deployed == nil {
		d.deployed, d.isolates, d.kept = map[sandbox.Key]*trace.Deployment{}, map[sandbox.Key]*trace.IsolateState{}, map[sandbox.Key]bool{}
	}
	d.deployed[key] = dep
	delete(d.isolates, key)
	return nil
}

// Invoke implements sandbox.Door.
func (d *Door) Invoke(ctx context.Context, r sandbox.Run) (*sandbox.Response, error) {
	d.mu.Lock()
	dep := d.deployed[r.Key]
	if dep == nil || d.closed {
		d.mu.Unlock()
		return nil, errors.New("doortest: nothing is deployed there")
	}
	iso, temperature := d.isolates[r.Key], trace.Warm
	if iso == nil || r.Cold {
		d.made++
		iso, temperature = &trace.IsolateState{ID: fmt.Sprintf("iso%d", d.made), State: "idle", Engine: "quickjs"}, trace.Cold
		d.isolates[r.Key] = iso
	}
	iso.Requests++
	d.made++
	id := fmt.Sprintf("door-%d", d.made)
	d.mu.Unlock()

	body, pipe := io.Pipe()
	c := &Call{Context: ctx, Run: r, Code: dep.Workers[0].Code, begin: time.Now(), head: make(chan trace.ResponseHead, 1), socket: make(chan sandbox.Socket, 1), pipe: pipe}
	c.sum = trace.Summary{Run: id, Worker: "worker", Isolate: iso.ID, Engine: "quickjs", Temperature: temperature, Outcome: "ok"}
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() { pipe.CloseWithError(context.Cause(ctx)) })
	go func() {
		defer close(done)
		defer stop()
		c.emit(trace.Event{Kind: trace.KindIsolate, Isolate: &trace.IsolateState{ID: iso.ID, State: string(temperature)}})
		if d.Handle != nil {
			d.Handle(c)
		} else {
			_, _ = io.WriteString(c, c.Code)
		}
		if ctx.Err() != nil && c.sum.Outcome == "ok" {
			c.sum.Outcome = string(trace.FaultCanceled)
		}
		if c.sum.Fault != nil {
			c.Head(500)
		}
		c.Head(200)
		c.sum.Wall = c.at()
		c.sum.Spans = []trace.Span{{Phase: trace.PhaseHandle, End: c.sum.Wall}}
		pipe.Close()
		sum := c.sum
		c.emit(trace.Event{Kind: trace.KindDone, Summary: &sum})
	}()
	select {
	case head := <-c.head:
		var socket sandbox.Socket
		if head.Status == 101 {
			socket = <-c.socket
		}
		return &sandbox.Response{Socket: socket, Run: id, Head: head, Body: body, Summary: func(ctx context.Context) (*trace.Summary, error) {
			select {
			case <-done:
				return &c.sum, nil
			case <-ctx.Done():
				return nil, context.Cause(ctx)
			}
		}}, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// Evict implements sandbox.Door.
func (d *Door) Evict(_ context.Context, key sandbox.Key, _ string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.isolates, key)
	return nil
}

// KeepWarm implements sandbox.Door.
func (d *Door) KeepWarm(key sandbox.Key, on bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if iso := d.isolates[key]; iso != nil {
		iso.Kept = on
	}
}

// Isolates implements sandbox.Door.
func (d *Door) Isolates(key sandbox.Key) []trace.IsolateState {
	d.mu.Lock()
	defer d.mu.Unlock()
	if iso := d.isolates[key]; iso != nil {
		return []trace.IsolateState{*iso}
	}
	return nil
}

// Pages implements sandbox.Door.
func (d *Door) Pages(_ context.Context, key sandbox.Key, isolate string) ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if iso := d.isolates[key]; iso == nil || iso.ID != isolate {
		return nil, errors.New("doortest: no such isolate")
	}
	return []byte{0, 1, 2, 1}, nil
}

// Script implements sandbox.Door: it has no engine.
func (d *Door) Script(context.Context, sandbox.Script) ([]byte, *trace.Fault, error) {
	return nil, nil, errors.New("doortest: scripts do not run here")
}

// Stats implements sandbox.Door.
func (d *Door) Stats() sandbox.Stats {
	d.mu.Lock()
	defer d.mu.Unlock()
	return sandbox.Stats{Isolates: len(d.isolates), Runners: []sandbox.RunnerStats{{PID: 1, Role: "run"}}}
}

// Close implements sandbox.Door.
func (d *Door) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	return nil
}
