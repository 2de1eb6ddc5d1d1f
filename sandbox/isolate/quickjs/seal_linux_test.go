package quickjs

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// Whoever holds the snapshot's file, as every run child does, cannot change what
// all isolates begin with, nor cut it short.
func TestSnapshotIsSealed(t *testing.T) {
	e := newEngine(t, tiny())
	var buf bytes.Buffer
	if err := e.WriteImage(&buf); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "image")
	if err := os.WriteFile(path, buf.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	kept, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer kept.Close()
	opened, err := OpenImage(kept, Config{Wasm: wasm(t), Bootstrap: tiny()})
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	for name, f := range map[string]*os.File{"made": e.Image(), "opened": opened} {
		fd := int(f.Fd())
		again, err := os.OpenFile(fmt.Sprintf("/proc/self/fd/%d", fd), os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer again.Close()
		for how, try := range map[string]func(int) error{
			"written": func(fd int) error { _, err := unix.Pwrite(fd, []byte{1}, 0); return err },
			"cut":     func(fd int) error { return unix.Ftruncate(fd, pageSize) },
			"grown":   func(fd int) error { return unix.Ftruncate(fd, 1<<30) },
			"punched": func(fd int) error {
				return unix.Fallocate(fd, unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, 0, pageSize)
			},
			"mapped": func(fd int) error {
				b, err := unix.Mmap(fd, 0, pageSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
				if err == nil {
					_ = unix.Munmap(b)
				}
				return err
			},
			"unsealed": func(fd int) error {
				_, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, unix.F_SEAL_EXEC)
				return err
			},
		} {
			for _, fd := range []int{fd, int(again.Fd())} {
				if err := try(fd); !errors.Is(err, unix.EPERM) {
					t.Errorf("the snapshot that was %s can be %s: %v", name, how, err)
				}
			}
		}
	}
}
