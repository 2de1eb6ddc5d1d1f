//go:build !linux

package platform

import "time"

var threadBegin = time.Now()

// niceThread does nothing where threads have no priorities of their own.
func niceThread(int) {}

// threadTime is elapsed time where a thread's own cannot be read.
func threadTime() time.Duration { return time.Since(threadBegin) }
