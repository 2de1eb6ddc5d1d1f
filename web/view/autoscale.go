package view

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Autoscale is what the autoscale lab shows: isolates that were measured and
// servers that were modelled, on the same arrivals.
type Autoscale struct {
	Trouble string // why there is nothing to show; "" for nothing
	Action  string // where the kill switch posts without scripts
	Beats
	Real, Model AutoSide
	Events      []AutoEvent // in order
	Pool        string      // what the pool is, in one sentence
	How         string      // how it was measured, in one line
}

// Beats are the steps of time that two sides share.
type Beats struct {
	Step  float64 // seconds of one
	Until float64 // seconds on the axis
	Live  bool    // more come
}

// AutoSide is one of the two that answered.
type AutoSide struct {
	Name                             string
	Beats                            []AutoBeat
	Requests, Answered, Errors, Cold int
	Peak, Busy                       int     // copies, and requests being worked on, at once
	P50, P99                         float64 // ms
	Cost                             float64 // dollars
}

// AutoBeat is one step of time on one side.
type AutoBeat struct {
	Arrived, Answered, Errors, Queue, Copies, Booting, Cold int
	P50, P99                                                float64 // ms; 0 when nobody was answered
	Cost                                                    float64
}

// AutoEvent is something that happened.
type AutoEvent struct {
	At   float64 // seconds
	Side string
	Say  string
	Hard bool // a machine died
}

func inSeconds(v float64) string { return decimal(math.Round(v*100)/100) + " s" }

// inMillis writes a wait; powers of ten, which an axis marks, without digits behind.
func inMillis(ms float64) string {
	if e := math.Log10(ms); e == math.Trunc(e) {
		return round(ms * 1000)
	}
	return Duration(int64(math.Round(ms * 1000)))
}

// dollars writes an amount with two digits that count: $0.00042, $3.20, $1,204.
func dollars(v float64) string {
	switch {
	case v == 0:
		return "$0"
	case v < 0.1:
		return "$" + strings.TrimRight(strconv.FormatFloat(v, 'f', min(int(1-math.Floor(math.Log10(v))), 9), 64), "0")
	case v < 1000:
		return "$" + strconv.FormatFloat(v, 'f', 2, 64)
	}
	return "$" + grouped(int(math.Round(v)))
}

// line takes a figure of each beat, at the beat's end. NaN leaves a gap.
func (t Beats) line(name, kind string, s AutoSide, steps bool, of func(AutoBeat) float64) PlotLine {
	l := PlotLine{Name: name, Kind: kind, Steps: steps}
	beats := s.Beats
	if t.Live && len(beats) > 0 {
		beats = beats[:len(beats)-1] // the last one is under way
	}
	for i, b := range beats {
		l.Points = append(l.Points, PlotPoint{math.Round(float64(i+1)*t.Step*100) / 100, of(b)})
	}
	return l
}

// rate is a moving figure a second, over the last second.
func (t Beats) rate(name, kind string, s AutoSide, of func(AutoBeat) int) PlotLine {
	l := t.line(name, kind, s, false, func(b AutoBeat) float64 { return float64(of(b)) })
	window := max(int(math.Round(1/t.Step)), 1)
	counts := make([]float64, len(l.Points))
	for i := range l.Points {
		counts[i] = l.Points[i].Y
	}
	for i := range l.Points {
		sum := 0.0
		for k := max(0, i-window+1); k <= i; k++ {
			sum += counts[k]
		}
		l.Points[i].Y = math.Round(sum/(float64(window)*t.Step)*10) / 10
	}
	return l
}

func orNaN(v float64) float64 {
	if v <= 0 {
		return math.NaN()
	}
	return v
}

