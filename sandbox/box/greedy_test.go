package box

import (
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

//go:embed greedy_test.mjs
var greedy string

// On a host that delegates cgroups the kernel stops a box that takes all it can
// get: one beyond memory.max is killed, one beyond cpu.max waits, one beyond
// pids.max starts nothing more; and its neighbour goes on answering. Where no
// host does, CONTRIBUTING says how to have one for the length of this test.
func TestTheKernelHoldsAGreedyBox(t *testing.T) {
	if groups := Delegated(); groups.Dir == "" {
		t.Skip("not on this host, because " + groups.Why)
	}
	for name, open := range map[string]func(Config, string) (*Commands, error){
		"process": func(cfg Config, program string) (*Commands, error) {
			p, err := newProcesses(cfg, program)
			if err != nil {
				return nil, err
			}
			return p.Commands, nil
		},
		"container": newContainers, "oci": newOCI,
	} {
		t.Run(name, func(t *testing.T) {
			k, err := open(Config{Most: 4}, greedy)
			var missing *MissingError
			if errors.As(err, &missing) {
				t.Skip("not on this host, because ", missing.Why)
			}
			if err != nil {
				t.Fatal(err)
			}
			defer k.Close()
			neighbour, err := k.Start(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range []struct{ greed, file, event string }{
				{"/memory", "memory.events", "oom_kill"}, {"/processor", "cpu.stat", "nr_throttled"}, {"/tasks", "pids.events", "max"},
			} {
				b, dir := inCage(t, k)
				if c.event == "nr_throttled" && !strings.Contains(strings.Join(k.groups.has, " "), "cpu") {
					t.Log("no throttling: ", k.groups.Why)
					continue
				}
				if _, _, _, err := b.request(t.Context(), c.greed); err != nil {
					t.Fatal(err)
				}
				n := eventually(t, filepath.Join(dir, c.file), c.event)
				t.Logf("%s: %s in %s is %d", c.greed, c.event, c.file, n)
				if took, err := neighbour.Request(t.Context()); err != nil {
					t.Errorf("%s: its neighbour: %v after %v", c.greed, err, took)
				}
				if err := b.Stop(); err != nil {
					t.Error(err)
				}
				if _, err := os.Stat(dir); !os.IsNotExist(err) {
					t.Errorf("its cgroup stays: %v", err)
				}
			}
		})
	}
}

// inCage starts a box and finds its cgroup, by what the kernel says of its process.
func inCage(t *testing.T, k *Commands) (*command, string) {
	t.Helper()
	before, err := filepath.Glob(filepath.Join(k.groups.Dir, cageName+"*"))
	if err != nil {
		t.Fatal(err)
	}
	b, err := k.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c := b.(*command)
	self, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", c.cmd.Process.Pid))
	if err != nil || !strings.Contains(string(self), "/"+cageName) {
		t.Fatalf("it is in %q, %v", self, err)
	}
	dir := filepath.Join(k.groups.Dir, filepath.Base(strings.TrimSpace(string(self))))
	for _, old := range before {
		if old == dir {
			t.Fatalf("%s has two boxes", dir)
		}
	}
	for name, want := range map[string]string{"memory.max": strconv.Itoa(cageMemory), "pids.max": strconv.Itoa(cageTasks)} {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || strings.TrimSpace(string(got)) != want {
			t.Errorf("%s is %q, want %s; %v", name, got, want, err)
		}
	}
	var cpus unix.CPUSet
	if err := unix.SchedGetaffinity(0, &cpus); err != nil {
		t.Fatal(err)
	}
	if cpus.Count() == 1 { // one processor is its cap, so here it needs a smaller one to be held by
		if err := os.WriteFile(filepath.Join(dir, "cpu.max"), []byte("50000 100000"), 0); err != nil {
			t.Fatal(err)
		}
	}
	return c, dir
}

// eventually waits until the kernel has counted an event.
func eventually(t *testing.T, file, name string) int {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(data)) {
			if f := strings.Fields(line); len(f) == 2 && f[0] == name && f[1] != "0" {
				n, err := strconv.Atoi(f[1])
				if err != nil {
					t.Fatal(err)
				}
				return n
			}
		}
		if time.Now().After(end) {
			t.Fatalf("no %s within a minute: %s", name, data)
		}
		time.Sleep(20 * time.Millisecond) // the kernel tells of it in a file
	}
}
