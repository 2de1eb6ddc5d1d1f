package webapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"coldstart/sandbox/isolate"
)

// wasmHost holds a Worker's own WebAssembly: modules it imports, instances,
// memories and globals, by numbers that scripts know.
type wasmHost struct {
	w         *Worker
	ctx       context.Context
	cancel    context.CancelFunc
	rt        wazero.Runtime
	specs     map[string]int
	modules   map[int]*wasmModule
	instances map[int]*wasmInstance
	memories  map[int]*wasmMemory
	globals   map[int]*wasmGlobalOf
	last      int
	calls     []api.Function // calls into instances that are on the stack, nil for a start function
	stacks    int64          // bytes that the stacks of all but the last take
	starts    int            // start functions among them
	budget    *wasmBudget
}

// How often JavaScript and WebAssembly may call one another without returning.
// Each call has stacks of its own, of which a script's memory shows nothing; what
// an instance's take together is bounded by the isolate's memory as well.
const (
	wasmDepth  = 128
	wasmStarts = 4 // of those, start functions: nobody knows the size of their stacks
)

var errWasmDepth = errors.New("stack overflow")

type wasmModule struct {
	info *wasmInfo
	code wazero.CompiledModule
	size int64 // bytes that an instance can take beside its memory
}

type wasmInstance struct {
	mod   api.Module
	types map[string]wasmFunc
}

// wasmMemory is a memory that scripts can see. Scripts work on a copy, which
// travels at each call: shadow is what both sides last agreed on, nil while
// no script has looked.
type wasmMemory struct {
	mod    api.Module // the one that exports it: of its own, for memories made by scripts
	name   string     // what it is there
	mem    api.Memory
	shadow []byte
}

// wasmGlobalOf is a global that scripts can see, and where it can be imported from.
type wasmGlobalOf struct {
	api.Global
	mod  api.Module
	name string
}

// errJS stands for an exception that a JavaScript import threw; the script keeps it.
var errJS = errors.New("exception in JavaScript")

func (w *Worker) wasmHost() *wasmHost {
	if w.wasm == nil {
		ctx, cancel := context.WithCancel(context.Background())
		budget := &wasmBudget{limit: w.limits.Memory}
		ctx = experimental.WithMemoryAllocator(ctx, budget)
		// Closing on the context's end makes learners' loops stoppable.
		cfg := wazero.NewRuntimeConfig().WithCloseOnContextDone(true).WithMemoryLimitPages(uint32(min(w.limits.Memory>>16, 65536)))
		w.wasm = &wasmHost{
			w: w, ctx: ctx, cancel: cancel, budget: budget, rt: wazero.NewRuntimeWithConfig(ctx, cfg),
			specs: map[string]int{}, modules: map[int]*wasmModule{}, instances: map[int]*wasmInstance{}, memories: map[int]*wasmMemory{}, globals: map[int]*wasmGlobalOf{},
		}
	}
	return w.wasm
}

func (h *wasmHost) close() {
	h.cancel()
	held := h.budget.used
	_ = h.rt.Close(context.Background()) // memory is freed either way
	freeLater(held)
}

func (h *wasmHost) next() int {
	h.last++
	return h.last
}

// failed is how an operation tells the script to throw a class of WebAssembly.
func failed(class, message string) isolate.Value { return []any{class, message} }

