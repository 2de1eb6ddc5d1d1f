package runner

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"coldstart/sandbox/bundle"
	"coldstart/sandbox/isolate"
	"coldstart/sandbox/isolate/gojajs"
	"coldstart/sandbox/isolate/quickjs"
	"coldstart/sandbox/js"
	"coldstart/sandbox/query"
	"coldstart/sandbox/trace"
	"coldstart/sandbox/webapi"
	"coldstart/static"
)

// Default is what the program's own children work with: the engine, its
// bootstrap and the shelf that the binary embeds.
func Default() Setup {
	return Setup{
		Engines: func(in Inherited) (Engines, error) {
			e, err := openEngine(context.Background(), in)
			if err != nil {
				return nil, err
			}
			scripts, err := gojajs.New(isolate.Bootstrap{Script: scriptBootstrap, Ops: scriptOps()})
			if err != nil {
				return nil, err
			}
			return &engines{engine: e, scripts: scripts, pool: isolate.NewPool(0), ops: webapi.Ops()}, nil
		},
		Builder: func() (Builder, error) {
			archive, err := static.File("shelf.zip")
			if err != nil {
				return nil, err
			}
			shelf, err := bundle.OpenShelf(archive)
			if err != nil {
				return nil, fmt.Errorf("open the package shelf: %w", err)
			}
			return builder{bundle.Config{Shelf: shelf}}, nil
		},
		Querier: newQuerier,
	}
}

// sqlAtOnce is how many statements are at work at once, at most; see platform's lanes.
const sqlAtOnce = 64

func newQuerier(memory int64) (Querier, error) {
	runtime.GOMAXPROCS(sqlAtOnce) // the kernel shares processors between statements better than the runtime, which lets each go on for a while
	if err := query.Prepare(memory); err != nil {
		return nil, err
	}
	e := query.New()
	e.Empty = func() {
		// SQLite keeps what it once had in pieces: a new process is the way to give it back.
		if query.Peak() > sqlKept {
			os.Exit(0)
		}
	}
	return e, nil
}

// sqlKept is how many bytes SQLite may have held in a child that goes on.
const sqlKept = 24 << 20

// engineConfig is the engine of what the binary embeds.
func engineConfig(in Inherited) (quickjs.Config, error) {
	wasm, err := static.File("quickjs.wasm")
	if err != nil {
		return quickjs.Config{}, err
	}
	text, err := static.File("bootstrap.json")
	if err != nil {
		return quickjs.Config{}, err
	}
	b, err := js.Parse(text)
	if err != nil {
		return quickjs.Config{}, err
	}
	boot := isolate.Bootstrap{Script: b.Script, Ops: webapi.Ops()}
	for _, m := range b.Modules {
		boot.Modules = append(boot.Modules, isolate.Module(m))
	}
	return quickjs.Config{Wasm: wasm, Bootstrap: boot, Cache: in.Cache, Image: in.Image}, nil
}

func openEngine(ctx context.Context, in Inherited) (*quickjs.Engine, error) {
	cfg, err := engineConfig(in)
	if err != nil {
		return nil, err
	}
	return quickjs.New(ctx, cfg)
}

// snapshotName is the snapshot's file in the cache folder. A file of another
// binary is noticed when it is opened, and made anew.
const snapshotName = "snapshot.img"

// Image gives the snapshot that run children inherit: from the cache folder,
// or made now and kept there together with the engine's compiled code. The
// caller closes it after the last child.
func Image(ctx context.Context, cache string) (*os.File, error) {
	cfg, err := engineConfig(Inherited{Cache: cache})
	if err != nil {
		return nil, err
	}
	path := filepath.Join(cache, snapshotName)
	if cache != "" {
		if f, err := os.Open(path); err == nil {
			image, err := quickjs.OpenImage(f, cfg)
			_ = f.Close() // read only
			if err == nil {
				return image, nil
			}
		}
	}
	e, err := quickjs.New(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("make the engine's snapshot: %w", err)
	}
	defer e.Close()
	if cache != "" {
		keep(path, e) // a start without a cache is only slower
	}
	return duplicate(e.Image())
}

