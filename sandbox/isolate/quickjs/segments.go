package quickjs

import (
	"encoding/binary"
	"errors"
)

// segment is initial content of linear memory.
type segment struct {
	at   uint32
	data []byte
}

// Section numbers and opcodes of the WebAssembly binary format, version 1.
const (
	wasmHeader    = 8
	sectionData   = 11
	sectionCount  = 12 // of data segments
	opI32Const    = 0x41
	opEnd         = 0x0b
	segmentActive = 0
)

var errWasmFormat = errors.New("quickjs.wasm is not in the expected form")

// splitData takes the data section out of a module. An instance of the rest
// starts with empty memory, which the snapshot then fills: writing the data
// first would be the most expensive part of making an instance, for nothing.
func splitData(wasm []byte) (rest []byte, list []segment, err error) {
	if len(wasm) < wasmHeader {
		return nil, nil, errWasmFormat
	}
	rest = append(rest, wasm[:wasmHeader]...)
	for in := wasm[wasmHeader:]; len(in) > 0; {
		n, used := binary.Uvarint(in[1:])
		if used <= 0 || n > uint64(len(in)-1-used) {
			return nil, nil, errWasmFormat
		}
		end := 1 + used + int(n)
		switch in[0] {
		case sectionData:
			if list, err = segments(in[1+used : end]); err != nil {
				return nil, nil, err
			}
		case sectionCount:
		default:
			rest = append(rest, in[:end]...)
		}
		in = in[end:]
	}
	return rest, list, nil
}

// segments reads a data section of active segments at constant addresses.
func segments(in []byte) ([]segment, error) {
	count, used := binary.Uvarint(in)
	if used <= 0 || count > uint64(len(in)) {
		return nil, errWasmFormat
	}
	in = in[used:]
	list := make([]segment, count)
	for i := range list {
		if len(in) < 2 || in[0] != segmentActive || in[1] != opI32Const {
			return nil, errWasmFormat
		}
		at, n := signed(in[2:])
		if n == 0 || len(in) <= 2+n || in[2+n] != opEnd {
			return nil, errWasmFormat
		}
		in = in[3+n:]
		size, used := binary.Uvarint(in)
		if used <= 0 || size > uint64(len(in)-used) {
			return nil, errWasmFormat
		}
		list[i] = segment{uint32(at), in[used : used+int(size)]}
		in = in[used+int(size):]
	}
	return list, nil
}

// signed reads a signed LEB128 number and how many bytes it has, 0 when it is cut short.
func signed(in []byte) (int32, int) {
	var x int64
	for i, b := range in {
		if i == 5 {
			break
		}
		x |= int64(b&0x7f) << (7 * i)
		if b&0x80 == 0 {
			if b&0x40 != 0 {
				x |= -1 << (7 * (i + 1))
			}
			return int32(x), i + 1
		}
	}
	return 0, 0
}
