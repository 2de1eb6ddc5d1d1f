package quickjs

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"os"
	"time"

	"coldstart/sandbox/isolate"
)

// WasmSHA256 is the hash of the only engine binary this driver accepts:
// quickjs.wasm of npm quickjs-wasi 3.6.2 (QuickJS-NG 0.17.0). The driver relies
// on that binary's exports and value representation.
const WasmSHA256 = "d4c9375f2b1ca4dc95f72c8aa2982a7a9951ac8011490d79c6582df732b4bbd9"

const (
	wasmPage      = 64 << 10
	defaultMemory = 32 << 20
	defaultCeil   = 128 << 20
	// stackSize is what QuickJS may use of the binary's 1 MiB stack before it
	// throws a RangeError; the other half is for native frames.
	stackSize = 512 << 10
	// nativeStack is the binary's whole stack, which ends at meta.Stack.
	nativeStack = 1 << 20
	// gcSlack is how much an isolate allocates above the snapshot before its
	// first collection, or half of its room where that is less. A collection
	// writes to every object's page, so it is kept away from short-lived isolates.
	gcSlack = 8 << 20
	// imageVersion changes whenever the driver and its images stop fitting.
	imageVersion = 5
)

// Config is what an Engine is made from.
type Config struct {
	// Wasm is the engine binary; its SHA-256 must be WasmSHA256.
	Wasm []byte
	// Bootstrap is evaluated into the snapshot.
	Bootstrap isolate.Bootstrap
	// Cache is a folder for compiled machine code, "" for none.
	Cache string
	// Image is a snapshot made by Engine.WriteImage or inherited from another
	// process's Engine.Image, nil to make one. An image of another binary or
	// bootstrap is refused with an error. The engine does not close it.
	Image *os.File
	// Ready is how many instances are kept ready, 4 when zero.
	Ready int
	// MaxMemory is the most that any isolate's Spec.Memory may be, in bytes.
	// It is address space an isolate reserves, 128 MiB when zero.
	MaxMemory int64
	// Now is the clock while the bootstrap is evaluated, time.Now when nil.
	Now func() time.Time
}

func (c Config) withDefaults() Config {
	if c.Ready <= 0 {
		c.Ready = 4
	}
	if c.MaxMemory <= 0 {
		c.MaxMemory = defaultCeil
	}
	c.MaxMemory = roundUp(c.MaxMemory, wasmPage)
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Bootstrap.Ops == nil {
		c.Bootstrap.Ops = &isolate.Ops{}
	}
	return c
}

// key identifies the image a configuration makes: same key, same image.
func (c Config) key() string {
	h := sha256.New()
	add := func(s string) {
		var n [8]byte
		binary.LittleEndian.PutUint64(n[:], uint64(len(s)))
		h.Write(n[:])
		h.Write([]byte(s))
	}
	add(string(binary.LittleEndian.AppendUint32(nil, imageVersion)))
	add(WasmSHA256)
	add(prelude)
	add(c.Bootstrap.Script)
	for _, m := range c.Bootstrap.Modules {
		add(m.Name)
		add(m.Source)
	}
	add("")
	for _, n := range c.Bootstrap.Ops.Names() {
		add(n)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func roundUp(n, to int64) int64 { return (n + to - 1) / to * to }