func wasmOps(o *isolate.Ops) {
	// wasm.module: specifier → id, or a failure
	o.Add("wasm.module", func(l *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		return of(l).wasmHost().module(str(args, 0))
	})
	// wasm.describe: module → [exports: name, kind, …], [imports: module, name, kind, type, …]
	o.Add("wasm.describe", func(l *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		m := of(l).wasmHost().modules[integer(args, 0)]
		exports, imports := []any{}, []any{}
		for _, e := range m.info.exports {
			exports = append(exports, e.name, kinds[e.kind])
		}
		for _, e := range m.info.imports {
			t := string(e.value)
			if e.kind == 0 {
				t = string(e.typ.params) + "," + string(e.typ.results) // no type's code is a comma
			}
			imports = append(imports, e.module, e.name, kinds[e.kind], t, e.mutable)
		}
		return []any{exports, imports}, nil
	})
	o.Add("wasm.sections", func(l *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		out := []any{}
		for _, c := range of(l).wasmHost().modules[integer(args, 0)].info.custom {
			if string(c[0]) == str(args, 1) {
				out = append(out, bytes.Clone(c[1]))
			}
		}
		return out, nil
	})
	o.Add("wasm.validate", func(l *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		h := of(l).wasmHost()
		c, err := h.rt.CompileModule(h.ctx, data(args, 0))
		if err == nil {
			_ = c.Close(h.ctx) // nothing runs it
		}
		return err == nil, nil
	})
	// wasm.instantiate: module, what is given for each import, memories → [id, exports, memories] or a failure
	o.Add("wasm.instantiate", func(l *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		return of(l).wasmHost().instantiate(l, integer(args, 0), list(args, 1), list(args, 2))
	})
	// wasm.call: instance, export, arguments, memories → [results, memories] or a failure
	o.Add("wasm.call", func(l *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		return of(l).wasmHost().call(l, integer(args, 0), str(args, 1), list(args, 2), list(args, 3))
	})
	// wasm.memory: initial, maximum (-1 for none) → id or a failure
	o.Add("wasm.memory", func(l *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		return of(l).wasmHost().memory(num(args, 0), num(args, 1))
	})
	// wasm.sync: memories that scripts wrote
	o.Add("wasm.sync", func(l *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		of(l).wasmHost().take(list(args, 0))
		return nil, nil
	})
	// memory.read: id → all bytes; from now on both sides are kept the same
	o.Add("memory.read", func(l *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		m := of(l).wasmHost().memories[integer(args, 0)]
		b, _ := m.mem.Read(0, m.mem.Size())
		m.shadow = bytes.Clone(b)
		return m.shadow, nil
	})
	// memory.grow: id, pages → pages before, -1 when it cannot
	o.Add("memory.grow", func(l *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		m := of(l).wasmHost().memories[integer(args, 0)]
		n := num(args, 1)
		if n < 0 || n > 65536 {
			return -1, nil
		}
		before, ok := m.mem.Grow(uint32(n))
		if !ok {
			return -1, nil
		}
		return int(before), nil
	})
	// wasm.global: type, value → id of a mutable global of its own, or a failure
	o.Add("wasm.global", func(l *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		return of(l).wasmHost().global(byte(integer(args, 0)), arg(args, 1))
	})
	o.Add("global.get", func(l *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		g := of(l).wasmHost().globals[integer(args, 0)]
		return fromWasm(byte(g.Type()), g.Get()), nil
	})
	o.Add("global.set", func(l *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		if g, ok := of(l).wasmHost().globals[integer(args, 0)].Global.(api.MutableGlobal); ok {
			g.Set(toWasm(byte(g.Type()), arg(args, 1)))
		}
		return nil, nil
	})
}

func (h *wasmHost) module(spec string) (isolate.Value, error) {
	if id, ok := h.specs[spec]; ok {
		return id, nil
	}
	b, ok := h.w.cfg.Worker.Wasm[spec]
	if !ok {
		return failed("CompileError", "there is no module "+strings.TrimPrefix(spec, "coldstart:wasm/")), nil
	}
	info, err := parseWasm(b)
	if err != nil {
		return failed("CompileError", strings.TrimPrefix(spec, "coldstart:wasm/")+" is not a WebAssembly module"), nil
	}
	b, size := boundTables(b)
	code, err := h.rt.CompileModule(h.ctx, b)
	if err != nil {
		return failed("CompileError", strings.TrimPrefix(spec, "coldstart:wasm/")+": "+err.Error()), nil
	}
	id := h.next()
	h.modules[id] = &wasmModule{info: info, code: code, size: size + info.instanceSize()}
	h.specs[spec] = id
	return id, nil
}

// Values cross as numbers, 64-bit integers as decimal text, references as numbers of the script's.
func toWasm(t byte, v any) uint64 {
	switch t {
	case 0x7E:
		s, _ := v.(string)
		n, _ := strconv.ParseInt(s, 10, 64) // the script wrote it
		return uint64(n)
	case 0x7D:
		f, _ := v.(float64)
		return api.EncodeF32(float32(f))
	case 0x7C:
		f, _ := v.(float64)
		return api.EncodeF64(f)
	}
	f, _ := v.(float64)
	return uint64(uint32(int32(f)))
}

func fromWasm(t byte, v uint64) any {
	switch t {
	case 0x7F:
		return float64(int32(v))
	case 0x7E:
		return strconv.FormatInt(int64(v), 10)
	case 0x7D:
		return float64(api.DecodeF32(v))
	case 0x7C:
		return math.Float64frombits(v)
	}
	return float64(uint32(v))
}

