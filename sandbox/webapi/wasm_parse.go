package webapi

import (
	"encoding/binary"
	"errors"
)

// wasmExtern is an import or export of a Wasm module.
type wasmExtern struct {
	module, name string // module is "" for exports
	from         string // name in the module it comes from, where that differs
	kind         byte   // 0 function, 1 table, 2 memory, 3 global
	index        uint32 // in its kind's space
	typ          wasmFunc
	limits       [2]uint32 // of a memory or table; the second is ^0 without a maximum
	value        byte      // value type of a global, element type of a table
	mutable      bool
}

type wasmFunc struct{ params, results []byte }

// wasmInfo is what JavaScript may see of a module.
type wasmInfo struct {
	imports, exports []wasmExtern
	custom           [][2][]byte // name and content
}

var kinds = [...]string{"function", "table", "memory", "global"}

var errWasm = errors.New("invalid WebAssembly module")

// wasmReader walks a binary; after an error everything reads as zero.
type wasmReader struct {
	b   []byte
	bad bool
}

func (r *wasmReader) u32() uint32 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 || n > 5 || v > 1<<32-1 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return uint32(v)
}

func (r *wasmReader) byte() byte { return r.take(1)[0] }

var zero [1]byte

func (r *wasmReader) take(n uint32) []byte {
	if uint64(n) > uint64(len(r.b)) || r.bad {
		r.bad, r.b = true, nil
		if n == 1 {
			return zero[:]
		}
		return nil
	}
	p := r.b[:n]
	r.b = r.b[n:]
	return p
}

func (r *wasmReader) name() string { return string(r.take(r.u32())) }

func (r *wasmReader) limits() [2]uint32 {
	flags := r.byte()
	l := [2]uint32{r.u32(), 1<<32 - 1}
	if flags&1 != 0 {
		l[1] = r.u32()
	}
	return l
}

// parseWasm reads the imports, exports and custom sections of a module that
// the engine has already found valid.
func parseWasm(b []byte) (*wasmInfo, error) {
	if len(b) < 8 || string(b[:4]) != "\x00asm" {
		return nil, errWasm
	}
	r := &wasmReader{b: b[8:]}
	info := &wasmInfo{}
	var types []wasmFunc
	var funcs []wasmFunc
	var tables, memories, globals []wasmExtern
	for len(r.b) > 0 && !r.bad {
		id := r.byte()
		s := &wasmReader{b: r.take(r.u32())}
		if id == 0 {
			name := s.take(s.u32())
			info.custom = append(info.custom, [2][]byte{name, s.b})
			continue
		}
		if id > 7 {
			continue
		}
		for n := s.u32(); n > 0 && !s.bad; n-- {
			switch id {
			case 1:
				s.byte()
				f := wasmFunc{params: s.take(s.u32())}
				f.results = s.take(s.u32())
				types = append(types, f)
			case 2:
				e := wasmExtern{module: s.name(), name: s.name(), kind: s.byte()}
				switch e.kind {
				case 0:
					if t := s.u32(); int(t) < len(types) {
						e.typ = types[t]
					}
					funcs = append(funcs, e.typ)
				case 1:
					e.value, e.limits = s.byte(), s.limits()
					tables = append(tables, e)
				case 2:
					e.limits = s.limits()
					memories = append(memories, e)
				case 3:
					e.value, e.mutable = s.byte(), s.byte() == 1
					globals = append(globals, e)
				}
				info.imports = append(info.imports, e)
			case 3:
				if t := s.u32(); int(t) < len(types) {
					funcs = append(funcs, types[t])
				} else {
					s.bad = true
				}
			case 4:
				tables = append(tables, wasmExtern{value: s.byte(), limits: s.limits()})
			case 5:
				memories = append(memories, wasmExtern{limits: s.limits()})
			case 6:
				g := wasmExtern{value: s.byte(), mutable: s.byte() == 1}
				skipConst(s)
				globals = append(globals, g)
			case 7:
				e := wasmExtern{name: s.name(), kind: s.byte()}
				e.index = s.u32()
				var from []wasmExtern
				switch e.kind {
				case 0:
					if int(e.index) < len(funcs) {
						e.typ = funcs[e.index]
					}
				case 1:
					from = tables
				case 2:
					from = memories
				case 3:
					from = globals
				}
				if int(e.index) < len(from) {
					e.limits, e.value, e.mutable = from[e.index].limits, from[e.index].value, from[e.index].mutable
				}
				info.exports = append(info.exports, e)
			}
		}
		if s.bad {
			return nil, errWasm
		}
	}
	if r.bad {
		return nil, errWasm
	}
	return info, nil
}

