package lab

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"coldstart/sandbox"
	"coldstart/static"
)

// This file starts what the race lab starts, without the lab. Each function
// gives one that starts a contender anew and says after how many µs the first
// byte of its first answer was there.

const getRoot = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"

// throughDoor starts isolates of tenants of their own.
func throughDoor(t *testing.T, r Room) func() int64 {
	door, err := opener(t)(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := door.Close(); err != nil {
			t.Error(err)
		}
	})
	dep, err := door.Build(t.Context(), learner, *project(string(visits)))
	if err != nil || dep.Fault != nil {
		t.Fatal(err, dep)
	}
	n := 0
	return func() int64 {
		n++
		key := sandbox.Key{Learner: fmt.Sprint("other-", n), Project: "p"}
		if err := door.Deploy(t.Context(), key, dep); err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		resp, err := door.Invoke(t.Context(), sandbox.Run{Key: key, Method: "GET", URL: "https://x.example/", Length: -1})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(resp.Body, make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		took := time.Since(begin)
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if err := door.Evict(t.Context(), key, ""); err != nil {
			t.Fatal(err)
		}
		return took.Microseconds()
	}
}

// nodeArgs run the handler that the lab's programs run, which then answers
// through its input and output.
func nodeArgs(t *testing.T) []string {
	handler, err := os.ReadFile("../../sandbox/box/visits.mjs")
	if err != nil {
		t.Fatal(err)
	}
	return []string{"--input-type=module", "--eval", string(handler)}
}

// throughPipes starts a program that answers through its input and output.
func throughPipes(t *testing.T, program string, args ...string) func() int64 {
	return func() int64 {
		cmd := exec.Command(program, args...)
		cmd.Env, cmd.Dir = []string{"BOX_STDIO=1", "PATH=" + os.Getenv("PATH")}, "/"
		var said strings.Builder
		cmd.Stderr = &said
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		_, err = io.WriteString(in, getRoot)
		if err == nil {
			_, err = out.Read(make([]byte, 1))
		}
		took := time.Since(begin)
		_ = in.Close() // it ends with its input, also where it is another program's child
		late := time.AfterFunc(2*time.Second, func() { _ = cmd.Process.Kill() })
		_ = cmd.Wait()
		late.Stop()
		if err != nil {
			t.Fatalf("%s: %v %s", program, err, said.String())
		}
		return took.Microseconds()
	}
}

// throughWazero makes instances of the module in a runtime of the test's own,
// which has compiled it before.
func throughWazero(t *testing.T) func() int64 {
	text, err := static.File("visits.wasm")
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	runtime := wazero.NewRuntime(ctx)
	t.Cleanup(func() { _ = runtime.Close(ctx) })
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, runtime); err != nil {
		t.Fatal(err)
	}
	code, err := runtime.CompileModule(ctx, text)
	if err != nil {
		t.Fatal(err)
	}
	return func() int64 {
		begin := time.Now()
		m, err := runtime.InstantiateModule(ctx, code, wazero.NewModuleConfig().WithName("").WithStartFunctions())
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"_initialize", "visit"} {
			if _, err := m.ExportedFunction(name).Call(ctx); err != nil {
				t.Fatal(err)
			}
		}
		took := time.Since(begin)
		_ = m.Close(ctx)
		return took.Microseconds()
	}
}

// otherPrograms adds workerd, a container by util-linux's unshare and one by
// crun, as far as this host has them, and gives workerd's path.
func otherPrograms(t *testing.T, outside map[string]func() int64) (workerd string) {
	if found, _ := filepath.Glob("../../web/node_modules/@cloudflare/workerd-*/bin/workerd"); len(found) > 0 {
		var err error
		if workerd, err = filepath.Abs(found[0]); err != nil {
			t.Fatal(err)
		}
		outside["workerd"] = throughWorkerd(t, workerd)
	}
	node, err := exec.LookPath("node")
	if err != nil {
		return workerd
	}
	spaces := []string{"--user", "--map-root-user", "--mount", "--pid", "--fork", "--kill-child", "--net", "--uts", "--ipc"}
	switch out, err := exec.Command("unshare", append(spaces, "true")...).CombinedOutput(); err {
	case nil:
		outside["container"] = throughPipes(t, "unshare", append(append(spaces, node), nodeArgs(t)...)...)
	default:
		t.Logf("no container from outside: unshare: %v %s", err, out)
	}
	if crun := bundle(t, node); crun != nil {
		outside["oci"] = throughPipes(t, crun[0], crun[1:]...)
	}
	return workerd
}

// throughWorkerd starts workerd with a Worker of the test's own on a port.
func throughWorkerd(t *testing.T, path string) func() int64 {
	config := filepath.Join(t.TempDir(), "config.capnp")
	text := `using W = import "/workerd/workerd.capnp";
const config :W.Config = (services = [(name = "w", worker = .w)], sockets = [(name = "http", address = "*:0", http = (), service = "w")]);
const w :W.Worker = (modules = [(name = "w", esModule = "export default { fetch: () => new Response('visit 1') };")], compatibilityDate = "2026-11-01");
`
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return func() int64 {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		theirs, err := ln.(*net.TCPListener).File()
		if err != nil {
			t.Fatal(err)
		}
		defer theirs.Close()
		cmd := exec.Command(path, "serve", "--socket-fd", "http=3", config)
		cmd.ExtraFiles = []*os.File{theirs}
		begin := time.Now()
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
		conn, err := net.Dial("tcp", ln.Addr().String()) // it waits in the line until workerd is there
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, getRoot); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		return time.Since(begin).Microseconds()
	}
}

// bundle makes a container's bundle by hand, with what ldd says that Node
// needs, and gives the command that runs it with crun; nil where that does not work.
func bundle(t *testing.T, node string) []string {
	libraries, err := exec.Command("ldd", node).Output()
	if err != nil {
		t.Logf("no OCI container from outside: ldd: %v", err)
		return nil
	}
	type object = map[string]any
	dir := t.TempDir()
	mounts := []object{{"destination": "/proc", "type": "proc", "source": "proc"}, {"destination": "/dev", "type": "tmpfs", "source": "tmpfs"}}
	for _, file := range append(regexp.MustCompile(`/\S+`).FindAllString(string(libraries), -1), node) {
		mounts = append(mounts, object{"destination": file, "type": "bind", "source": file, "options": []string{"bind", "ro"}})
	}
	var spaces []object
	for _, s := range []string{"pid", "network", "ipc", "uts", "mount"} {
		spaces = append(spaces, object{"type": s})
	}
	config, err := json.Marshal(object{
		"ociVersion": "1.0.2", "hostname": "box", "root": object{"path": "rootfs"}, "mounts": mounts, "linux": object{"namespaces": spaces},
		"process": object{"user": object{"uid": 0, "gid": 0}, "args": append([]string{node}, nodeArgs(t)...), "env": []string{"BOX_STDIO=1"}, "cwd": "/"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "config.json"), config, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "rootfs"), 0o755); err != nil {
		t.Fatal(err)
	}
	// A name of its own for each, and on a host with cgroups of both versions only those that crun knows.
	run := fmt.Sprintf("mount -t cgroup2 none /sys/fs/cgroup && exec crun --cgroup-manager=disabled --root %s/state run --bundle %[1]s outside-$$", dir)
	argv := []string{"unshare", "--mount", "sh", "-c", run}
	trial := exec.Command(argv[0], argv[1:]...)
	if out, err := trial.CombinedOutput(); err != nil { // without input it ends at once
		t.Logf("no OCI container from outside: %v %s", err, out)
		return nil
	}
	return argv
}
