package runner

import (
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A rule allows one system call, if all its checks hold. What no rule allows
// fails with EPERM.
type rule struct {
	call   uint32
	checks []check
}

// check holds when argument arg, masked, equals value. Only the low 32 bits
// are looked at: the kernel ignores the others for every argument checked here.
type check struct {
	arg         int
	mask, value uint32
}

// rules is what Go's runtime, wazero and a copy-on-write mapping need once
// everything is open: memory, threads, time, and reading and writing what is
// open already. There is no open, no socket, no new process, no look at others.
func rules() []rule {
	var list []rule
	for _, nr := range append(commonCalls, archCalls...) {
		list = append(list, rule{call: uint32(nr)})
	}
	return append(
		list,
		rule{call: unix.SYS_CLONE, checks: []check{{0, unix.CLONE_THREAD, unix.CLONE_THREAD}}},
		rule{call: unix.SYS_TGKILL, checks: []check{{0, ^uint32(0), uint32(unix.Getpid())}}},
		// The four commands up to F_GETFL. Others give a descriptor an owner and a signal,
		// SIGKILL too, which the kernel then sends to any process of the same user.
		rule{call: unix.SYS_FCNTL, checks: []check{{1, ^uint32(3), unix.F_DUPFD}}},
		rule{call: unix.SYS_PRCTL, checks: []check{{0, ^uint32(0), unix.PR_SET_VMA}}},
	)
}

var commonCalls = []uintptr{
	unix.SYS_READ, unix.SYS_WRITE, unix.SYS_READV, unix.SYS_WRITEV, unix.SYS_PREAD64, unix.SYS_CLOSE, unix.SYS_LSEEK, unix.SYS_FSTAT,
	unix.SYS_MMAP, unix.SYS_MUNMAP, unix.SYS_MPROTECT, unix.SYS_MADVISE, unix.SYS_MREMAP, unix.SYS_MINCORE, unix.SYS_BRK,
	unix.SYS_FUTEX, unix.SYS_NANOSLEEP, unix.SYS_CLOCK_NANOSLEEP, unix.SYS_CLOCK_GETTIME, unix.SYS_CLOCK_GETRES, unix.SYS_GETTIMEOFDAY,
	unix.SYS_SCHED_YIELD, unix.SYS_SCHED_GETAFFINITY, unix.SYS_GETPID, unix.SYS_GETTID, unix.SYS_GETUID, unix.SYS_GETEUID, unix.SYS_GETRUSAGE,
	unix.SYS_RT_SIGACTION, unix.SYS_RT_SIGPROCMASK, unix.SYS_RT_SIGRETURN, unix.SYS_SIGALTSTACK, unix.SYS_RESTART_SYSCALL,
	unix.SYS_EXIT, unix.SYS_EXIT_GROUP, unix.SYS_SET_ROBUST_LIST, unix.SYS_RSEQ, unix.SYS_GETRANDOM,
	unix.SYS_EPOLL_CREATE1, unix.SYS_EPOLL_CTL, unix.SYS_EPOLL_PWAIT, unix.SYS_EPOLL_PWAIT2, unix.SYS_EVENTFD2,
}

// Offsets in the kernel's struct seccomp_data.
const (
	offCall = 0
	offArch = 4
	offArgs = 16
)

// assemble turns rules into a BPF program.
func assemble(arch uint32, list []rule) []unix.SockFilter {
	const (
		load  = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
		equal = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
		ge    = unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K
		and   = unix.BPF_ALU | unix.BPF_AND | unix.BPF_K
		ret   = unix.BPF_RET | unix.BPF_K
		allow = unix.SECCOMP_RET_ALLOW
		deny  = unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)
		nosys = unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)
	)
	p := []unix.SockFilter{
		{Code: load, K: offArch},
		{Code: equal, Jt: 1, K: arch},
		{Code: ret, K: unix.SECCOMP_RET_KILL_PROCESS},
		{Code: load, K: offCall},
		{Code: ge, Jf: 1, K: 0x40000000}, // another ABI's numbers (x32)
		{Code: ret, K: unix.SECCOMP_RET_KILL_PROCESS},
		{Code: equal, Jf: 1, K: unix.SYS_CLONE3}, // its flags cannot be seen; callers fall back to clone
		{Code: ret, K: nosys},
	}
	for _, r := range list {
		var body []unix.SockFilter
		for i, c := range r.checks {
			left := len(r.checks) - 1 - i
			body = append(
				body,
				unix.SockFilter{Code: load, K: uint32(offArgs + 8*c.arg)},
				unix.SockFilter{Code: and, K: c.mask},
				unix.SockFilter{Code: equal, Jf: uint8(3*left + 1), K: c.value},
			)
		}
		body = append(body, unix.SockFilter{Code: ret, K: allow})
		if len(r.checks) > 0 {
			body = append(body, unix.SockFilter{Code: ret, K: deny})
		}
		p = append(p, unix.SockFilter{Code: equal, Jf: uint8(len(body)), K: r.call})
		p = append(p, body...)
	}
	return append(p, unix.SockFilter{Code: ret, K: deny})
}

// installFilter puts the filter, and with it no_new_privs, on every thread.
func installFilter(list []rule) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("set no_new_privs: %w", err)
	}
	p := assemble(auditArch, list)
	prog := unix.SockFprog{Len: uint16(len(p)), Filter: &p[0]}
	r, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&prog)))
	if errno != 0 {
		return fmt.Errorf("install the system call filter: %w", errno)
	}
	if r != 0 {
		return fmt.Errorf("install the system call filter: thread %d has another one", r)
	}
	return nil
}
