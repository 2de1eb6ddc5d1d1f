package box

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
)

// workerdConfig is a Worker that counts visits, for workerd's own configuration
// language. The socket is given as a descriptor.
const workerdConfig = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .visits)],
  sockets = [(name = "http", address = "*:0", http = (), service = "main")]
);
const visits :Workerd.Worker = (
  modules = [(name = "visits", esModule = "let visits = 0; export default { async fetch() { return new Response('visit ' + ++visits); } };")],
  compatibilityDate = "2026-11-01"
);
`

// NewWorkerd makes boxes that are workerd processes with one isolate of V8
// each. Path is its binary, "" for the one on PATH. A host without it gives a
// *MissingError.
func NewWorkerd(cfg Config) (*Commands, error) {
	path := cfg.Path
	found, err := exec.LookPath(path)
	if path == "" {
		found, err = exec.LookPath("workerd")
	}
	if err != nil {
		why := "no workerd is on PATH; the host can name one with --workerd"
		if path != "" {
			why = "there is no workerd at the path that --workerd names"
		}
		return nil, &MissingError{why}
	}
	if found, err = filepath.Abs(found); err != nil {
		return nil, err
	}
	dir, err := folder("workerd")
	if err != nil {
		return nil, err
	}
	config := filepath.Join(dir, "config.capnp")
	if err := os.WriteFile(config, []byte(workerdConfig), 0o600); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	launcher := func(l *launch) error {
		address := &net.UnixAddr{Name: filepath.Join(dir, fmt.Sprint(l.n)), Net: "unix"}
		ln, err := net.ListenUnix("unix", address)
		if err != nil {
			return err
		}
		// We are connected before workerd is there; then nobody else can be.
		if l.conn, err = net.DialUnix("unix", nil, address); err == nil {
			l.theirs, err = ln.File()
		}
		if err = errors.Join(err, ln.Close()); err != nil {
			return err
		}
		l.cmd = exec.Command(found, "serve", "--socket-fd", "http=3", config)
		l.cmd.Env, l.cmd.ExtraFiles = []string{}, []*os.File{l.theirs}
		return nil
	}
	p := newCommands("workerd", cfg, launcher, func() error { return os.RemoveAll(dir) })
	p.confine(Wall{"view", "a Worker sees what its configuration binds; the process itself sees the host as this server’s user does", false})
	return tried(p)
}
