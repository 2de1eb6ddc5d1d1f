package runner

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	llsys "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"

	"coldstart/sandbox/query"
)

// climbs are attempts to get out, made inside a locked-down child. One that gives
// no error got out, and so did one that a wall did not refuse: a file that is not
// there was looked for.
var climbs = map[string]func() error{
	"open-write": func() error {
		f, err := os.OpenFile("/tmp/escape-canary", os.O_CREATE|os.O_WRONLY, 0o600)
		if err == nil {
			_ = f.Close()
		}
		return err
	},
	"open-read": func() error { _, err := os.ReadFile("/etc/passwd"); return err },
	"read-dir":  func() error { _, err := os.ReadDir("/"); return err },
	"stat":      func() error { _, err := os.Stat("/etc"); return err },
	"environ-of-parent": func() error {
		_, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", os.Getppid()))
		return err
	},
	"dial-tcp":   func() error { _, err := net.DialTimeout("tcp", "127.0.0.1:1", time.Second); return err },
	"socket-udp": func() error { _, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0); return err },
	"socket-v6":  func() error { _, err := unix.Socket(unix.AF_INET6, unix.SOCK_STREAM, 0); return err },
	"socket-unix": func() error {
		_, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
		return err
	},
	"socket-netlink": func() error { _, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW, 0); return err },
	"exec":           func() error { return exec.Command("/bin/true").Run() },
	"execve":         func() error { return syscall.Exec("/bin/true", []string{"true"}, nil) },
	"fork": func() error {
		pid, _, errno := syscall.RawSyscall(unix.SYS_CLONE, uintptr(unix.SIGCHLD), 0, 0)
		if errno == 0 && pid == 0 {
			syscall.RawSyscall(unix.SYS_EXIT, 0, 0, 0)
		}
		return errnoErr(errno)
	},
	"ptrace-parent": func() error {
		_, _, errno := syscall.Syscall(unix.SYS_PTRACE, unix.PTRACE_SEIZE, uintptr(os.Getppid()), 0)
		return errnoErr(errno)
	},
	"read-parent-memory": func() error {
		b := make([]byte, 8)
		local := []unix.Iovec{{Base: &b[0], Len: 8}}
		_, err := unix.ProcessVMReadv(os.Getppid(), local, []unix.RemoteIovec{{Base: uintptr(unsafe.Pointer(&b[0])), Len: 8}}, 0)
		return err
	},
	"kill-parent":    func() error { return unix.Kill(os.Getppid(), 0) },
	"tgkill-other":   func() error { return unix.Tgkill(os.Getppid(), os.Getppid(), 0) },
	"tgkill-sibling": func() error { return unix.Tgkill(1<<22-1, 1<<22-1, 0) }, // nobody's number: another child, of the same user, would be hit
	"signal-by-descriptor": func() error { // the kernel signals whoever owns a descriptor, with a signal of one's choice
		_, err := unix.FcntlInt(fdBoard, unix.F_SETOWN, os.Getppid())
		_, err2 := unix.FcntlInt(fdBoard, unix.F_SETSIG, int(unix.SIGKILL))
		if err == nil || err2 == nil {
			return nil
		}
		return err
	},
	"any-call":       anyCall,
	"outlive-parent": func() error { return unix.Prctl(unix.PR_SET_PDEATHSIG, 0, 0, 0, 0) },
	"setuid":         func() error { return unix.Setuid(0) },
	"mount":          func() error { return unix.Mount("none", "/", "no-such-type", 0, "") }, // where nothing refuses it, there is no such type
	"unshare":        func() error { return unix.Unshare(unix.CLONE_NEWUSER) },
	"bpf":            func() error { _, _, e := syscall.Syscall(unix.SYS_BPF, 0, 0, 0); return errnoErr(e) },
	"io-uring":       func() error { _, _, e := syscall.Syscall(unix.SYS_IO_URING_SETUP, 1, 0, 0); return errnoErr(e) },
	"perf":           func() error { _, _, e := syscall.Syscall(unix.SYS_PERF_EVENT_OPEN, 0, 0, 0); return errnoErr(e) },
	"userfaultfd":    func() error { _, _, e := syscall.Syscall(unix.SYS_USERFAULTFD, 0, 0, 0); return errnoErr(e) },
	"keyctl":         func() error { _, _, e := syscall.Syscall(unix.SYS_KEYCTL, 0, 0, 0); return errnoErr(e) },
	"memfd":          func() error { _, err := unix.MemfdCreate("x", 0); return err },
	"unlink":         func() error { return os.Remove("/tmp/escape-canary") },
	"raise-limit": func() error {
		return unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 4096, Max: 4096})
	},
	"receive-descriptor": func() error {
		_, _, _, _, err := unix.Recvmsg(fdSocket, make([]byte, 1), make([]byte, 64), unix.MSG_DONTWAIT)
		return err
	},
	"new-privileges": func() error { return unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0) },
	"remove-filter":  func() error { return unix.Prctl(unix.PR_SET_SECCOMP, 0, 0, 0, 0) },
}