// take stores what scripts wrote into memories: id, bytes, …
func (h *wasmHost) take(sync []any) {
	for i := 0; i+1 < len(sync); i += 2 {
		m, b := h.memories[integer(sync, i)], data(sync, i+1)
		if m == nil || uint32(len(b)) > m.mem.Size() {
			continue
		}
		m.mem.Write(0, b)
		m.shadow = b
	}
}

// give tells what code wrote into the memories that scripts look at: id, size, [offset, bytes, …], …
func (h *wasmHost) give() []any {
	const block = 4096
	out := []any{}
	for id, m := range h.memories {
		if m.shadow == nil {
			continue
		}
		now, _ := m.mem.Read(0, m.mem.Size())
		var changes []any
		for at := 0; at < len(m.shadow); at += block {
			end := min(at+block, len(m.shadow))
			if bytes.Equal(now[at:end], m.shadow[at:end]) {
				continue
			}
			changes = append(changes, at, bytes.Clone(now[at:end]))
			copy(m.shadow[at:end], now[at:end])
		}
		if len(changes) == 0 && len(now) == len(m.shadow) {
			continue
		}
		if len(now) != len(m.shadow) {
			m.shadow = nil // the script sees a new buffer and asks for it
			changes = nil
		}
		out = append(out, id, len(now), changes)
	}
	return out
}

func (h *wasmHost) memory(initial, maximum float64) (isolate.Value, error) {
	limits := [2]uint32{uint32(initial), 1<<32 - 1}
	if maximum >= 0 {
		limits[1] = uint32(min(maximum, 65536))
	}
	if !h.budget.take(instanceBase) {
		return failed("RangeError", "WebAssembly.Memory(): could not allocate memory"), nil
	}
	mod, err := h.rt.InstantiateWithConfig(h.ctx, memoryModule(limits), wazero.NewModuleConfig().WithName(""))
	if err == nil && h.budget.exceeded() {
		err = mod.Close(h.ctx)
		return failed("RangeError", "WebAssembly.Memory(): could not allocate memory"), err
	}
	if err != nil {
		return failed("RangeError", "WebAssembly.Memory(): could not allocate memory"), nil
	}
	id := h.next()
	h.memories[id] = &wasmMemory{mod: mod, name: "memory", mem: mod.Memory()}
	return id, nil
}

func (h *wasmHost) instantiate(l *isolate.Loop, id int, given, sync []any) (isolate.Value, error) {
	m := h.modules[id]
	h.take(sync)
	if !h.budget.take(m.size) {
		return failed("RangeError", "WebAssembly.Instance(): Out of memory: the isolate's memory is full"), nil
	}
	inst := &wasmInstance{types: map[string]wasmFunc{}}
	n := h.next()
	namespaces, err := h.imports(l, n, m.info, given)
	if err != nil {
		return failed("LinkError", "WebAssembly.Instance(): "+err.Error()), nil
	}
	ctx := experimental.WithImportResolver(h.ctx, func(name string) api.Module { return namespaces[name] })
	var mod api.Module
	err = h.enter(l, nil, func() (err error) {
		mod, err = h.rt.InstantiateModule(ctx, m.code, wazero.NewModuleConfig().WithName("").WithStartFunctions())
		return err
	})
	if err == nil && h.budget.exceeded() {
		err = mod.Close(h.ctx)
		return failed("RangeError", "WebAssembly.Instance(): Out of memory: the isolate's memory is full"), err
	}
	if err != nil {
		return h.failure(err)
	}
	inst.mod = mod
	h.instances[n] = inst
	exports := []any{}
	for _, e := range m.info.exports {
		switch e.kind {
		case 0:
			inst.types[e.name] = e.typ
			exports = append(exports, e.name, "function", string(e.typ.params), string(e.typ.results), int(e.index))
		case 1:
			exports = append(exports, e.name, "table", int(e.limits[0]), 0, 0)
		case 2:
			exports = append(exports, e.name, "memory", h.addMemory(mod, e.name), 0, 0)
		case 3:
			exports = append(exports, e.name, "global", h.addGlobal(mod, e.name), string(e.value)+string(rune('0'+boolByte(e.mutable))), 0)
		}
	}
	return []any{n, exports, h.give()}, nil
}

func (h *wasmHost) addMemory(mod api.Module, name string) int {
	m := mod.ExportedMemory(name)
	for id, have := range h.memories {
		if have.mem == m {
			return id
		}
	}
	id := h.next()
	h.memories[id] = &wasmMemory{mod: mod, name: name, mem: m}
	return id
}

func (h *wasmHost) addGlobal(mod api.Module, name string) int {
	id := h.next()
	h.globals[id] = &wasmGlobalOf{Global: mod.ExportedGlobal(name), mod: mod, name: name}
	return id
}

