//go:build race

package sandbox

// instrumented says that the race detector is on: SQLite is several times
// slower then, and not alike for all.
const instrumented = true
