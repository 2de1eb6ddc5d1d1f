package view

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

func TestPlotPlacesFigures(t *testing.T) {
	g := newPlot(Plot{Lines: []PlotLine{{Name: "a", Points: []PlotPoint{{0, 0}, {50, 10}, {100, 40}}}}})
	if got := g.path(g.Lines[0]); got != "M0 196L500 152L1000 20" {
		t.Errorf("drawn as %s", got)
	}
	if got := fmt.Sprint(g.y.ticks, g.x.ticks); got != "[0 10 20 30 40] [0 20 40 60 80 100]" {
		t.Errorf("ticks %s", got)
	}
	steps := newPlot(Plot{Lines: []PlotLine{{Steps: true, Points: []PlotPoint{{0, 0}, {100, 40}}}}})
	if got := steps.path(steps.Lines[0]); got != "M0 196H1000L1000 20" {
		t.Errorf("steps drawn as %s", got)
	}
	log := newPlot(Plot{X: Axis{Log: true}, Y: Axis{Log: true}, Lines: []PlotLine{{Points: []PlotPoint{{1, 1}, {0, 5}, {1000, 1e6}}}}})
	if got := log.path(log.Lines[0]); got != "M0 196M1000 20" {
		t.Errorf("on logarithmic axes %s", got)
	}
}

// Whatever figures come, the drawing holds only numbers.
func TestPlotSurvivesAnyFigures(t *testing.T) {
	for _, points := range [][]PlotPoint{nil, {{5, 5}}, {{1, math.NaN()}, {2, math.Inf(1)}}, {{0, -3}, {0, -3}}, {{1e300, 1e300}, {2e300, 1e-300}}} {
		for _, log := range []bool{false, true} {
			html := render(t, PlotView(Plot{Name: "x", X: Axis{Log: log}, Y: Axis{Log: log}, Lines: []PlotLine{{Name: "a", Points: points}}}))
			for _, bad := range []string{`="NaN`, `="+Inf`, "LNaN", "NaN%"} {
				if strings.Contains(html, bad) {
					t.Errorf("%v, log %t: drawn with %s", points, log, bad)
				}
			}
		}
	}
}

func TestNumbersOfAPlot(t *testing.T) {
	n := samplePlot().Numbers()
	if got := strings.Join(n.Head, "|"); got != "time|asked for|answered" {
		t.Errorf("head %s", got)
	}
	if got := strings.Join(n.Rows[10], "|"); got != "10 s|80/s|80/s" {
		t.Errorf("row %s", got)
	}
	long := Plot{Lines: []PlotLine{{Name: "a"}}}
	for i := range 1000 {
		long.Lines[0].Points = append(long.Lines[0].Points, PlotPoint{float64(i), 1})
	}
	if rows := long.Numbers().Rows; len(rows) > maxPlotRows+1 || rows[len(rows)-1][0] != "999" {
		t.Errorf("%d rows, the last %v", len(rows), rows[len(rows)-1])
	}
}