// global makes a mutable global for a script, which modules can then share.
func (h *wasmHost) global(t byte, v any) (isolate.Value, error) {
	if !h.budget.take(instanceBase) {
		return failed("RangeError", "WebAssembly.Global(): could not allocate memory"), nil
	}
	shim := wasmShim{globals: []wasmGlobal{{name: "global", typ: t, mutable: true, bits: toWasm(t, v)}}}
	mod, err := h.rt.InstantiateWithConfig(h.ctx, shim.encode(nil), wazero.NewModuleConfig().WithName(""))
	if err != nil {
		return failed("RangeError", "WebAssembly.Global(): could not allocate memory"), nil
	}
	id := h.addGlobal(mod, "global")
	if g, ok := h.globals[id].Global.(api.MutableGlobal); ok {
		g.Set(toWasm(t, v))
	}
	return id, nil
}

// imports makes a module for each import namespace. given holds, for each
// import in order: nothing for a function, a memory's id, a mutable global's id or a constant one's value.
func (h *wasmHost) imports(l *isolate.Loop, inst int, info *wasmInfo, given []any) (map[string]api.Module, error) {
	out := map[string]api.Module{}
	byName := map[string][]int{}
	for i, e := range info.imports {
		byName[e.module] = append(byName[e.module], i)
	}
	for name, list := range byName {
		host := h.rt.NewHostModuleBuilder("imports") // wazero wants a name; the instance has none
		shim := wasmShim{}
		sources := map[string]api.Module{}
		var origins []string
		plain := true
		for _, i := range list {
			e := info.imports[i]
			switch e.kind {
			case 0:
				host = host.NewFunctionBuilder().WithGoModuleFunction(h.importFunc(l, inst, i, e.typ), valueTypes(e.typ.params), valueTypes(e.typ.results)).Export(e.name)
				shim.imports = append(shim.imports, wasmExtern{name: e.name, typ: e.typ})
				origins = append(origins, "host")
			case 1:
				return nil, fmt.Errorf("import %q %q: imported tables are not available here", e.module, e.name)
			case 2:
				m := h.memories[integer(given, i)]
				if m == nil {
					//lint:ignore ST1005 scripts see it, in the words of Workers
					return nil, fmt.Errorf("Import #%d %q %q: memory import must be a WebAssembly.Memory object", i, e.module, e.name)
				}
				from := "memory" + strconv.Itoa(i)
				sources[from] = m.mod
				shim.imports = append(shim.imports, wasmExtern{name: e.name, from: m.name, kind: 2, limits: e.limits})
				origins = append(origins, from)
				plain = false
			case 3:
				if e.mutable {
					g := h.globals[integer(given, i)]
					if g == nil {
						//lint:ignore ST1005 scripts see it, in the words of Workers
						return nil, fmt.Errorf("Import #%d %q %q: imported mutable global must be a WebAssembly.Global object", i, e.module, e.name)
					}
					from := "global" + strconv.Itoa(i)
					sources[from] = g.mod
					shim.imports = append(shim.imports, wasmExtern{name: e.name, from: g.name, kind: 3, value: e.value, mutable: true})
					origins = append(origins, from)
					plain = false
					continue
				}
				shim.globals = append(shim.globals, wasmGlobal{name: e.name, typ: e.value, mutable: e.mutable, bits: toWasm(e.value, arg(given, i))})
				plain = false
			}
		}
		compiled, err := host.Compile(h.ctx)
		if err != nil {
			return nil, err
		}
		mod, err := h.rt.InstantiateModule(h.ctx, compiled, wazero.NewModuleConfig().WithName(""))
		if err != nil {
			return nil, err
		}
		if !plain {
			sources["host"] = mod
			ctx := experimental.WithImportResolver(h.ctx, func(name string) api.Module { return sources[name] })
			if mod, err = h.rt.InstantiateWithConfig(ctx, shim.encode(func(i int) string { return origins[i] }), wazero.NewModuleConfig().WithName("")); err != nil {
				return nil, err
			}
		}
		out[name] = mod
	}
	return out, nil
}

func valueTypes(b []byte) []api.ValueType {
	out := make([]api.ValueType, len(b))
	copy(out, b)
	return out
}

