//go:build !linux

package query

import "time"

var threadBegin = time.Now()

// threadTime is elapsed time where a thread's own cannot be read.
func threadTime() time.Duration { return time.Since(threadBegin) }