func errnoErr(e syscall.Errno) error {
	if e == 0 {
		return nil
	}
	return e
}

// climb says "held: " in front when a wall refused.
func climb(what string) string {
	f := climbs[what]
	if f == nil {
		return "no such climb"
	}
	err := f()
	switch {
	case err == nil:
		return "climbed"
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
		return "held: " + err.Error()
	}
	return "not refused: " + err.Error()
}

// allowed are the system calls that a child may make: each was looked at, and
// none opens, sends to, signals, or makes anything outside of the process. fcntl,
// clone, clone3, tgkill and prctl are allowed in part; they have climbs of their own.
var allowed = []uintptr{
	unix.SYS_READ, unix.SYS_WRITE, unix.SYS_READV, unix.SYS_WRITEV, unix.SYS_PREAD64, unix.SYS_CLOSE, unix.SYS_LSEEK, unix.SYS_FSTAT, unix.SYS_FCNTL, // what is open already
	unix.SYS_MMAP, unix.SYS_MUNMAP, unix.SYS_MPROTECT, unix.SYS_MADVISE, unix.SYS_MREMAP, unix.SYS_MINCORE, unix.SYS_BRK, // its own memory
	unix.SYS_FUTEX, unix.SYS_NANOSLEEP, unix.SYS_CLOCK_NANOSLEEP, unix.SYS_CLOCK_GETTIME, unix.SYS_CLOCK_GETRES, unix.SYS_GETTIMEOFDAY, // time
	unix.SYS_SCHED_YIELD, unix.SYS_SCHED_GETAFFINITY, unix.SYS_GETPID, unix.SYS_GETTID, unix.SYS_GETUID, unix.SYS_GETEUID, unix.SYS_GETRUSAGE, // itself
	unix.SYS_RT_SIGACTION, unix.SYS_RT_SIGPROCMASK, unix.SYS_RT_SIGRETURN, unix.SYS_SIGALTSTACK, unix.SYS_RESTART_SYSCALL, // signals that it gets
	unix.SYS_EXIT, unix.SYS_EXIT_GROUP, unix.SYS_SET_ROBUST_LIST, unix.SYS_RSEQ, unix.SYS_GETRANDOM,
	unix.SYS_EPOLL_CREATE1, unix.SYS_EPOLL_CTL, unix.SYS_EPOLL_PWAIT, unix.SYS_EPOLL_PWAIT2, unix.SYS_EVENTFD2, // waiting for what is open
	unix.SYS_CLONE, unix.SYS_CLONE3, unix.SYS_TGKILL, unix.SYS_PRCTL,
}

// oldCalls are those that some processors have besides: the older epoll_wait and
// time, arch_prctl, and the kernel's own two for tracing, which no filter sees and
// which kill who calls them.
var oldCalls = map[string][]uintptr{"amd64": {232, 201, 158, 335, 336}}

// anyCall tries every system call that is not allowed, with arguments that mean nothing.
func anyCall() error {
	if mode, _, errno := syscall.RawSyscall(unix.SYS_PRCTL, unix.PR_GET_SECCOMP, 0, 0); errno == 0 && mode == 0 {
		return errors.New("there is no filter, and some calls do harm without one")
	}
	const nothing = ^uintptr(0)
	var through []uintptr
	for nr := uintptr(0); nr < 700; nr++ {
		if slices.Contains(allowed, nr) || slices.Contains(oldCalls[runtime.GOARCH], nr) {
			continue
		}
		if _, _, errno := syscall.RawSyscall6(nr, nothing, nothing, nothing, nothing, nothing, nothing); errno != unix.EPERM {
			through = append(through, nr)
		}
	}
	if len(through) > 0 {
		return fmt.Errorf("system calls %d came through", through)
	}
	if _, _, errno := syscall.RawSyscall6(unix.SYS_CLONE3, nothing, nothing, nothing, nothing, nothing, nothing); errno != unix.ENOSYS {
		return fmt.Errorf("clone3 came through: %w", errno)
	}
	return unix.EPERM
}

