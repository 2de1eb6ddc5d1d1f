package quickjs

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// callContext carries the calling vm through wazero to the host functions,
// which are shared by all instances.
type callContext struct {
	context.Context
	vm *vm
}

// Value answers wazero's look-ups without walking a chain on every call.
func (*callContext) Value(any) any { return nil }

func vmOf(ctx context.Context) *vm { return ctx.(*callContext).vm }

const (
	i32 = api.ValueTypeI32
	i64 = api.ValueTypeI64
)

type hostFunc struct {
	name    string
	params  []api.ValueType
	results []api.ValueType
	f       func(v *vm, s []uint64)
}

func (f hostFunc) Call(ctx context.Context, _ api.Module, stack []uint64) { f.f(vmOf(ctx), stack) }

// WASI errno values.
const (
	errnoSuccess = 0
	errnoBadf    = 8
)

var (
	envFuncs = []hostFunc{
		{"host_call", []api.ValueType{i32, i32, i32, i32, i32}, []api.ValueType{i32}, func(v *vm, s []uint64) {
			s[0] = uint64(v.hostCall(uint32(s[3]), uint32(s[4])))
		}},
		{"host_interrupt", nil, []api.ValueType{i32}, func(v *vm, s []uint64) { s[0] = v.interrupt() }},
		{"host_promise_rejection", []api.ValueType{i32, i32, i32}, nil, func(v *vm, s []uint64) {
			v.trackRejection(uint32(s[0]), uint32(s[1]), uint32(s[2]) != 0)
		}},
		{"host_module_normalize", []api.ValueType{i32, i32}, []api.ValueType{i32}, func(v *vm, s []uint64) {
			s[0] = uint64(v.normalizeModule(uint32(s[0]), uint32(s[1])))
		}},
		{"host_module_load", []api.ValueType{i32, i32}, []api.ValueType{i32}, func(v *vm, s []uint64) {
			s[0] = uint64(v.loadModule(uint32(s[0]), uint32(s[1])))
		}},
		// Workers run in UTC.
		{"host_get_timezone_offset", []api.ValueType{i32, i32}, []api.ValueType{i32}, func(_ *vm, s []uint64) { s[0] = 0 }},
	}
	wasiFuncs = []hostFunc{
		{"clock_time_get", []api.ValueType{i32, i64, i32}, []api.ValueType{i32}, func(v *vm, s []uint64) {
			v.putU64(uint32(s[2]), uint64(v.now().UnixNano()))
			s[0] = errnoSuccess
		}},
		{"random_get", []api.ValueType{i32, i32}, []api.ValueType{i32}, func(v *vm, s []uint64) {
			_, _ = rand.Read(v.bytes(uint32(s[0]), uint32(s[1]))) // never fails
			s[0] = errnoSuccess
		}},
		{"fd_close", []api.ValueType{i32}, []api.ValueType{i32}, func(_ *vm, s []uint64) { s[0] = errnoBadf }},
		{"fd_fdstat_get", []api.ValueType{i32, i32}, []api.ValueType{i32}, func(_ *vm, s []uint64) { s[0] = errnoBadf }},
		{"fd_seek", []api.ValueType{i32, i64, i32, i32}, []api.ValueType{i32}, func(_ *vm, s []uint64) { s[0] = errnoBadf }},
		{"fd_write", []api.ValueType{i32, i32, i32, i32}, []api.ValueType{i32}, func(_ *vm, s []uint64) { s[0] = errnoBadf }},
	}
)

func instantiateHost(ctx context.Context, rt wazero.Runtime) error {
	for module, funcs := range map[string][]hostFunc{"env": envFuncs, "wasi_snapshot_preview1": wasiFuncs} {
		b := rt.NewHostModuleBuilder(module)
		for _, f := range funcs {
			b.NewFunctionBuilder().WithGoModuleFunction(f, f.params, f.results).Export(f.name)
		}
		if _, err := b.Instantiate(ctx); err != nil {
			return fmt.Errorf("instantiate host module %s: %w", module, err)
		}
	}
	return nil
}

// A built-in may take pollGrace of CPU time after its isolate's time is over, and
// pollLeast in all. Most end by then, and the engine's own question, between two
// steps of a script, keeps the place. Its process is ended only later.
const (
	pollGrace = 100 * time.Millisecond
	pollLeast = 300 * time.Millisecond
)

// poll is called by loops of the engine. That it is called lets the Go runtime
// stop this thread. An isolate is cut off here that is to be stopped and does
// not come to the engine's own question.
func (v *vm) poll() {
	switch {
	case v.host == nil || !v.host.Due():
		v.due = 0
	case v.due == 0:
		v.due = max(v.host.CPU(), 1)
	case v.host.CPU() > max(v.due+pollGrace, pollLeast) && v.host.Interrupted():
		panic(errHaltInterrupted)
	}
}

func (v *vm) now() time.Time {
	if v.host != nil {
		return v.host.Now()
	}
	return v.eng.cfg.Now()
}

// interrupt is asked by the engine every few thousand steps. Non-zero throws
// an error that scripts cannot catch. Code that still runs when it is asked
// again is cut off on the spot.
func (v *vm) interrupt() uint64 {
	if int32(v.polls.Get()) < 0 {
		v.polls.Set(pollEvery)
		v.poll()
		return 0
	}
	v.due = 0
	if v.last != nil && v.last.asks < lastAsks {
		v.last.asks++
		return 0
	}
	if v.halting != nil {
		panic(v.halting)
	}
	switch {
	case v.mem.full:
		v.noticeMemory()
	case v.host != nil && v.host.Interrupted():
		v.halting = errHaltInterrupted
	default:
		return 0
	}
	return 1
}
