package view

import (
	"fmt"
	"strings"
)

// Routing is what the routing lab shows.
type Routing struct {
	Workers    []string
	Broken     string
	Documented bool
	Patterns   []RoutePattern
	Rows       []RoutingRow
	How        string
}

// sent reports whether the addresses were looked up.
func (r Routing) sent() bool { return r.How != "" }

// RoutePattern is one entry of the route table.
type RoutePattern struct{ Pattern, Worker string }

// RoutingRow is one address.
type RoutingRow struct {
	URL, Worker, Why string
	Trials           []RouteTrial // one for each pattern
	Status           int          // 0: nobody answered
	Alive            bool
	Answer           string // body, or the fault
	Took             int64  // µs
	Cold             bool
	Calls            []RoutingCall
}

// RouteTrial is how one pattern fared with an address.
type RouteTrial struct {
	Matches, Wins bool
	Why           string
}

// RoutingCall is a call over a service binding; Took in µs.
type RoutingCall struct {
	Worker string
	Took   int64
	Failed bool
}

func (t RouteTrial) mark() string {
	switch {
	case t.Wins:
		return "●"
	case t.Matches:
		return "○"
	}
	return "·"
}

func (t RouteTrial) word() string {
	switch {
	case t.Wins:
		return "wins"
	case t.Matches:
		return "matches, loses"
	}
	return "does not match"
}

// who says who answers an address.
func (r RoutingRow) who() string {
	if r.Worker == "" {
		return "no Worker"
	}
	return r.Worker
}

func (r RoutingRow) state() string {
	switch {
	case r.Status == 0:
		return "goes on to the origin server"
	case r.Alive:
		return fmt.Sprintf("%d after %s", r.Status, Duration(r.Took))
	}
	return fmt.Sprintf("%d: %s", r.Status, r.Answer)
}

// short is an address without the scheme that most have.
func (r RoutingRow) short() string { return strings.TrimPrefix(r.URL, "https://") }

func (p RoutePattern) who() string {
	if p.Worker == "" {
		return "no Worker"
	}
	return p.Worker
}

// answered says how a Worker answered.
func (r RoutingRow) answered() string {
	s := r.who() + " answered " + r.state()
	switch {
	case !r.Alive:
		return s + " The other Workers go on."
	case r.Cold:
		s += ", cold"
	}
	return s + ": " + r.Answer
}

// said tells of a call over a service binding.
func (c RoutingCall) said() string {
	s := "It called " + c.Worker + " by a service binding, " + Duration(c.Took)
	if c.Failed {
		s += ", which failed"
	}
	return s + ": no public request, no route."
}
