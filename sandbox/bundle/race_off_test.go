//go:build !race

package bundle

// raced says that the race detector watches.
const raced = false
