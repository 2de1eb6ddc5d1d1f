package pool

import (
	"container/heap"
	"fmt"
	"math"
	"slices"
)

// calmFor is how many decisions in a row must want fewer copies before any
// goes: a lull of one moment must not cost a boot in the next.
const calmFor = 3

// decide compares what runs with what should. What it can see is the requests
// since the last time, and those in line.
func (s *Sim) decide() {
	s.at(s.now+s.load.Decide, last, s.decide)
	arrived := s.next - s.counted
	s.counted = s.next
	if s.cfg.Controller == Fixed {
		return
	}
	have := 0 // as it believes: nobody told it yet who is dead
	for _, c := range s.copies {
		if c.state != draining {
			have++
		}
	}
	rate := float64(arrived+len(s.line)) / s.load.Decide
	want := int(math.Ceil(rate/(s.capacity()*s.cfg.Target) - 1e-9))
	want = min(max(want, s.cfg.Min), s.cfg.Max)
	for ; have < want; have++ {
		s.add(false)
	}
	s.calm++
	if have <= want {
		s.calm = 0
	}
	if s.calm >= calmFor {
		for ; have > want && s.shrink(); have-- {
		}
	}
	s.tidy()
}

// capacity is how many requests a copy answers in a second.
func (s *Sim) capacity() float64 {
	var all float64
	for _, w := range s.load.Work {
		all += w
	}
	if all <= 0 {
		return math.Inf(1)
	}
	return float64(s.cfg.Slots) * float64(len(s.load.Work)) / all
}

// add asks for one more copy; at once for those that a pool begins with.
func (s *Sim) add(begin bool) {
	if s.cfg.Controller != Cluster {
		v := s.boot(begin)
		c := &copyOf{name: v.name, on: v, state: starting, work: map[int]bool{}}
		if begin {
			c.state = serving
		}
		s.copies = append(s.copies, c)
	} else {
		s.pods++
		c := &copyOf{name: fmt.Sprintf("pod %d", s.pods), work: map[int]bool{}}
		s.copies = append(s.copies, c)
		s.place(c, begin)
	}
	live := 0
	for _, c := range s.copies {
		if !c.dead && c.state != draining {
			live++
		}
	}
	s.out.Peak = max(s.out.Peak, live)
}

// boot asks for a server.
func (s *Sim) boot(begin bool) *server {
	s.pay(s.now)
	s.numbers++
	v := &server{name: fmt.Sprintf("server %d", s.numbers), ready: begin}
	s.servers = append(s.servers, v)
	if !begin {
		s.tell("boot", "%s boots, for %s s", v.name, seconds(s.cfg.Boot))
		s.at(s.now+s.cfg.Boot, middle, func() { s.booted(v) })
	}
	return v
}

// booted is the moment at which a server runs.
func (s *Sim) booted(v *server) {
	if v.dead || !slices.Contains(s.servers, v) {
		return
	}
	v.ready = true
	s.tell("ready", "%s is ready", v.name)
	for _, c := range slices.Clone(s.copies) {
		switch {
		case s.cfg.Controller == Cluster && c.state == pending:
			s.place(c, false)
		case c.on == v && c.state == starting:
			c.state = serving
		}
	}
	s.serve()
}

// place gives a pod to the server with most room. Without room it asks for a
// server, unless enough of them boot already.
func (s *Sim) place(c *copyOf, begin bool) {
	var best *server
	room, most := 0, 0
	for _, v := range s.servers {
		switch free := s.cfg.Pods - s.on(v); {
		case v.dead && s.known(v):
		case !v.ready:
			room += free
		case free > most:
			best, most = v, free
		}
	}
	if best == nil && begin {
		best = s.boot(true)
	}
	if best == nil {
		waiting := 0
		for _, o := range s.copies {
			if o.state == pending {
				waiting++
			}
		}
		s.tell("pending", "%s finds no room", c.name)
		if waiting > room {
			s.boot(false)
		}
		return
	}
	c.on, c.state = best, starting
	if begin {
		c.state = serving
		return
	}
	s.tell("place", "%s goes to %s", c.name, best.name)
	c.dead = best.dead // placed before anybody knew
	s.at(s.now+s.cfg.PodStart, middle, func() { s.started(c) })
}

// known reports whether a probe has already failed on a server.
func (s *Sim) known(v *server) bool {
	return s.on(v) == 0 ||
		slices.ContainsFunc(s.copies, func(c *copyOf) bool { return c.on == v && c.failed > 0 })
}

func (s *Sim) on(v *server) (n int) {
	for _, c := range s.copies {
		if c.on == v {
			n++
		}
	}
	return n
}

// started is the moment at which a placed pod answers.
func (s *Sim) started(c *copyOf) {
	if c.state != starting || c.dead || !slices.Contains(s.copies, c) {
		return
	}
	c.state = serving
	s.tell("start", "%s answers", c.name)
	s.serve()
}

// shrink takes the youngest copy out of the rotation; one that waits or boots
// goes before one that serves.
func (s *Sim) shrink() bool {
	for _, state := range []int{pending, starting, serving} {
		for _, c := range slices.Backward(s.copies) {
			if c.state != state || c.dead {
				continue
			}
			s.tell("stop", "%s is not needed", c.name)
			c.state = draining
			if len(c.work) == 0 {
				s.drop(c)
			}
			return true
		}
	}
	return false
}

// drop ends a copy that drained.
func (s *Sim) drop(c *copyOf) {
	s.copies = slices.DeleteFunc(s.copies, func(o *copyOf) bool { return o == c })
	if s.cfg.Controller != Cluster {
		s.remove(c.on)
	}
}

// tidy returns a cluster's servers on which nothing runs.
func (s *Sim) tidy() {
	if s.cfg.Controller != Cluster {
		return
	}
	waiting := slices.ContainsFunc(s.copies, func(c *copyOf) bool { return c.state == pending })
	for _, v := range slices.Clone(s.servers) {
		if !waiting && s.on(v) == 0 && len(s.servers) > s.cfg.Servers {
			s.tell("stop", "%s is empty and goes", v.name)
			s.remove(v)
		}
	}
}

func seconds(s float64) string {
	return fmt.Sprint(math.Round(s*10) / 10)
}

// The order of what happens at the same time.
const (
	first = iota
	middle
	last
)

// entry is something that is to happen.
type entry struct {
	at    float64
	order int
	seq   int
	do    func()
}

func (s *Sim) at(t float64, order int, do func()) {
	s.seq++
	heap.Push(&s.agenda, entry{t, order, s.seq, do})
}

// agenda is a heap of entries, the next one first.
type agenda []entry

func (a agenda) Len() int      { return len(a) }
func (a agenda) Swap(i, j int) { a[i], a[j] = a[j], a[i] }
func (a agenda) Less(i, j int) bool {
	x, y := a[i], a[j]
	if x.at != y.at {
		return x.at < y.at
	}
	if x.order != y.order {
		return x.order < y.order
	}
	return x.seq < y.seq
}
func (a *agenda) Push(x any) { *a = append(*a, x.(entry)) }
func (a *agenda) Pop() any {
	old := *a
	e := old[len(old)-1]
	*a = old[:len(old)-1]
	return e
}
