package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// repository is the root of the source tree; tests run in their package's folder.
var repository = func() string {
	dir, err := filepath.Abs("../..")
	if err != nil {
		panic(err)
	}
	return dir
}()

// TestScripts plays testdata/script/*.txtar against the whole program.
func TestScripts(t *testing.T) {
	t.Parallel()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("COLDSTART_CACHE", filepath.Join(cache, "coldstart-test"))
			e.Setenv("HOME", e.WorkDir)
			return nil
		},
		Condition: func(cond string) (bool, error) {
			if cond != "race" {
				return false, fmt.Errorf("unknown condition %q", cond)
			}
			return instrumented, nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"start": start, "get": get, "logged": logged, "save": save, "halt": halt, "follow": follow,
		},
	})
}

// server is a coldstart process that a script started.
type server struct {
	cmd  *exec.Cmd
	url  string
	log  lockedBuffer
	done chan struct{}
}

var servers sync.Map // *testscript.TestScript to *server

func current(ts *testscript.TestScript) *server {
	s, ok := servers.Load(ts)
	if !ok {
		ts.Fatalf("no server: use start first")
	}
	return s.(*server)
}

var address = regexp.MustCompile(`http://[0-9.]+:[0-9]+`)

// start runs coldstart in the background and waits until it says its address.
//
//	start serve --data data
func start(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: start command [arguments]")
	}
	if old, ok := servers.Load(ts); ok {
		stop(old.(*server))
	}
	exe, err := exec.LookPath("coldstart")
	if err != nil {
		exe = filepath.Join(strings.Split(ts.Getenv("PATH"), string(os.PathListSeparator))[0], "coldstart")
	}
	s := &server{cmd: exec.Command(exe, append(args, "--addr", "127.0.0.1:0")...), done: make(chan struct{})}
	s.cmd.Dir = ts.MkAbs(".")
	s.cmd.Env = append(os.Environ(), "COLDSTART_CACHE="+ts.Getenv("COLDSTART_CACHE"), "HOME="+ts.Getenv("HOME"), "PATH="+ts.Getenv("PATH"))
	s.cmd.Stdout, s.cmd.Stderr = &s.log, &s.log
	ts.Check(s.cmd.Start())
	go func() { _ = s.cmd.Wait(); close(s.done) }()
	servers.Store(ts, s)
	ts.Defer(func() { stop(s) })
	wait(ts, s, "its address", func() bool {
		s.url = address.FindString(s.log.String())
		return s.url != ""
	})
}

func stop(s *server) {
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.done:
	case <-time.After(15 * time.Second):
		_ = s.cmd.Process.Kill()
		<-s.done
	}
}

// wait polls until ok, up to half a minute; a server that ended ends the wait.
func wait(ts *testscript.TestScript, s *server, what string, ok func() bool) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			ts.Fatalf("waiting for %s: it did not come; the server said:\n%s", what, s.log.String())
		case <-s.done:
			if !ok() {
				ts.Fatalf("waiting for %s: the server ended:\n%s", what, s.log.String())
			}
			return
		}
	}
}

// get asks the server until status and body are as wanted.
//
//	get /path 200 'regular expression'
func get(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: get path status pattern")
	}
	s, want := current(ts), regexp.MustCompile("(?s)"+args[2])
	last := ""
	client := &http.Client{Timeout: 10 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	wait(ts, s, fmt.Sprintf("%s to answer %s %s, last answer %s", args[0], args[1], args[2], last), func() bool {
		resp, err := client.Get(s.url + args[0])
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		b, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
		last = resp.Status + " " + string(b)
		return fmt.Sprint(resp.StatusCode) == args[1] && want.Match(b)
	})
}

// logged waits until the server has said something.
//
//	logged 'regular expression'
func logged(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: logged pattern")
	}
	s, want := current(ts), regexp.MustCompile("(?m)"+args[0])
	if neg {
		if want.MatchString(s.log.String()) {
			ts.Fatalf("the server said %q:\n%s", args[0], s.log.String())
		}
		return
	}
	wait(ts, s, args[0], func() bool { return want.MatchString(s.log.String()) })
}

// save replaces a file as editors do: a new file, renamed over the old one.
//
//	save from to
func save(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: save from to")
	}
	to := ts.MkAbs(args[1])
	ts.Check(os.WriteFile(to+".new", []byte(ts.ReadFile(args[0])), 0o644))
	ts.Check(os.Rename(to+".new", to))
}

// halt stops the server and waits for its end.
func halt(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: halt")
	}
	stop(current(ts))
}

// follow executes the first block of shell commands under a heading of one of
// the repository's documents, line by line; serve goes on in the background.
//
//	follow docs/authoring.md 'Make it'
func follow(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: follow document heading")
	}
	text, err := os.ReadFile(filepath.Join(repository, args[0]))
	ts.Check(err)
	_, under, ok := strings.Cut(string(text), "\n## "+args[1]+"\n")
	_, block, begun := strings.Cut(under, "```sh\n")
	block, _, ended := strings.Cut(block, "```")
	if !ok || !begun || !ended {
		ts.Fatalf("%s has no commands under %q", args[0], args[1])
	}
	exe, err := exec.LookPath("coldstart")
	ts.Check(err)
	var out strings.Builder
	for line := range strings.Lines(block) {
		line, _, _ = strings.Cut(line, "#")
		words := strings.Fields(line)
		if len(words) > 1 && words[0] == "coldstart" && words[1] == "serve" {
			start(ts, false, append(words[1:], "--data", ts.MkAbs("data")))
			continue
		}
		cmd := exec.Command("sh", "-c", line)
		cmd.Dir = ts.MkAbs(".")
		cmd.Env = append(os.Environ(), "COLDSTART_CACHE="+ts.Getenv("COLDSTART_CACHE"), "HOME="+ts.Getenv("HOME"), "PATH="+filepath.Dir(exe)+string(os.PathListSeparator)+ts.Getenv("PATH"))
		said, err := cmd.CombinedOutput()
		out.Write(said)
		if err != nil {
			ts.Fatalf("%q of %s: %v\n%s", strings.TrimSpace(line), args[0], err, said)
		}
	}
	ts.Check(ts.Exec("cat", ts.MkAbs(kept(ts, out.String()))))
}

// kept puts a text into a file of the script, so that stdout can be asked for it.
func kept(ts *testscript.TestScript, text string) string {
	const name = "followed.txt"
	ts.Check(os.WriteFile(ts.MkAbs(name), []byte(text), 0o644))
	return name
}
