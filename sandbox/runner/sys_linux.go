package runner

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// openSocket takes over an inherited socket.
func openSocket(fd int) (io.ReadWriteCloser, error) {
	unix.CloseOnExec(fd)
	f := os.NewFile(uintptr(fd), "socket")
	if f == nil {
		return nil, errors.New("bad descriptor")
	}
	defer f.Close()
	return net.FileConn(f)
}

// socketPair makes the two ends: ours, and the file a child inherits.
func socketPair() (io.ReadWriteCloser, *os.File, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("make a socket pair: %w", err)
	}
	mine := os.NewFile(uintptr(fds[0]), "socket")
	theirs := os.NewFile(uintptr(fds[1]), "socket")
	c, err := net.FileConn(mine)
	_ = mine.Close()
	if err != nil {
		_ = theirs.Close()
		return nil, nil, fmt.Errorf("use a socket pair: %w", err)
	}
	return c, theirs, nil
}

// beNice gives way to other processes: for every thread that there is, which
// those to come inherit. A kernel that refuses leaves it as it is.
func beNice(nice int) {
	tasks, _ := os.ReadDir("/proc/self/task")
	for _, t := range tasks {
		tid, err := strconv.Atoi(t.Name())
		if err != nil {
			continue
		}
		if now, err := unix.Getpriority(unix.PRIO_PROCESS, tid); err == nil && nice > 20-now { // the call counts from 40 down
			_ = unix.Setpriority(unix.PRIO_PROCESS, tid, nice)
		}
	}
}

// makeBoard makes shared memory for a board.
func makeBoard() (*board, error) {
	fd, err := unix.MemfdCreate("coldstart-board", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, fmt.Errorf("make the status board: %w", err)
	}
	f := os.NewFile(uintptr(fd), "board")
	if err := f.Truncate(int64(boardSize)); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("size the status board: %w", err)
	}
	// Sealed, because a child that shrank it would make our reads fault.
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, unix.F_SEAL_SHRINK|unix.F_SEAL_GROW|unix.F_SEAL_SEAL); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("seal the status board: %w", err)
	}
	b, err := mapBoard(fd)
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	b.file = f
	return b, nil
}

func mapBoard(fd int) (*board, error) {
	mem, err := unix.Mmap(fd, 0, boardSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map the status board: %w", err)
	}
	b := boardOn(mem)
	b.mem = mem
	return b, nil
}

// free gives the memory back; nobody may look at the board any more.
func (b *board) free() {
	_ = unix.Munmap(b.mem)
	_ = b.file.Close()
}

// monotonic is the machine's monotonic clock in nanoseconds, the same in every
// process. It reads Go's own, which is that clock without its origin, because
// Go reads it without a system call.
func monotonic() int64 {
	c := clock()
	return c.origin + int64(time.Since(c.at))
}

var clock = sync.OnceValue(func() (c struct {
	at     time.Time
	origin int64
},
) {
	// The two clocks are read one after the other: of several readings the one
	// with the least time between is taken, since this process may be stopped there.
	best := time.Hour
	for range 20 {
		before := time.Now()
		var t unix.Timespec
		_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &t)
		if took := time.Since(before); took < best {
			best, c.at, c.origin = took, before, t.Nano()
		}
	}
	return c
})

func threadID() int { return unix.Gettid() }

// attributes of a child process: it dies with the thread that started it.
func attributes(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}

const selfPath = "/proc/self/exe"

// threadCPU is the CPU time in nanoseconds of one thread of a process.
func threadCPU(pid int, thread int64) (int64, bool) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/schedstat", pid, thread))
	if err != nil {
		return 0, false
	}
	first, _, _ := strings.Cut(string(b), " ")
	n, err := strconv.ParseInt(first, 10, 64)
	return n, err == nil
}

// privateMemory is the resident memory in bytes that a process shares with nobody.
func privateMemory(pid int) int64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "RssAnon:"); ok {
			n, _ := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
			return n << 10
		}
	}
	return 0
}

// oomKills is how many processes the kernel has killed for memory since it
// started, -1 when it does not say.
func oomKills() int64 {
	b, err := os.ReadFile("/proc/vmstat")
	if err != nil {
		return -1
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "oom_kill "); ok {
			if n, err := strconv.ParseInt(strings.TrimSpace(rest), 10, 64); err == nil {
				return n
			}
		}
	}
	return -1
}

// dieFirst makes the kernel choose this process before its parent when the
// machine's memory is full. A kernel that refuses leaves it as it is.
func dieFirst() { _ = os.WriteFile("/proc/self/oom_score_adj", []byte("600"), 0) }

// processCPU is the CPU time in nanoseconds that a process has used.
func processCPU(pid int) int64 {
	var t unix.Timespec
	// The clock of another process: ~pid in the upper bits, "scheduled time" below.
	if unix.ClockGettime(int32(^pid<<3|2), &t) != nil {
		return 0
	}
	return t.Nano()
}

// duplicate is another descriptor of a file.
func duplicate(f *os.File) (*os.File, error) {
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return nil, fmt.Errorf("duplicate a descriptor: %w", err)
	}
	return os.NewFile(uintptr(fd), f.Name()), nil
}

// yield lets another thread that waits for this CPU go first.
func yield() { _, _, _ = unix.Syscall(unix.SYS_SCHED_YIELD, 0, 0, 0) } // never fails
