package box

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// NewOCI makes containers with crun or else runc, the programs that Docker and
// Kubernetes have make theirs, from a bundle with the same root as those of
// NewContainers. A host without them, or where they do not work, gives a
// *MissingError.
func NewOCI(cfg Config) (*Commands, error) { return newOCI(cfg, visits) }

func newOCI(cfg Config, program string) (*Commands, error) {
	path, err := node()
	if err != nil {
		return nil, err
	}
	runtime, err := exec.LookPath("crun")
	if err != nil {
		if runtime, err = exec.LookPath("runc"); err != nil {
			return nil, &MissingError{"neither crun nor runc is on PATH"}
		}
	}
	name := filepath.Base(runtime)
	files, err := needed(path)
	if err != nil {
		return nil, err
	}
	dir, err := folder("oci")
	if err != nil {
		return nil, err
	}
	if err := writeBundle(dir, files, append([]string{path}, nodeArgs(program)...)); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	args := []string{runtime, "--root", filepath.Join(dir, "state")}
	if name == "crun" {
		args = append(args, "--cgroup-manager=disabled") // the caps are those of the cgroup that it is started in
	}
	_, err = os.Stat("/sys/fs/cgroup/cgroup.controllers")
	mixed := err != nil // cgroups of both versions: the runtimes want to see one
	if mixed && os.Geteuid() != 0 {
		return nil, errors.Join(&MissingError{name + " cannot work with this host's mix of cgroup versions"}, os.RemoveAll(dir))
	}
	launcher := func(l *launch) error {
		if err := l.stream(); err != nil {
			return err
		}
		id := fmt.Sprintf("coldstart-%d-%d", os.Getpid(), l.n)
		argv := append(args, "run", "--preserve-fds=1", "--bundle", dir, id)
		l.cmd = exec.Command(argv[0], argv[1:]...)
		if mixed {
			what, err := json.Marshal(contained{Argv: argv, OnlyCgroups: true})
			if err != nil {
				return err
			}
			l.cmd = exec.Command("/proc/self/exe", "child", "--role="+Role)
			l.cmd.Env = []string{containedVar + "=" + string(what)}
			l.cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS}
		}
		l.cmd.ExtraFiles = []*os.File{l.theirs}
		return nil
	}
	p := newCommands(name, cfg, launcher, func() error { return os.RemoveAll(dir) })
	view := Wall{"view", "namespaces and a root of its own, made by " + name, true}
	if name == "crun" {
		p.confine(view) // crun leaves a container in the cgroup that crun is in
	} else {
		p.walls = []Wall{view}
	}
	return tried(p)
}

// tried starts a box and stops it; if that fails the kind is missing, and why is what the box said.
func tried(p *Commands) (*Commands, error) {
	ctx, cancel := context.WithTimeout(context.Background(), startMax)
	defer cancel()
	b, err := p.Start(ctx)
	if err == nil {
		err = b.Stop()
	}
	if err == nil {
		return p, nil
	}
	if cerr := p.Close(); cerr != nil {
		return nil, errors.Join(err, cerr)
	}
	return nil, &MissingError{fmt.Sprintf("a trial of %s failed: %s", p.name, firstLine([]byte(err.Error())))}
}

// mount is one of a bundle's.
type mount struct {
	Destination string   `json:"destination"`
	Type        string   `json:"type"`
	Source      string   `json:"source"`
	Options     []string `json:"options,omitempty"`
}

