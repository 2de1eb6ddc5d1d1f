//go:build race

package main

// instrumented says that the race detector is on. Its bookkeeping counts as CPU
// time, so that bounds on CPU time say nothing.
const instrumented = true
