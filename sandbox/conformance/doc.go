// Package conformance holds a corpus of Worker programs with the answers that
// the real runtime gave, and the test that runs them through the sandbox's door:
// build child, run child, isolate. The format is described in README.md.
package conformance