func TestWalls(t *testing.T) {
	ring := testRing(t, Config{Runners: 1})
	p := first(t, ring)
	sql, err := ring.take(t.Context(), RoleSQL, 0)
	if err != nil {
		t.Fatal(err)
	}
	build, err := ring.idleBuilder(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, _, walls := ring.Snapshot()
	t.Log("walls:", walls)
	needed := []string{"rlimits", "seccomp", "no new privileges"}
	if abi, err := llsys.LandlockGetABIVersion(); err == nil && abi > 0 {
		needed = append(needed, "landlock")
	}
	for _, want := range needed {
		if !slices.Contains(walls, want) {
			t.Errorf("wall %q is missing here, so it is not tested", want)
		}
	}
	for name := range climbs {
		t.Run(name, func(t *testing.T) {
			h := newRecorder()
			begin(t, ring, p, "/climb/"+name, h)
			b := make([]byte, 256)
			head := within(t, h.heads, 5*time.Second)
			n, _ := head.Body.Read(b)
			if got := string(b[:n]); !strings.HasPrefix(got, "held: ") {
				t.Errorf("the wall did not hold: %s", got)
			}
			within(t, h.ends, 5*time.Second)
			r, err := ring.Query(t.Context(), query.Request{Op: query.Exec, Queries: []query.Query{{Text: "climb " + name}}})
			if err != nil || !strings.HasPrefix(fmt.Sprint(r.Results[0].Values...), "held: ") {
				t.Errorf("in the sql child: %v %v", r.Results, err)
			}
		})
	}
	if _, err := os.Stat("/tmp/escape-canary"); err == nil {
		t.Error("a file was written")
	}
	for p, space := range map[*Runner]uint64{p: 4 << 40, sql: 6 << 30, build: 6 << 30} {
		fds, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", p.PID()))
		for _, fd := range fds {
			to, _ := os.Readlink(fd)
			// Go's runtime keeps its CPU quota's files open, to read only.
			if !strings.HasPrefix(to, "/sys/fs/cgroup/") && !strings.HasPrefix(to, "socket:") && !strings.HasPrefix(to, "/memfd:") && !strings.HasPrefix(to, "anon_inode:") && !strings.HasPrefix(to, "pipe:") && to != "/dev/null" {
				t.Errorf("descriptor %s is open on %s", filepath.Base(fd), to)
			}
		}
		status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.PID()))
		for _, want := range []string{"NoNewPrivs:\t1", "Seccomp:\t2", "CapEff:\t0000000000000000"} {
			if !strings.Contains(string(status), want) {
				t.Errorf("status lacks %q", want)
			}
		}
		for _, want := range []string{fmt.Sprintf("Uid:\t%d\t%[1]d\t%[1]d\t%[1]d\n", nobody), fmt.Sprintf("Gid:\t%d\t%[1]d\t%[1]d\t%[1]d\n", nobody), "Groups:\t \n"} {
			if os.Geteuid() == 0 && !strings.Contains(string(status), want) {
				t.Errorf("the child of a root process is not nobody: status lacks %q: %s", want, status)
			}
		}
		limits, _ := os.ReadFile(fmt.Sprintf("/proc/%d/limits", p.PID()))
		for what, most := range map[string]uint64{"core file size": 0, "file size": 0, "locked memory": 0, "open files": 64, "processes": 8192, "address space": space} {
			m := regexp.MustCompile(`Max ` + what + ` +([0-9]+) +([0-9]+) `).FindSubmatch(limits)
			for _, got := range m[min(1, len(m)):] {
				if n, err := strconv.ParseUint(string(got), 10, 64); err != nil || n > most {
					t.Errorf("%s child: %s is bounded by %s, want at most %d", p.role, what, got, most)
				}
			}
			if len(m) == 0 {
				t.Errorf("%s child: %s is not bounded: %s", p.role, what, limits)
			}
		}
		if seals, err := unix.FcntlInt(p.board.file.Fd(), unix.F_GET_SEALS, 0); err != nil || seals&unix.F_SEAL_SHRINK == 0 || seals&unix.F_SEAL_SEAL == 0 {
			t.Errorf("%s child: it could shrink its status board, and reading it would end the parent: seals %x, %v", p.role, seals, err)
		}
		if first, _ := os.ReadFile(fmt.Sprintf("/proc/%d/oom_score_adj", p.PID())); string(first) != "600\n" {
			t.Errorf("%s child: when memory ends, the kernel does not choose it before its parent: %q", p.role, first)
		}
		environ, _ := os.ReadFile(fmt.Sprintf("/proc/%d/environ", p.PID()))
		if len(environ) != 0 {
			t.Errorf("environment is %q", environ)
		}
	}
}
