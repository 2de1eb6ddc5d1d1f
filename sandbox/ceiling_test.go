package sandbox

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"coldstart/sandbox/box"
	"coldstart/sandbox/trace"
)

// Thirty learners who want twice the memory that there is for all, and one who
// says hello: no child holds more than one may, all together come back under
// their ceiling, and the one is served.
func TestMemoryCeiling(t *testing.T) {
	scale := int64(1)
	if instrumented {
		scale = 3 // its bookkeeping lies in the children too
	}
	const each = 16 << 20
	var (
		hogs  = int(30 * scale)
		all   = scale * 256 << 20 // less than two children of three quarters, above which each is made to give some back by itself
		one   = scale * 320 << 20
		slack = scale * 128 << 20 // pages that are shared, and what code fills before the next look
	)
	s := open(t, func(c *Config) { c.Runners, c.Memory, c.MemoryAll = 2, one, all })
	limits := trace.Limits{Memory: 32 << 20, StartCPU: 2 * time.Second, IdleAfter: time.Minute}
	names := make([]Key, 0, hogs)
	for i := range hogs {
		names = append(names, key(fmt.Sprint("hog", i)))
		deploy(t, s, names[i], worker(fmt.Sprintf("const held = new Uint8Array(%d).fill(1); export default { fetch() { return new Response(String(held.length)); } };", each)), limits)
	}
	deploy(t, s, key("benign"), worker(hello))
	sum := func() (n int64) {
		for _, c := range s.Stats().Runners {
			if m, err := box.PSS(c.PID); err == nil { // else it has ended
				n += m
			}
		}
		return n
	}
	stop, peak := make(chan struct{}), int64(0)
	var watching, wg sync.WaitGroup
	watching.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(10 * time.Millisecond):
				peak = max(peak, sum())
			}
		}
	})
	for part := range 4 {
		wg.Go(func() {
			for i := part; i < len(names); i += 4 {
				if a, err := try(s, names[i], "/"); err != nil {
					t.Error(err)
				} else if a.status != 200 && a.sum.Fault == nil {
					t.Errorf("%d %q", a.status, a.body)
				}
			}
		})
	}
	wg.Wait()
	if a := get(t, s, key("benign"), "/x"); a.body != "hello /x" {
		t.Errorf("%d %q %+v", a.status, a.body, a.sum.Fault)
	}
	close(stop)
	watching.Wait()
	if most := 2*one + slack; peak > most {
		t.Errorf("all children held %d MiB, want at most %d", peak>>20, most>>20)
	}
	for end := time.Now().Add(20 * time.Second); sum() > all+slack; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("idle children go on holding %d MiB, want at most %d", sum()>>20, (all+slack)>>20)
		}
	}
	t.Logf("at most %d MiB, then %d; %d isolates are left of %d", peak>>20, sum()>>20, s.Stats().Isolates, hogs)
}
