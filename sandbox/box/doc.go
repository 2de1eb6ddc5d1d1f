// Package box holds what isolates are compared with: one interface for a kind
// of box (start, first byte, phases, memory, stop), the kinds that are programs
// (Node as a process, in a container of our own making, in one by crun or runc,
// in one by Docker; workerd), a Wasm module, and the measurement of how much memory 1, 20, 60 … copies hold.
//
// A box that is no isolate runs a handler shipped with a lab, never what a
// learner wrote: it teaches isolation and is no security boundary. Every kind
// caps how many boxes it starts, and no box outlives the program, however the
// program ends.
package box
