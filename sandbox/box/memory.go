package box

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Memory is what a group of processes holds together, in bytes: their own
// pages, and each page of a file that is mapped counted once for the group.
//
// It is the group's PSS as if nobody else on the machine used the same files.
// PSS itself hands a part of each shared page to strangers, so that a group
// beside other users of the same program seems to grow faster than it does.
// A process that ended before it was read is an error.
func Memory(pids ...int) (int64, error) {
	group := group{files: map[mapping]int64{}}
	for _, pid := range pids {
		if err := group.add(pid); err != nil {
			return 0, fmt.Errorf("memory of process %d: %w", pid, err)
		}
	}
	return group.total(), nil
}

// mapping is a piece of a file as it is mapped.
type mapping struct{ file, offset, length string }

type group struct {
	private int64             // kB
	files   map[mapping]int64 // kB in memory and unchanged, the most that one mapping saw
}

func (g *group) total() int64 {
	sum := g.private
	for _, kB := range g.files {
		sum += kB
	}
	return sum << 10
}

// add reads one process's mappings from /proc (see proc_pid_smaps(5)).
func (g *group) add(pid int) error {
	f, err := os.Open(fmt.Sprintf("/proc/%d/smaps", pid))
	if err != nil {
		return err
	}
	defer f.Close()
	var now mapping
	var rss, anonymous int64
	seen := false
	finish := func() {
		g.private += anonymous
		if rest := rss - anonymous; rest > 0 {
			if now.file == "" {
				g.private += rest
			} else {
				g.files[now] = max(g.files[now], rest)
			}
		}
		rss, anonymous = 0, 0
	}
	sc := bufio.NewScanner(f)
	for sc.Scan() {
		name, rest, _ := strings.Cut(sc.Text(), " ")
		if begin, end, ok := strings.Cut(name, "-"); ok && !strings.HasSuffix(name, ":") {
			if seen {
				finish()
			}
			seen = true
			fields := strings.Fields(rest) // permissions, offset, device, inode, path
			if len(fields) < 4 {
				return fmt.Errorf("mapping %q is not understood", sc.Text())
			}
			from, err1 := strconv.ParseUint(begin, 16, 64)
			to, err2 := strconv.ParseUint(end, 16, 64)
			if err1 != nil || err2 != nil {
				return fmt.Errorf("mapping %q is not understood", sc.Text())
			}
			now = mapping{}
			if fields[3] != "0" {
				now = mapping{fields[2] + " " + fields[3], fields[1], strconv.FormatUint(to-from, 16)}
			}
			continue
		}
		switch name {
		case "Rss:":
			rss, err = kilobytes(rest)
		case "Anonymous:":
			anonymous, err = kilobytes(rest)
		}
		if err != nil {
			return fmt.Errorf("%s is not understood: %w", name, err)
		}
	}
	if err := sc.Err(); err != nil {
		return err
	}
	if !seen {
		return fmt.Errorf("it has ended")
	}
	finish()
	return nil
}

func kilobytes(s string) (int64, error) {
	return strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(s), "kB")), 10, 64)
}

// PSS is the proportional set size of processes together, in bytes, as Linux
// sums it up in smaps_rollup.
func PSS(pids ...int) (int64, error) {
	var sum int64
	for _, pid := range pids {
		data, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
		if err != nil {
			return 0, fmt.Errorf("memory of process %d: %w", pid, err)
		}
		found := false
		for line := range strings.Lines(string(data)) {
			if rest, ok := strings.CutPrefix(line, "Pss:"); ok {
				kB, err := kilobytes(rest)
				if err != nil {
					return 0, fmt.Errorf("memory of process %d: %w", pid, err)
				}
				sum, found = sum+kB<<10, true
			}
		}
		if !found {
			return 0, fmt.Errorf("memory of process %d: it has ended", pid)
		}
	}
	return sum, nil
}

// Available is how many bytes Linux could still give to programs without
// swapping, as /proc/meminfo says; where it does not say, 1 GiB.
func Available() int64 {
	data, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 1 << 30
	}
	for line := range strings.Lines(string(data)) {
		if rest, ok := strings.CutPrefix(line, "MemAvailable:"); ok {
			if kB, err := kilobytes(rest); err == nil {
				return kB << 10
			}
		}
	}
	return 1 << 30
}
