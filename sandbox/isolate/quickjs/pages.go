package quickjs

import (
	"bytes"

	"coldstart/sandbox/isolate"
)

// States of a page in Pages.
const (
	pageUntouched = 0
	pageShared    = 1
	pagePrivate   = 2
)

// Pages implements isolate.Isolate. A page is private when the kernel gave the
// isolate a copy of its own. Where the kernel does not say, a page is private when its bytes
// differ from the snapshot's.
func (v *vm) Pages() []byte {
	if v.mod == nil {
		return nil
	}
	list := make([]byte, v.mem.size/pageSize)
	if !v.private(list) {
		v.compare(list)
	}
	return list
}

// private asks the kernel; it reports whether it got an answer.
func (v *vm) private(list []byte) bool {
	if v.eng.pagemap == nil || !v.mem.region.private(v.eng.pagemap, list) {
		return false
	}
	for i, zero := range v.eng.image.zero {
		if i < len(list) && list[i] == pageUntouched && zero == 0 {
			list[i] = pageShared
		}
	}
	return true
}

func (v *vm) compare(list []byte) {
	img, shared := v.eng.image, make([]byte, pageSize)
	for i := range list {
		page := v.mem.region.base[i*pageSize : (i+1)*pageSize]
		switch {
		case i >= len(img.zero) || img.zero[i] == 1:
			if !allZero(page) {
				list[i] = pagePrivate
			}
		default:
			list[i] = pageShared
			if _, err := img.file.ReadAt(shared, int64(i)*pageSize); err == nil && !bytes.Equal(shared, page) {
				list[i] = pagePrivate
			}
		}
	}
}

// Memory implements isolate.Isolate.
func (v *vm) Memory() isolate.Memory {
	if v.mod == nil {
		return isolate.Memory{}
	}
	m := isolate.Memory{Limit: v.mem.limit}
	for _, p := range v.Pages() {
		switch p {
		case pageShared:
			m.Shared += pageSize
		case pagePrivate:
			m.Private += pageSize
		}
	}
	if v.meta.Used != 0 {
		m.Used = int64(v.getU32(v.meta.Used))
	}
	return m
}

// trim gives back private pages whose content is the snapshot's or of no more
// use: between calls, everything below the stack pointer is dead.
func (v *vm) trim() {
	list := make([]byte, v.mem.size/pageSize)
	if !v.private(list) {
		return
	}
	img, shared := v.eng.image, make([]byte, pageSize)
	stack := v.meta.Stack / pageSize
	for i, state := range list {
		if state != pagePrivate {
			continue
		}
		dead := uint32(i) < stack && uint32(i)+nativeStack/pageSize >= stack
		if !dead {
			page := v.mem.region.base[i*pageSize : (i+1)*pageSize]
			if i >= len(img.zero) || img.zero[i] == 1 {
				dead = allZero(page)
			} else if _, err := img.file.ReadAt(shared, int64(i)*pageSize); err == nil {
				dead = bytes.Equal(shared, page)
			}
		}
		if dead {
			v.mem.region.drop(int64(i) * pageSize)
		}
	}
}
