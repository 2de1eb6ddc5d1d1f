package check

import (
	"encoding/json"
	"math"
	"slices"

	"coldstart/sandbox/pool"
)

// load is what a pool is tried with.
type load struct {
	Seconds  int          `json:"seconds"`  // how long; 0 means 300
	Rate     [][2]float64 `json:"rate"`     // [second, requests a second] from then on
	Capacity float64      `json:"capacity"` // requests a second that one server answers; 0 means 100
	Boot     float64      `json:"boot_s"`   // from decision to first answer; 0 means 40
	Decide   float64      `json:"decide_s"` // seconds between decisions; 0 means 10
	Patience float64      `json:"patience"` // seconds a visitor waits in line; 0 means 5
	Kill     []float64    `json:"kill"`     // seconds at which one server dies
}

// played is how a pool did. It is a model, not a measurement: labs and lessons
// say so.
type played struct {
	Requests  int      `json:"requests"`
	Errors    int      `json:"errors"`
	ErrorRate float64  `json:"error_rate"`
	Peak      int      `json:"peak"`           // most servers at once, booting ones included
	Hours     float64  `json:"server_hours"`   // what is paid for
	LongestS  float64  `json:"longest_wait_s"` // in line
	Left      []int    `json:"left_after"`     // per kill: health checks until it left rotation
	Timeline  []second `json:"timeline"`
}

// second is one second of a played.
type second struct {
	Second  int `json:"second"`
	Rate    int `json:"rate"`
	Ready   int `json:"ready"`
	Booting int `json:"booting"`
	Dead    int `json:"dead"` // still in rotation
	Queue   int `json:"queue"`
	Errors  int `json:"errors"`
}

// The largest load that the model takes.
const (
	mostSeconds  = 3600
	mostArrivals = 1_000_000
	leastDecide  = 0.1 // seconds between decisions
)

// pool plays the model of a pool of servers: pool(settings, load).
func (s *session) pool(raw []json.RawMessage) (any, error) {
	var l load
	settings := []byte("null")
	if len(raw) > 1 {
		settings = raw[1]
	}
	c, err := pool.Parse("", settings)
	if err != nil {
		return nil, failure("Look at pool.json: "+err.Error(), "settings of a pool", clip(string(settings), 120))
	}
	if err := arg("pool", raw, 2, &l); err != nil {
		return nil, err
	}
	l = l.withDefaults()
	var rates []pool.Rate
	var most float64
	for _, r := range l.Rate {
		rates = append(rates, pool.Rate{From: r[0], PerSecond: r[1]})
		most = math.Max(most, r[1])
	}
	if l.Seconds > mostSeconds || most*float64(l.Seconds) > mostArrivals {
		return nil, misuse("pool: the load is too large for the model; it takes an hour and a million requests at most")
	}
	if l.Decide < leastDecide || len(l.Rate) > mostSeconds || len(l.Kill) > mostSeconds {
		return nil, misuse("pool: the load is too fine for the model; it decides ten times a second at most")
	}
	c.Boot = l.Boot
	r := pool.Play(c, pool.Load{
		Arrivals: pool.Even(rates, float64(l.Seconds)),
		Work:     []float64{float64(c.Slots) / l.Capacity}, Patience: l.Patience, Decide: l.Decide, Crashes: l.Kill,
	}, float64(l.Seconds))
	out := played{
		Requests: r.Requests, Errors: r.Errors, Peak: r.Peak, Hours: r.Seconds / 3600, LongestS: r.Longest,
		Left: append([]int{}, r.Left...), Timeline: []second{},
	}
	if r.Requests > 0 {
		out.ErrorRate = float64(r.Errors) / float64(r.Requests)
	}
	for i, m := range r.Moments {
		out.Timeline = append(out.Timeline, second{i, m.Arrived, m.Ready, m.Booting, m.Dead, m.Queue, m.Errors})
	}
	return out, nil
}

func (l load) withDefaults() load {
	if l.Seconds <= 0 {
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
	slices.Sort(l.Kill)
	return l
}
