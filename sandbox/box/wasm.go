package box

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"time"

	"coldstart/static"
)

// Modules are instances of one Wasm module, all in one process of their own
// that has compiled it: a program that does what the other boxes' handler
// does, in another language.
type Modules struct {
	most int
	host *Commands
	link *command
	n    int
	live map[int]bool
}

var _ Kind = (*Modules)(nil)

// compileMax is how long compiling the module may take, also on a busy machine.
const compileMax = 40 * time.Second

// NewWasm starts the process and has it compile the module, which a start then
// does not pay for. A program that was built without it gives a *MissingError.
func NewWasm(ctx context.Context, cfg Config) (*Modules, error) {
	if _, err := static.File(moduleFile); err != nil {
		return nil, &MissingError{"this program was built without its Wasm module"}
	}
	m := &Modules{most: cfg.Most, live: map[int]bool{}}
	cfg.Most = 1
	m.host = newCommands("the host of Wasm modules", cfg, nil, nil)
	m.host.walls = []Wall{
		{"memory", fmt.Sprintf("%d MB for an instance, by Wasm: it cannot grow beyond", modulePages>>4), true},
		{"processor", fmt.Sprintf("none; the process of all instances only gives way to others (nice %d)", cfg.Nice), false},
		{"view", "an instance can only call what it was given to import; no file, no socket", true},
	}
	var err error
	m.link, err = m.host.spawn(func(l *launch) error {
		if err := l.stream(); err != nil {
			return err
		}
		l.cmd = exec.Command("/proc/self/exe", "child", "--role="+Role)
		l.cmd.Env, l.cmd.ExtraFiles = []string{containedVar + `={"Wasm":true}`}, []*os.File{l.theirs}
		return nil
	})
	if err == nil {
		ctx, cancel := context.WithTimeoutCause(ctx, compileMax, fmt.Errorf("it is not compiled within %v", compileMax))
		defer cancel()
		_, _, _, err = m.link.request(ctx, "/ready")
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("box: compile the Wasm module: %w", err), m.host.Close())
	}
	return m, nil
}

// module is one instance.
type module struct {
	kind   *Modules
	n      int
	first  time.Duration
	phases []Phase
}

// Start implements Kind.
func (m *Modules) Start(ctx context.Context) (Box, error) {
	if len(m.live) >= m.most {
		return nil, fmt.Errorf("%d Wasm modules are alive, and %w", m.most, ErrFull)
	}
	m.n++
	b := &module{kind: m, n: m.n}
	took, head, _, err := m.link.request(ctx, "/start/"+strconv.Itoa(b.n))
	if err != nil {
		return nil, fmt.Errorf("box: start a Wasm module: %w", err)
	}
	m.live[b.n] = true
	b.first = took
	at := func(name string) time.Duration {
		ns, _ := strconv.ParseInt(head.Get(name), 10, 64) // ours: it is a number
		return min(time.Duration(ns), took)
	}
	made, loaded := at("X-Made"), at("X-Loaded")
	b.phases = []Phase{{Start, "make the instance", 0, made}, {Load, "start the program in it", made, loaded}, {Handle, "the handler, and the way back", loaded, took}}
	return b, nil
}

// Walls implements Walled.
func (m *Modules) Walls() []Wall { return m.host.Walls() }

// Memory implements Kind.
func (m *Modules) Memory() (int64, error) { return m.host.Memory() }

// Close implements Kind.
func (m *Modules) Close() error { return m.host.Close() }

// FirstByte implements Box.
func (b *module) FirstByte() time.Duration { return b.first }

// Phases implements Box.
func (b *module) Phases() []Phase { return b.phases }

// Request implements Box.
func (b *module) Request(ctx context.Context) (time.Duration, error) {
	took, _, _, err := b.kind.link.request(ctx, "/ask/"+strconv.Itoa(b.n))
	return took, err
}

// Stop implements Box.
func (b *module) Stop() error {
	if !b.kind.live[b.n] {
		return nil
	}
	delete(b.kind.live, b.n)
	ctx, cancel := context.WithTimeout(context.Background(), startMax)
	defer cancel()
	_, _, _, err := b.kind.link.request(ctx, "/stop/"+strconv.Itoa(b.n))
	return err
}
