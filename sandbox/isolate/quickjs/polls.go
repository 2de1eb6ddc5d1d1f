package quickjs

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// Code compiled from Wasm cannot be preempted: until it calls out, its thread
// belongs to it, and a collection of the Go heap, which stops all threads, waits
// for it. QuickJS asks its interrupt handler between steps of a script, but one
// step can be a built-in that loops over a list of any length. So every loop of
// the engine counts down, and at nought calls out: then the runtime can stop the
// thread, and an isolate whose time is over ends wherever it is.

const (
	// pollEvery is how many rounds of loops pass between two polls; a round takes
	// a few nanoseconds.
	pollEvery = 1 << 14
	// roundShift says how many bytes that are copied at once count as a round: 1 << roundShift.
	roundShift = 6
	// stepsMin is the size of a table of branches that is the interpreter's.
	stepsMin = 200
)

// pollExport names the exported global that counts down.
const pollExport = "coldstart_poll"

// Section numbers and opcodes of the WebAssembly binary format, version 2,
// beside those of segments.go.
const (
	sectionImport = 2
	sectionGlobal = 6
	sectionExport = 7
	sectionCode   = 10

	externFunc, externTable, externMemory, externGlobal = 0, 1, 2, 3
	typeI32, typeVoid, mutable                          = 0x7f, 0x40, 1

	opBlock, opLoop, opIf, opBrTable = 0x02, 0x03, 0x04, 0x0e
	opCall, opDrop                   = 0x10, 0x1a
	opGlobalGet, opGlobalSet         = 0x23, 0x24
	opI32LtS, opI32Sub, opI32ShrU    = 0x48, 0x6b, 0x76
	opMore, moreCopy, moreFill       = 0xfc, 10, 11 // two bytes: memory.copy, memory.fill
)

// wasmReader reads parts of a module. What is cut short or unknown panics with
// errWasmFormat, which addPolls turns into its error.
type wasmReader struct{ in []byte }

func (r *wasmReader) byte() byte { return r.bytes(1)[0] }

func (r *wasmReader) bytes(n int) []byte {
	if n < 0 || n > len(r.in) {
		panic(errWasmFormat)
	}
	b := r.in[:n]
	r.in = r.in[n:]
	return b
}

func (r *wasmReader) number() int {
	n, used := binary.Uvarint(r.in)
	if used <= 0 || n > 1<<32 {
		panic(errWasmFormat)
	}
	r.in = r.in[used:]
	return int(n)
}

// leb skips a LEB128 number of any sign and width.
func (r *wasmReader) leb() {
	for r.byte()&0x80 != 0 {
	}
}

// addPolls gives a module's loops their countdown. The module imports
// env.host_interrupt, which is what a poll calls.
func addPolls(wasm []byte) (out []byte, err error) {
	defer func() {
		if e := recover(); e != nil {
			if e != errWasmFormat {
				panic(e)
			}
			err = fmt.Errorf("count the engine's loops: %w", errWasmFormat)
		}
	}()
	r := &wasmReader{wasm}
	out = append(out, r.bytes(wasmHeader)...)
	p := polls{ask: -1}
	for len(r.in) > 0 {
		id := r.byte()
		s := &wasmReader{r.bytes(r.number())}
		body := s.in
		switch id {
		case sectionImport:
			p.imports(s)
		case sectionGlobal:
			n := s.number()
			p.left, p.size = p.left+n, p.left+n+1
			body = append(binary.AppendUvarint(nil, uint64(n+2)), s.in...)
			for _, first := range []int32{pollEvery, 0} {
				body = append(appendSigned(append(body, typeI32, mutable, opI32Const), first), opEnd)
			}
		case sectionExport:
			body = append(binary.AppendUvarint(nil, uint64(s.number()+1)), s.in...)
			body = append(binary.AppendUvarint(body, uint64(len(pollExport))), pollExport...)
			body = binary.AppendUvarint(append(body, externGlobal), uint64(p.left))
		case sectionCode:
			if p.ask < 0 || p.size == 0 {
				panic(errWasmFormat)
			}
			n := s.number()
			body = binary.AppendUvarint(nil, uint64(n))
			for range n {
				f := p.in(s.bytes(s.number()))
				body = append(binary.AppendUvarint(body, uint64(len(f))), f...)
			}
		}
		out = append(binary.AppendUvarint(append(out, id), uint64(len(body))), body...)
	}
	return out, nil
}

// polls are the numbers of what polls use.
type polls struct {
	ask  int // function: what a poll calls
	left int // global: rounds until the next poll; before the globals are read, how many are imported
	size int // global: bytes that are about to be copied
}

// round is the code at the head of a loop.
func (p polls) round() []byte {
	return slices.Concat(global(opGlobalGet, p.left), []byte{opI32Const, 1, opI32Sub}, global(opGlobalSet, p.left), p.check())
}

