package box

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// What one box may use, where the kernel lets us say so.
const (
	cageMemory     = 256 << 20 // bytes
	cageProcessors = 1
	cageTasks      = 64
)

// Cgroups is what this host lets us bound boxes with: control groups of version 2.
type Cgroups struct {
	Dir string // the cgroup below which we may make others; "" for none
	// Why one of the caps, or all, cannot be set here; it completes the
	// sentence "Not on this host, because …". "" when all can.
	Why string
	has []string // controllers that reach cgroups below Dir
	// memory is the cap of a box, in bytes; 0 means cageMemory.
	memory int64
}

// wanted are the controllers that a box is bounded with.
var wanted = [...]string{"memory", "cpu", "pids"}

// Delegated finds out what this host gives to this process.
func Delegated() Cgroups {
	own, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return Cgroups{Why: "this system shows no cgroups"}
	}
	return hierarchy{"/sys/fs/cgroup", string(own), handedOver}.find()
}

// hierarchy is where to look.
type hierarchy struct {
	root string            // where cgroups are mounted
	self string            // what /proc/self/cgroup says
	ours func(string) bool // whether a cgroup is ours to change; see handedOver
}

// handedOver reports whether whoever manages this host's cgroups gave one to
// us: it belongs to our user, or has the mark that systemd sets on a cgroup
// that it will not touch any more.
func handedOver(dir string) bool {
	var st unix.Stat_t
	if err := unix.Stat(dir, &st); err == nil && int(st.Uid) == os.Geteuid() && os.Geteuid() != 0 {
		return true
	}
	var mark [8]byte
	for _, name := range []string{"user.delegate", "trusted.delegate"} {
		if n, err := unix.Getxattr(dir, name, mark[:]); err == nil && string(mark[:n]) == "1" {
			return true
		}
	}
	return false
}

// find walks up from this process's cgroup to the nearest one that hands on
// memory and pids to those below it, and in which we may make some.
func (h hierarchy) find() Cgroups {
	path, there := "", false
	var older []string
	for line := range strings.Lines(h.self) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		switch {
		case len(parts) != 3:
		case parts[0] == "0":
			path, there = parts[2], true
		default:
			for name := range strings.SplitSeq(parts[1], ",") {
				if slices.Contains(wanted[:], name) {
					older = append(older, name)
				}
			}
		}
	}
	switch {
	case len(older) > 0:
		slices.Sort(older)
		return Cgroups{Why: "its cgroups of version 1 hold the controllers " + list(older) + ", which version 2 then lacks"}
	case !there:
		return Cgroups{Why: "it has no cgroups of version 2"}
	}
	for dir := filepath.Join(h.root, path); within(dir, h.root); dir = filepath.Dir(dir) {
		if unix.Access(dir, unix.W_OK) != nil {
			continue
		}
		h.handOn(dir)
		given := words(filepath.Join(dir, "cgroup.subtree_control"))
		if slices.Contains(given, "memory") && slices.Contains(given, "pids") {
			c := Cgroups{Dir: dir, has: given}
			if !slices.Contains(given, "cpu") {
				c.Why = "the cgroup that this server may use has no cpu controller"
			}
			c.sweep()
			return c
		}
	}
	return Cgroups{Why: "no cgroup is delegated to this server"}
}

// handOn enables controllers for the cgroups below one that is ours and holds
// no process itself, which the kernel demands.
func (h hierarchy) handOn(dir string) {
	if !h.ours(dir) || len(words(filepath.Join(dir, "cgroup.procs"))) > 0 {
		return
	}
	given, there := words(filepath.Join(dir, "cgroup.subtree_control")), words(filepath.Join(dir, "cgroup.controllers"))
	for _, name := range wanted {
		if slices.Contains(there, name) && !slices.Contains(given, name) {
			_ = os.WriteFile(filepath.Join(dir, "cgroup.subtree_control"), []byte("+"+name), 0) // what is refused stays missing
		}
	}
}

func within(dir, root string) bool { return dir == root || strings.HasPrefix(dir, root+"/") }

// words are those of a small file, none where it cannot be read.
func words(file string) []string {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	return strings.Fields(string(data))
}

