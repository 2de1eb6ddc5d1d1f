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

// lockdown puts up every wall that the kernel has, after all that the child
// needs is open, and names those that hold. A wall that the kernel lacks is
// left out; one that it has and that fails is an error.
func lockdown(role string) ([]string, error) {
	var walls []string
	_, noFilter := os.Stat("/proc/sys/kernel/seccomp") // asked while files can be seen
	if err := limitResources(role); err != nil {
		return nil, err
	}
	walls = append(walls, "rlimits")
	if os.Geteuid() == 0 {
		if err := dropUser(); err != nil {
			return nil, err
		}
		walls = append(walls, "unprivileged user")
	}
	// The signal is lost with a change of user, so it is asked for again.
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		return nil, fmt.Errorf("ask to die with the parent: %w", err)
	}
	walls = append(walls, "dies with parent")
	if abi, err := llsys.LandlockGetABIVersion(); err == nil && abi > 0 {
		if err := landlock.V5.BestEffort().Restrict(); err != nil {
			return nil, fmt.Errorf("landlock: %w", err)
		}
		walls = append(walls, "landlock")
	}
	if noFilter == nil {
		if err := installFilter(rules()); err != nil {
			return nil, err
		}
		walls = append(walls, "no new privileges", "seccomp")
	} else if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err == nil {
		walls = append(walls, "no new privileges")
	}
	return walls, nil
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
