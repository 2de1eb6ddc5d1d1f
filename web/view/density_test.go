package view

import (
	"strings"
	"testing"
)

func TestDensity(t *testing.T) {
	v := newDensity(sampleDensity())
	process, isolate := v.fits[0], v.fits[1]
	// 41, 112 and 191 MB at 1, 10 and 20: about 33 MB once and 7.9 MB each.
	if got := size(int64(process.fixed)) + ", " + size(int64(process.each)); got != "33.1 MB, 7.9 MB" {
		t.Errorf("process: %s", got)
	}
	if process.fit != 28 || isolate.fit < 190 || isolate.fit > 200 || isolate.most != 60 {
		t.Errorf("%d processes and %d isolates fit", process.fit, isolate.fit)
	}
	for _, g := range v.grids {
		cells := strings.Count(g.code+g.guess+g.over, "z")
		if cells != g.nCode+g.nOver || cells > mostCells {
			t.Errorf("%s: %d cells drawn, %d counted", g.Name, cells, g.nCode+g.nOver)
		}
		if g.nCode < g.fit-1 || g.nCode > g.fit+1 {
			t.Errorf("%s: %d cells of code for %d copies", g.Name, g.nCode, g.fit)
		}
	}
	if v.grids[1].guessed != v.grids[1].nCode-60 {
		t.Errorf("%d of %d cells are worked out; 60 were started", v.grids[1].guessed, v.grids[1].nCode)
	}
}

// Whatever comes from a measurement, nothing is drawn that it does not say.
func TestDensityWithoutALine(t *testing.T) {
	for name, samples := range map[string][]DensitySample{
		"nothing":      nil,
		"one":          {{1, 100}},
		"the same":     {{5, 100}, {5, 120}},
		"falling":      {{1, 200}, {10, 100}},
		"no more each": {{1, 100}, {10, 100}},
	} {
		v := newDensity(Density{Cap: 1000, Boxes: []DensityBox{{Name: "x", Plural: "xs", Samples: samples}}})
		if v.fits[0].known || len(v.grids) != 1 || v.grids[0].code+v.grids[0].guess+v.grids[0].over != "" {
			t.Errorf("%s: %+v", name, v.fits[0])
		}
	}
	tiny := newDensity(Density{Cap: 1 << 40, Boxes: []DensityBox{{Name: "x", Plural: "xs", Samples: []DensitySample{{1, 1}, {2, 2}}}}})
	if n := tiny.grids[0].nCode + tiny.grids[0].nOver; n > mostCells {
		t.Errorf("%d cells", n)
	}
}
