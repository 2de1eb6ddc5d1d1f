package box

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Walls are what a witness is put behind: a namespace of its own for each of
// the first six, a cap on its memory, and the door at which visitors find it.
type Walls struct {
	PID     bool   `json:"pid"`
	Mounts  bool   `json:"mnt"` // with a root that holds the program alone, and a new /proc
	Network bool   `json:"net"`
	Name    bool   `json:"uts"`
	IPC     bool   `json:"ipc"`
	User    bool   `json:"user"`
	Memory  int    `json:"memory_mb"` // 0: no cap
	Door    string `json:"door"`      // DoorPort or DoorSocket; anything else: none
}

// The doors of a witness: a TCP port of the loopback address, and a socket
// that it inherits.
const (
	DoorPort   = "port"
	DoorSocket = "socket"
)

// Testimony is what a witness said of where it is, and what was seen of it from
// outside.
type Testimony struct {
	PID        int               `json:"pid"`
	Processes  int               `json:"processes,omitempty"` // in its /proc; 0 without one
	Hostname   string            `json:"hostname"`
	Interfaces []string          `json:"interfaces"`
	Files      int               `json:"files"` // entries of its root folder
	Kernel     string            `json:"kernel"`
	Boot       string            `json:"boot,omitempty"` // names this start of the kernel; "" without /proc
	NS         map[string]string `json:"ns"`             // links of its namespaces, as /proc shows them outside
	Reaches    bool              `json:"reaches"`        // it could connect to a port of this host
	Seen       bool              `json:"seen"`           // a file that it wrote is there outside, too
	Answers    struct {
		TCP    bool `json:"tcp"`
		Socket bool `json:"socket"`
	} `json:"answers"`
	Took    int    `json:"took_mb"`           // MB that it could take for itself, of hoardMB
	Stopped string `json:"stopped,omitempty"` // who ended it then; "" when nobody did
	Refused string `json:"refused,omitempty"` // why the walls cannot be had so; the rest is then empty
	Port    int    `json:"-"`
}

const (
	hoardMB  = 256 // that a witness tries to take in the end
	hoardBy  = 16  // MB at a time
	leastMB  = 64  // below which the program does not begin
	visitMax = 2 * time.Second
)

// Witness starts a small program as a plain process, and another one behind
// walls, and tells what each of them said. A host that lets us make no walls
// gives a *MissingError.
func Witness(ctx context.Context, cfg Config, w Walls) (inside, outside Testimony, err error) {
	if outside, err = testimony(ctx, cfg, Walls{Door: DoorPort}, false); err == nil {
		inside, err = testimony(ctx, cfg, w, true)
	}
	return inside, outside, err
}

func testimony(ctx context.Context, cfg Config, w Walls, hoard bool) (t Testimony, err error) {
	if w.Memory != 0 && w.Memory < leastMB {
		t.Refused = fmt.Sprintf("with less than %d MB the program does not begin", leastMB)
		return t, nil
	}
	dir, err := folder("witness")
	if err != nil {
		return t, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := os.Chmod(dir, 0o777|os.ModeSticky); err != nil { // root in there may be nobody outside
		return t, err
	}
	neighbour, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return t, err
	}
	defer neighbour.Close()
	what, err := json.Marshal(contained{Root: dir, Walls: &w, Neighbour: neighbour.Addr().String()})
	if err != nil {
		return t, err
	}
	p := newCommands("a witness", cfg, nil, nil)
	defer func() { err = errors.Join(err, p.Close()) }()
	if w.Memory > 0 {
		p.confine()
		p.groups.memory = int64(w.Memory) << 20
	}
	b, err := p.spawn(func(l *launch) error {
		if err := l.stream(); err != nil {
			return err
		}
		l.cmd = exec.Command("/proc/self/exe", "child", "--role="+Role)
		l.cmd.Env, l.cmd.ExtraFiles = []string{containedVar + "=" + string(what)}, []*os.File{l.theirs}
		l.cmd.SysProcAttr = w.spaces()
		return nil
	})
	switch {
	case err != nil && !w.User && os.Geteuid() != 0 && errors.Is(err, unix.EPERM):
		t.Refused = "without a user namespace only root may make the others"
		return t, nil
	case err != nil && w.spaces().Cloneflags != 0:
		return t, &MissingError{fmt.Sprintf("the kernel does not let this server make namespaces (%v)", err)}
	case err != nil:
		return t, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, startMax, fmt.Errorf("no answer within %v", startMax))
	defer cancel()
	defer context.AfterFunc(ctx, func() { _ = b.conn.SetDeadline(time.Now()) })()
	if err := t.hear(b, w); err != nil {
		if ctx.Err() != nil {
			return t, context.Cause(ctx)
		}
		_ = b.Stop() // so that all it said is there
		return t, &MissingError{"a program cannot be confined so here: " + firstLine(bytes.TrimSpace(b.stderr.Bytes()))}
	}
	_, serr := os.Stat(filepath.Join(dir, noteName))
	t.Seen = serr == nil
	t.Answers.TCP = w.Door == DoorPort && visited(t.Port)
	if w.Door == DoorSocket {
		said, err := b.ask("visit")
		t.Answers.Socket = err == nil && strings.HasPrefix(said, "visit ")
	}
	if hoard {
		if err := t.hoard(b, w); err != nil {
			return t, err
		}
	}
	return t, context.Cause(ctx)
}

