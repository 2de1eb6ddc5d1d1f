package runner

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// alone are the climbs that a wall refuses by itself, when no other stands. Some
// are in several walls' lists on purpose: a child stays in when one of them falls.
var alone = map[string][]string{
	"rlimits":           {"write-file", "many-descriptors", "reserve-memory"},
	"unprivileged user": {"open-root-only", "kill-parent", "setuid", "setgid", "in-groups", "mount", "ptrace-parent", "read-parent-memory"},
	"landlock":          {"open-write", "open-read", "open-root-only", "read-dir", "environ-of-parent", "make-dir", "exec", "execve", "mount", "ptrace-parent", "read-parent-memory"},
	"seccomp":           append(slices.Sorted(maps.Keys(climbs)), "open-root-only"),
}

// lone are climbs for those tests only.
var lone = map[string]func(file string) error{
	"open-root-only": func(file string) error { _, err := os.ReadFile(file); return err },
	"setgid":         func(string) error { return unix.Setgid(0) },
	"in-groups": func(string) error {
		if list, err := os.Getgroups(); err != nil || len(list) > 0 || os.Getegid() == 0 {
			return fmt.Errorf("groups %d %v %v", os.Getegid(), list, err)
		}
		return unix.EPERM
	},
	"make-dir": func(string) error { return os.Mkdir("/tmp/escape-canary-dir", 0o700) },
	"write-file": func(file string) error {
		f, err := os.OpenFile(file+"-new", os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return fmt.Errorf("open: %v", err)
		}
		defer f.Close()
		if _, err = f.WriteString("x"); errors.Is(err, unix.EFBIG) {
			return unix.EPERM
		}
		return err
	},
	"many-descriptors": func(string) error {
		for n := 0; ; n++ {
			f, err := os.Open("/dev/null")
			if errors.Is(err, unix.EMFILE) && n <= 64 {
				return unix.EPERM
			}
			if err != nil || n > 64 {
				return err
			}
			defer f.Close()
		}
	},
	"reserve-memory": func(string) error {
		if _, err := unix.Mmap(-1, 0, 5<<40, unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_NORESERVE); errors.Is(err, unix.ENOMEM) {
			return unix.EPERM
		} else if err != nil {
			return err
		}
		return nil
	},
}

// raiseAlone is the life of a process that puts up one wall and then climbs what
// it reads on its standard input, each on threads that were there before the wall
// and on one that was not.
func raiseAlone(name, file string) int {
	for what, f := range lone {
		climbs[what] = func() error { return f(file) }
	}
	var threads []func(string) string
	for range 3 {
		threads = append(threads, onThread())
	}
	for _, w := range walls() {
		if w.name != name {
			continue
		}
		stands, err := w.up(RoleRun)
		fmt.Println("stands", stands, err)
		threads = append(threads, onThread())
		for in := bufio.NewScanner(os.Stdin); in.Scan(); {
			said := ""
			for _, do := range threads {
				if said = do(in.Text()); !strings.HasPrefix(said, "held: ") {
					break
				}
			}
			fmt.Println(said)
		}
		return 0
	}
	return 2
}

// onThread makes a thread, and gives what climbs there.
func onThread() func(string) string {
	ask, answer := make(chan string), make(chan string)
	go func() {
		runtime.LockOSThread()
		for what := range ask {
			answer <- climb(what)
		}
	}()
	return func(what string) string { ask <- what; return <-answer }
}

