package web

import (
	"fmt"
	"testing"

	"coldstart/sandbox/trace"
	"coldstart/web/classroom"
)

// The newest ×20 of each temperature gives the figures; questions about them
// are asked in ms.
func TestFiguresOfRepeatedRuns(t *testing.T) {
	var runs []classroom.Run // newest first, as the store gives them
	add := func(id string, n int, temp trace.Temperature, load, handle int64) {
		for i := n; i > 0; i-- {
			s := trace.Summary{Outcome: "ok", Temperature: temp, Wall: load + handle + int64(i), Spans: []trace.Span{{Phase: trace.PhaseLoad, Start: 0, End: load + int64(i)}, {Phase: trace.PhaseHandle, Start: load, End: load + handle}}}
			runs = append(runs, classroom.Run{ID: fmt.Sprintf("%s.%d", id, i), Summary: s})
		}
	}
	add("b", 3, trace.Warm, 0, 100)
	add("a", 5, trace.Cold, 2000, 500)
	add("old", 5, trace.Cold, 9000, 500)
	got := figures(runs)
	for name, want := range map[string]int64{"cold.p50": 2503, "cold.min": 2501, "cold.max": 2505, "warm.p50": 102, "load.p50": 2003} {
		if got[name] != want {
			t.Errorf("%s is %d µs, want %d", name, got[name], want)
		}
	}
	find := lookup(got, map[string]float64{"iso.fit": 600})
	if ms, ok := find("load.p50"); !ok || ms != 2.003 {
		t.Errorf("a question about load.p50 is graded with %v", ms)
	}
	if n, ok := find("iso.fit"); !ok || n != 600 {
		t.Errorf("iso.fit is %v", n)
	}
	if _, ok := find("nothing"); ok || len(figures(nil)) > 0 {
		t.Error("what was not measured is known")
	}
}