// skipConst passes over a constant expression.
func skipConst(s *wasmReader) {
	for !s.bad {
		switch op := s.byte(); op {
		case 0x0B:
			return
		case 0x41, 0x42, 0x23, 0xD2: // i32.const i64.const global.get ref.func: a LEB
			for !s.bad && s.byte()&0x80 != 0 {
			}
		case 0x43:
			s.take(4)
		case 0x44:
			s.take(8)
		case 0xD0:
			s.byte()
		}
	}
}

// wasmShim is a module that hands on what JavaScript gives for one import
// namespace: functions of a host module, memories and globals. It is needed
// where a namespace has more than functions, which host modules cannot hold.
type wasmShim struct {
	imports []wasmExtern // in order; functions come from module "host", the others from "given<n>"
	globals []wasmGlobal
}

// wasmGlobal is a global that the shim defines.
type wasmGlobal struct {
	name    string
	typ     byte
	mutable bool
	bits    uint64
}

func leb(b []byte, v uint64) []byte { return binary.AppendUvarint(b, v) }

func sleb(b []byte, v int64) []byte {
	for {
		c := byte(v & 0x7f)
		v >>= 7
		if (v == 0 && c&0x40 == 0) || (v == -1 && c&0x40 != 0) {
			return append(b, c)
		}
		b = append(b, c|0x80)
	}
}

func lebString(b []byte, s string) []byte { return append(leb(b, uint64(len(s))), s...) }

func section(b []byte, id byte, count int, body []byte) []byte {
	if count == 0 {
		return b
	}
	body = append(leb(nil, uint64(count)), body...)
	b = append(b, id)
	return append(leb(b, uint64(len(body))), body...)
}

// encode writes the shim as a module. origin gives the module each import comes from.
func (s *wasmShim) encode(origin func(i int) string) []byte {
	out := []byte("\x00asm\x01\x00\x00\x00")
	var types, imports, globals, exports []byte
	nTypes, counts := 0, [4]uint64{}
	for i, e := range s.imports {
		name := e.from
		if name == "" {
			name = e.name
		}
		imports = lebString(lebString(imports, origin(i)), name)
		imports = append(imports, e.kind)
		switch e.kind {
		case 0:
			types = append(types, 0x60)
			types = append(leb(types, uint64(len(e.typ.params))), e.typ.params...)
			types = append(leb(types, uint64(len(e.typ.results))), e.typ.results...)
			imports = leb(imports, uint64(nTypes))
			nTypes++
		case 2:
			if e.limits[1] == 1<<32-1 {
				imports = leb(append(imports, 0), uint64(e.limits[0]))
			} else {
				imports = leb(leb(append(imports, 1), uint64(e.limits[0])), uint64(e.limits[1]))
			}
		case 3:
			imports = append(imports, e.value, boolByte(e.mutable))
		}
		exports = lebString(exports, e.name)
		exports = leb(append(exports, e.kind), counts[e.kind])
		counts[e.kind]++
	}
	for _, g := range s.globals {
		globals = append(globals, g.typ, boolByte(g.mutable))
		switch g.typ {
		case 0x7F:
			globals = sleb(append(globals, 0x41), int64(int32(g.bits)))
		case 0x7E:
			globals = sleb(append(globals, 0x42), int64(g.bits))
		case 0x7D:
			globals = binary.LittleEndian.AppendUint32(append(globals, 0x43), uint32(g.bits))
		case 0x7C:
			globals = binary.LittleEndian.AppendUint64(append(globals, 0x44), g.bits)
		default: // a reference: none, until it is set
			globals = append(globals, 0xD0, g.typ)
		}
		globals = append(globals, 0x0B)
		exports = lebString(exports, g.name)
		exports = leb(append(exports, 3), counts[3])
		counts[3]++
	}
	out = section(out, 1, nTypes, types)
	out = section(out, 2, len(s.imports), imports)
	out = section(out, 6, len(s.globals), globals)
	return section(out, 7, len(s.imports)+len(s.globals), exports)
}

// memoryModule is a module with one exported memory.
func memoryModule(limits [2]uint32) []byte {
	var body []byte
	if limits[1] == 1<<32-1 {
		body = leb(append(body, 0), uint64(limits[0]))
	} else {
		body = leb(leb(append(body, 1), uint64(limits[0])), uint64(limits[1]))
	}
	out := section([]byte("\x00asm\x01\x00\x00\x00"), 5, 1, body)
	return section(out, 7, 1, append(lebString(nil, "memory"), 2, 0))
}

func boolByte(b bool) byte {
	if b {
		return 1
	}
	return 0
}
