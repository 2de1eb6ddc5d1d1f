package box

import (
	"bufio"
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

//go:embed visits.mjs
var visits string

// Processes are Node processes that count visits, each in a process group of
// its own. One ends when it is stopped, when the thread that started it or
// this whole program ends, and when its connection does.
type Processes struct {
	node   string
	most   int
	starts chan func()
	stop   chan struct{}
	wg     sync.WaitGroup

	mu   sync.Mutex
	live map[*process]bool
}

var _ Kind = (*Processes)(nil)

// startMax is how long a process may take to its first answer, also on a busy machine.
const startMax = 15 * time.Second

// NewProcesses finds node on the PATH. Without one the error is a
// *MissingError. At most most processes are alive at once.
func NewProcesses(most int) (*Processes, error) {
	node, err := exec.LookPath("node")
	if err != nil {
		return nil, &MissingError{"no `node` is on PATH"}
	}
	p := &Processes{node: node, most: most, starts: make(chan func()), stop: make(chan struct{}), live: map[*process]bool{}}
	p.wg.Go(p.starter)
	return p, nil
}

// starter starts processes from one thread that lives as long as p: the kernel
// ends a process with the thread that started it.
func (p *Processes) starter() {
	runtime.LockOSThread() // never unlocked: the thread ends with this goroutine
	for {
		select {
		case f := <-p.starts:
			f()
		case <-p.stop:
			return
		}
	}
}

// process is one Node process and the connection to it.
type process struct {
	kind   *Processes
	cmd    *exec.Cmd
	conn   net.Conn
	read   *bufio.Reader
	first  time.Duration
	stderr bytes.Buffer
	end    sync.Once
}

// Start implements Kind.
func (p *Processes) Start(ctx context.Context) (Box, error) {
	begin := time.Now()
	b, err := p.spawn(visits)
	if err != nil {
		return nil, fmt.Errorf("box: start node: %w", err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, startMax, fmt.Errorf("no answer within %v", startMax))
	defer cancel()
	if _, err := b.Request(ctx); err != nil {
		_ = b.Stop() // so that all it said is there
		return nil, fmt.Errorf("box: first request to node: %w %s", err, bytes.TrimSpace(b.stderr.Bytes()))
	}
	b.first = time.Since(begin)
	return b, nil
}

// ErrFull is the answer to a process beyond the allowed number.
var ErrFull = errors.New("no more are allowed")

// spawn starts a process that runs a program with one end of a socket pair.
func (p *Processes) spawn(program string) (*process, error) {
	p.mu.Lock()
	full := len(p.live) >= p.most
	p.mu.Unlock()
	if full {
		return nil, fmt.Errorf("%d Node processes are alive, and %w", p.most, ErrFull)
	}
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	ours, theirs := os.NewFile(uintptr(fds[0]), "box"), os.NewFile(uintptr(fds[1]), "box")
	defer theirs.Close()
	conn, err := net.FileConn(ours)
	_ = ours.Close() // conn has a copy
	if err != nil {
		return nil, err
	}
	b := &process{kind: p, conn: conn, read: bufio.NewReader(conn)}
	b.cmd = exec.Command(p.node, "--input-type=module", "--eval", program)
	b.cmd.Env, b.cmd.Dir = []string{}, "/"
	b.cmd.Stderr = &b.stderr
	b.cmd.ExtraFiles = []*os.File{theirs}
	b.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	started := make(chan error, 1)
	select {
	case p.starts <- func() { started <- b.cmd.Start() }:
		err = <-started
	case <-p.stop:
		err = errors.New("the kind is closed")
	}
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	p.mu.Lock()
	p.live[b] = true
	p.mu.Unlock()
	return b, nil
}

// FirstByte implements Box.
func (b *process) FirstByte() time.Duration { return b.first }

// Request implements Box.
func (b *process) Request(ctx context.Context) (time.Duration, error) {
	defer context.AfterFunc(ctx, func() { _ = b.conn.SetDeadline(time.Now()) })()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://box.example/", nil)
	if err != nil {
		return 0, err
	}
	begin := time.Now()
	first, err := b.exchange(r)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return first.Sub(begin), err
}

func (b *process) exchange(r *http.Request) (first time.Time, err error) {
	if err := r.Write(b.conn); err != nil {
		return first, err
	}
	if _, err := b.read.Peek(1); err != nil {
		return first, err
	}
	first = time.Now()
	answer, err := http.ReadResponse(b.read, r)
	if err != nil {
		return first, err
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return first, err
	}
	if answer.StatusCode != http.StatusOK {
		return first, fmt.Errorf("it answered %s", answer.Status)
	}
	return first, nil
}

// Stop implements Box.
func (b *process) Stop() error {
	var err error
	b.end.Do(func() {
		_ = b.conn.Close()
		if kerr := unix.Kill(-b.cmd.Process.Pid, unix.SIGKILL); kerr != nil && !errors.Is(kerr, unix.ESRCH) {
			err = fmt.Errorf("box: stop node: %w", kerr)
		}
		_ = b.cmd.Wait() // says that it was killed
		b.kind.mu.Lock()
		delete(b.kind.live, b)
		b.kind.mu.Unlock()
	})
	return err
}

// PIDs lists the live processes.
func (p *Processes) PIDs() []int {
	p.mu.Lock()
	defer p.mu.Unlock()
	var pids []int
	for b := range p.live {
		pids = append(pids, b.cmd.Process.Pid)
	}
	return pids
}

// Memory implements Kind.
func (p *Processes) Memory() (int64, error) { return Memory(p.PIDs()...) }

// Close implements Kind.
func (p *Processes) Close() error {
	p.mu.Lock()
	var all []*process
	for b := range p.live {
		all = append(all, b)
	}
	p.mu.Unlock()
	var errs []error
	for _, b := range all {
		errs = append(errs, b.Stop())
	}
	select {
	case <-p.stop:
	default:
		close(p.stop)
	}
	p.wg.Wait()
	return errors.Join(errs...)
}
