package pgtest

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
)

// patience is how long the server may take to begin or to end: much more than
// it needs, because the machine may be busy.
const patience = 2 * time.Minute

// Start starts a server that ends with the test and returns the address of an
// empty database. Where PostgreSQL is not installed the test is skipped, saying
// what to install.
func Start(t testing.TB) string {
	t.Helper()
	bin, err := programs()
	if err != nil {
		t.Skipf("PostgreSQL's server is not here (%v): apt-get install postgresql", err)
	}
	dir, err := os.MkdirTemp("", "coldstart-pg-") // short: the socket's path has a limit
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	attr, err := plainUser(dir)
	if err != nil {
		t.Skipf("PostgreSQL does not run as root, and there is no other user here: %v", err)
	}
	data := filepath.Join(dir, "data")
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	initdb := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), "-D", data, "-U", "coldstart", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
	initdb.SysProcAttr, initdb.Dir = attr, dir
	if out, err := initdb.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	var last error
	for range 5 { // the port may be taken between our look and the server's
		url, err := serve(t, bin, dir, data, attr)
		if err == nil {
			return url
		}
		last = err
	}
	t.Fatal(last)
	return ""
}

// programs finds the folder of initdb and postgres; Debian keeps them off the path.
func programs() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		return "", err
	}
	if len(found) == 0 {
		return "", errors.New("no initdb on the path or in /usr/lib/postgresql")
	}
	version := func(path string) int {
		n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path)))) // 0 comes last
		return n
	}
	return filepath.Dir(slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) })), nil
}

// plainUser is how to start PostgreSQL, which refuses root: as nobody, who
// then owns the folder.
func plainUser(dir string) (*syscall.SysProcAttr, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("nobody")
	if err != nil {
		return nil, err
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, os.Chown(dir, int(uid), int(gid))
}

// serve starts postgres on a free port and waits until it answers.
func serve(t testing.TB, bin, dir, data string, attr *syscall.SysProcAttr) (string, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	port := strconv.Itoa(ln.Addr().(*net.TCPAddr).Port)
	if err := ln.Close(); err != nil {
		return "", err
	}
	// What a test keeps goes with the test: nothing has to reach the disk.
	cmd := exec.Command(filepath.Join(bin, "postgres"), "-D", data, "-p", port, "-h", "127.0.0.1", "-k", dir,
		"-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off", "-c", "max_connections=100", "-c", "shared_buffers=32MB")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.SysProcAttr = &syscall.SysProcAttr{}
	if attr != nil {
		cmd.SysProcAttr.Credential = attr.Credential
	}
	cmd.Dir = dir
	cmd.SysProcAttr.Pdeathsig = syscall.SIGQUIT // should this process be killed
	started, ended := make(chan error, 1), make(chan struct{})
	go func() {
		runtime.LockOSThread() // the signal comes when the thread that started it ends
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // how it ended stands in what it said
			close(ended)
		}
	}()
	if err := <-started; err != nil {
		return "", err
	}
	stop := func() {
		_ = cmd.Process.Signal(syscall.SIGQUIT) // its immediate shutdown; it may have ended
		select {
		case <-ended:
		case <-time.After(patience):
			_ = cmd.Process.Kill()
			<-ended
		}
	}
	url := "postgres://coldstart@127.0.0.1:" + port + "/postgres"
	if err := answers(url, ended); err != nil {
		stop()
		return "", fmt.Errorf("postgres: %w\n%s", err, out.String())
	}
	t.Cleanup(stop)
	return url, nil
}

func answers(url string, ended <-chan struct{}) error {
	db, err := sql.Open("pgx", url)
	if err != nil {
		return err
	}
	defer db.Close()
	deadline := time.Now().Add(patience)
	for {
		if err = db.Ping(); err == nil {
			return nil
		}
		select {
		case <-ended:
			return errors.New("it ended at once")
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return err
		}
	}
}

// Schema makes an empty schema in the database at url and returns an address
// at which it is all there is. Its name must be made of small letters.
func Schema(t testing.TB, url, name string) string {
	t.Helper()
	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(`CREATE SCHEMA ` + name); err != nil {
		t.Fatal(err)
	}
	sep := "?"
	if strings.Contains(url, "?") {
		sep = "&"
	}
	return url + sep + "search_path=" + name
}
