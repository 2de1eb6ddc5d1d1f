// Package quickjs runs isolates on QuickJS-NG, compiled to WebAssembly and run
// by wazero. It owns the driver: the calls into the engine's exports, values in
// both directions, the snapshot image, and the memory each instance lives in.
// Before it is compiled, the engine's loops are given polls (polls.go), so that none
// holds its thread for long.
// It knows nothing of the web APIs, which arrive as an isolate.Bootstrap.
//
// An Engine evaluates the bootstrap once and keeps the linear memory that
// results as an image in a memory file. A new isolate is an instance made
// ahead of time whose memory is that image, mapped copy-on-write: only the
// pages it writes are its own. An instance serves one isolate and is then
// closed; after a trap, an interrupt or a full heap it refuses further calls.
package quickjs
