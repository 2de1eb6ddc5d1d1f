package view

import (
	"fmt"
	"math"
)

// Race is what the race lab measured.
type Race struct {
	Contenders []RaceContender
	How        string // when, where and how it was measured, in one line; "" before that
	Own        bool   // the learner's code
	Rounds     int    // samples that were asked for
}

// RaceContender is one kind of box.
type RaceContender struct {
	Name, Note string
	Isolate    bool
	Off        string  // why it did not race
	Cold, Warm []int64 // µs to the first byte, in the order in which they came
	// Made and Loaded divide the start that is the median, in µs.
	Made, Loaded, First int64
	Each                int64  // bytes that one more holds; 0 for not known
	Short               string // why it has fewer samples than were asked for
	Unweighed           string // why Each is not known; "" for nothing to say
	Walls               []Wall
}

func (r Race) dots() Dots {
	var d Dots
	for _, c := range r.Contenders {
		d.Rows = append(d.Rows, DotRow{Name: c.Name, Note: c.Note, Cold: c.Cold, Warm: c.Warm, Off: c.Off})
	}
	return d
}

// slowest is the longest median start of some contenders, in µs.
func (r Race) slowest(of func(RaceContender) bool) (us int64) {
	for _, c := range r.Contenders {
		if len(c.Cold) > 0 && of(c) {
			us = max(us, c.First)
		}
	}
	return us
}

// What the timelines are drawn to before anything was measured, in µs.
const (
	racePlan = 200_000
	raceNear = 5_000
)

// spans are the median starts on one scale; what an isolate cannot show at the
// scale of a process is drawn once more, larger.
func (r Race) spans() []Spans {
	all := Spans{Name: "As it is"}
	kinds := map[bool]bool{}
	for _, c := range r.Contenders {
		kinds[c.Isolate] = true
		row := SpanRow{Name: c.Name}
		if len(c.Cold) > 0 && c.Off == "" {
			row.Parts = []SpanPart{{"start", "make the box", 0, c.Made}, {"load", "boot the runtime, load the code", c.Made, c.Loaded}, {"handle", "the handler", c.Loaded, c.First}}
		}
		all.Rows = append(all.Rows, row) // one that is off keeps its place, so that nothing moves
	}
	fast, whole := r.slowest(func(c RaceContender) bool { return c.Isolate })*5/4, r.slowest(func(RaceContender) bool { return true })
	if whole == 0 {
		all.To = racePlan
	}
	if len(kinds) < 2 {
		return []Spans{all}
	}
	near := all
	near.To, near.Name = raceNear, "Its beginning, larger"
	if fast > 0 && whole > fast {
		near.To, near.Name = fast, fmt.Sprintf("The first %s, %s times larger", Duration(fast), decimal(math.Round(10*float64(whole)/float64(fast))/10))
	}
	return []Spans{all, near}
}

func (r Race) numbers() Numbers {
	n := Numbers{Name: "Starts and memory of each contender", Open: true, Head: []string{"contender", "cold p50", "cold p99", "warm p50", "warm p99", "make", "load", "answer", "memory each", "n"}}
	n.Blank = r.slowest(func(RaceContender) bool { return true }) == 0
	for _, c := range r.Contenders {
		row := []string{c.Name, "–", "–", "–", "–", "–", "–", "–", "–", "–"}
		if c.Off == "" && len(c.Cold) > 0 && len(c.Warm) > 0 {
			each := "not known"
			if c.Each > 0 {
				each = size(c.Each)
			}
			answer := Duration(c.First - c.Loaded)
			if c.First == c.Loaded {
				answer = "in load" // this box does not say when its handler began
			}
			row = []string{
				c.Name, Duration(quantile(c.Cold, .5)), Duration(quantile(c.Cold, .99)), Duration(quantile(c.Warm, .5)), Duration(quantile(c.Warm, .99)),
				Duration(c.Made), Duration(c.Loaded - c.Made), answer, each, fmt.Sprintf("%d + %d", len(c.Cold), len(c.Warm)),
			}
		}
		n.Rows = append(n.Rows, row)
	}
	return n
}

// short are the sentences about contenders with too few samples, or without their weight.
func (r Race) short() []string {
	var out []string
	for _, c := range r.Contenders {
		if c.Short != "" {
			out = append(out, fmt.Sprintf("%s has %d of %d samples: %s.", c.Name, len(c.Cold), r.Rounds, c.Short))
		}
		if c.Unweighed != "" {
			out = append(out, fmt.Sprintf("What one more %s holds is not known: %s.", c.Name, c.Unweighed))
		}
	}
	return out
}

func (r Race) walls() []Walled {
	var out []Walled
	for _, c := range r.Contenders {
		if len(c.Walls) > 0 {
			out = append(out, Walled{c.Name, c.Walls})
		}
	}
	return out
}
