package webapi

// Tables are no linear memory: the engine's limit of that says nothing about
// them, and code can let them grow. So each gets a maximum before it is
// compiled, and what it can become counts as the isolate's memory.

// Bounds of a table without a maximum of its own, in entries, and what one takes.
const (
	tableRoom  = 1 << 16
	tableEntry = 8 // bytes
)

// What an instance takes beside memory and tables, in bytes, measured and rounded
// up: a script can keep as many as it has time to make.
const (
	instanceBase   = 16 << 10 // also of a memory, and of each namespace that is imported
	instanceImport = 1 << 10
	instanceExport = 256
	instancePart   = 16 // for each byte of the sections that an instance has copies of
)

// instanceSize is how many bytes an instance takes that only its imports and exports tell.
func (m *wasmInfo) instanceSize() int64 {
	namespaces := map[string]bool{}
	for _, e := range m.imports {
		namespaces[e.module] = true
	}
	// A namespace with more than functions is two modules.
	return instanceBase*int64(1+2*len(namespaces)) + instanceImport*int64(len(m.imports)) + instanceExport*int64(len(m.exports))
}

// boundTables gives a module whose tables have a maximum, and the bytes that
// all of them and its types, globals and elements can take in an instance. What
// it cannot read stays as it is: the engine refuses it.
func boundTables(b []byte) (bounded []byte, size int64) {
	if len(b) < 8 {
		return b, 0
	}
	out := append([]byte(nil), b[:8]...)
	r := &wasmReader{b: b[8:]}
	for len(r.b) > 0 {
		id := r.byte()
		body := r.take(r.u32())
		switch id {
		case 1, 6, 9:
			size += int64(len(body)) * instancePart
		case 4:
			s := &wasmReader{b: body}
			n := s.u32()
			body = leb(nil, uint64(n))
			for ; n > 0 && !s.bad; n-- {
				kind, limits := s.byte(), s.limits()
				limits[1] = max(limits[0], min(limits[1], tableRoom))
				body = leb(leb(append(body, kind, 1), uint64(limits[0])), uint64(limits[1]))
				size += int64(limits[1]) * tableEntry
			}
			r.bad = r.bad || s.bad || len(s.b) > 0
		}
		if r.bad {
			return b, 0
		}
		out = append(leb(append(out, id), uint64(len(body))), body...)
	}
	return out, size
}
