package check

import (
	"encoding/json"
	"math"
)

// Pool is the settings of a group of servers, as pool.json of the lessons
// holds them.
type Pool struct {
	Min    int     `json:"min"`    // servers, always
	Max    int     `json:"max"`    // servers, at most
	Target float64 `json:"target"` // share of capacity to aim for, 0 to 1
	Health struct {
		Every int `json:"every_s"`         // seconds between checks
		After int `json:"unhealthy_after"` // failed checks until a server leaves rotation
	} `json:"health"`
}

// Load is what a Pool is tried with.
type Load struct {
	Seconds  int          `json:"seconds"`  // how long; 0 means 300
	Rate     [][2]float64 `json:"rate"`     // [second, requests a second] from then on
	Capacity float64      `json:"capacity"` // requests a second that one server answers; 0 means 100
	Boot     int          `json:"boot_s"`   // from decision to first answer; 0 means 40
	Decide   int          `json:"decide_s"` // seconds between decisions; 0 means 10
	Patience float64      `json:"patience"` // seconds a visitor waits in line; 0 means 5
	Kill     []int        `json:"kill"`     // seconds at which one server dies
}

// Played is how a Pool did. It is a model, not a measurement: labs and lessons
// say so.
type Played struct {
	Requests  float64  `json:"requests"`
	Errors    float64  `json:"errors"`
	ErrorRate float64  `json:"error_rate"`
	Peak      int      `json:"peak"`           // most servers at once, booting ones included
	Hours     float64  `json:"server_hours"`   // what is paid for
	LongestS  float64  `json:"longest_wait_s"` // in line
	Left      []int    `json:"left_after"`     // per kill: health checks until it left rotation
	Timeline  []Moment `json:"timeline"`
}

// Moment is one second of a Played.
type Moment struct {
	Second  int     `json:"second"`
	Rate    float64 `json:"rate"`
	Ready   int     `json:"ready"`
	Booting int     `json:"booting"`
	Dead    int     `json:"dead"` // still in rotation
	Queue   float64 `json:"queue"`
	Errors  float64 `json:"errors"`
}

// deadServer is one that died and still gets its share of requests.
type deadServer struct{ died, checks int }

// Play runs the model a second at a time: requests are shared evenly among
// the servers in rotation, what is over capacity waits, who waits too long
// leaves with an error, and a server that died errs until enough health checks
// have failed.
func (p Pool) Play(l Load) Played {
	l = l.withDefaults()
	every, after := max(p.Health.Every, 1), max(p.Health.After, 1)
	ready := max(p.Min, 0)
	out := Played{Left: []int{}, Timeline: []Moment{}}
	var boots []int // seconds at which a server becomes ready
	var dead []deadServer
	queue, rate, next := 0.0, 0.0, 0
	for t := range l.Seconds {
		for next < len(l.Rate) && int(l.Rate[next][0]) <= t {
			rate, next = l.Rate[next][1], next+1
		}
		for _, k := range l.Kill {
			if k == t && ready > 0 {
				ready--
				dead = append(dead, deadServer{died: t})
			}
		}
		if t%every == 0 {
			kept := dead[:0]
			for _, d := range dead {
				if t > d.died {
					d.checks++
				}
				if d.checks >= after {
					out.Left = append(out.Left, d.checks)
				} else {
					kept = append(kept, d)
				}
			}
			dead = kept
		}
		waiting := boots[:0]
		for _, b := range boots {
			if b <= t {
				ready++
			} else {
				waiting = append(waiting, b)
			}
		}
		boots = waiting

		errs := 0.0
		arrivals := rate
		if n := ready + len(dead); n > 0 {
			lost := arrivals * float64(len(dead)) / float64(n)
			errs += lost
			arrivals -= lost
		}
		room := float64(ready) * l.Capacity
		queue += arrivals
		served := math.Min(queue, room)
		queue -= served
		if most := room * l.Patience; queue > most {
			errs += queue - most
			queue = most
		}
		if room > 0 {
			out.LongestS = math.Max(out.LongestS, queue/room)
		}
		if t%l.Decide == 0 {
			// The controller counts what it believes to be alive.
			have := ready + len(boots) + len(dead)
			want := p.Min
			if p.Target > 0 {
				want = int(math.Ceil((rate+queue/float64(l.Decide))/(l.Capacity*p.Target) - 1e-9))
			}
			want = min(max(want, p.Min), p.Max)
			for ; have < want; have++ {
				boots = append(boots, t+l.Boot)
			}
			for ; have > want && ready > 0; have-- {
				ready--
			}
		}
		out.Requests += rate
		out.Errors += errs
		out.Peak = max(out.Peak, ready+len(boots))
		out.Hours += float64(ready+len(boots)+len(dead)) / 3600
		out.Timeline = append(out.Timeline, Moment{t, rate, ready, len(boots), len(dead), queue, errs})
	}
	if out.Requests > 0 {
		out.ErrorRate = out.Errors / out.Requests
	}
	return out
}

func (l Load) withDefaults() Load {
	if l.Seconds <= 0 || l.Seconds > 7*24*3600 {
		l.Seconds = 300
	}
	if l.Capacity <= 0 {
		l.Capacity = 100
	}
	if l.Boot <= 0 {
		l.Boot = 40
	}
	if l.Decide <= 0 {
		l.Decide = 10
	}
	if l.Patience <= 0 {
		l.Patience = 5
	}
	return l
}

func (s *session) pool(raw []json.RawMessage) (any, error) {
	var p Pool
	var l Load
	if len(raw) > 1 {
		if err := json.Unmarshal(raw[1], &p); err != nil {
			return nil, failure("The pool's settings should be numbers: min, max, target and health { every_s, unhealthy_after }", "numbers", clip(string(raw[1]), 120))
		}
	}
	if err := arg("pool", raw, 2, &l); err != nil {
		return nil, err
	}
	if p.Max > 1000 || p.Min > 1000 || l.Seconds > 3600 {
		return nil, failure("The pool is too large for the model", "at most 1000 servers", "more")
	}
	return p.Play(l), nil
}
