//go:build !race

package query

// raced says that the race detector watches.
const raced = false