// plots are the charts of the lab, all over the same seconds.
func (a Autoscale) plots() []Plot {
	x := Axis{Name: "time", To: a.Until, Write: inSeconds}
	count := Axis{Whole: true, Write: counted}
	wait := Axis{Log: true, From: fastest(a.Real, a.Model), To: 10_000, Write: inMillis}
	money := Axis{Write: dollars}
	mine, theirs := a.Real, a.Model
	copies := a.line("isolates", "", mine, true, func(b AutoBeat) float64 { return float64(b.Copies) })
	cold := PlotLine{Name: "cold starts", Kind: "cold", Dots: true}
	for i, q := range copies.Points {
		if mine.Beats[i].Cold > 0 {
			cold.Points = append(cold.Points, q)
		}
	}
	copies.Points = append([]PlotPoint{{0, 0}}, copies.Points...) // none before the first visitor
	var marks []PlotMark
	for _, e := range a.Events {
		if e.Hard && e.Side == theirs.Name {
			marks = append(marks, PlotMark{e.At, "killed"})
		}
	}
	queue := func(b AutoBeat) float64 { return float64(b.Queue) }
	out := []Plot{
		{Name: "Requests a second", Y: count, Lines: []PlotLine{
			a.rate("arrive", "faint", mine, func(b AutoBeat) int { return b.Arrived }),
			a.rate("answered by isolates", "", mine, func(b AutoBeat) int { return b.Answered }),
			a.rate("by the pool", "dash", theirs, func(b AutoBeat) int { return b.Answered }),
		}},
		{Name: "Visitors in line", Y: count, Lines: []PlotLine{a.line("for an isolate", "", mine, true, queue), a.line("for a server", "dash", theirs, true, queue)}},
		{Name: "Half of the visitors wait at most (p50)", Y: wait, Lines: []PlotLine{
			a.line("isolates", "", mine, false, func(b AutoBeat) float64 { return orNaN(b.P50) }),
			a.line("pool", "dash", theirs, false, func(b AutoBeat) float64 { return orNaN(b.P50) }),
		}},
		{Name: "99 of 100 wait at most (p99)", Y: wait, Lines: []PlotLine{
			a.line("isolates", "", mine, false, func(b AutoBeat) float64 { return orNaN(b.P99) }),
			a.line("pool", "dash", theirs, false, func(b AutoBeat) float64 { return orNaN(b.P99) }),
		}},
		{Name: "Copies", Y: count, Lines: []PlotLine{
			copies, cold,
			a.line("copies that answer", "dash", theirs, true, func(b AutoBeat) float64 { return float64(b.Copies) }),
			a.line("booting, or dead and unnoticed", "dot", theirs, true, func(b AutoBeat) float64 { return float64(b.Booting) }),
		}},
		{Name: "Cost so far", Y: money, Lines: []PlotLine{
			a.line("requests and CPU time", "", mine, false, func(b AutoBeat) float64 { return b.Cost }),
			a.line("hours of servers", "dash", theirs, false, func(b AutoBeat) float64 { return b.Cost }),
		}},
	}
	for i := range out {
		out[i].X, out[i].Live, out[i].Height, out[i].Marks = x, a.Live, 170, marks
	}
	return out
}

// counted writes a count, or a rate to one decimal below ten.
func counted(v float64) string {
	if v < 10 {
		return decimal(math.Round(v*10) / 10)
	}
	return grouped(int(math.Round(v)))
}

// fastest is the lower end of an axis of waits: a decade under 100 ms at most.
func fastest(sides ...AutoSide) float64 {
	low := 10.0
	for _, s := range sides {
		for _, b := range s.Beats {
			for b.P50 > 0 && b.P50 < low && low > 0.01 {
				low /= 10
			}
		}
	}
	return low
}

// rows compare the two sides in figures.
func (a Autoscale) rows() [][3]string {
	return compared(a.Real, a.Model, "visitors", "lost",
		sideFigure{"most inside at once", func(s AutoSide) string { return grouped(s.Busy) }},
		sideFigure{"most copies", func(s AutoSide) string { return grouped(s.Peak) }},
		sideFigure{"cost", func(s AutoSide) string { return dollars(s.Cost) }})
}

// sideFigure is one figure of a side, with its name.
type sideFigure struct {
	name string
	of   func(AutoSide) string
}

// compared are two sides in the figures that each has, under the names that a
// lab gives to its requests and failures, and then in more of them.
func compared(a, b AutoSide, requests, failures string, more ...sideFigure) [][3]string {
	figures := append([]sideFigure{
		{requests, func(s AutoSide) string { return grouped(s.Requests) }},
		{"answered", func(s AutoSide) string { return grouped(s.Answered) }},
		{failures, AutoSide.failures},
		{"p50", func(s AutoSide) string { return figureOr(s.P50) }},
		{"p99", func(s AutoSide) string { return figureOr(s.P99) }},
	}, more...)
	var out [][3]string
	for _, f := range figures {
		out = append(out, [3]string{f.name, f.of(a), f.of(b)})
	}
	return out
}

// failures are how many of a side's requests failed, and which part of all.
func (s AutoSide) failures() string {
	if s.Requests == 0 {
		return "0"
	}
	return fmt.Sprintf("%s (%.1f %%)", grouped(s.Errors), 100*float64(s.Errors)/float64(s.Requests))
}

func figureOr(ms float64) string {
	if ms == 0 {
		return "–"
	}
	return inMillis(ms)
}
