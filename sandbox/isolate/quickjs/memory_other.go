//go:build !linux

package quickjs

import (
	"errors"
	"os"
)

// region is the linear memory of one instance. Away from Linux there is no
// copy-on-write: the image is copied into ordinary memory.
type region struct {
	base []byte
}

func newRegion(size int64) (*region, error) { return &region{base: make([]byte, size)}, nil }

func (r *region) free() { r.base = nil }

func (r *region) mapImage(img *image) error {
	n, err := img.file.ReadAt(r.base[:img.meta.Size], 0)
	if int64(n) == img.meta.Size {
		return nil
	}
	return err
}

func (r *region) drop(int, int) {}

func (r *region) copyAhead(int, int) {}

func (r *region) readAhead(int, int) {}

func mapView(*os.File, int64) []byte { return nil }

func unmapView([]byte) {}

func memoryFile() (*os.File, error) {
	f, err := os.CreateTemp("", "isolate-image-*")
	if err != nil {
		return nil, err
	}
	return f, errors.Join(os.Remove(f.Name()))
}

func seal(*os.File) error { return nil }

func sealed(*os.File) bool { return true }

func openPagemap() *os.File { return nil }

func (r *region) private(*os.File, []byte) bool { return false }

func (r *region) mapped(*os.File, []byte) bool { return false }
