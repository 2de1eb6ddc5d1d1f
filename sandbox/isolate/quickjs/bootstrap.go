package quickjs

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
)

// makeImage compiles the bootstrap in one instance and evaluates it in another,
// whose memory it keeps: what compiling leaves behind would lie between the
// objects that requests touch and spread them over more pages.
func (e *Engine) makeImage(ctx context.Context) (*image, error) {
	var parts compiled
	if err := e.with(ctx, func(v *vm) (err error) {
		parts, err = v.compileAll(e)
		return err
	}); err != nil {
		return nil, fmt.Errorf("compile the bootstrap: %w", err)
	}
	var img *image
	if err := e.with(ctx, func(v *vm) error {
		m, err := v.bootstrap(e, parts)
		if err != nil {
			return fmt.Errorf("evaluate the bootstrap: %w", err)
		}
		m.Key = e.cfg.key()
		img, err = writeImage(v.mem.region.base[:v.mem.size], *m)
		return err
	}); err != nil {
		return nil, err
	}
	return img, nil
}

// with runs f in a fresh instance that has a runtime and nothing else.
func (e *Engine) with(ctx context.Context, f func(*vm) error) error {
	v, err := e.instantiate(ctx)
	if err != nil {
		return err
	}
	defer v.mod.Close(context.Background())
	for _, d := range e.data {
		copy(v.bytes(d.at, uint32(len(d.data))), d.data)
	}
	if err := v.initialize(); err != nil {
		return err
	}
	return f(v)
}

// compiled is the bootstrap as bytecode.
type compiled struct {
	prelude, script []byte
	modules         []module // in the order of their evaluation
}

type module struct {
	name string
	code []byte
}

func (v *vm) compileAll(e *Engine) (c compiled, err error) {
	if c.prelude, err = v.compile("coldstart:prelude", prelude, 0); err != nil {
		return c, err
	}
	if c.script, err = v.compile("coldstart:bootstrap", e.cfg.Bootstrap.Script, 0); err != nil {
		return c, err
	}
	// The prelude throws what resolving an import may throw.
	if _, err := v.runPrelude(e, c); err != nil {
		return c, err
	}
	v.serve(e)
	v.imports = map[string][]string{}
	code := map[string][]byte{}
	for _, m := range e.cfg.Bootstrap.Modules {
		if code[m.Name], err = v.compile(m.Name, m.Source, evalModule); err != nil {
			return c, fmt.Errorf("module %q: %w", m.Name, err)
		}
	}
	// A module comes after those it imports.
	seen := map[string]bool{}
	var visit func(name string)
	visit = func(name string) {
		if seen[name] {
			return
		}
		seen[name] = true
		for _, n := range v.imports[name] {
			visit(n)
		}
		c.modules = append(c.modules, module{name, code[name]})
	}
	for _, m := range e.cfg.Bootstrap.Modules {
		visit(m.Name)
	}
	return c, nil
}

// serve lets the module loader give out the bootstrap's modules.
func (v *vm) serve(e *Engine) {
	v.boot, v.served = map[string]string{}, map[string]bool{}
	for _, m := range e.cfg.Bootstrap.Modules {
		v.boot[m.Name] = m.Source
	}
}

// stripSource is JS_STRIP_SOURCE: functions then show as native code.
const stripSource = 1 << 4

// compile makes bytecode without the source.
func (v *vm) compile(name, source string, flags uint64) ([]byte, error) {
	src, err := v.cstring(source)
	if err != nil {
		return nil, err
	}
	file, err := v.cstring(name)
	if err != nil {
		return nil, err
	}
	p, err := v.export("qjs_compile", uint64(src), uint64(len(source)), uint64(file), flags, stripSource, uint64(v.outSlot(0)))
	if err != nil {
		return nil, err
	}
	if uint32(p) == 0 {
		return nil, v.takeException()
	}
	return bytes.Clone(v.bytes(uint32(p), v.getU32(v.outSlot(0)))), nil
}

// evalBytecode evaluates what compile made: a script's value, a module's promise.
func (v *vm) evalBytecode(code []byte) (uint64, error) {
	p, err := v.malloc(len(code))
	if err != nil {
		return 0, err
	}
	copy(v.bytes(p, uint32(len(code))), code)
	v.depth++
	box, err := v.export("qjs_eval_bytecode", uint64(p), uint64(len(code)))
	v.depth--
	if err != nil {
		return 0, err
	}
	if _, err := v.call(fnFree, uint64(p)); err != nil {
		return 0, err
	}
	return v.result(v.getU64(uint32(box)))
}

