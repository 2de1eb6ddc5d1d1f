package box

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Commands are boxes that are programs, each in a process group of its own.
// One ends when it is stopped, when the thread that started it or this whole
// program ends, and when its connection does.
type Commands struct {
	name   string // in messages: "node"
	cfg    Config
	launch func(*launch) error
	shut   func() error // what the kind itself leaves behind; nil for nothing
	walls  []Wall       // that do not come from its cgroup
	caged  bool         // each box gets a cgroup, where groups has any
	groups Cgroups
	starts chan func()
	stop   chan struct{}
	once   sync.Once
	wg     sync.WaitGroup

	mu   sync.Mutex
	made int
	live map[*command]bool
}

var _ Kind = (*Commands)(nil)

// Config bounds a kind.
type Config struct {
	Most int // boxes alive at once
	// Nice makes the kernel prefer everyone else for the processors, 0 to 19:
	// see nice(1). All boxes that are compared should have the same.
	Nice int
	// Path is the program itself, for kinds that do not look on PATH alone.
	Path string
}

// startMax is how long a box may take to its first answer, also on a busy machine.
const startMax = 15 * time.Second

// launch is one start: what is to be run, and on which connection it answers.
type launch struct {
	n   int       // counts the starts
	cmd *exec.Cmd // set by Commands.launch; its process group and end are ours
	// conn is our side; theirs is closed once the program has it.
	conn   net.Conn
	theirs *os.File
	// undo takes away what this box leaves behind, after its program has ended; nil for nothing.
	undo func() error
	// inside are the box's processes where the program only asks a daemon for
	// them; nil when they are the program and what it started.
	inside func() []int
}

// stream gives the program one end of a connected pair of sockets.
func (l *launch) stream() error {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	ours := os.NewFile(uintptr(fds[0]), "box")
	l.theirs = os.NewFile(uintptr(fds[1]), "box")
	l.conn, err = net.FileConn(ours)
	return errors.Join(err, ours.Close()) // conn has a copy
}

func newCommands(name string, cfg Config, start func(*launch) error, shut func() error) *Commands {
	p := &Commands{name: name, cfg: cfg, launch: start, shut: shut, starts: make(chan func()), stop: make(chan struct{}), live: map[*command]bool{}}
	p.wg.Go(p.starter)
	return p
}

// confine puts every box into a cgroup of its own where this host delegates
// any. walls are what bounds it besides.
func (p *Commands) confine(walls ...Wall) {
	p.caged, p.groups, p.walls = true, Delegated(), walls
}

// Walls implements Walled.
func (p *Commands) Walls() []Wall {
	if !p.caged {
		return p.walls
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return append(p.groups.walls(p.cfg.Nice), p.walls...)
}

// starter starts programs from one thread that lives as long as p: the kernel
// ends a program with the thread that started it.
func (p *Commands) starter() {
	runtime.LockOSThread() // never unlocked: the thread ends with this goroutine
	// What a thread starts is as nice as it is. Where that is not allowed, boxes are only less polite.
	if now, err := unix.Getpriority(unix.PRIO_PROCESS, 0); err == nil && p.cfg.Nice > 20-now { // the call counts from 40 down
		_ = unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), p.cfg.Nice)
	}
	for {
		select {
		case f := <-p.starts:
			f()
		case <-p.stop:
			return
		}
	}
}

// command is one running program and the connection to it.
type command struct {
	kind   *Commands
	cmd    *exec.Cmd
	conn   net.Conn
	read   *bufio.Reader
	undo   func() error
	inside func() []int
	first  time.Duration
	phases []Phase
	stderr bytes.Buffer
	end    sync.Once
}

// Start implements Kind.
func (p *Commands) Start(ctx context.Context) (Box, error) {
	clock, begin := monotonic(), time.Now()
	b, err := p.spawn(p.launch)
	if err != nil {
		return nil, fmt.Errorf("box: start %s: %w", p.name, err)
	}
	made := time.Since(begin)
	ctx, cancel := context.WithTimeoutCause(ctx, startMax, fmt.Errorf("no answer within %v", startMax))
	defer cancel()
	_, head, _, err := b.request(ctx, "/")
	b.first = time.Since(begin)
	if err != nil {
		_ = b.Stop() // so that all it said is there
		return nil, fmt.Errorf("box: first request to %s: %w %s", p.name, err, bytes.TrimSpace(b.stderr.Bytes()))
	}
	b.phases = phasesOf(head, clock, made, b.first)
	return b, nil
}

