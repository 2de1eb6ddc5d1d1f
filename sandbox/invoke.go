package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"sync/atomic"
	"time"

	"coldstart/sandbox/runner"
	"coldstart/sandbox/trace"
	"coldstart/sandbox/webapi"
)

// chain is what all runs under one visitor's request share.
type chain struct {
	root   string // run id
	origin int64  // runner.Monotonic at which the run's clock is 0
	watch  *watch
	fresh  string
	host   string       // of the first request: the project's own public address
	limit  int64        // of subrequests
	calls  atomic.Int64 // subrequests so far
	stubs  atomic.Int64 // calls of stubs so far
	pieces atomic.Int64 // pieces of streams that passed by RPC so far
}

// execution is one event on its way through the platform: a visitor's request, a
// subrequest of a Worker, or an event of the platform itself.
type execution struct {
	s          *Sandbox
	chain      *chain
	id         string
	project    *project
	group      groupOf
	route      string
	only       *iso // the isolate that is to answer, nil for any
	documented bool // as Run.Documented
	weigh      bool // as Run.Weigh
	depth      int
	typ        string
	request    *webapi.Request
	body       *runner.Replay // of request; nil for none
	payload    []byte
	entry      string
	object     string
	props      string
	upgrade    bool
	spans      []trace.Span // before the isolate: build, route, queue
	nested     bool
	began      func()               // called when an isolate was sent the run; nil for nobody
	kept       bool                 // the route keeps Workers away
	suspect    bool                 // a runner died under it, and it is not known why
	above      *cell                // its caller's, nil for none
	cell       atomic.Pointer[cell] // where it runs apart, nil when it does not
}

// at is the time in the chain's first run, in microseconds.
func (c *chain) at() int64 { return (runner.Monotonic() - c.origin) / 1000 }

// Invoke implements Door.
func (s *Sandbox) Invoke(ctx context.Context, r Run) (*Response, error) {
	begin := runner.Monotonic()
	if r.Type == "" {
		r.Type = "fetch"
	}
	switch r.Type {
	case "fetch", "scheduled", "queue":
	default:
		return nil, fmt.Errorf("sandbox: no events of type %q", r.Type)
	}
	if q, ok := triggers(&r); ok {
		return s.trigger(ctx, r, q)
	}
	if r.ID == "" {
		r.ID = NewRunID()
	}
	c := &chain{root: r.ID, origin: begin - 1000*r.Built, fresh: r.Fresh}
	if r.Watch != nil {
		c.watch = newWatch(r.Watch)
	}
	e := &execution{s: s, chain: c, id: r.ID, typ: r.Type, payload: r.Payload, upgrade: r.Upgrade, documented: r.Documented, weigh: r.Weigh}
	if r.Built > 0 {
		e.span(trace.PhaseBuild, 0, r.Built)
	}
	if r.Type == "fetch" {
		// A Worker may always ask request.cf; what a network would know stands there as undefined.
		e.request = &webapi.Request{Method: r.Method, URL: r.URL, Headers: r.Headers, Length: r.Length, CF: "{}"}
		if r.Body != nil {
			body, ok := r.Body.(io.ReadCloser)
			if !ok {
				body = io.NopCloser(r.Body)
			}
			e.request.Body = body
		}
		if u, err := url.Parse(r.URL); err == nil {
			c.host = u.Host
		}
	}
	from := c.at()
	if err := e.choose(r.Key, r.Worker, r.URL); err != nil {
		return nil, err
	}
	if r.Isolate != "" {
		s.mu.Lock()
		e.only = s.isolates[r.Isolate]
		s.mu.Unlock()
		if e.only == nil || e.only.group.project != e.project {
			return nil, fmt.Errorf("sandbox: no isolate %q in this project", r.Isolate)
		}
	}
	e.asked()
	c.limit = int64(e.group.worker.Limits.Calls)
	if e.request != nil && e.request.Body != nil {
		if most := e.group.worker.Limits.Request; r.Length > most {
			s.reached.add(limitRequest)
			_ = e.request.Body.Close() // nobody reads it
			return e.refuse(413, &trace.Fault{Kind: trace.FaultLimit, Message: requestTooLarge(most), Hint: "Send less, or in several requests."}), nil
		} else if r.Length < 0 {
			e.request.Body = &bounded{ReadCloser: e.request.Body, most: most, s: s}
		}
	}
	e.span(trace.PhaseRoute, from, c.at())
	if f := e.file(); f != nil {
		return e.deliver(f), nil
	}
	if r.Cold {
		s.cool(e.group)
	}
	return e.run(ctx)
}