// export calls an export that only the making of an image needs.
func (v *vm) export(name string, args ...uint64) (uint64, error) {
	r, err := v.mod.ExportedFunction(name).Call(v.ctx, args...)
	if err != nil {
		v.die(err)
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	if len(r) == 0 {
		return 0, nil
	}
	return r[0], nil
}

// initialize makes the runtime of a fresh instance and sets it up.
func (v *vm) initialize() error {
	m := &meta{Entries: map[string]uint64{}}
	v.meta = m
	if _, err := v.export("_initialize"); err != nil {
		return err
	}
	if r, err := v.export("qjs_init"); err != nil || r != 0 {
		return errors.Join(err, errors.New("qjs_init failed"))
	}
	context, err := v.export("qjs_get_context_ptr")
	if err != nil {
		return err
	}
	runtime, err := v.export("qjs_get_runtime_ptr")
	if err != nil {
		return err
	}
	m.Context, m.Runtime = uint32(context), uint32(runtime)
	scratch, err := v.malloc(scratchSize)
	if err != nil {
		return err
	}
	m.Scratch = scratch
	for name, arg := range map[string]uint64{
		"qjs_set_max_stack_size": stackSize, "qjs_set_interrupt_handler": 1,
		"qjs_set_promise_rejection_handler": 1, "qjs_set_module_loader": 1,
	} {
		if _, err := v.export(name, arg); err != nil {
			return err
		}
	}
	return nil
}

// bootstrap evaluates the bootstrap and prepares the heap for the snapshot.
func (v *vm) bootstrap(e *Engine, parts compiled) (*meta, error) {
	m := v.meta
	if err := v.runScripts(e, parts); err != nil {
		return nil, err
	}
	if err := v.findState(); err != nil {
		return nil, err
	}
	if _, err := v.export("qjs_run_gc"); err != nil {
		return nil, err
	}
	if err := v.fillHoles(); err != nil {
		return nil, err
	}
	if _, err := v.export("qjs_set_gc_threshold", uint64(v.mem.size+gcSlack)); err != nil {
		return nil, err
	}
	m.Stack = uint32(v.mod.ExportedGlobal("__stack_pointer").Get())
	return m, nil
}

// runPrelude evaluates the prelude, fills in what the driver calls later, and
// returns the host object and the function that ends the bootstrap.
func (v *vm) runPrelude(e *Engine, parts compiled) (values [2]uint64, err error) {
	m := v.meta
	name, err := v.cstring("call")
	if err != nil {
		return values, err
	}
	box, err := v.export("qjs_new_host_function", uint64(name), 4, 0)
	if err != nil {
		return values, err
	}
	names := make([]any, 0, len(e.cfg.Bootstrap.Ops.Names()))
	for _, n := range e.cfg.Bootstrap.Ops.Names() {
		names = append(names, n)
	}
	list, err := v.newArray(names, 0)
	if err != nil {
		return values, err
	}
	fun, err := v.evalBytecode(parts.prelude)
	if err != nil {
		return values, err
	}
	made, err := v.invoke(fun, v.dup(v.getU64(uint32(box))), list)
	if err != nil {
		return values, err
	}
	for i, to := range []*uint64{&values[0], &m.MakeError, &m.NewBuffer, &m.BytesOf, &m.Loaded, &m.Exports, &m.StackOf, &values[1]} {
		if *to, err = v.call(fnGetPropertyUint32, uint64(m.Context), made, uint64(i)); err != nil {
			return values, err
		}
	}
	return values, nil
}

// runScripts evaluates prelude, bootstrap script and modules and collects the
// entries.
func (v *vm) runScripts(e *Engine, parts compiled) error {
	m := v.meta
	values, err := v.runPrelude(e, parts)
	if err != nil {
		return err
	}
	v.serve(e)
	host, finish := values[0], values[1]
	fun, err := v.evalBytecode(parts.script)
	if err != nil {
		return err
	}
	entries, err := v.invoke(fun, host)
	if err != nil {
		return err
	}
	if err := v.settle(); err != nil {
		return err
	}
	if err := v.runModules(parts.modules); err != nil {
		return err
	}
	found, err := v.invoke(finish, v.dup(entries))
	if err != nil {
		return err
	}
	keys, err := v.toGo(found, 0)
	if err != nil {
		return err
	}
	v.free(found)
	for _, k := range keys.([]any) {
		s, err := v.cstring(k.(string))
		if err != nil {
			return err
		}
		if m.Entries[k.(string)], err = v.call(fnGetPropertyStr, uint64(m.Context), entries, uint64(s)); err != nil {
			return err
		}
	}
	return nil
}

func (v *vm) runModules(list []module) error {
	for _, mod := range list {
		if v.served[mod.name] {
			continue // in a circle of imports the loader was asked for its source
		}
		promise, err := v.evalBytecode(mod.code)
		if err != nil {
			return fmt.Errorf("module %q: %w", mod.name, err)
		}
		if _, err := v.call(fnPromiseMarkAsHandled, uint64(v.meta.Context), promise); err != nil {
			return err
		}
		if err := v.settle(); err != nil {
			return fmt.Errorf("module %q: %w", mod.name, err)
		}
		state, err := v.call(fnPromiseState, uint64(v.meta.Context), promise)
		if err != nil {
			return err
		}
		switch int32(state) {
		case promisePending:
			return fmt.Errorf("module %q: its top level awaits something that never comes", mod.name)
		case promiseRejected:
			reason, err := v.call(fnPromiseResult, uint64(v.meta.Context), promise)
			if err != nil {
				return err
			}
			exc, err := v.describe(reason)
			if err != nil {
				return err
			}
			return fmt.Errorf("module %q: %w\n%s", mod.name, exc, exc.Stack)
		}
		v.free(promise)
	}
	return nil
}

// fillHoles takes every free block below the top of the heap, so that an
// isolate allocates from fresh pages at the top, one after the other, instead
// of writing a little to many shared pages. The engine keeps small blocks by
// size in slabs of its own; larger ones come from the C library's heap. Each
// size is left with a new slab: to add one, an isolate would have to write to
// the slabs it is linked with.
func (v *vm) fillHoles() error {
	const small = 512                  // larger blocks are not kept in slabs
	end, err := v.malloc(4 * wasmPage) // larger than any hole, so it lies at the top
	if err != nil {
		return err
	}
	if _, err := v.call(fnFree, uint64(end)); err != nil {
		return err
	}
	kept := map[uint64]bool{}
	for size := uint64(wasmPage); size >= 8; {
		p, err := v.export("js_malloc_rt", uint64(v.meta.Runtime), size)
		if err != nil {
			return err
		}
		if uint32(p) == 0 {
			return errors.New("no memory is left for the snapshot")
		}
		if uint32(p) < end {
			continue // a hole: keep it
		}
		class, err := v.export("js_malloc_usable_size_rt", uint64(v.meta.Runtime), p)
		if err != nil {
			return err
		}
		if size <= small && !kept[class] {
			kept[class] = true // without a block in use the new slab would be freed
		} else if _, err := v.export("js_free_rt", uint64(v.meta.Runtime), p); err != nil {
			return err
		}
		if size > 4*small {
			size /= 2
		} else {
			size -= 8
		}
	}
	return nil
}

// findState locates two words of the engine's state that have no accessor:
// the state of Math.random, by watching it step, and the heap's byte count.
func (v *vm) findState() error {
	const window = 4096
	before := bytes.Clone(v.bytes(v.meta.Context, window))
	if _, err := v.eval("coldstart:random", "Math.random()", 0); err != nil {
		return err
	}
	after := v.bytes(v.meta.Context, window)
	for at := 0; at < window; at += 8 {
		x := binary.LittleEndian.Uint64(before[at:])
		y := binary.LittleEndian.Uint64(after[at:])
		if x != y && xorshift(x) == y {
			v.meta.Random = v.meta.Context + uint32(at)
		}
	}
	if v.meta.Random == 0 {
		return errors.New("the state of Math.random was not found in the engine")
	}
	buf, err := v.malloc(26 * 8)
	if err != nil {
		return err
	}
	if _, err := v.export("qjs_compute_memory_usage", uint64(buf)); err != nil {
		return err
	}
	used := uint32(v.getU64(buf))
	_, err = v.call(fnFree, uint64(buf))
	for at := v.meta.Runtime; at < v.meta.Runtime+256; at += 4 {
		if v.getU32(at) == used {
			v.meta.Used = at
			break
		}
	}
	return err
}

// xorshift is the step of the engine's generator (xorshift64*).
func xorshift(x uint64) uint64 {
	x ^= x >> 12
	x ^= x << 25
	return x ^ x>>27
}
