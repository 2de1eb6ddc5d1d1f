package view

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// The charts of labs. Each is drawn on the server, from the figures that the
// table behind it (NumbersView) holds; places are percent across and pixels
// down, so that text never scales and the height is known before the first
// figure. Redrawing one changes attributes only.

// Plot is lines over common axes.
type Plot struct {
	Name   string // what it shows, in one sentence: "Requests a second, served and asked for"
	X, Y   Axis
	Lines  []PlotLine
	Marks  []PlotMark
	Height int  // px of the drawing with its axis; 0 means 220
	Live   bool // figures still come: the table behind it is filled when they are all there
}

// Axis is one of a plot's axes.
type Axis struct {
	Name     string
	Log      bool    // logarithmic: what is not positive is left out
	From, To float64 // bounds; both 0 for those of the data, with 0 among them unless Log
	Whole    bool    // its ticks are whole numbers
	// Write writes a figure with its unit; nil means plain digits.
	Write func(float64) string
}

func (a Axis) write(v float64) string {
	if a.Write != nil {
		return a.Write(v)
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}

// PlotLine is one line. Kind is how it is drawn, never by colour alone: "" ink,
// "dash", "dot", "cold", "warm", "faint".
type PlotLine struct {
	Name   string
	Kind   string
	Steps  bool // a value holds until the next
	Dots   bool // marks at the points instead of a line: diamonds of the kind "cold", else rings
	Points []PlotPoint
}

// PlotPoint is one figure of a line; X does not fall along it.
type PlotPoint struct{ X, Y float64 }

// PlotMark is something that happened at X, a crossing or a bound.
type PlotMark struct {
	X    float64
	Text string
}

// scale maps figures to 0…1.
type scale struct {
	from, to float64
	log      bool
	ticks    []float64
}

func (s scale) at(v float64) float64 {
	if s.log {
		return (math.Log10(v) - math.Log10(s.from)) / (math.Log10(s.to) - math.Log10(s.from))
	}
	return (v - s.from) / (s.to - s.from)
}

// has reports whether a figure can be placed.
func (s scale) has(v float64) bool {
	return !math.IsNaN(v) && !math.IsInf(v, 0) && (!s.log || v > 0)
}

// scaleOf makes the scale of an axis for some figures, with about n ticks.
func (a Axis) scaleOf(figures []float64, n int) scale {
	s := scale{from: a.From, to: a.To, log: a.Log}
	if s.from == 0 && s.to == 0 {
		s.from, s.to = math.Inf(1), math.Inf(-1)
		if !a.Log {
			s.from, s.to = 0, 0
		}
		for _, v := range figures {
			if s.has(v) {
				s.from, s.to = min(s.from, v), max(s.to, v)
			}
		}
	}
	if a.Log {
		if s.from > s.to || s.from <= 0 {
			s.from, s.to = 1, 10
		}
		if s.to/s.from < 10 {
			s.to = s.from * 10
		}
		every := max(1, int(math.Ceil(math.Log10(s.to/s.from)/float64(n))))
		for exp := math.Ceil(math.Log10(s.from) - 1e-9); exp <= math.Log10(s.to)+1e-9; exp += float64(every) {
			s.ticks = append(s.ticks, math.Pow(10, exp))
		}
		return s
	}
	if s.to <= s.from {
		s.to = s.from + 1
	}
	step := roundStep((s.to - s.from) / float64(n))
	if a.Whole {
		step = max(step, 1)
	}
	if a.To == 0 && a.From == 0 {
		s.from, s.to = math.Floor(s.from/step+1e-9)*step, math.Ceil(s.to/step-1e-9)*step
	}
	for i := math.Ceil(s.from/step-1e-9) + 0; i*step <= s.to*(1+1e-9)+1e-12; i++ {
		s.ticks = append(s.ticks, i*step+0)
	}
	return s
}

// roundStep is the next 1, 2 or 5 with zeros.
func roundStep(raw float64) float64 {
	ten := math.Pow(10, math.Floor(math.Log10(raw)))
	for _, m := range []float64{1, 2, 5} {
		if raw <= m*ten*(1+1e-9) {
			return m * ten
		}
	}
	return 10 * ten
}

// plotted is the geometry of a plot.
type plotted struct {
	Plot
	x, y   scale
	height int // of the drawing
	foot   int // y of the horizontal axis, px
}

const plotTop = 20

func newPlot(p Plot) plotted {
	g := plotted{Plot: p, height: p.Height}
	if g.height == 0 {
		g.height = 220
	}
	g.foot = g.height - 24
	var xs, ys []float64
	for _, l := range p.Lines {
		for _, q := range l.Points {
			xs, ys = append(xs, q.X), append(ys, q.Y)
		}
	}
	for _, m := range p.Marks {
		xs = append(xs, m.X)
	}
	if p.X.From == 0 && p.X.To == 0 && !p.X.Log && len(xs) > 0 {
		p.X.From, p.X.To = slices.Min(xs), slices.Max(xs) // the width is full
		if p.X.From == p.X.To {
			p.X.To++
		}
	}
	g.x, g.y = p.X.scaleOf(xs, 5), p.Y.scaleOf(ys, 4)
	return g
}

// px is the height of a figure on the vertical axis.
func (g plotted) px(v float64) float64 {
	at := min(max(g.y.at(v), -0.02), 1.02)
	return math.Round((float64(g.foot)-at*float64(g.foot-plotTop))*10) / 10
}

// path is a line in a box 1000 wide, which the page stretches to its width.
func (g plotted) path(l PlotLine) string {
	var b strings.Builder
	pen := byte('M')
	for _, q := range l.Points {
		if !g.x.has(q.X) || !g.y.has(q.Y) {
			pen = 'M'
			continue
		}
		x, y := math.Round(g.x.at(q.X)*10000)/10, g.px(q.Y)
		if pen == 'L' && l.Steps {
			fmt.Fprintf(&b, "H%s", decimal(x))
		}
		fmt.Fprintf(&b, "%c%s %s", pen, decimal(x), decimal(y))
		pen = 'L'
	}
	return b.String()
}

// placed are the points of a line as marks, x as a fraction and y in px.
func (g plotted) placed(l PlotLine) []dot {
	var out []dot
	for _, q := range l.Points {
		if g.x.has(q.X) && g.y.has(q.Y) {
			out = append(out, dot{g.x.at(q.X), g.px(q.Y)})
		}
	}
	return out
}

func (g plotted) caption() string {
	var parts []string
	for _, l := range g.Lines {
		if n := len(l.Points); n > 0 && !math.IsNaN(l.Points[n-1].Y) {
			parts = append(parts, fmt.Sprintf("%s ends at %s", l.Name, g.Y.write(l.Points[n-1].Y)))
		}
	}
	s := g.Name + "."
	if len(parts) > 0 {
		s += " " + capital(strings.Join(parts, "; ")) + "."
	}
	return s
}

// tickAnchor keeps the labels at both ends inside.
func tickAnchor(at float64) string {
	switch {
	case at < 0.04:
		return "start"
	case at > 0.96:
		return "end"
	}
	return "middle"
}

// maxPlotRows bounds the table behind a plot; of more figures every so-manieth is shown.
const maxPlotRows = 60

// at are the figures that a plot tells one by one, at most maxPlotRows of them:
// the X of each with what every line has there, "" for a gap.
func (p Plot) at() (xs []float64, cells map[float64][]string) {
	cells = map[float64][]string{}
	if p.Live {
		return nil, cells
	}
	for i, l := range p.Lines {
		for _, q := range l.Points {
			if cells[q.X] == nil {
				cells[q.X] = make([]string, len(p.Lines))
				xs = append(xs, q.X)
			}
			if !math.IsNaN(q.Y) { // a gap
				cells[q.X][i] = p.Y.write(q.Y)
			}
		}
	}
	slices.Sort(xs)
	every := max((len(xs)+maxPlotRows-1)/maxPlotRows, 1)
	last := len(xs) - 1
	kept := xs[:0]
	for i, x := range xs {
		if i%every == 0 || i == last {
			kept = append(kept, x)
		}
	}
	return kept, cells
}

// Numbers are the plot's figures as a table, one row for each X.
func (p Plot) Numbers() Numbers {
	n := Numbers{Name: p.Name, Head: []string{p.X.Name}}
	xs, cells := p.at()
	if !p.Live {
		for _, l := range p.Lines {
			n.Head = append(n.Head, l.Name)
		}
	}
	for _, x := range xs {
		n.Rows = append(n.Rows, append([]string{p.X.write(x)}, cells[x]...))
	}
	return n
}

// read is a place of a chart where its figures can be read, at a fraction of the width.
type read struct {
	at   float64
	says string
}

// reads are the places of a plot, from the left; they say what the table's rows do.
func (g plotted) reads() []read {
	var out []read
	xs, cells := g.Plot.at()
	for _, x := range xs {
		if !g.x.has(x) || g.x.at(x) < 0 || g.x.at(x) > 1 {
			continue
		}
		says := g.X.write(x)
		for i, c := range cells[x] {
			if c != "" {
				says += "; " + g.Lines[i].Name + " " + c
			}
		}
		out = append(out, read{g.x.at(x), says})
	}
	return out
}

// Numbers are the figures behind a chart, which a learner may copy as CSV. The
// first cell of a row is its heading.
type Numbers struct {
	Name string // of what
	Head []string
	Rows [][]string
	Open bool // shown at once
	// Blank says that no figure is there yet, only the places: nothing to copy.
	Blank bool
}

// Bars are figures side by side, each a bar from the left.
type Bars struct {
	Name string
	Rows []Bar
	To   float64 // what the full width stands for; 0: the largest value
}

// Bar is one figure. Kind is how it is drawn: "" ink, "cold", "warm", "void" outlined.
type Bar struct {
	Name, Note string
	Value      float64
	Text       string // the value with its unit
	Kind       string
}

func (b Bars) width(v float64) float64 {
	to := b.To
	for _, r := range b.Rows {
		if b.To == 0 {
			to = max(to, r.Value)
		}
	}
	if to <= 0 {
		return 0
	}
	return min(max(v/to, minBar), 1)
}

func (b Bars) numbers() Numbers {
	n := Numbers{Name: b.Name, Head: []string{"", "figure"}}
	for _, r := range b.Rows {
		n.Rows = append(n.Rows, []string{r.Name, r.Text})
	}
	return n
}

// Dots are clouds of samples, one row for each contender, on a common
// logarithmic axis of time: cold starts as diamonds, warm requests as circles,
// the median as a tall bar and the 99th percentile as a short one.
type Dots struct {
	Rows []DotRow
}

// DotRow is one contender. Samples are in µs, in the order in which they came.
type DotRow struct {
	Name, Note string
	Cold, Warm []int64
	Off        string // why there are none; "" when there are
}

// dotted is the geometry of Dots.
type dotted struct {
	x     scale
	ticks []tick
}

func newDots(d Dots) dotted {
	var all []float64
	for _, r := range d.Rows {
		for _, s := range [][]int64{r.Cold, r.Warm} {
			for _, v := range s {
				all = append(all, float64(max(v, 1)))
			}
		}
	}
	if all == nil {
		all = []float64{200, 500_000} // what is to be expected, so that nothing jumps far
	}
	g := dotted{x: Axis{Log: true}.scaleOf(all, 6)}
	// A little air on both sides.
	g.x.from, g.x.to = g.x.from/1.4, g.x.to*1.4
	for exp := math.Ceil(math.Log10(g.x.from)); exp <= math.Log10(g.x.to); exp++ {
		v := math.Pow(10, exp)
		g.ticks = append(g.ticks, tick{g.x.at(v), round(v)})
	}
	return g
}

func (g dotted) at(us int64) float64 { return g.x.at(float64(max(us, 1))) }

// place is where sample i lies: neighbours in time on different heights.
func (g dotted) place(i int, us int64) dot {
	return dot{g.at(us), 21 + 2.6*float64(i*7%11)}
}

func (r DotRow) caption() string {
	var parts []string
	for _, s := range []struct {
		what    string
		samples []int64
	}{{"cold starts", r.Cold}, {"warm requests", r.Warm}} {
		if len(s.samples) > 0 {
			parts = append(parts, fmt.Sprintf("%d %s around %s, p99 %s", len(s.samples), s.what, Duration(quantile(s.samples, 0.5)), Duration(quantile(s.samples, 0.99))))
		}
	}
	return r.Name + ": " + strings.Join(parts, "; ") + "."
}

// Spans are timelines of one thing in several places, aligned at their begin.
type Spans struct {
	Name string
	Rows []SpanRow
	To   int64 // µs that the width stands for; 0: the longest row. What goes beyond is cut and said so
}

// SpanRow is one timeline.
type SpanRow struct {
	Name  string
	Parts []SpanPart
}

// SpanPart is one phase of it, in µs. Kind is start, load or handle.
type SpanPart struct {
	Kind, Name string
	Start, End int64
}

func (r SpanRow) end() (end int64) {
	for _, p := range r.Parts {
		end = max(end, p.End)
	}
	return end
}

func (s Spans) to() int64 {
	to := s.To
	if to == 0 {
		for _, r := range s.Rows {
			to = max(to, r.end())
		}
	}
	return max(to, 1)
}

// part places a phase; ok is false when it begins beyond the chart.
func (s Spans) part(p SpanPart) (b bar, ok bool) {
	to := s.to()
	if p.Start >= to {
		return b, false
	}
	return newBar(p.Start, min(p.End, to), to), true
}

func (s Spans) caption(r SpanRow) string {
	if r.Parts == nil {
		return r.Name + ": not measured yet"
	}
	var parts []string
	for _, p := range r.Parts {
		parts = append(parts, p.Name+" "+Duration(p.End-p.Start))
	}
	return r.Name + ": " + strings.Join(parts, ", ")
}
