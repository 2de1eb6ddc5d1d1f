package quickjs

import (
	"encoding/binary"
	"fmt"
	"math"

	"coldstart/sandbox/isolate"
)

// A QuickJS value is 64 bits: a tag above, an int32 or a pointer below.
// Numbers that are not int32 are doubles moved by floatOffset, so that their
// upper half never looks like one of the tags.
const (
	tagRope      = -6
	tagString    = -7
	tagModule    = -3
	tagObject    = -1
	tagInt       = 0
	tagBool      = 1
	tagNull      = 2
	tagUndefined = 3
	tagException = 6
	tagFirst     = -9
	tagFloat     = 8

	floatOffset = uint64(0x7ff80000-tagFirst+1) << 32
	valueNaN    = uint64(0xfffffff600000000) // the canonical NaN, moved likewise

	undefined = uint64(tagUndefined) << 32
	null      = uint64(tagNull) << 32
)

// Class numbers of the objects that cross the boundary.
const (
	classArray       = 2
	classArrayBuffer = 20
	classTypedFirst  = 22 // Uint8ClampedArray
	classUint8Array  = 24
	classTypedLast   = 33 // Float64Array
	classDataView    = 34
)

// maxDepth bounds nested arrays in either direction.
const maxDepth = 64

func tagOf(x uint64) int32 { return int32(x >> 32) }

func isFloat(x uint64) bool { return uint32(tagOf(x)-tagFirst) >= tagFloat-tagFirst }

func fromFloat(f float64) uint64 {
	if i := int32(f); float64(i) == f && (i != 0 || !math.Signbit(f)) {
		return uint64(uint32(i))
	}
	if f != f {
		return valueNaN
	}
	return math.Float64bits(f) - floatOffset
}

func fromBool(b bool) uint64 {
	if b {
		return tagBool<<32 | 1
	}
	return tagBool << 32
}

func (v *vm) getU32(at uint32) uint32    { return binary.LittleEndian.Uint32(v.bytes(at, 4)) }
func (v *vm) getU64(at uint32) uint64    { return binary.LittleEndian.Uint64(v.bytes(at, 8)) }
func (v *vm) putU32(at uint32, x uint32) { binary.LittleEndian.PutUint32(v.bytes(at, 4), x) }
func (v *vm) putU64(at uint32, x uint64) { binary.LittleEndian.PutUint64(v.bytes(at, 8), x) }

// errCannotCross is thrown as a TypeError where a value has no plain form.
func errCannotCross(what string) error {
	return &isolate.Throw{Name: "TypeError", Message: what + " cannot be passed to the host"}
}

// A script may name one long text a thousand times in what it passes, and a list
// that holds itself twice, twice: it takes no memory in the isolate, and all of
// it in the host. So what crosses at a time is no more than an isolate holds
// that names nothing twice: its memory, and text may be longer in UTF-8.
const (
	elementBytes = 16      // of a list, in Go
	askEvery     = 1 << 12 // elements between two questions whether to go on
)

var errTooMuch = &isolate.Throw{Name: "RangeError", Message: "The arguments of one call are larger than the isolate's memory."}

// cross begins to copy values out, which is over once what it gives is called.
func (v *vm) cross() (done func()) {
	v.crossing++
	if v.crossing == 1 {
		v.room = max(v.mem.limit, 2*v.mem.size)
	}
	return func() { v.crossing-- }
}

// take takes n bytes from what may still cross.
func (v *vm) take(n int) error {
	if v.crossing == 0 { // a text for the driver itself
		return nil
	}
	if v.room -= int64(n); v.room < 0 {
		return errTooMuch
	}
	return nil
}

// toGo copies a value out, between cross and the end of that. It does not take
// over the reference. An error is a *isolate.Throw for values without a plain
// form or too large, else the instance is spent.
func (v *vm) toGo(x uint64, depth int) (isolate.Value, error) {
	if isFloat(x) {
		return math.Float64frombits(x + floatOffset), nil
	}
	switch tagOf(x) {
	case tagInt:
		return float64(int32(x)), nil
	case tagBool:
		return uint32(x) != 0, nil
	case tagNull, tagUndefined:
		return nil, nil
	case tagString, tagRope:
		return v.stringOf(x)
	case tagObject:
		return v.objectToGo(x, depth)
	}
	return nil, errCannotCross("a symbol or bigint")
}

