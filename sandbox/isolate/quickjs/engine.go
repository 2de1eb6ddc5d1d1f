package quickjs

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tetratelabs/wazero"

	"coldstart/sandbox/isolate"
)

// Engine makes isolates from one snapshot. It is safe for concurrent use.
type Engine struct {
	cfg         Config
	rt          wazero.Runtime
	cache       wazero.CompilationCache // nil without Config.Cache
	code        wazero.CompiledModule
	data        []segment // what code expects in memory
	image       *image
	warmer      warmer
	moduleNames map[string]bool

	ready chan *vm
	taken chan struct{} // holds one value once an instance was taken
	live  atomic.Int64

	pagemap *os.File // nil where the kernel has none
	cancel  context.CancelFunc
	wg      sync.WaitGroup
}

// New compiles the engine, makes or opens its snapshot and starts preparing
// instances. The caller closes it.
func New(ctx context.Context, cfg Config) (*Engine, error) {
	cfg = cfg.withDefaults()
	if sum := sha256.Sum256(cfg.Wasm); hex.EncodeToString(sum[:]) != WasmSHA256 {
		return nil, fmt.Errorf("quickjs.wasm has SHA-256 %x, want %s: run npm ci in web and build again", sum, WasmSHA256)
	}
	e := &Engine{cfg: cfg, moduleNames: map[string]bool{}, ready: make(chan *vm, cfg.Ready), taken: make(chan struct{}, 1)}
	for _, m := range cfg.Bootstrap.Modules {
		if e.moduleNames[m.Name] {
			return nil, fmt.Errorf("bootstrap module %q is there twice", m.Name)
		}
		e.moduleNames[m.Name] = true
	}
	if err := e.open(ctx); err != nil {
		return nil, errors.Join(err, e.free())
	}
	e.pagemap = openPagemap()
	fill, cancel := context.WithCancel(context.Background())
	e.cancel = cancel
	e.wg.Go(func() { e.fill(fill) })
	return e, nil
}

func (e *Engine) open(ctx context.Context) error {
	// The ceiling is kept by linear.Reallocate, so that every refusal is seen.
	rc := wazero.NewRuntimeConfigCompiler()
	if e.cfg.Cache != "" {
		cache, err := wazero.NewCompilationCacheWithDir(e.cfg.Cache)
		if err != nil {
			return fmt.Errorf("open the cache of compiled code: %w", err)
		}
		e.cache = cache
		rc = rc.WithCompilationCache(cache)
	}
	e.rt = wazero.NewRuntimeWithConfig(ctx, rc)
	rest, data, err := splitData(e.cfg.Wasm)
	if err != nil {
		return err
	}
	e.data = data
	if rest, err = addPolls(rest); err != nil {
		return err
	}
	if e.code, err = e.rt.CompileModule(ctx, rest); err != nil {
		return fmt.Errorf("compile quickjs.wasm: %w", err)
	}
	if err := instantiateHost(ctx, e.rt); err != nil {
		return err
	}
	if e.cfg.Image != nil {
		e.image, err = readImage(e.cfg.Image, e.cfg.key())
	} else {
		e.image, err = e.makeImage(ctx)
	}
	return err
}

// restWait is for how long nobody has taken an instance when the next is made
// ahead of time, while enough are left: making one at once would take the CPU
// from the cold start that has just taken one.
const restWait = 2 * time.Millisecond

// fill keeps instances ready until ctx ends.
func (e *Engine) fill(ctx context.Context) {
	for e.room(ctx) {
		v, err := e.restore(ctx)
		if err != nil {
			return // New then meets the same error and reports it
		}
		e.ready <- v // does not wait: nobody else makes any
	}
}

// room waits until another instance is to be made; it reports false once ctx ended.
func (e *Engine) room(ctx context.Context) bool {
	rest := time.NewTimer(restWait)
	defer rest.Stop()
	for {
		var rested <-chan time.Time
		switch n := len(e.ready); {
		case ctx.Err() != nil:
			return false
		case n < max(1, cap(e.ready)/2):
			return true
		case n < cap(e.ready):
			rest.Reset(restWait)
			rested = rest.C
		}
		select {
		case <-rested:
			return true
		case <-e.taken:
		case <-ctx.Done():
			return false
		}
	}
}

// Name implements isolate.Engine.
func (e *Engine) Name() string { return "quickjs" }

// New implements isolate.Engine.
func (e *Engine) New(ctx context.Context, spec isolate.Spec) (isolate.Isolate, error) {
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	if spec.Host == nil {
		return nil, errors.New("quickjs: Spec.Host is missing")
	}
	limit := spec.Memory
	if limit <= 0 {
		limit = defaultMemory
	}
	limit = roundUp(limit, wasmPage)
	if limit > e.cfg.MaxMemory {
		return nil, fmt.Errorf("quickjs: an isolate of %d bytes is beyond the ceiling of %d", limit, e.cfg.MaxMemory)
	}
	if limit < e.image.meta.Size {
		return nil, fmt.Errorf("quickjs: an isolate of %d bytes is smaller than the snapshot of %d", limit, e.image.meta.Size)
	}
	v, err := e.instance(ctx)
	if err != nil {
		return nil, err
	}
	v.host, v.mem.limit = spec.Host, limit
	if room := limit - e.image.meta.Size; room < 2*gcSlack { // it must come to a collection before it is full
		if _, err := v.export("qjs_set_gc_threshold", uint64(e.image.meta.Size+room/2)); err != nil {
			return nil, errors.Join(err, v.mod.Close(context.WithoutCancel(ctx)))
		}
	}
	v.reseed()
	e.live.Add(1)
	return v, nil
}

// instance takes an instance made ahead of time, or makes one when none is left.
func (e *Engine) instance(ctx context.Context) (*vm, error) {
	select {
	case v := <-e.ready:
		select {
		case e.taken <- struct{}{}:
		default:
		}
		return v, nil
	default:
		return e.restore(ctx)
	}
}

// Image is the snapshot, for a child process to inherit and pass as
// Config.Image. The engine keeps and closes it.
func (e *Engine) Image() *os.File { return e.image.file }

// WriteImage writes the snapshot, for a later Config.Image.
func (e *Engine) WriteImage(w io.Writer) error {
	st, err := e.image.file.Stat()
	if err != nil {
		return fmt.Errorf("write the snapshot: %w", err)
	}
	if _, err := io.Copy(w, io.NewSectionReader(e.image.file, 0, st.Size())); err != nil {
		return fmt.Errorf("write the snapshot: %w", err)
	}
	return nil
}

// Key identifies the snapshot: the same key means the same engine binary,
// driver and bootstrap. It fits a file name.
func (e *Engine) Key() string { return e.image.meta.Key }

// Ready is how many instances are made and waiting.
func (e *Engine) Ready() int { return len(e.ready) }

// Live is how many isolates are open.
func (e *Engine) Live() int { return int(e.live.Load()) }

// Close implements isolate.Engine.
func (e *Engine) Close() error {
	e.cancel()
	e.wg.Wait()
	for {
		select {
		case v := <-e.ready:
			_ = v.mod.Close(context.Background())
			continue
		default:
		}
		return e.free()
	}
}

func (e *Engine) free() error {
	var err error
	if e.rt != nil {
		err = e.rt.Close(context.Background())
	}
	if e.cache != nil {
		err = errors.Join(err, e.cache.Close(context.Background()))
	}
	if e.image != nil {
		err = errors.Join(err, e.image.close())
	}
	if e.pagemap != nil {
		err = errors.Join(err, e.pagemap.Close())
	}
	return err
}