// copied is the code before an instruction that takes a size from the stack and copies or fills as many bytes.
func (p polls) copied() []byte {
	return slices.Concat(
		global(opGlobalSet, p.size), global(opGlobalGet, p.size),
		global(opGlobalGet, p.left), global(opGlobalGet, p.size), []byte{opI32Const, roundShift, opI32ShrU, opI32Sub}, global(opGlobalSet, p.left),
		p.check())
}

func (p polls) check() []byte {
	call := append(binary.AppendUvarint([]byte{opCall}, uint64(p.ask)), opDrop)
	return slices.Concat(global(opGlobalGet, p.left), []byte{opI32Const, 0, opI32LtS, opIf, typeVoid}, call, []byte{opEnd})
}

func global(op byte, n int) []byte { return binary.AppendUvarint([]byte{op}, uint64(n)) }

// in is a function's code with its polls. Only the loop around the interpreter's
// choice of the next step has none: there the engine asks by itself.
func (p polls) in(code []byte) []byte {
	type place struct {
		at  int
		add []byte
	}
	var places []place
	var open []int // blocks: the place that is a loop's, or -1
	r := &wasmReader{code}
	for n := r.number(); n > 0; n-- { // groups of locals
		r.leb()
		r.byte()
	}
	for len(r.in) > 0 {
		from := len(code) - len(r.in)
		op, number := r.instruction()
		switch {
		case op == opLoop:
			open = append(open, len(places))
			places = append(places, place{at: len(code) - len(r.in), add: p.round()})
		case op == opBlock || op == opIf:
			open = append(open, -1)
		case op == opEnd && len(open) > 0:
			open = open[:len(open)-1]
		case op == opBrTable && number >= stepsMin:
			for _, i := range open {
				if i >= 0 {
					places[i].add = nil
				}
			}
		case op == opMore && (number == moreCopy || number == moreFill):
			places = append(places, place{at: from, add: p.copied()})
		}
	}
	var out []byte
	done := 0 // of code, copied so far
	for _, x := range places {
		out = append(append(out, code[done:x.at]...), x.add...)
		done = x.at
	}
	return append(out, code[done:]...)
}

// imports finds the function that polls call, and counts imported globals.
func (p *polls) imports(r *wasmReader) {
	funcs := 0
	for n := r.number(); n > 0; n-- {
		module, name := string(r.bytes(r.number())), string(r.bytes(r.number()))
		switch r.byte() {
		case externFunc:
			r.number()
			if module == "env" && name == "host_interrupt" {
				p.ask = funcs
			}
			funcs++
		case externTable:
			r.byte()
			r.limits()
		case externMemory:
			r.limits()
		case externGlobal:
			r.bytes(2)
			p.left++
		default:
			panic(errWasmFormat)
		}
	}
}

func (r *wasmReader) limits() {
	if r.byte()&1 != 0 {
		r.leb()
	}
	r.leb()
}

// instruction skips one instruction. number is how many labels a table of
// branches has, or the second half of an opcode of two.
func (r *wasmReader) instruction() (op byte, number int) {
	switch op = r.byte(); {
	case op == opBlock || op == opLoop || op == opIf || op == 0x0c || op == 0x0d || op == opCall || // a block type, label or index
		op >= 0x20 && op <= 0x26 || op == 0xd0 || op == 0xd2 || op == opI32Const || op == 0x42 || op == 0x3f || op == 0x40:
		r.leb()
	case op == opBrTable:
		number = r.number()
		for range number + 1 {
			r.leb()
		}
	case op == 0x11: // call_indirect
		r.leb()
		r.leb()
	case op == 0x1c: // select with types
		r.bytes(r.number())
	case op >= 0x28 && op <= 0x3e: // loads and stores
		r.leb()
		r.leb()
	case op == 0x43:
		r.bytes(4)
	case op == 0x44:
		r.bytes(8)
	case op == opMore:
		switch number = r.number(); {
		case number <= 7: // saturating conversions
		case number == 8 || number == moreCopy || number == 12 || number == 14: // two indices
			r.leb()
			r.leb()
		case number <= 17:
			r.leb()
		default:
			panic(errWasmFormat)
		}
	case op <= 0x01 || op == 0x05 || op == opEnd || op == 0x0f || op == opDrop || op == 0x1b || op >= 0x45 && op <= 0xc4 || op == 0xd1:
	default:
		panic(errWasmFormat)
	}
	return op, number
}

// appendSigned appends a signed LEB128 number.
func appendSigned(b []byte, x int32) []byte {
	for {
		low := byte(x & 0x7f)
		x >>= 7
		if x == 0 && low&0x40 == 0 || x == -1 && low&0x40 != 0 {
			return append(b, low)
		}
		b = append(b, low|0x80)
	}
}
