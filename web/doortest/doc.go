// Package doortest is a sandbox without a sandbox, for tests of what stands in
// front of the door: it keeps the Door's rules and runs a Go function where a
// Worker would run.
package doortest
