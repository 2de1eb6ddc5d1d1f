package view

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Density is what the density lab measured: how much memory 1, 20, 60 … copies
// of one handler really hold, for each kind of box.
type Density struct {
	Cap   int64 // bytes that are to be filled
	Boxes []DensityBox
	How   string // when, where and how it was measured, in one line
	Alive *Alive // the crowd of isolates; nil before it begins
}

// DensityBox is one kind of box. Without two different counts of copies there
// is no line through its samples, and nothing is worked out.
type DensityBox struct {
	Key     string // names its figures in a lesson's text: iso, proc; "" for none
	Name    string // "Node process"
	Plural  string // "Node processes"
	Round   bool   // drawn as discs, not squares: an isolate
	Samples []DensitySample
	Off     string // why it cannot be measured on this host; "" when it can
	Walls   []Wall
}

// DensitySample is one measurement: copies alive, bytes they hold together,
// shared pages counted once.
type DensitySample struct {
	Copies int
	Bytes  int64
}

// densityFit is the line through a box's samples.
type densityFit struct {
	DensityBox
	known       bool
	fixed, each float64 // bytes: paid once, paid per copy
	most        int     // copies that were really started
	fit         int     // copies that fit under the cap
}

// fitBox draws the line by least squares.
func fitBox(b DensityBox, limit int64) densityFit {
	f := densityFit{DensityBox: b}
	var n, sx, sy, sxx, sxy float64
	for _, s := range b.Samples {
		x, y := float64(s.Copies), float64(s.Bytes)
		n, sx, sy, sxx, sxy = n+1, sx+x, sy+y, sxx+x*x, sxy+x*y
		f.most = max(f.most, s.Copies)
	}
	spread := n*sxx - sx*sx
	if n < 2 || spread == 0 {
		return f
	}
	f.each = (n*sxy - sx*sy) / spread
	f.fixed = max((sy-f.each*sx)/n, 0)
	if f.each <= 0 {
		return f
	}
	f.known = true
	f.fit = max(int((float64(limit)-f.fixed)/f.each), 0)
	return f
}

// densityGrid is one box's memory as cells. A cell is as much as one copy of
// the leanest box holds, so that box has one cell a copy; whatever a box needs
// beyond that is overhead. A box that is not known yet has a grid without cells.
type densityGrid struct {
	densityFit
	columns, rows      int
	code, guess, over  string // path data
	nCode, nOver       int
	guessed            int // cells of code beyond what was started
	viewWidth, viewHgt int
}

// densityView is everything that the lab draws.
type densityView struct {
	Density
	fits  []densityFit
	grids []densityGrid
	cell  float64 // bytes
	most  int     // copies on the horizontal axis
}

// mostCells bounds a grid: more would be dust. A cell then stands for several copies.
const mostCells = 1024

func newDensity(d Density) densityView {
	v := densityView{Density: d}
	unit := math.Inf(1)
	for _, b := range d.Boxes {
		f := fitBox(b, d.Cap)
		v.fits = append(v.fits, f)
		v.grids = append(v.grids, densityGrid{densityFit: f}) // its place, until it is known
		if f.known {
			unit = min(unit, f.each)
			v.most = max(v.most, f.fit, f.most)
		}
	}
	if math.IsInf(unit, 1) {
		return v
	}
	v.cell = max(unit, float64(d.Cap)/mostCells)
	cells := int(float64(d.Cap) / v.cell)
	for i := range v.grids {
		if f := v.grids[i].densityFit; f.known {
			v.grids[i] = newDensityGrid(f, unit, v.cell, cells)
		}
	}
	return v
}

// newDensityGrid lays out cells: first what is paid once, then copy after copy
// its own share and what comes on top.
func newDensityGrid(f densityFit, unit, cell float64, cells int) densityGrid {
	g := densityGrid{densityFit: f}
	g.columns = max(int(math.Round(math.Sqrt(float64(cells)*1.6))), 1)
	g.rows = (cells + g.columns - 1) / g.columns
	g.viewWidth, g.viewHgt = g.columns*10, g.rows*10
	var code, guess, over cellPath
	square := func(p *cellPath, i int) {
		p.move(i%g.columns*10+1, i/g.columns*10+1)
		p.WriteString("h8v8h-8z")
	}
	// Walk the bytes in order and give each cell to whoever holds its middle.
	for i := range cells {
		middle := (float64(i) + 0.5) * cell
		copies := (middle - f.fixed) / f.each
		switch {
		case copies < 0 || copies >= float64(f.fit) || (copies-math.Floor(copies))*f.each >= unit:
			g.nOver++
			square(&over, i)
		case int(copies) < f.most:
			g.nCode++
			square(&code, i)
		default:
			g.nCode++
			g.guessed++
			square(&guess, i)
		}
	}
	g.code, g.guess, g.over = code.String(), guess.String(), over.String()
	return g
}

