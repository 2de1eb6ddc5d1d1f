package isolate

import (
	"time"

	"golang.org/x/sys/unix"
)

// cpuClock is the CPU clock of one thread.
type cpuClock int32

// threadClock is the clock of the calling thread, readable from any thread.
func threadClock() cpuClock {
	// A clock of a thread: its id inverted, "per thread" and "scheduler time".
	const perThread, schedule = 4, 2
	return cpuClock(^unix.Gettid()<<3 | perThread | schedule)
}

// now is the CPU time the clock's thread has used; 0 once the thread is gone.
func (c cpuClock) now() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(int32(c), &t); err != nil {
		return 0
	}
	return time.Duration(t.Nano())
}