// writeBundle makes a bundle by the OCI runtime specification 1.0.
func writeBundle(dir string, files, argv []string) error {
	root := filepath.Join(dir, "rootfs")
	mounts := []mount{
		{"/proc", "proc", "proc", nil},
		{"/dev", "tmpfs", "tmpfs", []string{"nosuid", "mode=755", "size=64k"}},
	}
	for _, m := range mounts {
		if err := os.MkdirAll(filepath.Join(root, m.Destination), 0o755); err != nil {
			return err
		}
	}
	for _, f := range files { // the places must be there: the container's root may make none
		to := filepath.Join(root, f)
		if err := errors.Join(os.MkdirAll(filepath.Dir(to), 0o755), os.WriteFile(to, nil, 0o644)); err != nil {
			return err
		}
		mounts = append(mounts, mount{f, "bind", f, []string{"bind", "ro"}})
	}
	type object = map[string]any
	user, group := os.Geteuid(), os.Getegid()
	if user == 0 {
		user, group = 65534, 65534
	}
	var spaces []object
	for _, s := range []string{"pid", "network", "ipc", "uts", "mount", "user"} {
		spaces = append(spaces, object{"type": s})
	}
	data, err := json.Marshal(object{
		"ociVersion": "1.0.2",
		"process":    object{"user": object{"uid": 0, "gid": 0}, "args": argv, "env": []string{}, "cwd": "/", "noNewPrivileges": true},
		"root":       object{"path": "rootfs", "readonly": true},
		"hostname":   "box",
		"mounts":     mounts,
		"linux": object{
			"namespaces":  spaces,
			"uidMappings": []object{{"containerID": 0, "hostID": user, "size": 1}},
			"gidMappings": []object{{"containerID": 0, "hostID": group, "size": 1}},
		},
	})
	if err != nil {
		return err
	}
	return errors.Join(os.WriteFile(filepath.Join(dir, "config.json"), data, 0o644), os.Chmod(dir, 0o755))
}

// dockerImage is an empty image of our own: the files come from the host, so
// nothing is fetched from anywhere.
const dockerImage = "coldstart-box"

// NewDocker makes containers through Docker, which is there when its daemon
// answers. A host without one gives a *MissingError.
func NewDocker(cfg Config) (*Commands, error) {
	path, err := node()
	if err != nil {
		return nil, err
	}
	docker, err := exec.LookPath("docker")
	if err != nil {
		return nil, &MissingError{"no docker is on PATH"}
	}
	ask := func(stdin []byte, args ...string) (string, error) {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		cmd := exec.CommandContext(ctx, docker, args...)
		cmd.Stdin = bytes.NewReader(stdin)
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		out, err := cmd.Output()
		return string(bytes.TrimSpace(out)), err
	}
	if version, err := ask(nil, "version", "--format", "{{.Server.Version}}"); err != nil || version == "" {
		return nil, &MissingError{"no Docker daemon answers"}
	}
	files, err := needed(path)
	if err != nil {
		return nil, err
	}
	if _, err := ask(nil, "image", "inspect", dockerImage); err != nil {
		if _, err := ask(make([]byte, 1024), "import", "-", dockerImage); err != nil { // an archive's end, and nothing before it
			return nil, &MissingError{"Docker does not take the lab's empty image"}
		}
	}
	launcher := func(l *launch) error {
		if err := l.stream(); err != nil {
			return err
		}
		name := fmt.Sprintf("coldstart-box-%d-%d", os.Getpid(), l.n)
		args := []string{
			"run", "--rm", "--interactive", "--pull", "never", "--name", name, "--network", "none", "--read-only", "--cap-drop", "ALL",
			"--security-opt", "no-new-privileges", "--memory", fmt.Sprint(cageMemory), "--cpus", fmt.Sprint(cageProcessors), "--pids-limit", fmt.Sprint(cageTasks), "--env", "BOX_STDIO=1",
		}
		for _, f := range files {
			args = append(args, "--volume", f+":"+f+":ro")
		}
		args = append(append(args, dockerImage, path), nodeArgs(visits)...)
		l.cmd = exec.Command(docker, args...)
		// What Docker's program reads and writes is what the container's does; when
		// it is killed, the container's input ends, and with it the container.
		l.cmd.Stdin, l.cmd.Stdout = l.theirs, l.theirs
		l.inside = func() []int {
			out, err := ask(nil, "inspect", "--format", "{{.State.Pid}}", name)
			var pid int
			if _, serr := fmt.Sscan(out, &pid); err != nil || serr != nil || pid <= 0 {
				return nil
			}
			return []int{pid}
		}
		l.undo = func() error {
			_, _ = ask(nil, "rm", "--force", name) // it is gone by itself, most times
			return nil
		}
		return nil
	}
	p := newCommands("docker", cfg, launcher, nil)
	p.walls = []Wall{
		{"memory", fmt.Sprintf("%d MB, asked of Docker", cageMemory>>20), true},
		{"processor", "one of them at most, asked of Docker", true},
		{"tasks", fmt.Sprintf("%d, asked of Docker", cageTasks), true},
		{"view", "namespaces and a root of its own, made by Docker; no network, no rights", true},
	}
	return tried(p)
}
