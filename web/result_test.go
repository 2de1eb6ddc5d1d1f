package web

import (
	"fmt"
	"testing"
	"time"

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

// What checks are told of a learner's ×20 runs: each series by itself, newest
// first, without single runs and those that failed.
func TestChecksReadRepeatedRuns(t *testing.T) {
	s := newServer(t, nil)
	ctx, workspace := t.Context(), "w"
	if err := s.store.CreateWorkspace(ctx, workspace, "token"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.store.Save(ctx, workspace, "p", classroom.Change{Files: classroom.Files{"src/index.js": []byte("x")}}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.site.checkLab(ctx, workspace, "p", "repeats"); err == nil || err.Error() != "you have not pressed ×20 yet" {
		t.Errorf("before any: %v", err)
	}
	for _, r := range []struct {
		id      string
		temp    trace.Temperature
		outcome string
		load    int64
	}{
		{"a.1", trace.Cold, "ok", 2000},
		{"a.2", trace.Cold, "ok", 4000},
		{"a.3", trace.Cold, "ok", 3000},
		{"single", trace.Cold, "ok", 1},
		{"b.1", trace.Cold, "ok", 9000},
		{"b.2", trace.Cold, "cpu", 1},
		{"c.1", trace.Warm, "ok", 0},
	} {
		sum := trace.Summary{Outcome: r.outcome, Temperature: r.temp, Memory: r.load, Spans: []trace.Span{{Phase: trace.PhaseLoad, End: r.load}}, LoadCPU: r.load / 2}
		if err := s.store.SaveRuns(ctx, workspace, "p", classroom.Run{ID: r.id, Method: "GET", Path: "/", Ran: time.Now(), Summary: sum}); err != nil {
			t.Fatal(err)
		}
	}
	got, err := s.site.checkLab(ctx, workspace, "p", "repeats")
	list, ok := got.([]map[string]any)
	if err != nil || !ok || len(list) != 3 {
		t.Fatalf("%v, %v", got, err)
	}
	for i, want := range []struct {
		temp          trace.Temperature
		n             int
		load, loadCPU float64
	}{{trace.Warm, 1, 0, 0}, {trace.Cold, 1, 9, 4.5}, {trace.Cold, 3, 3, 1.5}} {
		g := list[i]
		if load := g["phases"].(map[string]float64)["load"]; g["temperature"] != want.temp || g["n"] != want.n || load != want.load || g["load_cpu"] != want.loadCPU {
			t.Errorf("series %d is %v", i, g)
		}
	}
}
