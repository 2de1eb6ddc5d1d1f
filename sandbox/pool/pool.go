package pool

import (
	"container/heap"
	"fmt"
	"math"
	"slices"
)

// Load is what a pool is tried with. Times are seconds from the begin.
type Load struct {
	Arrivals []float64 // ascending
	// Work is how long a request holds its slot; request i takes
	// Work[i%len(Work)]. It must not be empty when there are arrivals.
	Work     []float64
	Patience float64   // how long a visitor waits in line, 0 means for ever
	Decide   float64   // between two decisions of the controller, 0 means 10
	Step     float64   // of the Moments, 0 means 1
	Crashes  []float64 // times at which one server dies, ascending
}

// Moment is what happened in one step.
type Moment struct {
	At       float64   // its begin
	Arrived  int       // requests
	Answered int       // of all requests, in this step
	Errors   int       // given up, sent to a dead copy, or died with theirs; by the moment of the error
	Queue    int       // in line at its end
	Ready    int       // copies that answer, at its end
	Booting  int       // copies that are asked for and do not answer yet
	Dead     int       // copies that are dead and still in the rotation
	Servers  int       // machines that are paid for
	Waits    []float64 // seconds from arrival to answer, of those who arrived in this step and were answered
}

// Event is a thing that happens to a server or a pod.
type Event struct {
	At   float64
	Kind string // boot ready crash probe out place pending start stop
	Say  string
}

// mostEvents bounds the list of events; the first ones are kept.
const mostEvents = 400

// Sim is a pool at work. It is not safe for concurrent use.
type Sim struct {
	cfg  Config
	load Load

	now      float64
	seq      int
	agenda   agenda
	servers  []*server // alive or not yet known to be dead
	copies   []*copyOf // in rotation, starting or pending
	turn     int       // of the load balancer's round
	line     []int     // requests that wait, oldest first
	next     int       // arrival
	counted  int       // arrivals at the last decision
	calm     int       // decisions in a row that wanted fewer copies
	numbers  int       // of servers
	pods     int       // numbers of pods
	paidTill float64

	out Result
}

// Result is how a pool did so far.
type Result struct {
	Requests int
	Answered int
	Errors   int
	Peak     int     // most copies at once, those that boot included
	Busy     int     // most requests in slots at once
	Seconds  float64 // of all servers together: what is paid for
	Longest  float64 // seconds in line
	Left     []int   // per crashed copy that was noticed: probes that it took
	Moments  []Moment
	Events   []Event
}

// server is a machine.
type server struct {
	name  string
	ready bool
	dead  bool
}

// The states of a copy.
const (
	pending  = iota // a pod without a server
	starting        // its server boots, or the pod starts
	serving
	draining // out of the rotation, finishes its requests
)

// copyOf is one copy of the program.
type copyOf struct {
	name   string
	on     *server
	state  int
	dead   bool
	failed int          // probes in a row
	work   map[int]bool // requests in its slots
}

// New makes a pool with its min copies ready and probes every c.Every seconds.
func New(c Config, l Load) *Sim {
	if l.Decide <= 0 {
		l.Decide = 10
	}
	if l.Step <= 0 {
		l.Step = 1
	}
	s := &Sim{cfg: c, load: l}
	if c.Controller == Cluster {
		for range c.Servers {
			s.boot(true)
		}
	}
	for range c.Min {
		s.add(true)
	}
	s.at(0, first, s.probe)
	s.at(0, last, s.decide)
	for _, t := range l.Crashes {
		s.at(t, middle, s.Crash)
	}
	s.out.Peak = len(s.copies)
	return s
}

// Advance plays up to a time, t included.
func (s *Sim) Advance(t float64) {
	for {
		arrival := math.Inf(1)
		if s.next < len(s.load.Arrivals) {
			arrival = s.load.Arrivals[s.next]
		}
		if len(s.agenda) > 0 && s.agenda[0].at <= arrival {
			if s.agenda[0].at > t {
				break
			}
			e := heap.Pop(&s.agenda).(entry)
			s.move(e.at)
			e.do()
			continue
		}
		if arrival > t {
			break
		}
		s.move(arrival)
		s.next++
		s.arrive(s.next - 1)
	}
	s.move(t)
	s.fill()
}

// Play makes a pool and plays it to an end.
func Play(c Config, l Load, end float64) Result {
	s := New(c, l)
	s.Advance(end)
	r := s.Result()
	if n := len(r.Moments); n > 0 && r.Moments[n-1].At >= end {
		r.Moments = r.Moments[:n-1]
	}
	return r
}

// Result is how the pool did until now. Its slices are the Sim's own until the next call.
func (s *Sim) Result() Result {
	r := s.out
	r.Seconds += (s.now - s.paidTill) * float64(len(s.servers))
	return r
}

// move lets time pass: what is paid for adds up, and steps end.
func (s *Sim) move(t float64) {
	for m := s.moment(); t >= m.At+s.load.Step; m = s.moment() {
		end := m.At + s.load.Step
		s.pay(end)
		s.now = end
		s.expire()
		s.fill()
		s.out.Moments = append(s.out.Moments, Moment{At: float64(len(s.out.Moments)) * s.load.Step})
	}
	s.now = t
}

func (s *Sim) pay(t float64) {
	s.out.Seconds += (t - s.paidTill) * float64(len(s.servers))
	s.paidTill = t
}

// moment is the step under way.
func (s *Sim) moment() *Moment {
	if len(s.out.Moments) == 0 {
		s.out.Moments = append(s.out.Moments, Moment{})
	}
	return &s.out.Moments[len(s.out.Moments)-1]
}

