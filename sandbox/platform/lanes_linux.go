package platform

import (
	"time"

	"golang.org/x/sys/unix"
)

// niceThread makes the calling thread give way to others. A kernel that
// refuses leaves it as it is.
func niceThread(n int) { _ = unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), n) }

// threadTime is the CPU time of the calling thread.
func threadTime() time.Duration {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t) // cannot fail for one's own
	return time.Duration(t.Nano())
}
