//go:build race

package check

// instrumented says that the race detector is on. Lint plays one check after the
// other, so it finds nothing there that the sandbox's own tests do not.
const instrumented = true
