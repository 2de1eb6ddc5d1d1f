package box

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Main is the hidden role of this binary: it runs as the first process of a
// container's namespaces, puts the root together, and becomes the program; or it
// is the process that holds Wasm modules. It returns with the exit code.
func Main() int {
	var c contained
	err := json.Unmarshal([]byte(os.Getenv(containedVar)), &c)
	switch {
	case err != nil:
	case c.Wasm:
		err = hostModules()
	case c.Walls != nil:
		err = c.testify()
	default:
		err = c.become()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// become changes this process; without a program it only tries the walls.
func (c contained) become() error {
	if err := private(); err != nil {
		return err
	}
	if c.OnlyCgroups {
		if err := unix.Mount("none", "/sys/fs/cgroup", "cgroup2", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
			return fmt.Errorf("show cgroups of version 2 only: %w", err)
		}
		return unix.Exec(c.Argv[0], c.Argv, os.Environ())
	}
	if err := unix.Sethostname([]byte("box")); err != nil {
		return fmt.Errorf("the host name cannot be changed: %w", err)
	}
	if len(c.Argv) == 0 {
		return nil
	}
	if err := c.pivot(); err != nil {
		return err
	}
	if err := unix.Mount("", "/", "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY, ""); err != nil {
		return fmt.Errorf("make the root read-only: %w", err)
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	if err := unix.Exec(c.Argv[0], c.Argv, []string{}); err != nil {
		return fmt.Errorf("run %s: %w", c.Argv[0], err)
	}
	return nil
}

// private keeps what this process mounts to itself.
func private() error {
	if err := unix.Mount("", "/", "", unix.MS_PRIVATE|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("mounts cannot be made private: %w", err)
	}
	return nil
}

// enter gives this process a root that holds its own program and /proc.
func (c contained) enter() error {
	if err := private(); err != nil {
		return err
	}
	return c.pivot()
}

// pivot goes to live in the root that fill makes.
func (c contained) pivot() error {
	if err := c.fill(); err != nil {
		return err
	}
	if err := os.Chdir(c.Root); err != nil {
		return err
	}
	// The new root takes the old one's place, and the old one goes away
	// (pivot_root(2), the case of "." twice).
	if err := unix.PivotRoot(".", "."); err != nil {
		return fmt.Errorf("pivot_root: %w", err)
	}
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return fmt.Errorf("let go of the old root: %w", err)
	}
	if err := os.Chdir("/"); err != nil {
		return err
	}
	return nil
}

// fill makes the root: an empty file system in memory, the files bound into
// it, and /proc, where the kernel lets us have one.
func (c contained) fill() error {
	if err := unix.Mount("box", c.Root, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "size=1m,mode=755"); err != nil {
		return fmt.Errorf("make a root in memory: %w", err)
	}
	for _, file := range c.Files {
		if err := show(file, filepath.Join(c.Root, file)); err != nil {
			return err
		}
	}
	if self, err := os.Executable(); err == nil && c.Walls != nil {
		// It runs already. Whoever is root in here may not be allowed to read its folder outside.
		_ = show(self, filepath.Join(c.Root, "witness"))
	}
	proc := filepath.Join(c.Root, "proc")
	if err := os.Mkdir(proc, 0o755); err != nil {
		return err
	}
	// A server that is in a container itself may not have a /proc of its own to give.
	_ = unix.Mount("proc", proc, "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "")
	return nil
}

// show binds a file of the host to a place in the container's root.
func show(file, to string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(to, nil, 0o644); err != nil {
		return err
	}
	if err := unix.Mount(file, to, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("show the container %s: %w", file, err)
	}
	return nil
}
