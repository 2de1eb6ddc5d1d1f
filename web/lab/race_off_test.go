//go:build !race

package lab

// raced reports that the race detector is in this binary: its own bookkeeping grows with what is measured.
const raced = false