// importFunc calls a JavaScript function that a module imports.
func (h *wasmHost) importFunc(l *isolate.Loop, inst, index int, t wasmFunc) api.GoModuleFunc {
	return func(_ context.Context, _ api.Module, stack []uint64) {
		args := make([]any, len(t.params))
		for i, p := range t.params {
			args[i] = fromWasm(p, stack[i])
		}
		// → [results, memories], undefined when it threw
		v, err := l.Isolate().Call("wasmImport", inst, index, args, h.give())
		if err != nil {
			panic(err)
		}
		out, _ := v.([]any)
		if len(out) < 2 {
			panic(errJS)
		}
		h.take(list(out, 1))
		results := list(out, 0)
		for i, p := range t.results {
			stack[i] = toWasm(p, arg(results, i))
		}
	}
}

func (h *wasmHost) call(l *isolate.Loop, id int, name string, args, sync []any) (isolate.Value, error) {
	inst := h.instances[id]
	f := inst.mod.ExportedFunction(name)
	t := inst.types[name]
	h.take(sync)
	stack := make([]uint64, max(len(t.params), len(t.results)))
	for i, p := range t.params {
		stack[i] = toWasm(p, arg(args, i))
	}
	if err := h.enter(l, f, func() error { return f.CallWithStack(h.ctx, stack) }); err != nil {
		return h.failure(err)
	}
	results := make([]any, len(t.results))
	for i, p := range t.results {
		results[i] = fromWasm(p, stack[i])
	}
	return []any{results, h.give()}, nil
}

// enter makes a call of f, nil for a start function. Code that runs far beyond its
// CPU time is stopped: the engine's own check cannot see into it. The isolate is spent then.
func (h *wasmHost) enter(l *isolate.Loop, f api.Function, call func() error) error {
	var deeper int64 // of the call that made this one, which does not change meanwhile
	if n := len(h.calls); n > 0 {
		deeper = stackOf(h.calls[n-1])
	}
	if len(h.calls) == wasmDepth || f == nil && h.starts == wasmStarts || h.stacks+deeper > h.w.limits.Memory {
		return errWasmDepth
	}
	h.calls = append(h.calls, f)
	h.stacks += deeper
	start := boolByte(f == nil)
	h.starts += int(start)
	defer func() {
		h.calls[len(h.calls)-1] = nil // it holds its stack
		h.calls = h.calls[:len(h.calls)-1]
		h.stacks -= deeper
		h.starts -= int(start)
	}()
	left := 4*(h.w.limits.CPU-l.CPU()) + 100*time.Millisecond
	t := time.AfterFunc(left, func() {
		l.Stop(isolate.ErrCPU)
		h.cancel()
	})
	defer t.Stop()
	return call()
}

// stackOf is how many bytes of stack wazero holds for calls of f; it has no other
// way to tell.
func stackOf(f api.Function) int64 {
	v := reflect.ValueOf(f)
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
		return 0
	}
	if s := v.Elem().FieldByName("stack"); s.IsValid() && s.Kind() == reflect.Slice {
		return int64(s.Cap())
	}
	return 0
}

// failure is what the script throws for an error of a call.
func (h *wasmHost) failure(err error) (isolate.Value, error) {
	switch {
	case errors.Is(err, errJS):
		return failed("js", ""), nil
	case errors.Is(err, isolate.ErrInterrupted), errors.Is(err, isolate.ErrMemory), errors.Is(err, isolate.ErrBroken):
		return nil, err
	case h.w.loop.StopCause() != nil:
		return nil, isolate.ErrInterrupted // enter's doing: scripts cannot catch it
	}
	if exc := (*isolate.Exception)(nil); errors.As(err, &exc) && exc.Name == "RangeError" { // no room was left to call the script
		return failed(exc.Name, exc.Message), nil
	}
	text, _, _ := strings.Cut(err.Error(), "\n")
	if _, trap, ok := strings.Cut(text, "] failed: "); ok && strings.HasPrefix(text, "start function[") {
		text = trap
	}
	text = strings.TrimPrefix(text, "wasm error: ")
	text = strings.TrimSuffix(text, " (recovered by wazero)")
	if known, ok := traps[text]; ok {
		text = known
	}
	if text == "stack overflow" {
		return failed("RangeError", "Maximum call stack size exceeded"), nil
	}
	return failed("RuntimeError", text), nil
}

// traps are V8's words for what stops WebAssembly.
var traps = map[string]string{
	"integer divide by zero":        "divide by zero",
	"out of bounds memory access":   "memory access out of bounds",
	"invalid conversion to integer": "float unrepresentable in integer range",
	"integer overflow":              "divide result unrepresentable",
	"invalid table access":          "table index is out of bounds",
	"indirect call type mismatch":   "function signature mismatch",
}