// phasesOf divides a start by what the program says of itself in the headers
// x-born and x-handle: the monotonic clock, in ns, when its runtime began, and
// when its handler did. Without them, or with a clock of another machine, all
// after making the program counts as load.
func phasesOf(h http.Header, clock int64, made, first time.Duration) []Phase {
	at := func(name string) time.Duration {
		ns, err := strconv.ParseInt(h.Get(name), 10, 64)
		if err != nil {
			return -1
		}
		return time.Duration(ns - clock)
	}
	born, handle := at("X-Born"), at("X-Handle")
	if born < 0 || handle < born || first < handle {
		return []Phase{{Start, "make the box", 0, made}, {Load, "boot the runtime, load the code, answer", made, first}}
	}
	return []Phase{{Start, "make the box", 0, born}, {Load, "boot the runtime, load the code", born, handle}, {Handle, "the handler", handle, first}}
}

// monotonic is the clock that programs share, in ns.
func monotonic() int64 {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &t); err != nil {
		return 0 // Linux has it
	}
	return t.Nano()
}

// ErrFull is the answer to a box beyond the allowed number.
var ErrFull = errors.New("no more are allowed")

func (p *Commands) spawn(prepare func(*launch) error) (*command, error) {
	p.mu.Lock()
	full := len(p.live) >= p.cfg.Most
	p.made++
	l := &launch{n: p.made}
	groups := p.groups
	p.mu.Unlock()
	if full {
		return nil, fmt.Errorf("%d of %s are alive, and %w", p.cfg.Most, p.name, ErrFull)
	}
	if !p.caged || groups.Dir == "" {
		return p.start(l, prepare, nil)
	}
	cage, err := groups.cage(p.cfg.Nice)
	if err != nil {
		return nil, err
	}
	b, err := p.start(l, prepare, cage)
	// Who may write into a cgroup may still not move a process there from where this one is.
	if err == nil || !errors.Is(err, unix.EACCES) && !errors.Is(err, unix.EPERM) && !errors.Is(err, unix.EBADF) && !errors.Is(err, unix.EOPNOTSUPP) {
		return b, err
	}
	p.mu.Lock()
	p.groups = Cgroups{Why: fmt.Sprintf("the kernel does not let a box into its cgroup (%v)", err)}
	p.mu.Unlock()
	return p.start(&launch{n: l.n}, prepare, nil)
}

// start starts a program, in a cage if there is one, which is taken away in the end.
func (p *Commands) start(l *launch, prepare func(*launch) error, c *cage) (*command, error) {
	defer func() {
		if l.theirs != nil {
			_ = l.theirs.Close()
		}
	}()
	err := prepare(l)
	b := &command{kind: p, cmd: l.cmd, conn: l.conn, undo: l.undo, inside: l.inside}
	if c != nil {
		before := b.undo
		b.undo = func() error {
			var err error
			if before != nil {
				err = before()
			}
			return errors.Join(err, c.remove())
		}
	}
	if err == nil {
		b.read = bufio.NewReader(b.conn)
		b.cmd.Stderr = &b.stderr
		if b.cmd.Dir == "" {
			b.cmd.Dir = "/"
		}
		if b.cmd.SysProcAttr == nil {
			b.cmd.SysProcAttr = &syscall.SysProcAttr{}
		}
		if c != nil {
			b.cmd.SysProcAttr.UseCgroupFD, b.cmd.SysProcAttr.CgroupFD = true, int(c.dir.Fd())
		}
		b.cmd.SysProcAttr.Setpgid, b.cmd.SysProcAttr.Pdeathsig = true, syscall.SIGKILL
		b.cmd.WaitDelay = time.Second // of what a child of it still holds open
		started := make(chan error, 1)
		select {
		case p.starts <- func() { started <- b.cmd.Start() }:
			err = <-started
		case <-p.stop:
			err = errors.New("the kind is closed")
		}
	}
	if err != nil {
		if b.conn != nil {
			_ = b.conn.Close()
		}
		if b.undo != nil {
			err = errors.Join(err, b.undo())
		}
		return nil, err
	}
	p.mu.Lock()
	p.live[b] = true
	p.mu.Unlock()
	return b, nil
}

// FirstByte implements Box.
func (b *command) FirstByte() time.Duration { return b.first }

// Phases implements Box.
func (b *command) Phases() []Phase { return b.phases }

// Request implements Box.
func (b *command) Request(ctx context.Context) (time.Duration, error) {
	took, _, _, err := b.request(ctx, "/")
	return took, err
}

// Reporter is a box whose program says what it sees of where it is.
type Reporter interface {
	// Inside is that report, a JSON object: pid, processes, hostname,
	// interfaces, files, kernel, boot, ns, answers.
	Inside(ctx context.Context) ([]byte, error)
}

// Inside implements Reporter, for boxes that run Node.
func (b *command) Inside(ctx context.Context) ([]byte, error) {
	_, _, body, err := b.request(ctx, "/inside")
	return body, err
}

func (b *command) request(ctx context.Context, path string) (took time.Duration, head http.Header, body []byte, err error) {
	defer context.AfterFunc(ctx, func() { _ = b.conn.SetDeadline(time.Now()) })()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://box.example"+path, nil)
	if err != nil {
		return 0, nil, nil, err
	}
	begin := time.Now()
	first, head, body, err := b.exchange(r)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return first.Sub(begin), head, body, err
}

