package runner

import "runtime"

// heapFloor counts as live heap of a run child, in bytes: garbage is collected
// only after at least as much has been allocated since the last time.
const heapFloor = 64 << 20

//lint:ignore U1000 it only has to be there
var floor []byte // never touched, so it takes addresses and no memory

// steady keeps long turns from holding up everything else in a run child. Code
// that is compiled from Wasm cannot be preempted between its interrupt checks:
// it keeps its processor of the Go scheduler meanwhile, and a collection, which
// stops all processors twice, waits for it. So there are more processors than
// turns, which leaves one for the frames, and collections are few.
func steady() {
	runtime.GOMAXPROCS(2*runtime.NumCPU() + 2)
	if instrumented == 1 { // the race detector touches several bytes for each that is allocated
		floor = make([]byte, heapFloor)
	}
}
