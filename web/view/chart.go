package view

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"coldstart/sandbox/trace"
)

// Charts are SVG without a viewBox: x and widths in percent, y and heights in
// pixels, so that text never scales and no style attribute is needed. Whoever
// draws the same charts live uses the same classes and the same figures:
//
//	waterfall  a row is 30 px; a cold bar is <rect class="c-cold" height="11">, angular, a warm one
//	           <rect class="c-warm" height="8" rx="4">, round: of one run their middle lies at 15,
//	           of two runs at 9 and 21; a call is <rect class="c-call" y="12" height="6"> with its
//	           name beside it. Width is never under minBar.
//	cloud      a row is 50 px: its name at y=12, its line at y=31, dots 10.5 px around it, cold
//	           <use href="#m-cold">, earlier versions <use href="#m-ghost">, warm <circle class="c-warm" r="2.9">;
//	           the median is <line class="c-median"> from 19 to 43. The axis is logarithmic.
//	lanes      <rect class="c-cold" y="1.5" height="9"> or <rect class="c-warm" y="1.5" height="7" rx="3.5">
//	pagemap    cells of 10 units, pm-shared, pm-private, pm-new; untouched pages are left empty

// minBar is the narrowest bar, as a fraction of the chart: thinner ones would vanish.
const minBar = 0.006

// tick is a mark on a linear axis.
type tick struct {
	at    float64 // fraction of the width
	label string  // "" for a mark without a figure
}

// ticks divides 0…end µs into two to five round steps.
func ticks(end int64) []tick {
	if end <= 0 {
		return []tick{{0, "0 µs"}}
	}
	step := math.Pow(10, math.Floor(math.Log10(float64(end))))
	for _, divide := range []float64{1, 2, 5} {
		if float64(end)/(step/divide) >= 2 {
			step /= divide
			break
		}
	}
	unit, per := "µs", 1.0
	if end >= 10_000_000 {
		unit, per = "s", 1e6
	} else if end >= 2_000 {
		unit, per = "ms", 1000
	}
	out := []tick{{0, "0 " + unit}}
	for i := 1; float64(i)*step <= float64(end)*1.0001; i++ {
		v := float64(i) * step
		out = append(out, tick{v / float64(end), strconv.FormatFloat(v/per, 'f', -1, 64)})
	}
	if len(out) > 4 { // every other mark has a figure, so that they never touch
		for i := 1; i < len(out); i += 2 {
			out[i].label = ""
		}
	}
	return out
}

// anchor keeps a label at the right end inside the chart.
func anchor(at float64) string {
	if at > 0.97 {
		return "end"
	}
	return "middle"
}

// bar is one phase or call of a run, as fractions of the chart's width.
type bar struct {
	x, width float64
	took     int64
	there    bool
}

func newBar(start, end, scale int64) bar {
	b := bar{took: end - start, there: true}
	if scale > 0 {
		b.x = float64(start) / float64(scale)
		b.width = max(float64(end-start)/float64(scale), minBar)
		b.x = min(b.x, 1-b.width)
	}
	return b
}

// fallRow is one row of a waterfall: a phase, or a call nested in one.
type fallRow struct {
	name string
	call string // what was called, for a call; name is then its kind
	bars []bar  // one a run
}

// beside places a call's name next to its bar, where there is more room: after
// it, or before it when the bar ends on the right. Class says which.
func (b bar) beside() (x, width float64, class string) {
	if end := b.x + b.width; end < 0.5 {
		return end, 1 - end, ""
	}
	return 0, b.x, "waterfall_name-before"
}

// waterfall is the geometry of one or two runs drawn to one scale.
type waterfall struct {
	runs  []*Run
	ticks []tick
	rows  []fallRow
}

// top is where the bar of run i begins, in px from the top of its row.
func (w waterfall) top(i int, height float64) string {
	middle := 15.0
	if len(w.runs) > 1 {
		middle = float64(9 + 12*i)
	}
	return decimal(middle - height/2)
}