// hear takes what the witness says first, and adds what only somebody outside can see.
func (t *Testimony) hear(b *command, w Walls) error {
	line, err := b.read.ReadString('\n')
	if err != nil {
		return err
	}
	var said struct {
		Testimony
		Port int `json:"port"`
	}
	if err := json.Unmarshal([]byte(line), &said); err != nil {
		return err
	}
	*t, t.Port = said.Testimony, said.Port
	t.NS = map[string]string{}
	for _, name := range []string{"ipc", "mnt", "net", "pid", "user", "uts"} {
		if t.NS[name], err = os.Readlink(fmt.Sprintf("/proc/%d/ns/%s", b.cmd.Process.Pid, name)); err != nil {
			return err
		}
	}
	return nil
}

// hoard lets the witness take memory until it is stopped, or has all it wants.
// Where no cgroup holds it, we do, after each piece.
func (t *Testimony) hoard(b *command, w Walls) error {
	for t.Took < hoardMB {
		if _, err := b.ask("more"); err != nil {
			t.Stopped = "its cgroup"
			break
		}
		t.Took += hoardBy
		if w.Memory == 0 || b.kind.groups.Dir != "" {
			continue
		}
		held, err := Memory(b.cmd.Process.Pid)
		if err != nil {
			return err
		}
		if held > int64(w.Memory)<<20 {
			t.Stopped = "this server, which weighed it after each piece, because " + b.kind.groups.Why
			break
		}
	}
	return b.Stop()
}

// ask sends the witness one word and gives its answer.
func (b *command) ask(word string) (string, error) {
	if _, err := b.conn.Write([]byte(word + "\n")); err != nil {
		return "", err
	}
	line, err := b.read.ReadString('\n')
	return strings.TrimSpace(line), err
}

// visited reports whether the witness answers at a port.
func visited(port int) bool {
	if port == 0 {
		return false
	}
	conn, err := net.DialTimeout("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), visitMax)
	if err != nil {
		return false
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(visitMax)); err != nil {
		return false
	}
	var answer [6]byte
	n, err := conn.Read(answer[:])
	return err == nil && string(answer[:n]) == "visit "
}

// spaces is a start in the namespaces of w.
func (w Walls) spaces() *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{}
	if w.User {
		a = confined()
	}
	a.Cloneflags = 0
	for _, s := range []struct {
		on   bool
		flag uintptr
	}{{w.PID, unix.CLONE_NEWPID}, {w.Mounts, unix.CLONE_NEWNS}, {w.Network, unix.CLONE_NEWNET}, {w.Name, unix.CLONE_NEWUTS}, {w.IPC, unix.CLONE_NEWIPC}, {w.User, unix.CLONE_NEWUSER}} {
		if s.on {
			a.Cloneflags |= s.flag
		}
	}
	return a
}