// maxAnswer bounds what a box may answer.
const maxAnswer = 64 << 10

func (b *command) exchange(r *http.Request) (first time.Time, head http.Header, body []byte, err error) {
	if err := r.Write(b.conn); err != nil {
		return first, nil, nil, err
	}
	if _, err := b.read.Peek(1); err != nil {
		return first, nil, nil, err
	}
	first = time.Now()
	answer, err := http.ReadResponse(b.read, r)
	if err != nil {
		return first, nil, nil, err
	}
	defer answer.Body.Close()
	body, err = io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("it answered %s", answer.Status)
	}
	return first, answer.Header, body, err
}

// Stop implements Box.
func (b *command) Stop() error {
	var err error
	b.end.Do(func() {
		inner, gone := descendants(b.cmd.Process.Pid), func() {}
		if len(inner) > 0 {
			gone = ending(inner)
		}
		_ = b.conn.Close()
		if kerr := unix.Kill(-b.cmd.Process.Pid, unix.SIGKILL); kerr != nil && !errors.Is(kerr, unix.ESRCH) {
			err = fmt.Errorf("box: stop %s: %w", b.kind.name, kerr)
		}
		for _, pid := range inner { // a runtime may have put them into sessions of their own
			_ = unix.Kill(pid, unix.SIGKILL)
		}
		_ = b.cmd.Wait() // says that it was killed
		gone()
		if b.undo != nil {
			err = errors.Join(err, b.undo())
		}
		b.kind.mu.Lock()
		delete(b.kind.live, b)
		b.kind.mu.Unlock()
	})
	return err
}

// PIDs lists the live programs and what they started.
func (p *Commands) PIDs() []int {
	p.mu.Lock()
	live := slices.Collect(maps.Keys(p.live))
	p.mu.Unlock()
	var pids []int
	for _, b := range live {
		if b.inside != nil {
			pids = append(pids, b.inside()...)
			continue
		}
		pids = append(append(pids, b.cmd.Process.Pid), descendants(b.cmd.Process.Pid)...)
	}
	return pids
}

// descendants are the processes that a process started, and those that they did.
func descendants(pid int) []int {
	var out []int
	tasks, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	for _, t := range tasks {
		data, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/children", pid, t.Name()))
		if err != nil {
			continue
		}
		for _, f := range bytes.Fields(data) {
			if child, err := strconv.Atoi(string(f)); err == nil {
				out = append(append(out, child), descendants(child)...)
			}
		}
	}
	return out
}

// ending watches processes that are no children of ours; what it gives waits
// until they have ended, or a while.
func ending(pids []int) (wait func()) {
	var watch []unix.PollFd
	for _, pid := range pids {
		if fd, err := unix.PidfdOpen(pid, 0); err == nil {
			watch = append(watch, unix.PollFd{Fd: int32(fd), Events: unix.POLLIN})
		}
	}
	return func() {
		for i := range watch {
			for {
				_, err := unix.Poll(watch[i:i+1], 2000)
				if !errors.Is(err, unix.EINTR) {
					break
				}
			}
			_ = unix.Close(int(watch[i].Fd))
		}
	}
}

// folder makes a folder for a kind, and takes away those of programs that were
// killed an hour ago or earlier.
func folder(kind string) (string, error) {
	old, _ := filepath.Glob(filepath.Join(os.TempDir(), "coldstart-"+kind+"-*"))
	for _, dir := range old {
		var pid int
		_, err := fmt.Sscanf(filepath.Base(dir), "coldstart-"+kind+"-%d-", &pid)
		info, serr := os.Stat(dir)
		if err == nil && serr == nil && time.Since(info.ModTime()) > time.Hour && errors.Is(unix.Kill(pid, 0), unix.ESRCH) {
			_ = os.RemoveAll(dir)
		}
	}
	return os.MkdirTemp("", fmt.Sprintf("coldstart-%s-%d-", kind, os.Getpid()))
}

// Memory implements Kind.
func (p *Commands) Memory() (int64, error) {
	pids := p.PIDs()
	if len(pids) == 0 {
		return 0, fmt.Errorf("box: no process of %s can be seen", p.name)
	}
	return Memory(pids...)
}

// Close implements Kind.
func (p *Commands) Close() error {
	p.mu.Lock()
	var all []*command
	for b := range p.live {
		all = append(all, b)
	}
	p.mu.Unlock()
	var errs []error
	for _, b := range all {
		errs = append(errs, b.Stop())
	}
	p.once.Do(func() {
		close(p.stop)
		p.wg.Wait()
		if p.shut != nil {
			errs = append(errs, p.shut())
		}
	})
	return errors.Join(errs...)
}
