//go:build !linux

package pgtest

import "testing"

// Start skips the test: the server is started on Linux only.
func Start(t testing.TB) string {
	t.Skip("a server of PostgreSQL is started on Linux only")
	return ""
}

// Schema is never reached.
func Schema(testing.TB, string, string) string { return "" }
