package runner

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"coldstart/sandbox/query"
)

// climbs are attempts to get out, made inside a locked-down child. Each says
// how it went; "held: " in front means that the wall held.
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
		_, _, errno := syscall.Syscall(unix.SYS_PTRACE, unix.PTRACE_ATTACH, uintptr(os.Getppid()), 0)
		return errnoErr(errno)
	},
	"read-parent-memory": func() error {
		b := make([]byte, 8)
		local := []unix.Iovec{{Base: &b[0], Len: 8}}
		_, err := unix.ProcessVMReadv(os.Getppid(), local, []unix.RemoteIovec{{Base: uintptr(unsafe.Pointer(&b[0])), Len: 8}}, 0)
		return err
	},
	"kill-parent":  func() error { return unix.Kill(os.Getppid(), 0) },
	"tgkill-other": func() error { return unix.Tgkill(os.Getppid(), os.Getppid(), 0) },
	"tgkill-sibling": func() error { // nobody's number: another child, of the same user, would be hit
		err := unix.Tgkill(1<<22-1, 1<<22-1, 0)
		if errors.Is(err, unix.ESRCH) {
			return nil // it was looked for
		}
		return err
	},
	"outlive-parent": func() error { return unix.Prctl(unix.PR_SET_PDEATHSIG, 0, 0, 0, 0) },
	"setuid":         func() error { return unix.Setuid(0) },
	"mount":          func() error { return unix.Mount("none", "/", "tmpfs", 0, "") },
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

func climb(what string) string {
	if what == "status" {
		return fmt.Sprint(os.Geteuid(), len(os.Environ()))
	}
	f := climbs[what]
	if f == nil {
		return "no such climb"
	}
	if err := f(); err != nil {
		return "held: " + err.Error()
	}
	return "climbed"
}

func TestWalls(t *testing.T) {
	ring := testRing(t, Config{Runners: 1})
	p := first(t, ring)
	sql, err := ring.take(t.Context(), RoleSQL, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, _, walls := ring.Snapshot()
	t.Log("walls:", walls)
	for _, want := range []string{"rlimits", "seccomp", "no new privileges"} {
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
	for _, p := range []*Runner{p, sql} {
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
		if os.Geteuid() == 0 && !strings.Contains(string(status), fmt.Sprintf("Uid:\t%d\t%[1]d\t%[1]d\t%[1]d\n", nobody)) {
			t.Errorf("the child of a root process is not nobody: %s", status)
		}
		limits, _ := os.ReadFile(fmt.Sprintf("/proc/%d/limits", p.PID()))
		for _, want := range []string{`Max core file size +0 +0 `, `Max file size +0 +0 `, `Max locked memory +0 +0 `, `Max open files +64 +64 `, `Max address space +[0-9]+ +[0-9]+ `} {
			if !regexp.MustCompile(want).Match(limits) {
				t.Errorf("the limits lack %q: %s", want, limits)
			}
		}
		environ, _ := os.ReadFile(fmt.Sprintf("/proc/%d/environ", p.PID()))
		if len(environ) != 0 {
			t.Errorf("environment is %q", environ)
		}
	}
}
