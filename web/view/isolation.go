package view

import (
	"fmt"
	"slices"
	"strconv"

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

// private is what an isolate has to itself, "–" before it is there.
func (t IsolationTenant) private() string {
	if t.Isolate == "" {
		return "–"
	}
	return size(t.Private)
}

// process is the number of the process in which both live.
func (i Isolation) process() string {
	if i.Process == 0 {
		return "not started yet"
	}
	return strconv.Itoa(i.Process)
}

// IsolationGroup is a part of the lab.
type IsolationGroup struct {
	Name     string
	Attempts []Attempt
}

// Attempt is one thing that is tried; Got is "" until it was. Took in µs.
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
	switch {
	case a.Got == "":
		return "open"
	case a.Held:
		return "held"
	}
	return "broken"
}

// wall says what stopped it, or that nothing did.
func (a Attempt) wall() string {
	switch a.verdict() {
	case "held":
		return a.Wall
	case "broken":
		return "not stopped as it should be: " + a.Wall
	}
	return "–"
}

// begun reports whether anything of a group was tried.
func (g IsolationGroup) begun() bool {
	return slices.ContainsFunc(g.Attempts, func(a Attempt) bool { return a.Got != "" })
}

// series are the phases as clouds of dots.
func (i Isolation) series() []Series {
	var out []Series
	for _, n := range i.Neighbour {
		out = append(out, Series{Name: n.Name, Temperature: trace.Warm, Samples: n.Samples})
	}
	return out
}

func (n Neighbour) p(q float64) string {
	if len(n.Samples) == 0 {
		return "–"
	}
	return Duration(quantile(n.Samples, q))
}

// loops says what went on beside the quiet tenant.
func (n Neighbour) loops() string {
	switch {
	case len(n.Samples) == 0:
		return "–"
	case n.Limit == 0:
		return "nobody else"
	}
	return fmt.Sprintf("%s, each with %s of CPU", count(n.Loud, "loop"), limit(n.Limit))
}

// numbers are the waits behind the clouds, once all are there.
func (i Isolation) numbers() Numbers {
	n := Numbers{Name: "What each visitor waited", Head: []string{"visitor"}, Blank: i.How == ""}
	most := 0
	for _, p := range i.Neighbour {
		n.Head, most = append(n.Head, p.Name), max(most, len(p.Samples))
	}
	for v := range most {
		if n.Blank {
			break
		}
		row := []string{strconv.Itoa(v + 1)}
		for _, p := range i.Neighbour {
			cell := "–"
			if v < len(p.Samples) {
				cell = Duration(p.Samples[v])
			}
			row = append(row, cell)
		}
		n.Rows = append(n.Rows, row)
	}
	return n
}

// worse compares the p99 of the last two phases, "" unless both are there.
func (i Isolation) worse() string {
	if len(i.Neighbour) < 3 || len(i.Neighbour[2].Samples) == 0 {
		return ""
	}
	on, off := quantile(i.Neighbour[1].Samples, 0.99), quantile(i.Neighbour[2].Samples, 0.99)
	return fmt.Sprintf("Beside loops, one visitor in a hundred waits %s with limits and %s without.", Duration(on), Duration(off))
}

// Figures are the neighbour's for the text's placeholders.
func (i Isolation) Figures() map[string]string {
	out := map[string]string{}
	for k, name := range []string{"alone", "on", "off"} {
		if k < len(i.Neighbour) && len(i.Neighbour[k].Samples) > 0 {
			out["isolation."+name] = i.Neighbour[k].p(0.99)
		}
	}
	return out
}
