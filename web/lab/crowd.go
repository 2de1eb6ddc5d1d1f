package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"syscall"
	"time"

	"coldstart/sandbox"
	"coldstart/sandbox/pool"
	"coldstart/sandbox/trace"
)

// crowd is an open-loop load generator: each visitor comes at a moment of
// their own, whether or not the others were answered, and waits from that
// moment on. A slow answer delays nobody's coming, so no slow moment is left
// out of the figures.
type crowd struct {
	door     sandbox.Door
	key      sandbox.Key
	arrivals []float64
	begin    time.Time
	wg       sync.WaitGroup

	mu       sync.Mutex
	came     int
	inFlight int
	beats    []Beat
	waits    [][]float64 // ms, by the beat of arrival
	cpu      []float64   // ms, by the beat of the answer
	paid     []int       // requests that ran, by the beat of the answer
	noted    []pool.Event
	dead     float64 // when the process was killed, until somebody is answered again; 0 for never
	lost     int     // visitors that the killed process left without an answer
	copies   int
	busy     int // most visitors that were inside at once, by the samples
}

func newCrowd(door sandbox.Door, key sandbox.Key, arrivals []float64) *crowd {
	return &crowd{door: door, key: key, arrivals: arrivals, begin: time.Now()}
}

// now is in seconds since the begin.
func (c *crowd) now() float64 { return time.Since(c.begin).Seconds() }

// start lets the visitors come until ctx is done.
func (c *crowd) start(ctx context.Context) {
	c.wg.Go(func() {
		stream(ctx, c.begin, c.arrivals, func(at float64, due time.Time) {
			if c.arrive(at) {
				c.wg.Go(func() { c.visit(ctx, at, due, shopper(c.key)) })
			}
		})
	})
}

// stream calls each at the moment of every arrival, which are seconds since
// begin, until ctx is done. A late caller catches up without waiting.
func stream(ctx context.Context, begin time.Time, arrivals []float64, each func(at float64, due time.Time)) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for _, at := range arrivals {
		due := begin.Add(time.Duration(at * float64(time.Second)))
		if wait := time.Until(due); wait > 0 {
			timer.Reset(wait)
			select {
			case <-timer.C:
			case <-ctx.Done():
				return
			}
		} else if ctx.Err() != nil {
			return
		}
		each(at, due)
	}
}

func (c *crowd) wait() { c.wg.Wait() }

// arrive counts a visitor. One too many is turned away and counts as an error.
func (c *crowd) arrive(at float64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.came++
	c.beat(at).Arrived++
	if c.inFlight >= mostInFlight {
		c.beat(at).Errors++
		return false
	}
	c.inFlight++
	return true
}

// beat is the one of a moment. c.mu is held.
func (c *crowd) beat(at float64) *Beat {
	i := max(int(at/beat.Seconds()), 0)
	for len(c.beats) <= i {
		c.beats = append(c.beats, Beat{Copies: c.copies})
		c.waits, c.cpu, c.paid = append(c.waits, nil), append(c.cpu, 0), append(c.paid, 0)
	}
	return &c.beats[i]
}

// visit sends one visitor's request, and reports whether they were served;
// their patience began when they were due.
func (c *crowd) visit(ctx context.Context, at float64, due time.Time, r sandbox.Run) (ok bool) {
	patient, cancel := context.WithDeadline(ctx, due.Add(patience))
	defer cancel()
	sum, err := visit(patient, c.door, r)
	took := time.Since(due)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.inFlight--
	if ctx.Err() != nil {
		return false // the lab ended, nobody failed
	}
	now := c.now()
	b := c.beat(now)
	ok = err == nil && sum.Outcome == "ok" && sum.Status < 500 && took <= patience
	if sum != nil {
		i := len(c.beats) - 1
		if sum.Isolate != "" {
			c.paid[i]++
			c.cpu[i] += float64(sum.CPU) / 1000
		}
		if sum.Temperature == trace.Cold {
			b.Cold++
		}
	}
	switch {
	case !ok:
		b.Errors++
		if c.dead > 0 && at <= c.dead {
			c.lost++
		}
		return false
	case c.dead > 0 && at > c.dead:
		c.noteAt(now, "ready", fmt.Sprintf("answers again, %.0f ms after; %s lost", (now-c.dead)*1000, plural(c.lost, "visitor was", "visitors were")))
		c.dead = 0
	}
	b.Answered++
	i := int(at / beat.Seconds())
	c.waits[i] = append(c.waits[i], float64(took.Microseconds())/1000)
	return true
}

// shopper is the request of a visitor.
func shopper(key sandbox.Key) sandbox.Run {
	return sandbox.Run{Key: key, Method: "GET", URL: "https://shop.example/", Length: -1}
}

// visit sends one request and reads the answer to its end.
func visit(ctx context.Context, door sandbox.Door, r sandbox.Run) (*trace.Summary, error) {
	resp, err := door.Invoke(ctx, r)
	if err != nil {
		return nil, err
	}
	if resp.Body != nil {
		_, err = io.Copy(io.Discard, resp.Body)
		err = errors.Join(err, resp.Body.Close())
	}
	if err != nil {
		return nil, err
	}
	return resp.Summary(ctx)
}

// sample notes how many isolates there are now, and visitors in line.
func (c *crowd) sample(copies, queued int) float64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if c.copies == 0 && copies > 0 {
		c.noteAt(now, "start", "the first isolate is there")
	}
	if copies == 0 && c.copies > 0 && c.dead == 0 {
		c.noteAt(now, "stop", "the last isolate is gone")
	}
	c.copies, c.busy = copies, max(c.busy, c.inFlight-queued)
	b := c.beat(now)
	b.Copies, b.Queue = copies, queued
	return now
}

// after counts the answers since a moment, and the failures, to a beat.
func (c *crowd) after(at float64) (answered, failed int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := int(at / beat.Seconds()); i < len(c.beats); i++ {
		answered += c.beats[i].Answered
		failed += c.beats[i].Errors
	}
	return answered, failed
}

// quiet reports whether all visitors have come and gone.
func (c *crowd) quiet() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.came == len(c.arrivals) && c.inFlight == 0
}

// away reports whether nobody waits for an answer.
func (c *crowd) away() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.inFlight == 0
}

func (c *crowd) note(kind, say string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.noteAt(c.now(), kind, say)
}

func (c *crowd) noteAt(at float64, kind, say string) {
	c.noted = append(c.noted, pool.Event{At: at, Kind: kind, Say: say})
}

func (c *crowd) killed() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dead, c.lost = c.now(), 0
}

func (c *crowd) events() []pool.Event {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.noted)
}

// fill writes what is known into a side.
func (c *crowd) fill(s *Side, m Meter) {
	c.mu.Lock()
	defer c.mu.Unlock()
	*s = Side{Beats: slices.Clone(c.beats), Requests: c.came, Busy: c.busy}
	var all []float64
	for i := range s.Beats {
		b := &s.Beats[i]
		b.P50, b.P99 = quantile(c.waits[i], 0.5), quantile(c.waits[i], 0.99)
		all = append(all, c.waits[i]...)
		s.Cost += float64(c.paid[i])/1e6*m.PerMillion + c.cpu[i]/1e6*m.PerMillionCPU
		b.Cost = s.Cost
		s.Answered += b.Answered
		s.Errors += b.Errors
		s.Cold += b.Cold
		s.Peak = max(s.Peak, b.Copies)
	}
	s.P50, s.P99 = quantile(all, 0.5), quantile(all, 0.99)
}

// kill ends a process of the lab's own sandbox.
func kill(pid int) { _ = syscall.Kill(pid, syscall.SIGKILL) }