// list writes "a", "a and b", "a, b and c".
func list(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

const cageName = "coldstart-box-"

// sweep takes away cgroups of programs that were killed.
func (c Cgroups) sweep() {
	old, _ := filepath.Glob(filepath.Join(c.Dir, cageName+"*"))
	for _, dir := range old {
		var pid int
		if _, err := fmt.Sscanf(filepath.Base(dir), cageName+"%d-", &pid); err == nil && errors.Is(unix.Kill(pid, 0), unix.ESRCH) {
			_ = os.Remove(dir) // refused while something lives in it
		}
	}
}

// cage is a cgroup that one box lives in.
type cage struct {
	path string
	dir  *os.File
}

// cage makes a cgroup with caps on memory, processors and tasks, as far as c
// has them. nice is the weight that it has beside others.
func (c Cgroups) cage(nice int) (*cage, error) {
	path, err := os.MkdirTemp(c.Dir, fmt.Sprintf("%s%d-", cageName, os.Getpid()))
	if err != nil {
		return nil, fmt.Errorf("make a cgroup: %w", err)
	}
	out := &cage{path: path}
	set := func(name, value string) {
		err = errors.Join(err, os.WriteFile(filepath.Join(path, name), []byte(value), 0o600))
	}
	set("memory.max", fmt.Sprint(cmp.Or(c.memory, cageMemory)))
	set("pids.max", fmt.Sprint(cageTasks))
	if slices.Contains(c.has, "cpu") {
		const period = 100_000 // µs
		set("cpu.max", fmt.Sprintf("%d %d", cageProcessors*period, period))
		set("cpu.weight.nice", fmt.Sprint(nice)) // a nice value counts only within a cgroup
	}
	if err == nil {
		// Without it the box could swap instead of ending; kernels without swap have no such file.
		if serr := os.WriteFile(filepath.Join(path, "memory.swap.max"), []byte("0"), 0o600); !errors.Is(serr, fs.ErrNotExist) {
			err = serr
		}
	}
	if err == nil {
		out.dir, err = os.Open(path)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("bound a cgroup: %w", err), os.Remove(path))
	}
	return out, nil
}

// remove takes the cgroup away once the last process in it has ended.
func (c *cage) remove() error {
	err := c.dir.Close()
	if kill, kerr := os.OpenFile(filepath.Join(c.path, "cgroup.kill"), os.O_WRONLY, 0); kerr == nil { // older kernels have none; the program is killed anyway
		_, _ = kill.WriteString("1")
		err = errors.Join(err, kill.Close())
	}
	for range 100 {
		if rerr := os.Remove(c.path); !errors.Is(rerr, unix.EBUSY) {
			return errors.Join(err, rerr)
		}
		time.Sleep(10 * time.Millisecond) // the kernel says no more than that it is busy
	}
	return errors.Join(err, fmt.Errorf("box: the cgroup %s stays busy", c.path))
}

// Wall is one thing that a box cannot go beyond, or could on this host.
type Wall struct {
	Name string `json:"name"` // memory, processor, tasks, view
	// Text says how high it is and who holds it, or, when there is none, why.
	Text  string `json:"text"`
	Holds bool   `json:"holds"`
}

// Walled is a kind that knows its walls.
type Walled interface{ Walls() []Wall }

// walls are those of a box in a cage, or without one.
func (c Cgroups) walls(nice int) []Wall {
	wall := func(name, controller, text, without string) Wall {
		if c.Dir != "" && slices.Contains(c.has, controller) {
			return Wall{name, text, true}
		}
		return Wall{name, without + "not on this host, because " + c.Why, false}
	}
	polite := ""
	if nice > 0 {
		polite = fmt.Sprintf("it only gives way to others (nice %d); a cap is ", nice)
	}
	return []Wall{
		wall("memory", "memory", fmt.Sprintf("%d MB, by its cgroup (memory.max)", cageMemory>>20), ""),
		wall("processor", "cpu", "one of them at most, by its cgroup (cpu.max)", polite),
		wall("tasks", "pids", fmt.Sprintf("%d, by its cgroup (pids.max)", cageTasks), ""),
	}
}