// caption says what a grid shows, for those who do not see it.
func (g densityGrid) caption() string {
	return fmt.Sprintf("%s: of %s cells, %s are code and %s are overhead.", g.Plural, grouped(g.nCode+g.nOver), grouped(g.nCode), grouped(g.nOver))
}

// caption says what the lines show, for those who do not see them.
func (v densityView) caption() string {
	var parts []string
	for _, f := range v.fits {
		if f.known {
			parts = append(parts, fmt.Sprintf("%s: %s once, then %s each, reaching %s at %s", f.Plural, size(int64(f.fixed)), size(int64(f.each)), size(v.Cap), grouped(f.fit)))
		}
	}
	if parts == nil {
		return "Memory against copies: nothing is measured yet."
	}
	return "Memory against copies. " + strings.Join(parts, "; ") + "."
}

// x places a number of copies on the horizontal axis, as a fraction.
func (v densityView) x(copies int) float64 {
	return 0.94 * float64(copies) / float64(max(v.most, 1))
}

// densityHeight is that of the chart of lines, in px; its zero lies at densityZero.
const (
	densityHeight = 290
	densityZero   = 250
)

// top is where the chart of lines begins: under the names of its lines, and
// under the figure of its own highest line, which the last name may reach.
func (v densityView) top() float64 { return float64(20 + 14*max(len(v.fits), 2)) }

// y places an amount of memory, in px from the top.
func (v densityView) y(bytes float64) string {
	at := densityZero - (densityZero-v.top())*bytes/float64(max(v.Cap, 1))
	return decimal(math.Round(at*10) / 10)
}

// at is the memory of some copies, by the line.
func (f densityFit) at(copies int) float64 { return f.fixed + f.each*float64(copies) }

func densityAnchor(x float64) string {
	if x > 0.5 {
		return "end"
	}
	return "start"
}

// densityLabel places the name of line i over the chart, one above the other.
func densityLabel(i int) string { return strconv.Itoa(10 + 14*i) }

// densityWaiting says what a box has so far.
func densityWaiting(f densityFit) string {
	if f.Off != "" {
		return "No figure: " + f.Off
	}
	if len(f.Samples) == 0 {
		return "Not measured yet."
	}
	return fmt.Sprintf("%s measured; the slope needs two.", count(len(f.Samples), "count"))
}

// Figures are a density's figures for the placeholders of a lesson's text:
// iso.fixed, iso.each and iso.fit for the box with the key iso.
func (d Density) Figures() map[string]string {
	out := map[string]string{}
	for _, b := range d.Boxes {
		if b.Key == "" {
			continue
		}
		if f := fitBox(b, d.Cap); f.known {
			out[b.Key+".fixed"], out[b.Key+".each"], out[b.Key+".fit"] = size(int64(f.fixed)), size(int64(f.each)), grouped(f.fit)
		} else if b.Off != "" {
			for _, name := range []string{".fixed", ".each", ".fit"} {
				out[b.Key+name] = "(" + b.Off + ")"
			}
		}
	}
	return out
}

// Numbers are the same figures to calculate with: fixed and each in bytes.
func (d Density) Numbers() map[string]float64 {
	out := map[string]float64{}
	for _, b := range d.Boxes {
		if f := fitBox(b, d.Cap); f.known && b.Key != "" {
			out[b.Key+".fixed"], out[b.Key+".each"], out[b.Key+".fit"] = f.fixed, f.each, float64(f.fit)
		}
	}
	return out
}

// numbers are the counts that the lines run through.
func (d Density) numbers() Numbers {
	n := Numbers{Name: "What so many copies hold together", Head: []string{"kind of box", "copies", "memory"}}
	for _, b := range d.Boxes {
		for _, s := range b.Samples {
			n.Rows = append(n.Rows, []string{b.Name, grouped(s.Copies), size(s.Bytes)})
		}
	}
	n.Blank = len(n.Rows) == 0
	return n
}

func (d Density) walls() []Walled {
	var out []Walled
	for _, b := range d.Boxes {
		if len(b.Walls) > 0 {
			out = append(out, Walled{b.Name, b.Walls})
		}
	}
	return out
}

// says is one measurement in words.
func (f densityFit) says(s DensitySample) string {
	name := f.Plural
	if s.Copies == 1 {
		name = f.Name
	}
	return grouped(s.Copies) + " " + name + ": " + size(s.Bytes)
}
