package quickjs

import (
	"context"
	"errors"
	"fmt"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
)

// linear is an instance's memory as wazero sees it: a fixed reservation of
// which a growing part is in use.
type linear struct {
	region *region
	size   int64 // bytes in use
	limit  int64 // most that may be in use
	room   int64 // and that much more once it is full, to tell where
	full   bool  // growing beyond limit was tried
}

// Reallocate grows the part in use; the address never changes.
func (l *linear) Reallocate(size uint64) []byte {
	if int64(size) > min(l.limit+l.room, int64(len(l.region.base))) {
		l.full = true
		return nil
	}
	l.size = int64(size)
	return l.region.base[:size:size]
}

// Free gives the address space back.
func (l *linear) Free() { l.region.free() }

// fn names the exports the driver calls.
type fn int

const (
	fnCall fn = iota
	fnCallConstructor
	fnEval
	fnEvalFunction
	fnExecutePendingJob
	fnToCString
	fnFreeCString
	fnNewString
	fnNewArrayFrom
	fnNewArrayBufferCopy
	fnGetArrayBuffer
	fnGetUint8Array
	fnGetClassID
	fnGetLength
	fnGetPropertyUint32
	fnGetPropertyStr
	fnFreeValue
	fnDupValue
	fnIsError
	fnGetException
	fnThrow
	fnGetModuleNamespace
	fnPromiseState
	fnPromiseResult
	fnPromiseMarkAsHandled
	fnMalloc
	fnFree
	fnFreeBox
	fnCount
)

var fnNames = [fnCount]string{
	"JS_Call", "JS_CallConstructor", "JS_Eval", "JS_EvalFunction", "JS_ExecutePendingJob",
	"JS_ToCStringLen2", "JS_FreeCString", "JS_NewStringLen", "JS_NewArrayFrom", "JS_NewArrayBufferCopy",
	"JS_GetArrayBuffer", "JS_GetUint8Array", "JS_GetClassID", "JS_GetLength", "JS_GetPropertyUint32", "JS_GetPropertyStr",
	"JS_FreeValue", "JS_DupValue", "JS_IsError", "JS_GetException", "JS_Throw",
	"JS_GetModuleNamespace", "JS_PromiseState", "JS_PromiseResult", "JS_PromiseMarkAsHandled",
	"wasm_malloc", "wasm_free", "qjs_free_value",
}

// callees are the functions of one export that are not in a call. wazero gives
// every looked-up function a stack of its own, so a call inside of a call of
// the same export needs another; all are dropped when idle.
type callees []api.Function

// instantiate makes an instance with fresh memory, running no code in it.
func (e *Engine) instantiate(ctx context.Context) (*vm, error) {
	r, err := newRegion(e.cfg.MaxMemory)
	if err != nil {
		return nil, err
	}
	v := &vm{eng: e, mem: &linear{region: r, limit: e.cfg.MaxMemory}}
	v.ctx = &callContext{Context: context.Background(), vm: v}
	alloc := experimental.MemoryAllocatorFunc(func(_, _ uint64) experimental.LinearMemory { return v.mem })
	mod, err := e.rt.InstantiateModule(experimental.WithMemoryAllocator(ctx, alloc), e.code,
		wazero.NewModuleConfig().WithName("").WithStartFunctions())
	if err != nil {
		r.free()
		return nil, fmt.Errorf("instantiate the engine: %w", err)
	}
	v.mod = mod
	v.polls = mod.ExportedGlobal(pollExport).(api.MutableGlobal)
	return v, nil
}

// restore makes an instance whose memory is the image.
func (e *Engine) restore(ctx context.Context) (*vm, error) {
	v, err := e.instantiate(ctx)
	if err != nil {
		return nil, err
	}
	v.meta = &e.image.meta
	if grow := (v.meta.Size - v.mem.size) / wasmPage; grow > 0 {
		if _, ok := v.mod.Memory().Grow(uint32(grow)); !ok {
			err = errors.New("the snapshot is larger than the memory limit")
		}
	}
	if err == nil {
		err = v.mem.region.mapImage(e.image)
	}
	if err == nil {
		err = e.warmer.warm(v)
	}
	if err != nil {
		_ = v.mod.Close(ctx)
		return nil, err
	}
	return v, nil
}

// call runs an export. An error means that the instance is spent.
func (v *vm) call(id fn, args ...uint64) (uint64, error) {
	if v.dead != nil {
		return 0, v.dead
	}
	var f api.Function
	if free := v.callees[id]; len(free) > 0 {
		f, v.callees[id] = free[len(free)-1], free[:len(free)-1]
	} else {
		f = v.mod.ExportedFunction(fnNames[id])
	}
	// Parameters are read before and the result is written after the call,
	// so nested calls may share this buffer.
	n := copy(v.stack[:], args)
	err := f.CallWithStack(v.ctx, v.stack[:max(n, 1)])
	v.callees[id] = append(v.callees[id], f)
	if err != nil {
		v.die(err)
		return 0, v.dead
	}
	return v.stack[0], nil
}

func (v *vm) bytes(at, n uint32) []byte {
	return v.mem.region.base[at : int64(at)+int64(n) : int64(at)+int64(n)]
}
