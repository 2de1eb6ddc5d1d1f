package quickjs

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// imageMagic ends an image: pages of linear memory, the meta as JSON, the
// length of that JSON in eight bytes, this.
const imageMagic = "coldstart-qjs-01"

// image is a snapshot: linear memory in a sealed memory file, and what the
// driver must know about it.
type image struct {
	file *os.File
	own  bool // file was made here
	meta meta
	zero []byte // per 4 KiB page: 1 where the image holds only zeros
	view []byte // the linear memory, read-only; nil where it cannot be mapped
}

// meta is the driver's side of a snapshot. Values are QuickJS values, valid in
// every instance that maps the image, because the image holds their references.
type meta struct {
	Key     string            `json:"key"`
	Size    int64             `json:"size"` // bytes of linear memory, a multiple of 64 KiB
	Context uint32            `json:"context"`
	Runtime uint32            `json:"runtime"`
	Random  uint32            `json:"random"` // address of Math.random's state
	Used    uint32            `json:"used"`   // address of the heap's byte count, 0 when not found
	Scratch uint32            `json:"scratch"`
	Stack   uint32            `json:"stack"` // the stack pointer between calls; the stack lies below
	Entries map[string]uint64 `json:"entries"`

	MakeError uint64 `json:"make_error"`
	NewBuffer uint64 `json:"new_buffer"`
	BytesOf   uint64 `json:"bytes_of"`
	Loaded    uint64 `json:"loaded"`
	Exports   uint64 `json:"exports"`
	StackOf   uint64 `json:"stack_of"`
}

// writeImage stores memory and its meta in a new sealed file. Pages of zeros
// become holes.
func writeImage(memory []byte, m meta) (*image, error) {
	f, err := memoryFile()
	if err != nil {
		return nil, err
	}
	m.Size = int64(len(memory))
	tail, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	tail = binary.LittleEndian.AppendUint64(tail, uint64(len(tail)))
	tail = append(tail, imageMagic...)
	err = f.Truncate(m.Size + int64(len(tail)))
	for at := 0; at < len(memory) && err == nil; at += pageSize {
		if page := memory[at : at+pageSize]; !allZero(page) {
			_, err = f.WriteAt(page, int64(at))
		}
	}
	if err == nil {
		_, err = f.WriteAt(tail, m.Size)
	}
	if err == nil {
		err = seal(f)
	}
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("write the snapshot: %w", err)
	}
	img := &image{file: f, own: true, meta: m, view: mapView(f, m.Size)}
	img.findZeros(memory)
	return img, nil
}

// OpenImage reads a file that Engine.WriteImage wrote for the same binary and
// bootstrap, without making an engine. The result is for Config.Image, here or
// in a process that inherits it; the caller closes it. f stays the caller's.
func OpenImage(f *os.File, cfg Config) (*os.File, error) {
	img, err := readImage(f, cfg.withDefaults().key())
	if err != nil {
		return nil, err
	}
	if !img.own {
		return nil, fmt.Errorf("snapshot %s: is sealed already", f.Name())
	}
	return img.file, nil
}

// readImage opens an image from a file. A file that could still change is
// copied into a sealed memory file first: a truncated mapping would kill the
// process.
func readImage(f *os.File, key string) (*image, error) {
	st, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("read the snapshot: %w", err)
	}
	bad := func(why string) error { return fmt.Errorf("snapshot %s: %s; make it anew", f.Name(), why) }
	size := st.Size()
	if size < int64(len(imageMagic))+8 {
		return nil, bad("is cut short")
	}
	foot := make([]byte, 8+len(imageMagic))
	if _, err := f.ReadAt(foot, size-int64(len(foot))); err != nil {
		return nil, bad("cannot be read: " + err.Error())
	}
	if string(foot[8:]) != imageMagic {
		return nil, bad("is of another version")
	}
	n := binary.LittleEndian.Uint64(foot)
	if n > uint64(size)-uint64(len(foot)) || n > 1<<20 {
		return nil, bad("is damaged")
	}
	tail := make([]byte, n)
	if _, err := f.ReadAt(tail, size-int64(len(foot))-int64(n)); err != nil {
		return nil, bad("cannot be read: " + err.Error())
	}
	var m meta
	if err := json.Unmarshal(tail, &m); err != nil {
		return nil, bad("is damaged")
	}
	if m.Key != key {
		return nil, bad("was made by another version of the engine or its bootstrap")
	}
	if m.Size <= 0 || m.Size%wasmPage != 0 || m.Size+int64(n)+int64(len(foot)) != size {
		return nil, bad("is damaged")
	}
	memory := make([]byte, m.Size)
	if _, err := f.ReadAt(memory, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, bad("cannot be read: " + err.Error())
	}
	if !sealed(f) {
		return writeImage(memory, m)
	}
	img := &image{file: f, meta: m, view: mapView(f, m.Size)}
	img.findZeros(memory)
	return img, nil
}

func (i *image) findZeros(memory []byte) {
	i.zero = make([]byte, len(memory)/pageSize)
	for p := range i.zero {
		if allZero(memory[p*pageSize : (p+1)*pageSize]) {
			i.zero[p] = 1
		}
	}
}

func (i *image) close() error {
	unmapView(i.view)
	i.view = nil
	if !i.own {
		return nil
	}
	return i.file.Close()
}

// pageSize is the unit of Isolate.Pages, and of copy-on-write where the kernel
// uses 4 KiB pages.
const pageSize = 4096

func allZero(b []byte) bool {
	for len(b) >= 8 {
		if binary.LittleEndian.Uint64(b) != 0 {
			return false
		}
		b = b[8:]
	}
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}