// bounded is a request's body of unknown length within its limit.
type bounded struct {
	io.ReadCloser
	read, most int64
	s          *Sandbox
}

// Read gives an error once there is more; the Worker's code meets a body that breaks off.
func (b *bounded) Read(p []byte) (int, error) {
	if b.read > b.most {
		return 0, errors.New(requestTooLarge(b.most))
	}
	n, err := b.ReadCloser.Read(p)
	if b.read += int64(n); b.read > b.most {
		b.s.reached.add(limitRequest)
		return 0, errors.New(requestTooLarge(b.most))
	}
	return n, err
}

func requestTooLarge(most int64) string {
	return fmt.Sprintf("The request's body is larger than %s.", trace.SizeText(most))
}

// span records a phase and tells of it.
func (e *execution) span(p trace.Phase, start, end int64) {
	e.spans = append(e.spans, trace.Span{Phase: p, Start: start, End: end})
	e.tellSpan(p, start, end)
}

func (e *execution) tellSpan(p trace.Phase, start, end int64) {
	if !e.nested {
		e.tell(trace.Event{At: end, Kind: trace.KindPhase, Span: &trace.Span{Phase: p, Start: start, End: end}})
	}
}

// tell gives an event to the watcher of the run at the top.
func (e *execution) tell(ev trace.Event) {
	ev.Run = e.chain.root
	if ev.Worker == "" && e.group.worker != nil {
		ev.Worker = e.group.worker.Name
	}
	e.chain.watch.add(e.s, ev)
}

// choose finds the Worker for a run.
func (e *execution) choose(key Key, worker, url string) error {
	s := e.s
	s.mu.Lock()
	defer s.mu.Unlock()
	p, err := s.chosen(key)
	if err != nil {
		return err
	}
	e.project = p
	var w *trace.Worker
	if worker != "" {
		if w = p.worker(worker); w == nil {
			return fmt.Errorf("sandbox: no Worker named %q in this project", worker)
		}
	} else if m, ok := p.match(url, e.documented); ok {
		e.route = m.Pattern
		if w = p.worker(m.Worker); w == nil {
			e.kept = true
		}
	}
	if w == nil {
		w = p.front()
	}
	e.group = groupOf{project: p, worker: w, key: groupKey{fresh: e.chain.fresh, worker: w.Name, version: w.Version}}
	return nil
}

// front is the Worker that answers where no route decides: the first that no
// other one binds as a service, for those that are bound stand behind it.
func (p *project) front() *trace.Worker {
	if len(p.deploy.Workers) == 1 {
		return &p.deploy.Workers[0]
	}
	behind := map[string]bool{}
	for _, w := range p.deploy.Workers {
		for _, b := range w.Bindings {
			if b.Type == "service" && b.Service != w.Name {
				behind[b.Service] = true
			}
		}
	}
	for i := range p.deploy.Workers {
		if !behind[p.deploy.Workers[i].Name] {
			return &p.deploy.Workers[i]
		}
	}
	return &p.deploy.Workers[0]
}

// worker finds a deployed Worker by name.
func (p *project) worker(name string) *trace.Worker {
	for i := range p.deploy.Workers {
		if p.deploy.Workers[i].Name == name {
			return &p.deploy.Workers[i]
		}
	}
	return nil
}

// cool lets a Worker's isolates take no more runs, so that the next starts cold.
func (s *Sandbox) cool(g groupOf) {
	var done doings
	s.mu.Lock()
	if have := g.project.groups[g.key]; have != nil {
		s.retire(have, "a cold start was asked for", &done)
	}
	s.mu.Unlock()
	done.do()
}

// Bounds of trying again.
const (
	retryMax   = 5  // isolates and runners that turned out to be gone before anything ran
	refusedMax = 16 // of those, isolates that another request of the same Worker spent: as many as it may have at once
	innocentMe = 2  // runners that died under a run which had no effect yet
)

// run executes e and returns once there is a response head, or for other
// events a result.
func (e *execution) run(ctx context.Context) (*Response, error) {
	a, refused, err := e.try(ctx)
	if err != nil {
		return nil, err
	}
	if refused != nil {
		return refused, nil
	}
	return a.response(), nil
}

