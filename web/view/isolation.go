package view

import (
	"fmt"

	"coldstart/sandbox/trace"
)

// Isolation is what the isolation lab shows.
type Isolation struct {
	Process   int
	Tenants   []IsolationTenant
	Groups    []IsolationGroup
	Neighbour []Neighbour
	How       string
}

// IsolationTenant is one of the two that share a process.
type IsolationTenant struct {
	Name, Isolate string
	Private       int64 // bytes
}

// IsolationGroup is a part of the lab.
type IsolationGroup struct {
	Name     string
	Attempts []Attempt
}

// Attempt is one thing that was tried; Took in µs.
type Attempt struct {
	Name, Tried, Got, Wall string
	Held                   bool
	Took                   int64
}

// Neighbour is one phase of the noisy neighbour: what visitors of the quiet
// tenant waited, in µs.
type Neighbour struct {
	Name    string
	Samples []int64
	Loud    int
	Limit   int64 // CPU time that a loop may use, in µs; 0 for no loops
}

func (a Attempt) verdict() string {
	if a.Held {
		return "held"
	}
	return "broken"
}

// series are the phases as clouds of dots.
func (i Isolation) series() []Series {
	var out []Series
	for _, n := range i.Neighbour {
		out = append(out, Series{Name: n.Name, Temperature: trace.Warm, Samples: n.Samples})
	}
	return out
}

func (n Neighbour) p(q float64) string { return Duration(quantile(n.Samples, q)) }

// loops says what went on beside the quiet tenant.
func (n Neighbour) loops() string {
	if n.Limit == 0 {
		return "nobody else"
	}
	return fmt.Sprintf("%s, each with %s of CPU", count(n.Loud, "loop"), limit(n.Limit))
}

// worse compares the p99 of the last two phases, "" unless both are there.
func (i Isolation) worse() string {
	if len(i.Neighbour) < 3 {
		return ""
	}
	on, off := quantile(i.Neighbour[1].Samples, 0.99), quantile(i.Neighbour[2].Samples, 0.99)
	return fmt.Sprintf("Beside loops, one visitor in a hundred waits %s with limits and %s without.", Duration(on), Duration(off))
}

// Figures are the neighbour's for the text's placeholders.
func (i Isolation) Figures() map[string]string {
	out := map[string]string{}
	for k, name := range []string{"alone", "on", "off"} {
		if k < len(i.Neighbour) {
			out["isolation."+name] = i.Neighbour[k].p(0.99)
		}
	}
	return out
}