// Each wall holds what is its own although no other stands.
func TestEachWallAlone(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	defer os.Remove("/tmp/escape-canary-dir")
	defer os.Remove("/tmp/escape-canary")
	if err := os.WriteFile(secret, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, w := range walls() {
		if w.name == "dies with parent" || w.name == "no new privileges" {
			continue // TestChildrenDieWithTheirParent; TestWalls, by what the kernel says
		}
		if len(alone[w.name]) == 0 {
			t.Errorf("nothing climbs the wall %q", w.name)
		}
		t.Run(w.name, func(t *testing.T) {
			if w.name == "unprivileged user" && os.Geteuid() != 0 {
				t.Skip("only root has a user to give up")
			}
			cmd := exec.Command(os.Args[0], "wall", w.name, secret)
			cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
			if os.Geteuid() == 0 {
				cmd.SysProcAttr.Credential = &syscall.Credential{Groups: []uint32{0, 4}}
			}
			cmd.Stderr = t.Output()
			in, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			lines := make(chan string)
			go func() {
				defer close(lines)
				for s := bufio.NewScanner(out); s.Scan(); {
					lines <- s.Text()
				}
			}()
			defer func() {
				_ = in.Close()
				_ = cmd.Process.Kill()
				for range lines {
				}
				_ = cmd.Wait()
			}()
			switch said := within(t, lines, 10*time.Second); said {
			case "stands true <nil>":
			case "stands false <nil>":
				t.Skip("this kernel lacks it, or another wall brings it")
			default:
				t.Fatalf("it did not go up: %s", said)
			}
			if w.name == "seccomp" || w.name == "landlock" { // which a program that gives privileges would step over
				threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", cmd.Process.Pid))
				if err != nil || len(threads) < 5 {
					t.Fatalf("%d threads %v", len(threads), err)
				}
				for _, name := range threads {
					if b, err := os.ReadFile(name); err == nil && !strings.Contains(string(b), "NoNewPrivs:\t1\n") {
						t.Errorf("a thread may gain privileges: %s", b)
					}
				}
			}
			for _, name := range alone[w.name] {
				if _, err := fmt.Fprintln(in, name); err != nil {
					t.Fatal(err)
				}
				if got := within(t, lines, 10*time.Second); !strings.HasPrefix(got, "held: ") {
					t.Errorf("%s: the wall did not hold: %s", name, got)
				}
			}
		})
	}
}

// Calls by the numbers of another processor or ABI, which mean other things, end the child.
func TestForeignCallsKill(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("this processor has one ABI")
	}
	ring := testRing(t, Config{Runners: 1})
	for _, path := range []string{"/abi/x32", "/abi/i386"} {
		p, back, err := ring.Alone(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		h := newRecorder()
		begin(t, ring, p, path, h)
		end := within(t, h.ends, 5*time.Second)
		within(t, p.Dead(), 5*time.Second)
		if ws := p.cmd.ProcessState.Sys().(syscall.WaitStatus); end.Lost != LostGuilty || !ws.Signaled() || ws.Signal() != syscall.SIGSYS {
			t.Errorf("%s: end %+v, %v", path, end, p.cmd.ProcessState)
		}
		back()
	}
}

// foreign makes a harmless system call of another ABI.
func foreign(abi string) string {
	if abi == "x32" {
		n, _, errno := syscall.RawSyscall(0x40000000|unix.SYS_GETPID, 0, 0, 0)
		return fmt.Sprint(n, errno)
	}
	mem, err := unix.Mmap(-1, 0, 4096, unix.PROT_READ|unix.PROT_WRITE|unix.PROT_EXEC, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return err.Error()
	}
	copy(mem, []byte{0xb8, 20, 0, 0, 0, 0xcd, 0x80, 0xc3}) // mov eax, 20 (getpid of i386); int 0x80; ret
	code := unsafe.Pointer(&mem[0])
	call := unsafe.Pointer(&code)
	return fmt.Sprint((*(*func() int)(unsafe.Pointer(&call)))())
}

// parent is the life of a process that has every kind of child, and one that is
// not ready and never will be.
func parent() int {
	ring, err := New(context.Background(), Config{Runners: 1})
	if err == nil {
		_, err = ring.take(context.Background(), RoleSQL, 0)
	}
	if err == nil {
		_, _, err = ring.Alone(context.Background())
	}
	for ready := 0; err == nil && ready < parentReady; time.Sleep(time.Millisecond) {
		list, _, _ := ring.Snapshot()
		ready = len(list)
	}
	if err != nil {
		fmt.Println(err)
		return 2
	}
	fmt.Println("ready")
	_, err = New(context.Background(), Config{Args: []string{"mute"}})
	fmt.Println(err)
	return 2
}

// parentReady is how many ready children it has: each role's, their spares, and one for a run alone.
const parentReady = 6

// When a parent is killed, none of its children is left a second later, also of
// those that hang: they are stopped here, so that only the kernel can end them.
func TestChildrenDieWithTheirParent(t *testing.T) {
	cmd := exec.Command(os.Args[0], "parent")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.Stderr = t.Output()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Wait() }()
	said, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || said != "ready\n" {
		t.Fatalf("%q %v", said, err)
	}
	var children []int
	eventually(t, func() bool {
		children = childrenOf(t, cmd.Process.Pid)
		return len(children) == parentReady+1
	})
	for _, pid := range children {
		if err := unix.Kill(pid, unix.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		defer unix.Kill(pid, unix.SIGKILL)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	killed := time.Now()
	for left := children; len(left) > 0; time.Sleep(time.Millisecond) {
		left = slices.DeleteFunc(left, func(pid int) bool {
			stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
			return err != nil || strings.Contains(string(stat), ") Z ")
		})
		if time.Since(killed) > time.Second {
			for _, pid := range left {
				line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
				t.Errorf("child %d outlives its parent: %q", pid, line)
			}
			return
		}
	}
}

// childrenOf lists the processes that one started.
func childrenOf(t *testing.T, parent int) (list []int) {
	stats, err := filepath.Glob("/proc/[0-9]*/status")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range stats {
		b, _ := os.ReadFile(name) // which may be gone
		if strings.Contains(string(b), fmt.Sprintf("\nPPid:\t%d\n", parent)) {
			pid, err := strconv.Atoi(filepath.Base(filepath.Dir(name)))
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, pid)
		}
	}
	return list
}
