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

// trim gives back private pages that hold what the snapshot holds, and those
// that are of no more use: between calls nothing below the stack pointer is.
func (v *vm) trim() {
	img := v.eng.image
	list := make([]byte, v.mem.size/pageSize)
	if img.view == nil || !v.private(list) {
		return
	}
	// Nothing in the scratch area outlives a call.
	for at := int(v.meta.Scratch); at < int(v.meta.Scratch)+scratchSize; {
		end := min((at/pageSize+1)*pageSize, int(v.meta.Scratch)+scratchSize)
		if list[at/pageSize] == pagePrivate {
			copy(v.mem.region.base[at:end], img.view[at:end])
		}
		at = end
	}
	stack := int(v.meta.Stack)
	dead := func(i int) bool {
		if i >= len(list) || list[i] != pagePrivate {
			return false
		}
		at := i * pageSize
		page := v.mem.region.base[at : at+pageSize]
		switch {
		case at+pageSize <= stack && at >= stack-nativeStack:
			return true
		case at < len(img.view):
			return bytes.Equal(page, img.view[at:at+pageSize])
		}
		return allZero(page)
	}
	for i := 0; i < len(list); i++ {
		first := i
		for dead(i) {
			i++
		}
		if i > first {
			v.mem.region.drop(first*pageSize, i*pageSize)
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
