package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"coldstart/sandbox/isolate"
	"coldstart/sandbox/platform"
	"coldstart/sandbox/trace"
	"coldstart/sandbox/webapi"
)

// fetch performs a subrequest of e's Worker. Errors are what its code catches.
// began, unless it is nil, is called once another Worker was sent the request.
func (e *execution) fetch(ctx context.Context, to webapi.Target, r *webapi.Request, began func()) (*webapi.Response, error) {
	if err := e.count(); err != nil {
		return nil, err
	}
	switch to.Type {
	case "":
		return e.outside(ctx, r)
	case "assets":
		if a := e.files(); a != nil {
			return a.Fetch(r), nil
		}
		//lint:ignore ST1005 learners read it as it is
		return nil, errors.New("This Worker has no static assets.")
	case "service", "durable":
		n, err := e.below(to)
		if err != nil {
			return nil, err
		}
		n.typ, n.request, n.began = "fetch", r, began
		if f := n.file(); f != nil {
			if began != nil {
				began()
			}
			return f, nil
		}
		n.upgrade = upgrades(r)
		return n.answer(ctx, true)
	}
	return nil, fmt.Errorf("bindings of type %q cannot be fetched from", to.Type)
}

// count counts a subrequest over the whole chain.
func (e *execution) count() error {
	if n := e.chain.calls.Add(1); n > e.chain.limit {
		e.s.reached.add(limitCalls)
		//lint:ignore ST1005 learners read it as it is
		return fmt.Errorf("Too many subrequests: one request may make %d, counted over all Workers that it passes through.", e.chain.limit)
	}
	return nil
}

// stubCalls is how many calls of stubs one request may make, in subrequests: a
// stub's methods are meant to be called often.
const stubCalls = 20

// streamPieces is how many pieces of streams may pass between Workers by RPC
// under one request, in subrequests.
const streamPieces = 2000

// countRPC counts a method call. Those of stubs have a limit of their own, and
// so have those that fetch a stream's pieces.
func (e *execution) countRPC(to webapi.Target) error {
	if to.Type != "stub" {
		return e.count()
	}
	if to.Binding == webapi.StreamPieces {
		if n := e.chain.pieces.Add(1); n > e.chain.limit*streamPieces {
			e.s.reached.add(limitCalls)
			//lint:ignore ST1005 learners read it as it is
			return fmt.Errorf("Too many pieces of streams: one request may pass %d between Workers. Make larger ones.", e.chain.limit*streamPieces)
		}
		return nil
	}
	if e.chain.stubs.Add(1) > e.chain.limit*stubCalls {
		e.s.reached.add(limitCalls)
		//lint:ignore ST1005 learners read it as it is
		return fmt.Errorf("Too many calls of stubs: one request may make %d, counted over all Workers that it passes through.", e.chain.limit*stubCalls)
	}
	return nil
}

// below is a run of another Worker on behalf of this one.
func (e *execution) below(to webapi.Target) (*execution, error) {
	n := &execution{s: e.s, chain: e.chain, id: NewRunID(), project: e.project, depth: e.depth + 1, entry: to.Entrypoint, props: to.Props, nested: true, above: e.cell.Load()}
	if limit := e.group.worker.Limits.Depth; n.depth > limit {
		e.s.reached.add(limitDepth)
		//lint:ignore ST1005 learners read it as it is
		return nil, fmt.Errorf("Too many Workers call one another: %d deep is the limit. Look for a Worker that calls itself.", limit)
	}
	e.s.mu.Lock()
	defer e.s.mu.Unlock()
	if to.Type == "stub" {
		id, object, _ := strings.Cut(to.Object, "@")
		i := e.s.isolates[id]
		if i == nil || i.gone || i.group.project != e.project || i.group.key.fresh != e.chain.fresh {
			//lint:ignore ST1005 learners read it as it is
			return nil, errors.New("The execution context which hosted this callback is no longer running.")
		}
		n.only, n.group = i, groupOf{project: e.project, worker: i.group.worker, key: i.group.key}
		n.entry, n.object, _ = strings.Cut(object, "@")
		return n, nil
	}
	name := to.Worker
	if name == "" {
		name = e.group.worker.Name
	}
	w := e.project.worker(name)
	if w == nil {
		//lint:ignore ST1005 learners read it as it is
		return nil, fmt.Errorf("There is no Worker named %q in this project.", name)
	}
	key := groupKey{fresh: e.chain.fresh, worker: w.Name, version: w.Version}
	if to.Type == "durable" {
		n.entry, n.object, key.durable = to.Class, to.Object, true
	}
	n.group = groupOf{project: e.project, worker: w, key: key}
	return n, nil
}

// answer runs a subrequest. With throws, what the Worker throws comes back as
// its error; without, as status 500, as a visitor gets it.
func (e *execution) answer(ctx context.Context, throws bool) (*webapi.Response, error) {
	a, refused, err := e.try(ctx)
	if err != nil {
		return nil, err
	}
	if refused != nil {
		sum, _ := refused.Summary(ctx) // there already
		if sum.Fault == nil {
			return &webapi.Response{Head: refused.Head}, nil
		}
		return nil, &webapi.FaultError{Fault: sum.Fault}
	}
	if f := a.thrown(); f != nil && throws {
		return nil, &webapi.FaultError{Fault: f}
	}
	if !a.isHeaded() && a.sum.Fault != nil && throws {
		return nil, &webapi.FaultError{Fault: a.sum.Fault}
	}
	resp := a.response()
	out := &webapi.Response{Head: resp.Head, Body: resp.Body}
	if resp.Socket != nil {
		out.Socket = resp.Socket
	}
	return out, nil
}

