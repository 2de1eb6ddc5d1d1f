package box

import (
	"debug/elf"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Role is how this binary is started to become what runs in a container: Main
// does it. Whoever starts boxes of kind container passes on
// "child --role=box" to Main.
const Role = "box"

// contained is what the first program in a container has to do; it comes in
// the environment.
type contained struct {
	Root  string   // an empty folder, where the container's root is put together
	Files []string // of the host that it sees, under their own names
	Argv  []string
	// OnlyCgroups instead only hides the old cgroups, for a container runtime that
	// wants to see those of version 2 alone, and becomes the program.
	OnlyCgroups bool
	// Wasm instead holds instances of the Wasm module.
	Wasm bool
	// Walls make it a witness instead, which writes a file into Root and tries to
	// reach a neighbour's address.
	Walls     *Walls
	Neighbour string
}

const containedVar = "COLDSTART_BOX"

// NewContainers makes Linux containers with nothing but the kernel: user,
// mount, pid, net, uts and ipc namespaces, and a root that holds Node, the
// libraries that it needs and /proc. A host that does not let us gives a
// *MissingError. They teach isolation;
// they are no security boundary.
func NewContainers(cfg Config) (*Commands, error) { return newContainers(cfg, visits) }

func newContainers(cfg Config, program string) (*Commands, error) {
	path, err := node()
	if err != nil {
		return nil, err
	}
	files, err := needed(path)
	if err != nil {
		return nil, err
	}
	root, err := folder("box")
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(root, 0o755); err != nil { // the container's root is nobody outside
		return nil, errors.Join(err, os.Remove(root))
	}
	what, err := json.Marshal(contained{Root: root, Files: files, Argv: append([]string{path}, nodeArgs(program)...)})
	if err != nil {
		return nil, err
	}
	launcher := func(l *launch) error {
		if err := l.stream(); err != nil {
			return err
		}
		l.cmd = exec.Command("/proc/self/exe", "child", "--role="+Role)
		l.cmd.Env, l.cmd.ExtraFiles = []string{containedVar + "=" + string(what)}, []*os.File{l.theirs}
		l.cmd.SysProcAttr = confined()
		return nil
	}
	p := newCommands("container", cfg, launcher, func() error { return os.Remove(root) })
	p.confine(Wall{"view", "namespaces of its own for users, mounts, processes, network, host name and messages; a root that holds Node alone", true})
	if why := tryContainer(); why != "" {
		if err := p.Close(); err != nil {
			return nil, err
		}
		return nil, &MissingError{why}
	}
	return p, nil
}

// confined is a start in six namespaces of its own. Root in them is this user
// outside, or nobody when this user is root.
func confined() *syscall.SysProcAttr {
	user, group := os.Geteuid(), os.Getegid()
	if user == 0 {
		user, group = 65534, 65534
	}
	return &syscall.SysProcAttr{
		Cloneflags:  unix.CLONE_NEWUSER | unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWNET | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: user, Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: group, Size: 1}},
		Credential:  &syscall.Credential{NoSetGroups: true},
	}
}

// tryContainer asks the kernel for the namespaces, and says what is in the way.
func tryContainer() string {
	cmd := exec.Command("/proc/self/exe", "child", "--role="+Role)
	cmd.Env = []string{containedVar + "={}"}
	cmd.SysProcAttr = confined()
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &exit):
		return "a program cannot be confined here: " + firstLine(out)
	}
	return "the kernel does not let this server make namespaces (" + err.Error() + ")"
}

func firstLine(b []byte) string {
	line, _, _ := strings.Cut(string(b), "\n")
	return line
}

// needed are a program and the shared libraries that it is linked with.
func needed(program string) ([]string, error) {
	path, err := filepath.EvalSymlinks(program)
	if err != nil {
		return nil, err
	}
	out := []string{program}
	todo := []string{path}
	for len(todo) > 0 {
		file := todo[0]
		todo = todo[1:]
		f, err := elf.Open(file)
		if err != nil {
			return nil, &MissingError{fmt.Sprintf("%s is no program that a container can take along", file)}
		}
		names, err := f.ImportedLibraries()
		for _, p := range f.Progs {
			if p.Type != elf.PT_INTERP || err != nil {
				continue
			}
			name := make([]byte, p.Filesz)
			if _, err = p.ReadAt(name, 0); err == nil {
				names = append(names, string(name[:max(len(name)-1, 0)]))
			}
		}
		if err = errors.Join(err, f.Close()); err != nil {
			return nil, fmt.Errorf("read %s: %w", file, err)
		}
		for _, name := range names {
			lib, err := library(name, f.Class)
			if err != nil {
				return nil, err
			}
			if !slices.Contains(out, lib) {
				out, todo = append(out, lib), append(todo, lib)
			}
		}
	}
	return out, nil
}

// library finds a shared library where Linux distributions keep them.
func library(name string, class elf.Class) (string, error) {
	if filepath.IsAbs(name) {
		return name, nil
	}
	places := []string{"/lib64/", "/usr/lib64/", "/lib/", "/usr/lib/", "/usr/local/lib/"}
	more, _ := filepath.Glob("/lib/*-linux-*")
	also, _ := filepath.Glob("/usr/lib/*-linux-*")
	for _, dir := range append(more, also...) {
		places = append(places, dir+"/")
	}
	for _, dir := range places {
		f, err := elf.Open(dir + name)
		if err != nil {
			continue
		}
		fits := f.Class == class
		if f.Close() == nil && fits {
			return dir + name, nil
		}
	}
	return "", &MissingError{fmt.Sprintf("Node needs %s, which is in none of the usual folders", name)}
}
