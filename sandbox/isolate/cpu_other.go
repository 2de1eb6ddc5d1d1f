//go:build !linux

package isolate

import "time"

var processStart = time.Now()

// threadCPU falls back to elapsed time where there is no clock per thread: a
// turn is then charged for waiting for its CPU, too.
func threadCPU() time.Duration { return time.Since(processStart) }
