//go:build !race

package bundle

// instrumented is how many times slower the race detector may make a build: its
// bookkeeping is no part of the bound.
const instrumented = 1
