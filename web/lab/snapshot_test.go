package lab

import (
	"errors"
	"strings"
	"testing"
)

// The tour shows what freezing, forking and rewinding mean: the answers go on
// where the memory was.
func TestTour(t *testing.T) {
	labs := realLabs(t)
	shown := 0
	s, err := labs.Tour(t.Context(), "ada", SnapshotCode, func(*Snapshot) { shown++ })
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, st := range s.Steps {
		said = append(said, strings.TrimSpace(st.Do+" "+st.Isolate+" "+st.Answer))
		if st.Took <= 0 {
			t.Errorf("%s took %d µs", st.Do, st.Took)
		}
	}
	want := []string{
		"request original visit 1", "request original visit 2", "freeze original", "request original visit 3", "fork original",
		"request fork 1 visit 3", "request original visit 4", "rewind original", "request original visit 3",
	}
	if strings.Join(said, "; ") != strings.Join(want, "; ") {
		t.Errorf("got  %q\nwant %q", said, want)
	}
	if shown != len(want) || len(s.Isolates) != 2 {
		t.Errorf("%d steps shown, %d isolates", shown, len(s.Isolates))
	}
	freeze, visit, rewind := s.Steps[2], s.Steps[3], s.Steps[7]
	if freeze.Pages == 0 || freeze.Written != 0 || visit.Written == 0 || rewind.Written > 2 || rewind.Pages != freeze.Pages {
		t.Errorf("freeze %+v, visit %+v, rewind %+v", freeze, visit, rewind)
	}

	// Then step by step, until there is nothing left to ask.
	next, err := labs.Snap(t.Context(), "ada", *s, "request", "fork 1")
	if err != nil || next.Steps[len(next.Steps)-1].Answer != "visit 4" || len(s.Steps) != len(want) {
		t.Errorf("%+v, %v; before: %d steps", next, err, len(s.Steps))
	}
	if err := labs.cfg.Door.Evict(t.Context(), snapshotKey("ada"), ""); err != nil {
		t.Fatal(err)
	}
	var gone *GoneError
	if next, err = labs.Snap(t.Context(), "ada", *next, "rewind", "original"); !errors.As(err, &gone) || len(next.Isolates) != 1 {
		t.Errorf("after eviction: %v", err)
	}
}

// What the learner's Worker does to itself ends its isolate and not the lab.
func TestTourOfABadWorker(t *testing.T) {
	labs := realLabs(t)
	var code *CodeError
	if _, err := labs.Tour(t.Context(), "ada", "export default {", func(*Snapshot) {}); !errors.As(err, &code) {
		t.Errorf("a syntax error: %v", err)
	}
	var gone *GoneError
	s, err := labs.Tour(t.Context(), "ada", "export default { fetch() { for (;;); } };", func(*Snapshot) {})
	if !errors.As(err, &gone) || len(s.Steps) != 1 || !s.Steps[0].Failed || !strings.Contains(s.Steps[0].Answer, "CPU") {
		t.Errorf("a loop: %v, %+v", err, s)
	}
}

// A learner's isolates of other labs do not keep the tour from its fork.
func TestTourAfterAnotherLab(t *testing.T) {
	labs := realLabs(t)
	if _, err := labs.Route(t.Context(), "ada", RoutingIn{URLs: RoutingURLs}); err != nil {
		t.Fatal(err)
	}
	if _, err := labs.Tour(t.Context(), "ada", SnapshotCode, func(*Snapshot) {}); err != nil {
		t.Error(err)
	}
}
