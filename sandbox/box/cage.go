package box

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// cage is a cgroup (version 2) that one container lives in.
type cage struct {
	path string
	dir  *os.File
}

// newCage makes a cgroup below this process's own, with caps on memory and the
// number of processes. Nil without an error: this host delegates none.
func newCage(name string) (*cage, error) {
	parent := Delegated()
	if parent == "" {
		return nil, nil
	}
	c := &cage{path: filepath.Join(parent, "coldstart-"+name)}
	if err := os.Mkdir(c.path, 0o755); err != nil {
		return nil, fmt.Errorf("make a cgroup: %w", err)
	}
	err := errors.Join(
		os.WriteFile(filepath.Join(c.path, "memory.max"), fmt.Appendf(nil, "%d", containerMemory), 0),
		os.WriteFile(filepath.Join(c.path, "pids.max"), []byte("64"), 0),
	)
	if err == nil {
		c.dir, err = os.Open(c.path)
	}
	if err != nil {
		return nil, errors.Join(err, os.Remove(c.path))
	}
	return c, nil
}

// Delegated is the folder of a cgroup in which we may make others with caps on
// memory and processes, "" for none.
func Delegated() string {
	own, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return ""
	}
	for line := range bytes.Lines(own) {
		path, ok := strings.CutPrefix(strings.TrimSpace(string(line)), "0::")
		if !ok {
			continue
		}
		for dir := filepath.Join("/sys/fs/cgroup", path); strings.HasPrefix(dir, "/sys/fs/cgroup"); dir = filepath.Dir(dir) {
			given, err := os.ReadFile(filepath.Join(dir, "cgroup.subtree_control"))
			if err == nil && bytes.Contains(given, []byte("memory")) && bytes.Contains(given, []byte("pids")) && unix.Access(dir, unix.W_OK) == nil {
				return dir
			}
		}
	}
	return ""
}

// remove takes the cgroup away once the last process in it has ended.
func (c *cage) remove() error {
	err := c.dir.Close()
	_ = os.WriteFile(filepath.Join(c.path, "cgroup.kill"), []byte("1"), 0) // older kernels have none; the program is killed anyway
	for range 100 {
		if rerr := os.Remove(c.path); !errors.Is(rerr, unix.EBUSY) {
			return errors.Join(err, rerr)
		}
		time.Sleep(10 * time.Millisecond) // the kernel says no more than that it is busy
	}
	return errors.Join(err, fmt.Errorf("box: the cgroup %s stays busy", c.path))
}
