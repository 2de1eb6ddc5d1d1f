package runner

import (
	"runtime"
	"testing"
)

// What a collection had to leave goes once its isolate is closed, and room of
// deep stacks goes although a collection halves it only.
func TestTrimGivesBack(t *testing.T) {
	const large = 64 << 20
	var trim trimmer
	for trim.look(0) { // whatever other tests left
	}
	base := footprint()

	data := make([]byte, large)
	if !trim.look(trimMin) {
		t.Error("64 MiB more were not looked at again")
	}
	for trim.look(trimMin) {
	}
	runtime.KeepAlive(data)
	data = nil
	trim.freed.Store(true)
	for trim.look(trimMin) {
	}
	if now := footprint(); now > base+large/2 {
		t.Errorf("%d MiB are held after the isolate is gone, %d before", now>>20, base>>20)
	}

	deep, down, end := make(chan bool), make(chan bool), make(chan bool)
	go func() {
		deepen(1 << 15)
		close(deep)
		<-down
		close(end)
	}()
	<-deep
	if now := stacks(); now < large/2 {
		t.Errorf("the stacks have %d MiB: the test shows nothing", now>>20)
	}
	for trim.look(trimMin) {
	}
	if now := stacks(); now > large/4 {
		t.Errorf("the stacks still have %d MiB", now>>20)
	}
	close(down)
	<-end
}

// deepen takes about a kilobyte of stack for each level.
//
//go:noinline
func deepen(n int) byte {
	var room [1 << 10]byte
	room[n%len(room)] = byte(n)
	if n == 0 {
		return room[0]
	}
	return deepen(n-1) + room[n%len(room)]
}
