package quickjs

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
)

// makeImage evaluates the bootstrap in an instance of its own and keeps its
// memory.
func (e *Engine) makeImage(ctx context.Context) (*image, error) {
	v, err := e.instantiate(ctx)
	if err != nil {
		return nil, err
	}
	defer v.mod.Close(context.Background())
	m, err := v.bootstrap(e)
	if err != nil {
		return nil, fmt.Errorf("evaluate the bootstrap: %w", err)
	}
	m.Key = e.cfg.key()
	return writeImage(v.mem.region.base[:v.mem.size], *m)
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

func (v *vm) bootstrap(e *Engine) (*meta, error) {
	m := &meta{Entries: map[string]uint64{}}
	v.meta = m
	if _, err := v.export("_initialize"); err != nil {
		return nil, err
	}
	if r, err := v.export("qjs_init"); err != nil || r != 0 {
		return nil, errors.Join(err, errors.New("qjs_init failed"))
	}
	for name, to := range map[string]*uint32{"qjs_get_context_ptr": &m.Context, "qjs_get_runtime_ptr": &m.Runtime} {
		p, err := v.export(name)
		if err != nil {
			return nil, err
		}
		*to = uint32(p)
	}
	scratch, err := v.malloc(scratchSize)
	if err != nil {
		return nil, err
	}
	m.Scratch = scratch
	for name, arg := range map[string]uint64{
		"qjs_set_max_stack_size": stackSize, "qjs_set_interrupt_handler": 1,
		"qjs_set_promise_rejection_handler": 1, "qjs_set_module_loader": 1,
	} {
		if _, err := v.export(name, arg); err != nil {
			return nil, err
		}
	}
	if err := v.runScripts(e); err != nil {
		return nil, err
	}
	if err := v.findState(); err != nil {
		return nil, err
	}
	if _, err := v.export("qjs_run_gc"); err != nil {
		return nil, err
	}
	if _, err := v.export("qjs_set_gc_threshold", uint64(v.mem.size+gcSlack)); err != nil {
		return nil, err
	}
	m.Stack = uint32(v.mod.ExportedGlobal("__stack_pointer").Get())
	return m, v.plug()
}

// plug takes every hole that the bootstrap left in the heap and never gives it
// back. What an isolate allocates then lies together behind the snapshot's
// objects instead of in a hundred pages of them, each of which would be copied.
func (v *vm) plug() error {
	const big = 1 << 20
	top, err := v.malloc(big)
	if err != nil {
		return err
	}
	if _, err := v.call(fnFree, uint64(top)); err != nil {
		return err
	}
	for size := 64 << 10; size >= 8; {
		p, err := v.malloc(size)
		if err != nil {
			return err
		}
		if p < top { // a hole; there may be another one of this size
			continue
		}
		if _, err := v.call(fnFree, uint64(p)); err != nil {
			return err
		}
		if size > 512 {
			size = size * 7 / 8
		} else {
			size -= 8
		}
	}
	return nil
}

// runScripts evaluates prelude, bootstrap script and modules, and fills in
// what the driver calls later.
func (v *vm) runScripts(e *Engine) error {
	m := v.meta
	name, err := v.cstring("call")
	if err != nil {
		return err
	}
	box, err := v.export("qjs_new_host_function", uint64(name), 4, 0)
	if err != nil {
		return err
	}
	names := make([]any, 0, len(e.cfg.Bootstrap.Ops.Names()))
	for _, n := range e.cfg.Bootstrap.Ops.Names() {
		names = append(names, n)
	}
	list, err := v.newArray(names, 0)
	if err != nil {
		return err
	}
	fun, err := v.eval("coldstart:prelude", prelude, 0)
	if err != nil {
		return err
	}
	parts, err := v.invoke(fun, v.dup(v.getU64(uint32(box))), list)
	if err != nil {
		return err
	}
	var host, finish uint64
	for i, to := range []*uint64{&host, &m.MakeError, &m.NewBuffer, &m.BytesOf, &m.Loaded, &m.Exports, &finish} {
		if *to, err = v.call(fnGetPropertyUint32, uint64(m.Context), parts, uint64(i)); err != nil {
			return err
		}
	}
	v.boot, v.served = map[string]string{}, map[string]bool{}
	for _, mod := range e.cfg.Bootstrap.Modules {
		v.boot[mod.Name] = mod.Source
	}
	if fun, err = v.eval("coldstart:bootstrap", e.cfg.Bootstrap.Script, 0); err != nil {
		return err
	}
	entries, err := v.invoke(fun, host)
	if err != nil {
		return err
	}
	if err := v.settle(); err != nil {
		return err
	}
	if err := v.runModules(e); err != nil {
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

func (v *vm) runModules(e *Engine) error {
	done := map[string]bool{}
	for _, mod := range e.cfg.Bootstrap.Modules {
		if v.served[mod.Name] || done[mod.Name] {
			continue // another module imported it
		}
		done[mod.Name] = true
		promise, _, err := v.evalModuleCode(mod.Name, mod.Source)
		if err != nil {
			return fmt.Errorf("module %q: %w", mod.Name, err)
		}
		if err := v.settle(); err != nil {
			return fmt.Errorf("module %q: %w", mod.Name, err)
		}
		state, err := v.call(fnPromiseState, uint64(v.meta.Context), promise)
		if err != nil {
			return err
		}
		switch int32(state) {
		case promisePending:
			return fmt.Errorf("module %q: its top level awaits something that never comes", mod.Name)
		case promiseRejected:
			reason, err := v.call(fnPromiseResult, uint64(v.meta.Context), promise)
			if err != nil {
				return err
			}
			exc, err := v.describe(reason)
			if err != nil {
				return err
			}
			return fmt.Errorf("module %q: %w\n%s", mod.Name, exc, exc.Stack)
		}
		v.free(promise)
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