func (v *vm) objectToGo(x uint64, depth int) (isolate.Value, error) {
	class, err := v.call(fnGetClassID, x)
	if err != nil {
		return nil, err
	}
	switch c := uint32(class); {
	case c == classArray:
		return v.arrayToGo(x, depth)
	case c == classArrayBuffer:
		return v.bufferOf(fnGetArrayBuffer, x)
	case c == classUint8Array:
		return v.bufferOf(fnGetUint8Array, x)
	case c >= classTypedFirst && c <= classDataView:
		b, err := v.invoke(v.meta.BytesOf, v.dup(x), fromBool(c == classDataView))
		if err != nil {
			return nil, err
		}
		defer v.free(b)
		return v.bufferOf(fnGetUint8Array, b)
	}
	return nil, errCannotCross("an object that is not an array or buffer")
}

func (v *vm) arrayToGo(x uint64, depth int) (isolate.Value, error) {
	if depth >= maxDepth {
		return nil, errCannotCross("an array nested this deeply")
	}
	out := v.outSlot(0)
	if _, err := v.call(fnGetLength, uint64(v.meta.Context), x, uint64(out)); err != nil {
		return nil, err
	}
	n := v.getU64(out)
	// Every element takes memory in the isolate, unless the array is sparse.
	if n > uint64(v.mem.size)/8 {
		return nil, errCannotCross("a sparse array")
	}
	if err := v.take(int(n) * elementBytes); err != nil {
		return nil, err
	}
	list := make([]isolate.Value, n)
	for i := range list {
		if i%askEvery == askEvery-1 && v.host != nil && v.host.Interrupted() {
			return nil, isolate.ErrInterrupted
		}
		e, err := v.call(fnGetPropertyUint32, uint64(v.meta.Context), x, uint64(i))
		if err != nil {
			return nil, err
		}
		if tagOf(e) == tagException {
			return nil, v.takeException()
		}
		list[i], err = v.toGo(e, depth+1)
		v.free(e)
		if err != nil {
			return nil, err
		}
	}
	return list, nil
}

// stringOf copies a string out as UTF-8; lone surrogates keep their three-byte
// form, so that a string passed back is the same string.
func (v *vm) stringOf(x uint64) (string, error) {
	out := v.outSlot(0)
	p, err := v.call(fnToCString, uint64(v.meta.Context), uint64(out), x, 0)
	if err != nil {
		return "", err
	}
	if uint32(p) == 0 {
		return "", v.takeException()
	}
	n := v.getU32(out)
	if err = v.take(int(n)); err != nil {
		_, _ = v.call(fnFreeCString, uint64(v.meta.Context), p) // a spent instance is noticed by the next call
		return "", err
	}
	s := string(v.bytes(uint32(p), n))
	_, err = v.call(fnFreeCString, uint64(v.meta.Context), p)
	return s, err
}

func (v *vm) bufferOf(id fn, x uint64) ([]byte, error) {
	out := v.outSlot(0)
	// The third word is a second out slot's address in JS_GetArrayBuffer's
	// place of the value; both functions take (context, size, value).
	p, err := v.call(id, uint64(v.meta.Context), uint64(out), x)
	if err != nil {
		return nil, err
	}
	n := v.getU32(out)
	if uint32(p) == 0 {
		if n == 0 {
			v.dropException()
		}
		return []byte{}, v.dead
	}
	if err := v.take(int(n)); err != nil {
		return nil, err
	}
	b := make([]byte, n)
	copy(b, v.bytes(uint32(p), n))
	return b, nil
}

// toJS copies a value in and returns a reference the caller owns. An error
// means that the value is not a plain one or that the instance is spent.
func (v *vm) toJS(val isolate.Value, depth int) (uint64, error) {
	switch t := val.(type) {
	case nil:
		return undefined, nil
	case bool:
		return fromBool(t), nil
	case float64:
		return fromFloat(t), nil
	case int:
		return fromFloat(float64(t)), nil
	case int64:
		return fromFloat(float64(t)), nil
	case string:
		return v.newString(t)
	case []byte:
		return v.newBuffer(t)
	case []isolate.Value:
		return v.newArray(t, depth)
	case *jsRef:
		return v.dup(t.value), v.dead
	}
	return 0, fmt.Errorf("isolate: a host value of type %T cannot be passed to a script", val)
}

