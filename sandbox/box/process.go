package box

import (
	_ "embed"
	"os"
	"os/exec"
)

//go:embed visits.mjs
var visits string

// node finds Node, or says why there is none.
func node() (string, error) {
	path, err := exec.LookPath("node")
	if err != nil {
		return "", &MissingError{"no node is on PATH"}
	}
	return path, nil
}

// nodeArgs run a program in Node.
func nodeArgs(program string) []string { return []string{"--input-type=module", "--eval", program} }

// Processes are plain Node processes.
type Processes struct {
	*Commands
	path string
}

// NewProcesses finds node on the PATH. Without one the error is a *MissingError.
func NewProcesses(cfg Config) (*Processes, error) { return newProcesses(cfg, visits) }

func newProcesses(cfg Config, program string) (*Processes, error) {
	path, err := node()
	if err != nil {
		return nil, err
	}
	p := &Processes{path: path}
	p.Commands = newCommands("node", cfg, func(l *launch) error { return p.run(l, program) }, nil)
	p.confine(Wall{"view", "none: it sees the host’s files, processes and network as this server’s user does", false})
	return p, nil
}

// run starts a program with one end of a pair of sockets.
func (p *Processes) run(l *launch, program string) error {
	if err := l.stream(); err != nil {
		return err
	}
	l.cmd = exec.Command(p.path, nodeArgs(program)...)
	l.cmd.Env, l.cmd.ExtraFiles = []string{}, []*os.File{l.theirs}
	return nil
}
