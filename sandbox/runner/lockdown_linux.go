package runner

import (
	"fmt"
	"os"
	"syscall"

	"github.com/landlock-lsm/go-landlock/landlock"
	llsys "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"
)

const nobody = 65534

// A wall is one kind of thing that a child can no longer do. up reports false
// for a wall that this kernel lacks, or that is not needed here.
type wall struct {
	name string
	up   func(role string) (bool, error)
}

// lockdown puts up every wall that the kernel has, after all that the child
// needs is open, and names those that hold. A wall that the kernel lacks is
// left out; one that it has and that fails is an error.
func lockdown(role string) ([]string, error) {
	var names []string
	for _, w := range walls() {
		stands, err := w.up(role)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", w.name, err)
		}
		if stands {
			names = append(names, w.name)
		}
	}
	return names, nil
}

// walls are in the order in which they go up: the filter takes away what the
// others need.
func walls() []wall {
	_, noFilter := os.Stat("/proc/sys/kernel/seccomp") // asked while files can be seen
	return []wall{
		{"rlimits", func(role string) (bool, error) { return true, limitResources(role) }},
		{"unprivileged user", func(string) (bool, error) {
			if os.Geteuid() != 0 {
				return false, nil
			}
			return true, dropUser()
		}},
		// The signal is lost with a change of user, so it is asked for again.
		{"dies with parent", func(string) (bool, error) {
			return true, unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0)
		}},
		{"landlock", func(string) (bool, error) {
			if abi, err := llsys.LandlockGetABIVersion(); err != nil || abi == 0 {
				return false, nil
			}
			return true, landlock.V5.BestEffort().Restrict()
		}},
		{"no new privileges", func(string) (bool, error) {
			if noFilter == nil {
				return true, nil // goes up with the filter, which needs it
			}
			_, _, errno := syscall.AllThreadsSyscall(unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0)
			return errno == 0, nil
		}},
		{"seccomp", func(string) (bool, error) {
			if noFilter != nil {
				return false, nil
			}
			return true, installFilter(rules())
		}},
	}
}

func limitResources(role string) error {
	space := uint64(4) << 40 // address space: isolates reserve their ceiling ahead
	if role != RoleRun {
		space = 6 << 30
	}
	for _, l := range []struct {
		what int
		max  uint64
	}{
		{unix.RLIMIT_CORE, 0},
		{unix.RLIMIT_FSIZE, 0},
		{unix.RLIMIT_MEMLOCK, 0},
		{unix.RLIMIT_NOFILE, 64},
		{unix.RLIMIT_NPROC, 8192}, // threads of this user; making processes is the filter's matter
		{unix.RLIMIT_AS, space},
	} {
		var old unix.Rlimit
		if err := unix.Getrlimit(l.what, &old); err != nil {
			return fmt.Errorf("read resource limit %d: %w", l.what, err)
		}
		n := min(l.max, old.Max)
		if err := syscall.Setrlimit(l.what, &syscall.Rlimit{Cur: n, Max: n}); err != nil {
			return fmt.Errorf("set resource limit %d: %w", l.what, err)
		}
	}
	return nil
}

// dropUser gives up root and all capabilities on every thread.
func dropUser() error {
	if err := syscall.Setgroups(nil); err != nil {
		return fmt.Errorf("leave all groups: %w", err)
	}
	if err := syscall.Setresgid(nobody, nobody, nobody); err != nil {
		return fmt.Errorf("change group: %w", err)
	}
	if err := syscall.Setresuid(nobody, nobody, nobody); err != nil {
		return fmt.Errorf("change user: %w", err)
	}
	return nil
}