func upgrades(r *webapi.Request) bool {
	for _, h := range r.Headers {
		if len(h[0]) == 7 && (h[0][0]|0x20) == 'u' && equalFold(h[0], "upgrade") && equalFold(h[1], "websocket") {
			return true
		}
	}
	return false
}

// outside performs a fetch by address: own Workers, stubs, allowed hosts.
func (e *execution) outside(ctx context.Context, r *webapi.Request) (*webapi.Response, error) {
	u, err := url.Parse(r.URL)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, &isolate.Throw{Name: "TypeError", Message: "Fetch API cannot load: " + clip(r.URL, 200)}
	}
	if out := e.group.worker.Outbound; out != "" {
		n, err := e.below(webapi.Target{Type: "service", Worker: out})
		if err != nil {
			return nil, err
		}
		n.typ, n.request, n.upgrade = "fetch", r, upgrades(r)
		return n.answer(ctx, true)
	}
	n := &execution{s: e.s, chain: e.chain, id: NewRunID(), depth: e.depth + 1, typ: "fetch", request: r, nested: true, upgrade: upgrades(r), above: e.cell.Load()}
	e.s.mu.Lock()
	_, routed := e.project.match(r.URL, e.documented)
	e.s.mu.Unlock()
	if routed || u.Host == e.chain.host {
		if limit := e.group.worker.Limits.Depth; n.depth > limit {
			e.s.reached.add(limitDepth)
			//lint:ignore ST1005 learners read it as it is
			return nil, fmt.Errorf("Too many Workers call one another: %d deep is the limit. Look for a Worker that fetches its own address.", limit)
		}
		if err := n.choose(e.project.key, "", r.URL); err != nil {
			return nil, err
		}
		return n.answer(ctx, false)
	}
	if e.s.cfg.Upstream != nil {
		resp, err := e.s.cfg.Upstream(ctx, e.project.key, r)
		if resp != nil || err != nil {
			return resp, err
		}
	}
	return e.s.net.fetch(ctx, u, r)
}

// caller is e's Worker as the platform knows it.
func (e *execution) caller() platform.Caller {
	c := platform.Caller{
		Project: platform.Project{Learner: e.project.key.Learner, Project: e.project.key.Project, Space: e.chain.fresh},
		Worker:  e.group.worker,
	}
	if e.object != "" {
		c.Object, c.Class, c.Props = e.object, e.entry, e.props
	}
	return c
}

// call performs a binding operation of e's Worker.
func (e *execution) call(ctx context.Context, op string, args []any) (any, error) {
	return e.s.platform.Call(ctx, e.caller(), op, args)
}

// rpcTarget is where a method call goes, from the operation's arguments.
func rpcTarget(args []any) webapi.Target {
	return webapi.Target{
		Type: argument(args, 0), Binding: argument(args, 1), Worker: argument(args, 2), Entrypoint: argument(args, 3), Class: argument(args, 4), Object: argument(args, 5), Props: argument(args, 6),
	}
}

func argument(args []any, i int) string {
	if i < len(args) {
		s, _ := args[i].(string)
		return s
	}
	return ""
}

// callMethod calls a method of another Worker or of a Durable Object. began is
// called once it was sent the call.
func (e *execution) callMethod(ctx context.Context, to webapi.Target, args []any, began func()) (any, error) {
	if err := e.countRPC(to); err != nil {
		return nil, err
	}
	n, err := e.below(to)
	if err != nil {
		return nil, err
	}
	n.typ, n.payload, n.began = "rpc", []byte(argument(args, 7)+"\n"+argument(args, 8)), began
	a, refused, err := n.try(ctx)
	if err != nil {
		return nil, err
	}
	if refused != nil {
		sum, _ := refused.Summary(ctx) // there already
		return nil, &webapi.FaultError{Fault: sum.Fault}
	}
	if a.result == nil {
		if a.sum.Fault != nil {
			return nil, &webapi.FaultError{Fault: a.sum.Fault}
		}
		return string(a.end.Result), nil
	}
	return string(a.result), nil
}

// give runs an event of the platform itself: an alarm, a queue's batch, a
// cron. It is charged to the project's learner like any other. watch is as
// Run.Watch; it is not called any more once give returns without an error.
func (s *Sandbox) give(ctx context.Context, ev platform.Event, watch func(trace.Event)) (*trace.Summary, []byte, error) {
	c := &chain{origin: monotonic(), fresh: ev.Project.Space}
	if watch != nil {
		c.watch = newWatch(watch)
	}
	e := &execution{s: s, chain: c, id: NewRunID(), typ: ev.Type, payload: ev.Payload, entry: ev.Class, object: ev.Object, props: ev.Props}
	c.root = e.id
	if err := e.choose(Key{Learner: ev.Project.Learner, Project: ev.Project.Project}, ev.Worker, ""); err != nil {
		return nil, nil, err
	}
	c.limit = int64(e.group.worker.Limits.Calls)
	e.group.key.durable = ev.Object != ""
	resp, err := e.run(ctx)
	if err != nil {
		return nil, nil, err
	}
	sum, err := resp.Summary(ctx)
	return sum, resp.Result, err
}
