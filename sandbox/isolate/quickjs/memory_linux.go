package quickjs

import (
	"encoding/binary"
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

// drop gives up the isolate's copies of the pages from first to end: they read
// again as the image, or behind it as zeros.
func (r *region) drop(first, end int) {
	_ = unix.Madvise(r.base[first:end], unix.MADV_DONTNEED) // fails only for a range that is not mapped
}

// copyAhead makes the isolate's own copies of pages that it is going to write.
func (r *region) copyAhead(first, end int) {
	_ = unix.Madvise(r.base[first:end], unix.MADV_POPULATE_WRITE) // without it (before Linux 5.14) the first write copies
}

// readAhead maps the image's pages that the isolate is going to read.
func (r *region) readAhead(first, end int) {
	_ = unix.Madvise(r.base[first:end], unix.MADV_POPULATE_READ) // as above
}

// mapView maps an image to look at, nil when that cannot be done.
func mapView(f *os.File, size int64) []byte {
	b, err := unix.Mmap(int(f.Fd()), 0, int(size), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil
	}
	return b
}

func unmapView(b []byte) {
	if b != nil {
		_ = unix.Munmap(b) // fails only for a range that was never mapped
	}
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

// openPagemap opens the kernel's account of this process's pages, nil where
// there is none. It stays readable after the process has given up its files.
func openPagemap() *os.File {
	f, err := os.Open("/proc/self/pagemap")
	if err != nil {
		return nil
	}
	return f
}

// Bits of an entry of /proc/PID/pagemap: Documentation/admin-guide/mm/pagemap.rst.
const (
	pagePresent = 1 << 63
	pageSwapped = 1 << 62
	pageOfFile  = 1 << 61
)

// private marks the pages that belong to the region alone as pagePrivate and
// reports whether the kernel told.
func (r *region) private(pagemap *os.File, list []byte) bool {
	return r.entries(pagemap, len(list), func(i int, e uint64) {
		if e&(pagePresent|pageSwapped) != 0 && e&pageOfFile == 0 {
			list[i] = pagePrivate
		}
	})
}

// mapped marks with 1 the pages that the process's page table has, and reports
// whether the kernel told.
func (r *region) mapped(pagemap *os.File, list []byte) bool {
	return r.entries(pagemap, len(list), func(i int, e uint64) {
		if e&pagePresent != 0 {
			list[i] = 1
		}
	})
}

// entries gives the first n entries of the region's pagemap.
func (r *region) entries(pagemap *os.File, n int, give func(i int, entry uint64)) bool {
	if os.Getpagesize() != pageSize {
		return false
	}
	first := int64(uintptr(unsafe.Pointer(&r.base[0])) / pageSize)
	var buf [512 * 8]byte
	for at := 0; at < n; at += 512 {
		part := buf[:8*min(512, n-at)]
		if n, err := pagemap.ReadAt(part, (first+int64(at))*8); err != nil || n != len(part) {
			return false
		}
		for i := range len(part) / 8 {
			give(at+i, binary.LittleEndian.Uint64(part[8*i:]))
		}
	}
	return true
}