// fill writes the present counts into the step under way.
func (s *Sim) fill() {
	m := s.moment()
	m.Queue, m.Ready, m.Booting, m.Dead, m.Servers = len(s.line), 0, 0, 0, len(s.servers)
	for _, c := range s.copies {
		switch {
		case c.state == draining:
		case c.state != serving:
			m.Booting++
		case c.dead:
			m.Dead++
		default:
			m.Ready++
		}
	}
}

func (s *Sim) tell(kind, format string, args ...any) {
	if len(s.out.Events) < mostEvents {
		s.out.Events = append(s.out.Events, Event{s.now, kind, fmt.Sprintf(format, args...)})
	}
}

// arrive gives a request to the load balancer. Each copy in the rotation has
// its turn; a live one takes it into the line that all of them share.
func (s *Sim) arrive(i int) {
	s.out.Requests++
	s.moment().Arrived++
	if to := s.rotate(); to != nil && to.dead {
		s.fail(1)
		return
	}
	s.line = append(s.line, i)
	s.serve()
}

// rotate gives the copy whose turn it is, nil when the rotation is empty.
func (s *Sim) rotate() *copyOf {
	for range s.copies {
		s.turn++
		if c := s.copies[s.turn%len(s.copies)]; c.state == serving {
			return c
		}
	}
	return nil
}

func (s *Sim) fail(n int) {
	s.out.Errors += n
	s.moment().Errors += n
}

// expire lets those leave who waited too long.
func (s *Sim) expire() {
	if s.load.Patience <= 0 {
		return
	}
	n := 0
	for n < len(s.line) && s.now-s.load.Arrivals[s.line[n]] > s.load.Patience {
		n++
	}
	if n > 0 {
		s.out.Longest = max(s.out.Longest, s.load.Patience)
		s.fail(n)
		s.line = s.line[n:]
	}
}

// serve gives those in line to free slots.
func (s *Sim) serve() {
	s.expire()
	for len(s.line) > 0 {
		c := s.free()
		if c == nil {
			return
		}
		i := s.line[0]
		s.line = s.line[1:]
		s.out.Longest = max(s.out.Longest, s.now-s.load.Arrivals[i])
		c.work[i] = true
		s.out.Busy = max(s.out.Busy, s.busy())
		s.at(s.now+s.load.Work[i%len(s.load.Work)], middle, func() { s.end(c, i) })
	}
}

// busy is how many requests are in slots.
func (s *Sim) busy() (n int) {
	for _, c := range s.copies {
		n += len(c.work)
	}
	return n
}

// free is the live copy with most free slots, nil when all are full.
func (s *Sim) free() *copyOf {
	var best *copyOf
	for _, c := range s.copies {
		if c.state == serving && !c.dead && len(c.work) < s.cfg.Slots && (best == nil || len(c.work) < len(best.work)) {
			best = c
		}
	}
	return best
}

// end is the moment at which a copy has answered.
func (s *Sim) end(c *copyOf, i int) {
	if !c.work[i] {
		return // it died with its copy
	}
	delete(c.work, i)
	s.out.Answered++
	s.moment().Answered++
	at := s.load.Arrivals[i]
	m := &s.out.Moments[min(int(at/s.load.Step), len(s.out.Moments)-1)]
	m.Waits = append(m.Waits, s.now-at)
	if c.state == draining && len(c.work) == 0 {
		s.drop(c)
	}
	s.serve()
}

// Crash kills a server that runs, the first one by age, with all that is on it.
func (s *Sim) Crash() {
	i := slices.IndexFunc(s.servers, func(v *server) bool { return v.ready && !v.dead })
	if i < 0 {
		return
	}
	v := s.servers[i]
	v.dead = true
	lost := 0
	for _, c := range slices.Clone(s.copies) {
		if c.on != v {
			continue
		}
		lost += len(c.work)
		c.work = nil
		c.dead = true
		if c.state == draining {
			s.drop(c)
		}
	}
	s.fail(lost)
	s.tell("crash", "%s dies, %d requests with it", v.name, lost)
	if s.cfg.Controller == Cluster && s.on(v) == 0 {
		s.remove(v) // nothing on it that a probe could miss
	}
}

// probe asks every copy for its health.
func (s *Sim) probe() {
	s.at(s.now+s.cfg.Every, first, s.probe)
	for _, c := range slices.Clone(s.copies) {
		if c.state == pending || c.state == starting && !c.dead {
			continue
		}
		if !c.dead {
			c.failed = 0
			continue
		}
		c.failed++
		s.tell("probe", "%s fails probe %d of %d", c.name, c.failed, s.cfg.After)
		if c.failed >= s.cfg.After {
			s.out.Left = append(s.out.Left, c.failed)
			s.tell("out", "%s leaves the rotation", c.name)
			s.lose(c)
		}
	}
}

// lose forgets a dead copy. A cluster's controller replaces it at once; a
// group's rule counts again at its next decision.
func (s *Sim) lose(c *copyOf) {
	v := c.on
	s.copies = slices.DeleteFunc(s.copies, func(o *copyOf) bool { return o == c })
	if s.on(v) == 0 {
		s.remove(v)
	}
	if s.cfg.Controller == Cluster {
		s.add(false)
	}
}

func (s *Sim) remove(v *server) {
	s.pay(s.now)
	s.servers = slices.DeleteFunc(s.servers, func(o *server) bool { return o == v })
}