// jsRef passes a value that is already in the isolate.
type jsRef struct{ value uint64 }

func (v *vm) newString(s string) (uint64, error) {
	p, done, err := v.stage(len(s))
	if err != nil {
		return 0, err
	}
	copy(v.bytes(p, uint32(len(s))), s)
	x, err := v.call(fnNewString, uint64(v.meta.Context), uint64(p), uint64(len(s)))
	done()
	return v.made(x, err)
}

// newBuffer makes an ArrayBuffer. A large one is filled in place, so that its
// bytes are never twice in the isolate.
func (v *vm) newBuffer(b []byte) (uint64, error) {
	if len(b) <= dataSize {
		p, done, err := v.stage(len(b))
		if err != nil {
			return 0, err
		}
		copy(v.bytes(p, uint32(len(b))), b)
		x, err := v.call(fnNewArrayBufferCopy, uint64(v.meta.Context), uint64(p), uint64(len(b)))
		done()
		return v.made(x, err)
	}
	x, err := v.invoke(v.meta.NewBuffer, fromFloat(float64(len(b))))
	if err != nil {
		return 0, v.memoryError(err)
	}
	p, err := v.call(fnGetArrayBuffer, uint64(v.meta.Context), uint64(v.outSlot(0)), x)
	if err != nil {
		return 0, err
	}
	copy(v.bytes(uint32(p), uint32(len(b))), b)
	return x, nil
}

func (v *vm) newArray(list []isolate.Value, depth int) (uint64, error) {
	if depth >= maxDepth {
		return 0, fmt.Errorf("isolate: a host value is nested deeper than %d arrays", maxDepth)
	}
	p, err := v.malloc(8 * len(list))
	if err != nil {
		return 0, err
	}
	for i, e := range list {
		x, err := v.toJS(e, depth+1)
		if err != nil {
			return 0, err
		}
		v.putU64(p+uint32(8*i), x)
	}
	x, err := v.call(fnNewArrayFrom, uint64(v.meta.Context), uint64(len(list)), uint64(p))
	_, _ = v.call(fnFree, uint64(p)) // a spent instance says so below
	return v.made(x, err)
}

// made checks a freshly made value: making one fails only for want of memory.
func (v *vm) made(x uint64, err error) (uint64, error) {
	if err == nil && tagOf(x) == tagException {
		v.dropException()
		v.die(errHaltMemory)
		err = v.dead
	}
	return x, err
}

// memoryError turns a failed allocation into the end of the instance.
func (v *vm) memoryError(error) error {
	v.die(errHaltMemory)
	return v.dead
}

// stage gives n+1 bytes to pass data in: the scratch area or a block of the heap.
func (v *vm) stage(n int) (at uint32, done func(), err error) {
	if n < dataSize {
		return v.meta.Scratch + dataAt, func() {}, nil
	}
	p, err := v.malloc(n + 1)
	return p, func() { _, _ = v.call(fnFree, uint64(p)) }, err
}

func (v *vm) malloc(n int) (uint32, error) {
	p, err := v.call(fnMalloc, uint64(max(n, 1)))
	if err == nil && uint32(p) == 0 {
		v.die(errHaltMemory)
		err = v.dead
	}
	return uint32(p), err
}

func (v *vm) free(x uint64) {
	if !isFloat(x) && tagOf(x) < 0 {
		_, _ = v.call(fnFreeValue, uint64(v.meta.Context), x) // a spent instance is noticed by the next call
	}
}

func (v *vm) dup(x uint64) uint64 {
	if isFloat(x) || tagOf(x) >= 0 {
		return x
	}
	y, err := v.call(fnDupValue, uint64(v.meta.Context), x)
	if err != nil {
		return undefined
	}
	return y
}

// The scratch area of an instance, part of the image: out parameters, the
// arguments of the outermost call, and small data on its way in.
const (
	argsAt      = 64
	argsMax     = 24
	dataAt      = argsAt + 8*argsMax
	scratchSize = 4096
	dataSize    = scratchSize - dataAt
)

func (v *vm) outSlot(i int) uint32 { return v.meta.Scratch + uint32(8*i) }