// newWaterfall lays out runs: every phase that any of them passed, build only
// if it took time, and the calls of the newest run under the phase they began in.
func newWaterfall(runs ...*Run) waterfall {
	w := waterfall{}
	var scale int64
	for _, r := range runs {
		if r == nil {
			continue
		}
		w.runs = append(w.runs, r)
		scale = max(scale, r.Summary.Wall)
		for _, s := range r.Summary.Spans {
			scale = max(scale, s.End)
		}
	}
	w.ticks = ticks(scale)
	for _, phase := range trace.Phases {
		row := fallRow{name: string(phase)}
		seen := phase != trace.PhaseBuild
		for _, r := range w.runs {
			i := slices.IndexFunc(r.Summary.Spans, func(s trace.Span) bool { return s.Phase == phase })
			if i < 0 {
				row.bars = append(row.bars, bar{})
				continue
			}
			s := r.Summary.Spans[i]
			row.bars = append(row.bars, newBar(s.Start, s.End, scale))
			seen = seen || s.End > s.Start
		}
		if !seen {
			continue
		}
		w.rows = append(w.rows, row)
		if len(w.runs) == 0 {
			continue
		}
		last := len(w.runs) - 1
		for _, s := range w.runs[last].Summary.Spans {
			if s.Phase != phase {
				continue
			}
			for _, c := range w.runs[last].Summary.Calls {
				if c.Start < s.Start || c.Start >= s.End {
					continue
				}
				bars := make([]bar, len(w.runs))
				bars[last] = newBar(c.Start, c.End, scale)
				w.rows = append(w.rows, fallRow{name: c.Kind, call: c.Name, bars: bars})
			}
		}
	}
	return w
}

// caption says what the waterfall shows, for those who do not see it.
func (w waterfall) caption() string {
	parts := make([]string, len(w.runs))
	for i, r := range w.runs {
		parts[i] = fmt.Sprintf("run %d, %s, %s in all", r.N, r.Summary.Temperature, Duration(r.Summary.Wall))
	}
	return strings.Join(parts, "; ") + "; phase by phase"
}

// says is the sentence over the waterfall.
func (w waterfall) says() (strong, rest string) {
	if len(w.runs) == 0 {
		return "", ""
	}
	last := w.runs[len(w.runs)-1].Summary
	if last.Outcome != "ok" && last.Fault != nil {
		return "Stopped: " + string(last.Fault.Kind) + ".", "The bars show how far it came."
	}
	var other trace.Summary
	if len(w.runs) > 1 {
		other = w.runs[0].Summary
	}
	switch {
	case last.Temperature == trace.Warm && other.Wall > last.Wall:
		return times(other.Wall, last.Wall) + " times faster.", "start and load are gone: the isolate was already running."
	case last.Temperature == trace.Warm:
		return "Warm: " + Duration(last.Wall) + ".", "The isolate was already running."
	}
	return "Cold: " + Duration(last.Wall) + ".", fmt.Sprintf("start took %s and load %s before your handler ran.", Duration(last.Phase(trace.PhaseStart)), Duration(last.Phase(trace.PhaseLoad)))
}

// dot is one sample of a cloud: x as a fraction, y in pixels.
type dot struct{ x, y float64 }

// cloudRow is one series of a cloud.
type cloudRow struct {
	Series
	p50, p99 int64
	top      float64 // y of the row
	median   float64 // x
	dots     []dot
}

// cloud is the geometry of repeated runs on a logarithmic axis.
type cloud struct {
	rows   []cloudRow
	ticks  []tick
	height int
}

// newCloud lays out series; empty ones are left out.
func newCloud(series []Series) cloud {
	low, high := int64(math.MaxInt64), int64(0)
	var c cloud
	for _, s := range series {
		if len(s.Samples) == 0 {
			continue
		}
		low = min(low, max(slices.Min(s.Samples), 1))
		high = max(high, slices.Max(s.Samples), 1)
		c.rows = append(c.rows, cloudRow{Series: s, p50: quantile(s.Samples, 0.5), p99: quantile(s.Samples, 0.99), top: 50 * float64(len(c.rows))})
	}
	if len(c.rows) == 0 {
		return c
	}
	// A little air on both sides, and never less than half a decade in all.
	lo, hi := math.Log10(float64(low)), math.Log10(float64(high))
	pad := max(0.08*(hi-lo), (0.5-(hi-lo))/2, 0.05)
	lo, hi = lo-pad, hi+pad
	x := func(us float64) float64 { return (math.Log10(us) - lo) / (hi - lo) }
	c.height = 50*len(c.rows) + 24
	marks := []float64{1}
	if hi-lo < 1.5 {
		marks = []float64{1, 2, 5}
	}
	for exp := math.Floor(lo); exp <= hi; exp++ {
		for _, m := range marks {
			if v := m * math.Pow(10, exp); x(v) >= 0.02 && x(v) <= 0.97 {
				c.ticks = append(c.ticks, tick{x(v), round(v)})
			}
		}
	}
	for i := range c.rows {
		row := &c.rows[i]
		row.median = x(float64(max(row.p50, 1)))
		for k, v := range row.Samples {
			// 7 and 11 are coprime: neighbours in time land on different heights.
			y := row.top + 20.5 + 2.1*float64(k*7%11)
			row.dots = append(row.dots, dot{x(float64(max(v, 1))), y})
		}
	}
	return c
}

