// Package enginetest is the test suite that every isolate.Engine must pass,
// with a small bootstrap of its own. It holds no engine.
package enginetest
