package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"coldstart/sandbox/box"
)

// Alive is the crowd of isolates that the density lab has started, and the
// pages of their memories.
type Alive struct {
	Want     int    `json:"want"`            // how many were asked for
	Isolates int    `json:"isolates"`        // alive at the last look
	Bytes    int64  `json:"bytes,omitempty"` // that they and their runner hold together; 0 until it was read
	Took     int64  `json:"took_us"`         // from the first start to the last look
	Short    string `json:"short,omitempty"` // why they are fewer than Want; "" when they are not, or still come
	Done     bool   `json:"done,omitempty"`

	Read      int     `json:"read"`      // isolates whose pages are counted here
	Shared    int64   `json:"shared"`    // pages of all of them that are the snapshot's, which memory holds once
	Private   int64   `json:"private"`   // pages that one of them has to itself
	Untouched int64   `json:"untouched"` // pages of zeros, behind which there is no memory
	Fresh     float64 `json:"fresh"`     // pages that one had to itself right after its first answer, in the mean
	Map       []byte  `json:"map"`       // how each page of the memory stands in all that were read: a Page… each
	Kernel    bool    `json:"kernel"`    // the kernel's page map told; else bytes were compared with the snapshot's
}

// How a page stands in the memories of a crowd.
const (
	PageUntouched = 0 // in each of them
	PageShared    = 1 // with the snapshot, in each that touched it
	PageSome      = 2 // some have a copy of their own
	PagePrivate   = 3 // each has a copy of its own
)

// MostAlive is the most isolates that a crowd may be asked for.
const MostAlive = 4000

// What a crowd may take.
const (
	crowdTime   = 20 * time.Second
	crowdMemory = 3 << 29 // bytes
	crowdRoom   = 2 << 30 // of its sandbox, which evicts beyond it
	crowdShow   = 200 * time.Millisecond
	crowdWeigh  = time.Second
	crowdSpare  = 4 * time.Second // of the lab's time, to read all pages again
)

// crowded keeps the account of a crowd.
type crowded struct {
	Alive
	begin    time.Time
	shared   []int // isolates in which a page is the snapshot's, by page
	private  []int // … is their own
	shown    time.Time
	isolates []*isolate
}

func newCrowded(want int) *crowded {
	_, err := os.Stat("/proc/self/pagemap")
	return &crowded{Alive: Alive{Want: want, Kernel: err == nil && os.Getpagesize() == 4096}}
}

// add counts the pages of one more isolate; a map that cannot be read is left out.
func (c *crowded) add(ctx context.Context, b *isolate) {
	states := b.kind.door.Isolates(b.key)
	if len(states) == 0 {
		return
	}
	pages, err := b.kind.door.Pages(ctx, b.key, states[0].ID)
	if err != nil || len(pages) == 0 {
		return
	}
	for len(c.shared) < len(pages) {
		c.shared, c.private = append(c.shared, 0), append(c.private, 0)
	}
	c.Read++
	for i, state := range pages {
		switch state {
		case 1:
			c.shared[i]++
			c.Shared++
		case 2:
			c.private[i]++
			c.Private++
		default:
			c.Untouched++
		}
	}
}

// again reads the pages of all that live, from the beginning.
func (c *crowded) again(ctx context.Context) {
	c.Read, c.Shared, c.Private, c.Untouched, c.shared, c.private = 0, 0, 0, 0, nil, nil
	for _, b := range c.isolates {
		c.add(ctx, b)
	}
}

// now is the account as it stands.
func (c *crowded) now(at time.Time) *Alive {
	a := c.Alive
	a.Took = at.Sub(c.begin).Microseconds()
	a.Map = make([]byte, len(c.shared))
	for i := range a.Map {
		switch {
		case c.private[i] == c.Read && c.Read > 0:
			a.Map[i] = PagePrivate
		case c.private[i] > 0:
			a.Map[i] = PageSome
		case c.shared[i] > 0:
			a.Map[i] = PageShared
		}
	}
	return &a
}

// watch follows the isolates of a kind from their first answer on.
func (f *filling) watch(ctx context.Context, k *isolates) {
	f.crowd = newCrowded(f.d.Alive.Want)
	k.started = func(b *isolate) {
		now := f.labs.cfg.Now()
		if f.crowd.begin.IsZero() {
			f.crowd.begin = now
		}
		f.crowd.isolates = append(f.crowd.isolates, b)
		f.crowd.add(ctx, b)
		f.crowd.Isolates++
		if now.Sub(f.crowd.shown) >= crowdShow {
			f.crowd.shown = now
			f.d.Alive = f.crowd.now(now)
			f.told(*f.d, plural(f.crowd.Isolates, "isolate", "isolates")+" alive.")
		}
	}
}

// gather starts isolates beside those of the lines until as many live as were
// asked for, or the machine's share or the time is used up.
func (f *filling) gather(ctx context.Context, k *isolates) error {
	room := min(crowdMemory, box.Available()/3)
	over := f.labs.cfg.Now().Add(crowdTime)
	if end, ok := ctx.Deadline(); ok && end.Add(-crowdSpare).Before(over) {
		over = end.Add(-crowdSpare)
	}
	var weighed time.Time
	for f.crowd.Isolates < f.crowd.Want && f.crowd.Short == "" {
		now := f.labs.cfg.Now()
		if now.After(over) {
			f.crowd.Short = fmt.Sprintf("a lab has %d s in all, and this machine was not quicker", int(f.labs.cfg.Time.Seconds()))
			break
		}
		if now.Sub(weighed) > crowdWeigh {
			weighed = now
			held, err := k.Memory()
			if err != nil {
				return err
			}
			if f.crowd.Bytes = held; held > room {
				f.crowd.Short = fmt.Sprintf("labs may take %d MB of this machine’s memory, and that was full", room>>20)
				break
			}
		}
		var code *CodeError
		if _, err := k.Start(ctx); errors.As(err, &code) {
			f.crowd.Short = "the sandbox took no more: " + code.Message
		} else if err != nil {
			return err
		}
	}
	if err := context.Cause(ctx); err != nil {
		return err
	}
	f.told(*f.d, "Reading the pages of all once more.")
	f.crowd.isolates = slices.DeleteFunc(f.crowd.isolates, func(b *isolate) bool { return len(k.door.Isolates(b.key)) == 0 })
	f.crowd.Isolates = len(f.crowd.isolates)
	if f.crowd.Read > 0 {
		f.crowd.Fresh = float64(f.crowd.Private) / float64(f.crowd.Read)
	}
	f.crowd.again(ctx)
	held, err := k.Memory()
	f.crowd.Bytes, f.crowd.Done = held, err == nil
	f.d.Alive = f.crowd.now(f.labs.cfg.Now())
	return err
}
