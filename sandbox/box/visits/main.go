//go:build wasip1

// Command visits is the visit counter of the labs as a Wasm module: what a
// Worker in JavaScript does in the other boxes, done in Go. cmd/assets builds
// it as a library, whose host calls visit once for each request.
package main

import "strconv"

var (
	visits int
	answer []byte
)

// visit answers a request: where the answer lies in memory, and in the upper
// half how long it is.
//
//go:wasmexport visit
func visit() uint64 {
	visits++
	answer = append(append(answer[:0], "visit "...), strconv.Itoa(visits)...)
	return uint64(len(answer))<<32 | uint64(place())
}

func main() {}
