package webapi_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"coldstart/sandbox"
	"coldstart/sandbox/bundle"
	"coldstart/sandbox/isolate"
	"coldstart/sandbox/isolate/quickjs"
	"coldstart/sandbox/js"
	"coldstart/sandbox/trace"
	"coldstart/sandbox/webapi"
)

const nodeModules = "../../web/node_modules"

// world is an engine and what Workers share, in this process.
type world struct {
	engine isolate.Engine
	pool   *isolate.Pool
	ops    *isolate.Ops
	shelf  fs.FS
}

var shared struct {
	once sync.Once
	w    *world
	err  error
}

func newWorld(t testing.TB) *world {
	t.Helper()
	shared.once.Do(func() { shared.w, shared.err = makeWorld() })
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.w
}

func makeWorld() (*world, error) {
	wasm, err := os.ReadFile(nodeModules + "/quickjs-wasi/quickjs.wasm")
	if err != nil {
		return nil, fmt.Errorf("%w: run npm ci in web first", err)
	}
	b, err := js.Build(nodeModules)
	if err != nil {
		return nil, err
	}
	ops := webapi.Ops()
	boot := isolate.Bootstrap{Script: b.Script, Ops: ops}
	for _, m := range b.Modules {
		boot.Modules = append(boot.Modules, isolate.Module(m))
	}
	cache, _ := os.UserCacheDir()
	engine, err := quickjs.New(context.Background(), quickjs.Config{Wasm: wasm, Bootstrap: boot, Cache: path.Join(cache, "coldstart-test")})
	if err != nil {
		return nil, err
	}
	var packed bytes.Buffer
	if err := bundle.PackShelf(nodeModules, &packed); err != nil {
		return nil, err
	}
	shelf, err := bundle.OpenShelf(packed.Bytes())
	if err != nil {
		return nil, err
	}
	return &world{engine: engine, pool: isolate.NewPool(2), ops: ops, shelf: shelf}, nil
}

// door is a sandbox.Door without processes: what a platform needs for the
// corpus, with storage in memory.
type door struct {
	*world
	mu      sync.Mutex
	workers map[string]*hosted // by project key and name
	seq     int
}

type hosted struct {
	d      *door
	worker trace.Worker
	main   string // key of the project
	mu     sync.Mutex
	live   *webapi.Worker
	fault  *trace.Fault
	kv     *memoryKV
}

func newDoor(t testing.TB) *door { return &door{world: newWorld(t), workers: map[string]*hosted{}} }

func (d *door) Build(ctx context.Context, _ sandbox.Key, p trace.Project) (*trace.Deployment, error) {
	return bundle.Build(ctx, bundle.Config{Shelf: d.shelf}, p), nil
}

func (d *door) Deploy(_ context.Context, key sandbox.Key, dep *trace.Deployment) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	store := newMemoryKV()
	for _, w := range dep.Workers {
		h := &hosted{d: d, worker: w, main: key.Learner, kv: store}
		d.workers[key.Learner+"/"+w.Name] = h
		if len(w.Durables) > 0 {
			store.ring = func(object string) {
				h.invoke(context.Background(), webapi.Invocation{Run: "alarm", Type: "alarm", Entrypoint: w.Durables[0], Object: object}, newSink(nil))
			}
		}
	}
	return nil
}

// get starts a Worker's isolate when there is none.
func (h *hosted) get() (*webapi.Worker, *trace.Fault, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.live != nil && !h.live.Closed() {
		return h.live, nil, nil
	}
	if h.fault != nil {
		return nil, h.fault, nil
	}
	w, fault, err := webapi.Start(context.Background(), webapi.Config{Engine: h.d.engine, Pool: h.d.pool, Ops: h.d.ops, Worker: h.worker, ID: "test", Backend: backend{h}})
	h.live, h.fault = w, fault
	return w, fault, err
}

