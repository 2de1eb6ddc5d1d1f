package sandbox

import (
	"strings"

	"coldstart/sandbox/runner"
)

func equalFold(a, b string) bool { return strings.EqualFold(a, b) }

func monotonic() int64 { return runner.Monotonic() }

func clip(s string, n int) string {
	if len(s) > n {
		return s[:n] + "…"
	}
	return s
}
