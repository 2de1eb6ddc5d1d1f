//go:build !linux

package isolate

import "time"

// cpuClock falls back to elapsed time where a thread's clock cannot be read: a
// turn is then charged for waiting for its CPU, too.
type cpuClock struct{ start time.Time }

func threadClock() cpuClock { return cpuClock{time.Now()} }

func (c cpuClock) now() time.Duration { return time.Since(c.start) }