// try is run that gives the attempt which answered, or the answer of a run
// that never reached an isolate.
func (e *execution) try(ctx context.Context) (*attempt, *Response, error) {
	if e.request != nil && e.request.Body != nil {
		var err error
		if e.body, err = runner.NewReplay(e.request.Body, e.request.Length); err != nil {
			return nil, nil, fmt.Errorf("read the request's body: %w", err)
		}
		e.request.Body = e.body
	}
	if e.kept {
		return nil, e.refuse(404, nil), nil
	}
	innocent, refused, began := 0, 0, int64(0)
	for try := 0; ; try++ {
		from := e.chain.at()
		back, fault, err := e.apart(ctx)
		if err != nil {
			return nil, nil, err
		}
		if fault != nil {
			return nil, e.refuse(503, fault), nil
		}
		t, fault, err := e.s.admit(ctx, e, func(q trace.Queued) {
			e.tell(trace.Event{At: e.chain.at(), Kind: trace.KindQueued, Queued: &q})
		})
		if back != nil && (err != nil || fault != nil) {
			back()
		}
		if err != nil {
			return nil, nil, err
		}
		to := e.chain.at()
		if try == 0 {
			e.span(trace.PhaseQueue, from, to)
		}
		if fault != nil {
			return nil, e.refuse(503, fault), nil
		}
		a := newAttempt(e, t, to)
		a.back = back
		if wall := e.group.worker.Limits.Wall; try == 0 {
			began = to
		} else if a.wall = wall - time.Duration(to-began)*time.Microsecond; a.wall <= 0 {
			t.iso.wasSent()
			e.s.leave(t, 0, runner.End{Lost: runner.LostRefused})
			if back != nil {
				back()
			}
			e.s.reached.add(limitWall)
			return nil, e.refuse(500, &trace.Fault{Kind: trace.FaultWall, Message: "Time limit: no answer within " + trace.WaitText(wall) + ".", Hint: "Other requests kept the isolates busy."}), nil
		}
		a.again = try-refused < retryMax && innocent < innocentMe && refused < refusedMax
		if err := a.start(ctx); err != nil {
			// The runner died before anything was sent; its isolates are lost or about to be.
			e.s.leave(t, 0, runner.End{Lost: runner.LostRefused})
			if back != nil {
				back()
			}
			if try-refused < retryMax && dead(ctx, t.iso.runner) {
				continue
			}
			return nil, e.refuse(500, platformFault()), nil
		}
		if e.began != nil {
			e.began()
		}
		select {
		case <-a.headed:
			return e.answered(a)
		case <-a.ended:
		}
		select {
		case <-a.headed: // both at once
			return e.answered(a)
		default:
		}
		if !a.retry {
			return e.answered(a)
		}
		switch a.end.Lost {
		case runner.LostRefused:
			refused++
		case runner.LostInnocent:
			innocent++
		case runner.LostSuspect:
			e.suspect = true
		}
	}
}

// dead waits for a runner that takes no more runs to be gone and replaced, and
// reports false when the visitor left before. A runner being killed refuses at
// once, so that tries without a pause would all meet the same one.
func dead(ctx context.Context, p *runner.Runner) bool {
	t := time.NewTimer(time.Second)
	defer t.Stop()
	select {
	case <-p.Left():
	case <-t.C: // it refused for a reason of its own
	case <-ctx.Done():
		return false
	}
	return true
}

func platformFault() *trace.Fault {
	return &trace.Fault{Kind: trace.FaultPlatform, Message: "Our runner stopped. It was not your code. Run again."}
}

// refuse answers a run that never reached an isolate; f is nil when that is as it should be.
func (e *execution) refuse(status int, f *trace.Fault) *Response {
	sum := &trace.Summary{
		Run: e.id, Worker: e.group.worker.Name, Route: e.route, Outcome: "ok", Status: status, Spans: e.spans, Wall: e.chain.at(), Fault: f,
	}
	if f != nil {
		sum.Outcome = string(f.Kind)
		e.tell(trace.Event{At: e.chain.at(), Kind: trace.KindFault, Fault: f})
	}
	head := trace.ResponseHead{Status: status}
	if status == 503 {
		head.Headers = [][2]string{{"Retry-After", "2"}}
	}
	if !e.nested {
		e.tell(trace.Event{At: e.chain.at(), Kind: trace.KindResponse, Response: &head})
		e.tell(trace.Event{At: e.chain.at(), Kind: trace.KindDone, Summary: sum})
	}
	if e.body != nil {
		_ = e.body.Close() // nobody reads it
	}
	return &Response{Run: e.id, Head: head, Fault: f, Summary: func(ctx context.Context) (*trace.Summary, error) {
		return sum, e.told(ctx)
	}}
}

// told waits until the run's watcher has heard of its end.
func (e *execution) told(ctx context.Context) error {
	if w := e.chain.watch; w != nil && !e.nested {
		select {
		case <-w.done:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

var errRunOver = errors.New("sandbox: the run is over")