// keep writes the snapshot beside its final name and renames it, so that no other process reads a part.
func keep(path string, e *quickjs.Engine) {
	f, err := os.CreateTemp(filepath.Dir(path), ".snapshot-*")
	if err != nil {
		return
	}
	err = errors.Join(e.WriteImage(f), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
}

type builder struct{ cfg bundle.Config }

func (b builder) Build(ctx context.Context, p trace.Project) (*trace.Deployment, error) {
	return bundle.Build(ctx, b.cfg, p), nil
}

type engines struct {
	engine  isolate.Engine
	scripts isolate.Engine
	pool    *isolate.Pool
	ops     *isolate.Ops
}

func (e *engines) NewWorker(s WorkerSpec) (Started, error) {
	w, fault, err := webapi.Start(context.Background(), webapi.Config{
		Engine: watched{e.engine, s.Enter, s.Leave}, Pool: e.pool, Ops: e.ops, Worker: *s.Worker, ID: s.Name, Backend: s.Backend, From: s.From,
	})
	if err != nil || fault != nil {
		return Started{Fault: fault}, err
	}
	return Started{Worker: &worker{w: w}, Start: w.StartTime(), Load: w.LoadTime(), LoadCPU: w.LoadCPU()}, nil
}

// worker is a webapi.Worker as the child drives it.
type worker struct {
	w       *webapi.Worker
	cancels cancels
}

func (w *worker) Invoke(inv webapi.Invocation, sink webapi.Sink) error {
	ctx, forget := w.cancels.add(inv.Run)
	err := w.w.Invoke(ctx, inv, &ending{sink, forget})
	if err != nil {
		forget()
	}
	return err
}

// ending forgets a run's way to be canceled at its end.
type ending struct {
	webapi.Sink
	forget func()
}

func (e *ending) Done(s trace.Summary) {
	e.forget()
	e.Sink.Done(s)
}

func (e *ending) Refused() {
	e.forget()
	e.Sink.Refused()
}

func (w *worker) Cancel(run string, why error) { w.cancels.cancel(run, why) }
func (w *worker) Private() int64               { return w.w.Stats().Private }
func (w *worker) Dead() bool                   { return w.w.Closed() }
func (w *worker) Close()                       { w.w.Evict() }

func (w *worker) Pages() []byte {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	p, err := w.w.Pages(ctx)
	if err != nil {
		return nil
	}
	return p
}

// Freeze implements Freezer.
func (w *worker) Freeze(ctx context.Context) (*webapi.Frozen, error) { return w.w.Freeze(ctx) }

// Rewind implements Freezer.
func (w *worker) Rewind(ctx context.Context, f *webapi.Frozen) (time.Duration, error) {
	return w.w.Rewind(ctx, f)
}

// Written implements Freezer.
func (w *worker) Written(ctx context.Context, f *webapi.Frozen) ([]byte, error) {
	return w.w.Written(ctx, f)
}

// watched is an engine whose isolates say on the board when their code runs.
type watched struct {
	isolate.Engine
	enter, leave func()
}

func (w watched) New(ctx context.Context, spec isolate.Spec) (isolate.Isolate, error) {
	i, err := w.Engine.New(ctx, spec)
	if err != nil {
		return nil, err
	}
	return &turning{Isolate: i, w: w}, nil
}

// turning brackets the calls into an isolate; a host function may call in again.
type turning struct {
	isolate.Isolate
	w     watched
	depth int
}

func (t *turning) in() {
	if t.depth++; t.depth == 1 {
		t.w.enter()
	}
}

func (t *turning) out() {
	if t.depth--; t.depth == 0 {
		t.w.leave()
	}
}

// Waiting implements isolate.Waiter: to wait for a host function is not to run.
func (t *turning) Waiting(on bool) {
	switch {
	case t.depth == 0: // the end of a turn, in which no code runs any more
	case on:
		t.w.leave()
	default:
		t.w.enter()
	}
}

func (t *turning) Call(entry string, args ...isolate.Value) (isolate.Value, error) {
	t.in()
	defer t.out()
	return t.Isolate.Call(entry, args...)
}

func (t *turning) Load(name, source string, classic bool) error {
	t.in()
	defer t.out()
	return t.Isolate.Load(name, source, classic)
}

// Freeze implements isolate.Freezer, as far as the engine does.
func (t *turning) Freeze() (*isolate.Frozen, error) {
	if z, ok := t.Isolate.(isolate.Freezer); ok {
		return z.Freeze()
	}
	return nil, isolate.ErrFreeze
}

// Thaw implements isolate.Freezer.
func (t *turning) Thaw(f *isolate.Frozen) error {
	if z, ok := t.Isolate.(isolate.Freezer); ok {
		return z.Thaw(f)
	}
	return isolate.ErrFreeze
}

// Written implements isolate.Freezer.
func (t *turning) Written(f *isolate.Frozen) ([]byte, error) {
	if z, ok := t.Isolate.(isolate.Freezer); ok {
		return z.Written(f)
	}
	return nil, isolate.ErrFreeze
}

func (b builder) Lower(ctx context.Context, name, source string) (string, []byte, *trace.Fault) {
	return bundle.Lower(ctx, name, source)
}

// LoadMapped is Load of a script with its source map, where the engine can.
func (t *turning) LoadMapped(name, source string, sourceMap []byte) error {
	t.in()
	defer t.out()
	m, ok := t.Isolate.(interface {
		LoadMapped(name, source string, sourceMap []byte) error
	})
	if !ok {
		return t.Isolate.Load(name, source, true)
	}
	return m.LoadMapped(name, source, sourceMap)
}
