package quickjs

import (
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// region is the address space of one instance's linear memory: a fixed
// reservation whose pages cost nothing until they are touched.
type region struct {
	base []byte // the whole reservation
}

func newRegion(size int64) (*region, error) {
	b, err := unix.Mmap(-1, 0, int(size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_NORESERVE)
	if err != nil {
		return nil, fmt.Errorf("reserve %d MiB of address space: %w", size>>20, err)
	}
	return &region{base: b}, nil
}

func (r *region) free() {
	if r.base != nil {
		_ = unix.Munmap(r.base) // fails only for a range that was never mapped
		r.base = nil
	}
}

// mapImage replaces the region's first bytes with the image, copy-on-write.
func (r *region) mapImage(img *image) error {
	_, err := unix.MmapPtr(int(img.file.Fd()), 0, unsafe.Pointer(&r.base[0]), uintptr(img.meta.Size),
		unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_FIXED|unix.MAP_NORESERVE)
	if err != nil {
		return fmt.Errorf("map the snapshot: %w", err)
	}
	return nil
}

// memoryFile makes an unnamed file in memory.
func memoryFile() (*os.File, error) {
	fd, err := unix.MemfdCreate("isolate-image", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, fmt.Errorf("make a memory file for the snapshot: %w", err)
	}
	return os.NewFile(uintptr(fd), "isolate-image"), nil
}

// seal makes a memory file unchangeable, so that no process that inherits it
// can alter or truncate what every isolate reads.
func seal(f *os.File) error {
	_, err := unix.FcntlInt(f.Fd(), unix.F_ADD_SEALS, unix.F_SEAL_WRITE|unix.F_SEAL_SHRINK|unix.F_SEAL_GROW|unix.F_SEAL_SEAL)
	if err != nil {
		return fmt.Errorf("seal the snapshot: %w", err)
	}
	return nil
}

// sealed tells whether a file can no longer change.
func sealed(f *os.File) bool {
	const want = unix.F_SEAL_WRITE | unix.F_SEAL_SHRINK
	got, err := unix.FcntlInt(f.Fd(), unix.F_GET_SEALS, 0)
	return err == nil && got&want == want
}
