package box

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// noteName is the file that a witness writes.
const noteName = "note"

// testify is a witness: it goes behind its walls, says where it finds itself,
// and then does as it is asked, until the connection ends.
func (c contained) testify() error {
	if c.Walls.Mounts {
		if err := c.enter(); err != nil {
			return err
		}
	}
	if c.Walls.Name {
		if err := unix.Sethostname([]byte("box")); err != nil {
			return fmt.Errorf("the host name cannot be changed: %w", err)
		}
	}
	line := os.NewFile(3, "line")
	said, err := c.look()
	if err != nil {
		return err
	}
	visits := make(chan int, 1)
	visits <- 0
	port := 0
	if c.Walls.Door == DoorPort {
		port = listen(visits)
	}
	if err := json.NewEncoder(line).Encode(struct {
		Testimony
		Port int `json:"port"`
	}{said, port}); err != nil {
		return err
	}
	for asked := bufio.NewScanner(line); asked.Scan(); {
		answer := "?"
		switch asked.Text() {
		case "visit":
			answer = visit(visits)
		case "more":
			if err := keep(hoardBy << 20); err != nil {
				return err
			}
			answer = "taken"
		}
		if _, err := fmt.Fprintln(line, answer); err != nil {
			return err
		}
	}
	return nil
}

// look is what a program can tell of where it is.
func (c contained) look() (t Testimony, err error) {
	t.PID = os.Getpid()
	if t.Hostname, err = os.Hostname(); err != nil {
		return t, err
	}
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return t, err
	}
	t.Kernel = unix.ByteSliceToString(u.Release[:])
	if boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id"); err == nil {
		t.Boot = strings.TrimSpace(string(boot))
	}
	if list, err := os.ReadDir("/proc"); err == nil {
		for _, e := range list {
			if _, err := strconv.Atoi(e.Name()); err == nil {
				t.Processes++
			}
		}
	}
	root, err := os.ReadDir("/")
	if err != nil {
		return t, err
	}
	t.Files = len(root)
	t.Interfaces = []string{}
	if list, err := net.Interfaces(); err == nil {
		for _, i := range list {
			t.Interfaces = append(t.Interfaces, i.Name)
		}
	}
	if conn, err := net.DialTimeout("tcp", c.Neighbour, visitMax); err == nil {
		t.Reaches = conn.Close() == nil
	}
	if err := os.MkdirAll(c.Root, 0o755); err != nil {
		return t, err
	}
	return t, os.WriteFile(filepath.Join(c.Root, noteName), []byte("written by a witness\n"), 0o644)
}

// listen answers visitors at a port of this network, which it gives; 0 where
// there is none to be had.
func listen(visits chan int) (port int) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0
	}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = fmt.Fprintln(conn, visit(visits))
			_ = conn.Close()
		}
	}()
	return l.Addr().(*net.TCPAddr).Port
}

func visit(visits chan int) string {
	n := <-visits + 1
	visits <- n
	return fmt.Sprintf("visit %d", n)
}

// keep takes memory and writes on every page of it.
func keep(bytes int) error {
	m, err := unix.Mmap(-1, 0, bytes, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return fmt.Errorf("take memory: %w", err)
	}
	for i := 0; i < len(m); i += os.Getpagesize() {
		m[i] = 1
	}
	return nil
}