// round writes an axis mark: "100 µs", "1 ms", "2 s".
func round(us float64) string {
	switch {
	case us < 1000:
		return strconv.FormatFloat(us, 'f', -1, 64) + " µs"
	case us < 1e6:
		return strconv.FormatFloat(us/1000, 'f', -1, 64) + " ms"
	}
	return strconv.FormatFloat(us/1e6, 'f', -1, 64) + " s"
}

// label names a row with its median: "now, cold: 412 µs".
func (r cloudRow) label() string {
	return fmt.Sprintf("%s, %s: %s", r.Name, r.Temperature, Duration(r.p50))
}

// says is one sample in words.
func (r cloudRow) says(k int) string {
	return fmt.Sprintf("%s, %s, %d: %s", r.Name, r.Temperature, k+1, Duration(r.Samples[k]))
}

// caption says what the cloud shows, for those who do not see it.
func (c cloud) caption() string {
	parts := make([]string, len(c.rows))
	for i, r := range c.rows {
		parts[i] = fmt.Sprintf("%s %s around %s, n = %d", r.Name, r.Temperature, Duration(r.p50), len(r.Samples))
	}
	return "Dots on a logarithmic axis: " + strings.Join(parts, "; ") + "."
}

// quantile is the nearest-rank quantile of samples, which it leaves as they are.
func quantile(samples []int64, q float64) int64 {
	sorted := slices.Sorted(slices.Values(samples))
	i := int(math.Ceil(q*float64(len(sorted)))) - 1
	return sorted[min(max(i, 0), len(sorted)-1)]
}

// pageMap is the geometry of an isolate's memory: one cell a page.
type pageMap struct {
	columns, height          int
	shared, private, written string // path data
	nShared, nPrivate, nNew  int
	untouched, pages         int
}

// newPageMap lays out a page map; trailing untouched pages are not drawn.
func newPageMap(pages []byte, fresh []int) pageMap {
	m := pageMap{columns: 64, pages: len(pages)}
	drawn := len(pages)
	for drawn > 0 && pages[drawn-1] == 0 {
		drawn--
	}
	if drawn > 2048 {
		m.columns = 128
	}
	m.height = 10 * ((drawn + m.columns - 1) / m.columns)
	var shared, private, written cellPath
	for i, state := range pages[:drawn] {
		x, y := i%m.columns*10, i/m.columns*10
		switch state {
		case 1:
			m.nShared++
			shared.move(x+1, y+1)
			shared.WriteString("h8v8h-8z")
		case 2:
			m.nPrivate++
			private.move(x+4, y+1)
			private.WriteString("h2a3 3 0 0 1 3 3v2a3 3 0 0 1-3 3h-2a3 3 0 0 1-3-3v-2a3 3 0 0 1 3-3z")
		}
	}
	for _, i := range fresh {
		if i >= 0 && i < drawn {
			m.nNew++
			written.move(i%m.columns*10, i/m.columns*10)
			written.WriteString("h10v10h-10z")
		}
	}
	m.untouched = m.pages - m.nShared - m.nPrivate
	m.shared, m.private, m.written = shared.String(), private.String(), written.String()
	return m
}

// cellPath builds path data with relative moves: equal neighbours give equal
// text, which compresses to almost nothing.
type cellPath struct {
	strings.Builder
	x, y int
}

func (p *cellPath) move(x, y int) {
	fmt.Fprintf(p, "m%d %d", x-p.x, y-p.y)
	p.x, p.y = x, y
}

func (m pageMap) caption() string {
	s := fmt.Sprintf("Page map: %s pages of 4 kB. %s are shared with the snapshot, %s are private", grouped(m.pages), grouped(m.nShared), grouped(m.nPrivate))
	if m.nNew > 0 {
		s += fmt.Sprintf(", and the last request wrote %s of those", grouped(m.nNew))
	}
	return s + "."
}
