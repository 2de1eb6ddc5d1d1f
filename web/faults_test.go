package web

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// told is the sentence of an answer in JSON.
func (r reply) told(t *testing.T) string {
	t.Helper()
	var v struct {
		Error string `json:"error"`
	}
	if err := json.Unmarshal([]byte(r.body), &v); err != nil {
		t.Fatalf("%v in %q", err, r.body)
	}
	return v.Error
}

// While another program holds the database, a save waits five seconds, then
// says so and that it can be tried again. What is read, is read at once.
func TestLockedDatabaseIsToldAndReadable(t *testing.T) {
	t.Parallel()
	s := newServer(t, nil)
	b := s.browser()
	b.deployed("before")
	other, err := sql.Open("sqlite", "file:"+s.path)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	other.SetMaxOpenConns(1)
	if _, err := other.Exec(`BEGIN IMMEDIATE`); err != nil {
		t.Fatal(err)
	}
	save := func() reply { return b.json("PUT", "/api/projects/w", obj{"files": obj{"src/index.js": "after"}}) }
	saved := make(chan reply, 1)
	begin := time.Now()
	go func() { saved <- save() }()
	for _, path := range []string{"/", "/learn/serverless/hello", "/api/projects/w"} {
		if r := b.get(path); r.status != 200 || path == "/api/projects/w" && !strings.Contains(r.body, "before") {
			t.Errorf("%s of a locked database: %d %s", path, r.status, r.body)
		}
	}
	if d := time.Since(begin); d > 4*time.Second {
		t.Errorf("reading took %v", d)
	}
	r := <-saved
	if d := time.Since(begin); d < 4*time.Second || d > 15*time.Second {
		t.Errorf("the save waited %v", d)
	}
	if want := "The database is busy, so nothing was saved. Try again in a moment."; r.status != http.StatusServiceUnavailable || r.header.Get("Retry-After") != "2" || r.told(t) != want {
		t.Errorf("a save into a locked database: %d, again after %q, %s", r.status, r.header.Get("Retry-After"), r.body)
	}
	if _, err := other.Exec(`ROLLBACK`); err != nil {
		t.Fatal(err)
	}
	if r := save(); r.status != 200 {
		t.Errorf("a save after the lock went: %d %s", r.status, r.body)
	}
}

// The server's disk is really full here: a file system of a few megabytes, in
// namespaces of this test's own.
func TestFullDiskIsToldAndReadable(t *testing.T) {
	const mark = "COLDSTART_TEST_DISK"
	dir := os.Getenv(mark)
	if dir == "" {
		out := new(bytes.Buffer)
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
		cmd.Env = append(os.Environ(), mark+"="+t.TempDir())
		cmd.Stdout, cmd.Stderr = out, out
		cmd.SysProcAttr = &syscall.SysProcAttr{
			Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
		}
		err := cmd.Run()
		if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EACCES) || strings.Contains(out.String(), "no file system of its own") {
			t.Skip("this machine gives tests no file system of their own")
		}
		if err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	if err := unix.Mount("none", dir, "tmpfs", 0, "size=4m"); err != nil {
		t.Skip("no file system of its own: ", err)
	}
	t.Setenv("TMPDIR", dir)
	s := newServer(t, nil)
	b := s.browser()
	b.deployed("before")
	filler, err := os.Create(filepath.Join(dir, "filler"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(filler, zeros{}); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("the disk does not fill: %v", err)
	}
	if err := filler.Close(); err != nil {
		t.Fatal(err)
	}
	save := func() reply {
		return b.json("PUT", "/api/projects/w", obj{"files": obj{"src/index.js": "after" + strings.Repeat("x", 100<<10)}})
	}
	for range 2 {
		r := save()
		if want := "The server's disk is full, so nothing was saved. Your instructor has to make room."; r.status != http.StatusInsufficientStorage || r.told(t) != want {
			t.Errorf("a save onto a full disk: %d %s", r.status, r.body)
		}
		for _, path := range []string{"/", "/learn/serverless/hello", "/api/projects/w"} {
			if r := b.get(path); r.status != 200 || path == "/api/projects/w" && !strings.Contains(r.body, "before") {
				t.Errorf("%s on a full disk: %d %s", path, r.status, r.body)
			}
		}
	}
	if r := s.browser().get("/learn/serverless/hello"); r.status != 200 {
		t.Errorf("a newcomer reads a lesson on a full disk: %d %s", r.status, r.body)
	}
	if err := os.Remove(filler.Name()); err != nil {
		t.Fatal(err)
	}
	if r := save(); r.status != 200 {
		t.Errorf("a save after room was made: %d %s", r.status, r.body)
	}
}

// zeros never end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
