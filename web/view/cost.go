package view

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Cost is what the cost lab shows: bills over requests a month.
type Cost struct {
	Plans   []CostPlan
	From    float64 // requests a month, the axis' ends
	To      float64
	Shape   string // what a request uses, in words
	Read    string // the day of the prices
	Trouble string // what is wrong with the learner's function; "" for nothing
}

// CostPlan is one plan's bills.
type CostPlan struct {
	ID, Name string
	Bill     func(requests float64) float64 // dollars a month
	Cross    float64                        // requests from which it costs more than the rented plan: 0 always, +Inf never; NaN for that plan itself
	Own      []PlotPoint                    // what the learner's function says
	Source   string
}

// thousands writes a count as an axis does: 10k, 122M, 10B.
func thousands(v float64) string {
	for _, u := range []struct {
		size float64
		name string
	}{{1e9, "B"}, {1e6, "M"}, {1e3, "k"}} {
		if v >= u.size*0.9995 {
			return decimal(math.Round(v/u.size*10)/10) + u.name
		}
	}
	return decimal(math.Round(v))
}

// dollarMark writes dollars; whole ones without cents.
func dollarMark(v float64) string {
	if v == math.Trunc(v) {
		return "$" + grouped(int(v))
	}
	return dollars(v)
}

var costKinds = []string{"faint", "", "dash", "dot", "long"}

// plot draws the bills on logarithmic axes. What is free has no place there.
func (c Cost) plot() Plot {
	p := Plot{
		Name: "Dollars a month", Height: 320,
		X: Axis{Name: "requests a month", Log: true, From: c.From, To: c.To, Write: thousands},
		Y: Axis{Log: true, From: 1, To: 100_000, Write: dollarMark},
	}
	const steps = 96
	for i, plan := range c.Plans {
		l := PlotLine{Name: plan.Name, Kind: costKinds[i%len(costKinds)]}
		for k := 0; k <= steps; k++ {
			x := c.From * math.Pow(c.To/c.From, float64(k)/steps)
			y := math.Round(plan.Bill(x)*100) / 100
			if y < p.Y.From || y > p.Y.To {
				y = math.NaN()
			}
			l.Points = append(l.Points, PlotPoint{math.Round(x), y})
		}
		p.Lines = append(p.Lines, l)
	}
	for _, plan := range c.Plans {
		if len(plan.Own) == 0 {
			continue
		}
		l := PlotLine{Name: "yours: " + plan.ID, Dots: true}
		for _, q := range plan.Own {
			if q.X >= c.From && q.Y >= p.Y.From && q.Y <= p.Y.To {
				l.Points = append(l.Points, PlotPoint{math.Round(q.X), math.Round(q.Y*100) / 100})
			}
		}
		p.Lines = append(p.Lines, l)
	}
	var marks []PlotMark
	for i, plan := range c.Plans {
		if plan.Cross > c.From && plan.Cross < c.To {
			marks = append(marks, PlotMark{plan.Cross, c.letter(i)})
		}
	}
	slices.SortFunc(marks, func(a, b PlotMark) int { return cmp.Compare(a.X, b.X) })
	for i, m := range marks {
		if i > 0 && m.X < 1.6*marks[i-1].X { // letters side by side would touch
			m.Text, p.Marks[len(p.Marks)-1].Text = p.Marks[len(p.Marks)-1].Text+m.Text, ""
		}
		p.Marks = append(p.Marks, m)
	}
	return p
}

// letter names a crossing on the chart and in the table.
func (c Cost) letter(i int) string { return string(rune('A' + i%26)) }

// crosses says from when on a plan is dearer than the rented one.
func (c Cost) crosses(i int) string {
	at := c.Plans[i].Cross
	switch {
	case math.IsNaN(at):
		return "–"
	case at == 0:
		return "always"
	case math.IsInf(at, 1):
		return "never"
	case at >= 1e15:
		return "beyond a quadrillion"
	}
	s := grouped(int(math.Round(at)))
	if at > c.From && at < c.To {
		s += " (" + c.letter(i) + ")"
	}
	return s
}

// own compares the learner's function with the bills.
func (p CostPlan) own() string {
	same := 0
	for _, q := range p.Own {
		if math.Abs(q.Y-p.Bill(q.X)) <= 0.01 {
			same++
		}
	}
	switch {
	case len(p.Own) == 0:
		return "–"
	case same == len(p.Own):
		return "the same"
	}
	return fmt.Sprintf("%d of %d the same", same, len(p.Own))
}

func (c Cost) asked() bool {
	for _, p := range c.Plans {
		if len(p.Own) > 0 {
			return true
		}
	}
	return false
}

// sources lists where the prices come from.
func (c Cost) sources() string {
	var out []string
	for _, p := range c.Plans {
		out = append(out, p.Name+": "+p.Source)
	}
	return strings.Join(out, "; ")
}
