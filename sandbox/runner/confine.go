package runner

import (
	"fmt"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Confine puts the walls of a build child around this process, for work on what
// somebody brought that needs nothing but its standard streams, which must be
// read to their end before. The kernel kills the process after cpu of CPU time.
func Confine(cpu time.Duration) error {
	n := uint64(max(cpu/time.Second, 1))
	if err := syscall.Setrlimit(unix.RLIMIT_CPU, &syscall.Rlimit{Cur: n, Max: n + 1}); err != nil {
		return fmt.Errorf("limit CPU time: %w", err)
	}
	dieFirst()
	_, err := lockdown(RoleBuild)
	return err
}
