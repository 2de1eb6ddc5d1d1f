package hostile

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// control says how much of the machine programs took that are no part of the
// test. Bounds on waiting hold for what the rest of the machine can give: what
// the hostile programs themselves take excuses nothing.
type control struct {
	s       *server
	mu      sync.Mutex
	samples []sample
	ended   int64 // ticks of servers that were killed
}

// sample is CPU time since the machine started, in clock ticks of 10 ms.
type sample struct {
	at             time.Time
	all, busy, own int64
}

// controlSpan is the least time over which shares are taken: ticks are coarse.
const controlSpan = time.Second

func newControl(t *testing.T, s *server) *control {
	c := &control{s: s}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for tick := time.NewTicker(250 * time.Millisecond); ; {
			c.look()
			select {
			case <-stop:
				return
			case <-tick.C:
			}
		}
	})
	t.Cleanup(func() { close(stop); wg.Wait() })
	return c
}

func (c *control) look() sample {
	n := sample{at: time.Now(), own: c.s.cpu() + c.s.reaped()}
	var r unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &r)
	n.own += (r.Utime.Nano() + r.Stime.Nano()) / int64(10*time.Millisecond)
	b, _ := os.ReadFile("/proc/stat") // without it nothing is excused
	line, _, _ := bytes.Cut(b, []byte("\n"))
	for i, f := range strings.Fields(string(line)) {
		ticks, err := strconv.ParseInt(f, 10, 64)
		if err != nil || i > 8 { // guests are counted among the others
			continue
		}
		n.all += ticks
		if i != 4 && i != 5 { // idle, waiting for disks
			n.busy += ticks
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	n.own += c.ended
	if i := len(c.samples) - 1; i >= 0 && n.own < c.samples[i].own {
		c.ended += c.samples[i].own - n.own
		n.own = c.samples[i].own
	}
	c.samples = append(c.samples, n)
	if len(c.samples) > 4096 {
		c.samples = append(c.samples[:0:0], c.samples[2048:]...)
	}
	return n
}

// within is d for a machine of which only a part was ours since then.
func (c *control) within(d time.Duration, since time.Time) time.Duration {
	return time.Duration(float64(d) / c.share(since))
}

// share is the part of the machine that was ours since then: 1 when nobody else
// took anything.
func (c *control) share(since time.Time) float64 {
	now := c.look()
	if least := now.at.Add(-controlSpan); since.After(least) {
		since = least
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	from := c.samples[0]
	for _, s := range c.samples {
		if s.at.After(since) {
			break
		}
		from = s
	}
	all := now.all - from.all
	foreign := now.busy - from.busy - (now.own - from.own)
	if all <= 0 || foreign <= 0 {
		return 1
	}
	return max(float64(all-foreign)/float64(all), 0.02)
}

// reaped is the CPU time of the server's children that are gone, in ticks.
func (s *server) reaped() int64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.pid.Load()))
	if err != nil {
		return 0
	}
	var sum int64
	if i := bytes.LastIndexByte(b, ')'); i > 0 {
		if f := strings.Fields(string(b[i+1:])); len(f) > 14 {
			u, _ := strconv.ParseInt(f[13], 10, 64)
			k, _ := strconv.ParseInt(f[14], 10, 64)
			sum = u + k
		}
	}
	return sum
}