func (d *door) Invoke(ctx context.Context, r sandbox.Run) (*sandbox.Response, error) {
	d.mu.Lock()
	h := d.workers[r.Key.Learner+"/"+r.Worker]
	d.seq++
	id := fmt.Sprint("run", d.seq)
	d.mu.Unlock()
	if h == nil {
		return nil, errors.New("no such Worker")
	}
	inv := webapi.Invocation{Run: id, Type: r.Type, Payload: r.Payload}
	if r.Type == "fetch" {
		inv.Request = &webapi.Request{Method: r.Method, URL: r.URL, Headers: r.Headers, Length: r.Length}
		if r.Body != nil {
			b, err := io.ReadAll(r.Body)
			if err != nil {
				return nil, err
			}
			inv.Request.Body = io.NopCloser(bytes.NewReader(b))
		}
	}
	var far *pipe
	if r.Upgrade {
		near, other := newPipe()
		inv.Socket, far = near, other
	}
	s := newSink(r.Watch)
	h.invoke(ctx, inv, s)
	resp := &sandbox.Response{Run: id, Summary: s.summary}
	select {
	case <-s.head:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	resp.Head, resp.Body, resp.Result = s.response, s.body(), s.result
	if resp.Head.Status == 101 && far != nil {
		resp.Socket = far
	}
	return resp, nil
}

// invoke runs an event in the Worker and gives a fault of its start to the sink.
func (h *hosted) invoke(ctx context.Context, inv webapi.Invocation, s *sink) {
	w, fault, err := h.get()
	if err == nil && fault == nil {
		if err = w.Invoke(ctx, inv, s); err == nil {
			return
		}
	}
	if fault == nil {
		fault = &trace.Fault{Kind: trace.FaultPlatform, Message: err.Error()}
	}
	_ = s.Head(trace.ResponseHead{Status: 500}, nil, true)
	s.Done(trace.Summary{Fault: fault, Outcome: string(fault.Kind)})
}

func (d *door) Evict(_ context.Context, key sandbox.Key, _ string) error {
	var gone []*webapi.Worker
	d.mu.Lock()
	for k, h := range d.workers {
		if strings.HasPrefix(k, key.Learner+"/") {
			if h.live != nil {
				gone = append(gone, h.live)
			}
			delete(d.workers, k)
		}
	}
	d.mu.Unlock()
	for _, w := range gone { // Evict waits for turns, and turns may ask this door
		w.Evict()
	}
	return nil
}

func (d *door) KeepWarm(sandbox.Key, bool)                                 {}
func (d *door) Isolates(sandbox.Key) []trace.IsolateState                  { return nil }
func (d *door) Pages(context.Context, sandbox.Key, string) ([]byte, error) { return nil, nil }
func (d *door) Script(context.Context, sandbox.Script) ([]byte, *trace.Fault, error) {
	return nil, nil, nil
}
func (d *door) Stats() sandbox.Stats { return sandbox.Stats{} }
func (d *door) Close() error         { return nil }

// sink keeps what an invocation produces.
type sink struct {
	watch    func(trace.Event)
	head     chan struct{}
	once     sync.Once
	response trace.ResponseHead
	result   []byte
	whole    []byte
	r        *io.PipeReader
	w        *io.PipeWriter
	done     chan struct{}
	sum      trace.Summary
}

func newSink(watch func(trace.Event)) *sink {
	return &sink{watch: watch, head: make(chan struct{}), done: make(chan struct{})}
}

func (s *sink) Head(h trace.ResponseHead, body []byte, end bool) error {
	s.response, s.whole = h, body
	if !end && h.Status != 101 {
		s.r, s.w = io.Pipe()
	}
	s.once.Do(func() { close(s.head) })
	return nil
}

func (s *sink) Write(piece []byte, ready func(error)) error {
	go func() {
		_, err := s.w.Write(piece)
		ready(err)
	}()
	return nil
}

func (s *sink) End(err error) {
	if s.w != nil {
		_ = s.w.CloseWithError(err)
	}
}

func (s *sink) Result(p []byte) {
	s.result = p
}

func (s *sink) Event(e trace.Event) {
	if s.watch != nil {
		s.watch(e)
	}
}

func (*sink) Flush()     {}
func (s *sink) Refused() { s.Done(trace.Summary{Outcome: "refused"}) }

func (s *sink) Done(sum trace.Summary) {
	s.sum = sum
	s.once.Do(func() { close(s.head) })
	close(s.done)
}

func (s *sink) body() io.ReadCloser {
	if s.r != nil {
		return s.r
	}
	if s.whole != nil {
		return webapi.NewMemory(s.whole)
	}
	return nil
}

func (s *sink) summary(ctx context.Context) (*trace.Summary, error) {
	select {
	case <-s.done:
		return &s.sum, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// pipe is one end of a WebSocket in memory.
type pipe struct {
	mu      sync.Mutex
	peer    *pipe
	queue   []func(message func([]byte, bool), closed func(int, string, bool))
	message func([]byte, bool)
	closed  func(int, string, bool)
	shut    *atomic.Bool // of both ends: the first close is the one that counts
}

func newPipe() (*pipe, *pipe) {
	shut := &atomic.Bool{}
	a, b := &pipe{shut: shut}, &pipe{shut: shut}
	a.peer, b.peer = b, a
	return a, b
}

func (p *pipe) put(f func(message func([]byte, bool), closed func(int, string, bool))) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.message == nil {
		p.queue = append(p.queue, f)
		return
	}
	f(p.message, p.closed)
}

func (p *pipe) Send(data []byte, binary bool) error {
	p.peer.put(func(m func([]byte, bool), _ func(int, string, bool)) { m(data, binary) })
	return nil
}

func (p *pipe) Close(code int, reason string) {
	if p.shut.Swap(true) {
		return
	}
	closing := func(_ func([]byte, bool), c func(int, string, bool)) { c(code, reason, true) }
	p.peer.put(closing)
	p.put(closing)
}

func (p *pipe) Receive(message func([]byte, bool), closed func(int, string, bool)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.message, p.closed = message, closed
	for _, f := range p.queue {
		f(message, closed)
	}
	p.queue = nil
}

// backend is what the outside does for one Worker.
type backend struct{ h *hosted }

func (b backend) find(name string) *hosted {
	if name == "" {
		return b.h
	}
	b.h.d.mu.Lock()
	defer b.h.d.mu.Unlock()
	return b.h.d.workers[b.h.main+"/"+name]
}

func (b backend) Fetch(_ string, to webapi.Target, r *webapi.Request, done func(*webapi.Response, error)) {
	name := to.Worker
	if to.Type == "" {
		name = b.h.worker.Outbound
	}
	h := b.find(name)
	if h == nil || (name == "" && to.Type == "") {
		done(nil, errors.New("there is no network here"))
		return
	}
	s := newSink(nil)
	inv := webapi.Invocation{Run: "sub", Type: "fetch", Request: r, Entrypoint: to.Entrypoint, Object: to.Object, Props: to.Props}
	if to.Type == "durable" {
		inv.Entrypoint = to.Class
	}
	var far *pipe
	for _, kv := range r.Headers {
		if kv[0] == "upgrade" {
			near, other := newPipe()
			inv.Socket, far = near, other
		}
	}
	go func() {
		h.invoke(context.Background(), inv, s)
		<-s.head
		if s.response.Status == 500 && s.r == nil {
			<-s.done
			if s.sum.Fault != nil {
				done(nil, &webapi.FaultError{Fault: s.sum.Fault})
				return
			}
		}
		resp := &webapi.Response{Head: s.response, Body: s.body()}
		if s.response.Status == 101 && far != nil {
			resp.Socket = far
		}
		done(resp, nil)
	}()
}

func (b backend) Call(_ string, op string, args []any, done func(any, error)) {
	switch op {
	case "rpc.call":
		s := func(i int) string { v, _ := args[i].(string); return v }
		h := b.find(s(2))
		if h == nil {
			done(nil, errors.New("no such Worker"))
			return
		}
		inv := webapi.Invocation{Run: "rpc", Type: "rpc", Entrypoint: s(3), Object: s(5), Props: s(6), Payload: []byte(s(7) + "\n" + s(8))}
		if s(0) == "durable" {
			inv.Entrypoint = s(4)
		}
		sk := newSink(nil)
		go func() {
			h.invoke(context.Background(), inv, sk)
			<-sk.done
			if sk.sum.Fault != nil {
				done(nil, &webapi.FaultError{Fault: sk.sum.Fault})
				return
			}
			done(string(sk.result), nil)
		}()
		return
	}
	v, err := b.h.kv.call(op, args)
	done(v, err)
}

func (b backend) CallSync(_, op string, args []any) (any, error) { return b.h.kv.call(op, args) }
