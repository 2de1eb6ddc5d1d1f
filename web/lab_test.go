package web

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"coldstart/lessons"
	"coldstart/lessons/check"
	"coldstart/sandbox/box"
	"coldstart/web/lab"
	"coldstart/web/live"
	"coldstart/web/view"
)

// A learner fills, and the page, the checks' box and lab, and the prediction
// all know the same figures; another learner knows nothing of them.
func TestFilledLabIsKnownEverywhere(t *testing.T) {
	s, stop := newRealServer(t, filepath.Join(t.TempDir(), "c.db"))
	defer stop()
	b := s.browser()
	l := s.site.catalog.Load().ByID("grid-for-real")
	if r := b.get(l.URL()); strings.Contains(r.body, `class="c-line"`) || !strings.Contains(r.body, "not measured yet") {
		t.Fatalf("before the filling: %d", r.status)
	}
	if r := b.form(l.URL()+"/lab", "lab", "alchemy"); r.status != 400 {
		t.Errorf("an unknown lab: %d", r.status)
	}
	if r := b.form(l.URL()+"/lab", "lab", "density", "isolates", "200"); r.status != 303 && r.status != 200 {
		t.Fatalf("fill: %d %s", r.status, r.body)
	}
	workspace := s.workspaceOf(b)
	d, err := s.site.density(t.Context(), workspace)
	if err != nil || d == nil || !d.Whole || d.Machine == "" {
		t.Fatalf("kept %+v, %v", d, err)
	}
	page := b.get(l.URL()).body
	for name, text := range densityView(*d).Figures() {
		if want := `data-measure="` + name + `">` + text + "<"; !strings.Contains(page, want) && strings.Contains(page, name) {
			t.Errorf("the page has no %s", want)
		}
	}
	if n, ok := lookup(nil, densityView(*d).Numbers())("iso.fit"); !ok || n < 10 {
		t.Errorf("the prediction is graded with %v, %v", n, ok)
	}

	process, err := s.site.checkBox(t.Context(), workspace, "process")
	if err != nil {
		t.Fatal(err)
	}
	if _, missing := box.NewProcesses(box.Config{Most: 1}); missing == nil {
		if !process.Available || len(process.Dots) != 4 || process.Each <= 0 || process.Dots[3].MB != float64(d.Line(lab.Process).Samples[3].Bytes)/(1<<20) {
			t.Errorf("process %+v", process)
		}
		fresh, err := s.site.checkBox(t.Context(), "nobody", "process")
		if err != nil || !fresh.Available || fresh.Each/process.Each > 1.5 || process.Each/fresh.Each > 1.5 {
			t.Errorf("measured for a learner who did not fill: %+v, %v", fresh, err)
		}
	} else if process.Available || !strings.HasPrefix(process.Why, "no `node`") {
		t.Errorf("process %+v", process)
	}
	samples, err := s.site.checkLab(t.Context(), workspace, l.ID, "density")
	if lines, ok := samples.(map[string]check.Line); err != nil || !ok || len(lines[lab.Isolate].Dots) != 4 {
		t.Errorf("lab: %+v, %v", samples, err)
	}
	if none, err := s.site.checkLab(t.Context(), "nobody", l.ID, "density"); none != nil || err != nil {
		t.Errorf("lab of a learner who did not fill: %+v, %v", none, err)
	}
	if got, err := s.site.density(context.Background(), "nobody"); got != nil || err != nil {
		t.Errorf("another learner sees %+v, %v", got, err)
	}
}

// A form hears no event: what a lab cannot do is said by the page that answers
// it, with the way back, and a line of labs that is too long with the time to wait.
func TestLabRefusesAForm(t *testing.T) {
	s, stop := newRealServer(t, filepath.Join(t.TempDir(), "c.db"))
	defer stop()
	r := s.browser().form("/labs/isolation", "show", "")
	if r.status != 400 || !strings.Contains(r.body, "choose at least one part") || !strings.Contains(r.body, `href="/labs/isolation"`) {
		t.Errorf("nothing to try: %d %s", r.status, r.body)
	}
	busy := visible(errors.Join(&live.InputError{Message: "Many labs wait already."}, lab.ErrBusy))
	if busy.Status != 503 || busy.Retry == 0 || busy.Message != "Many labs wait already." {
		t.Errorf("busy: %+v", busy)
	}
}

// TestLintKnowsWhatLabsTake holds the settings that lint takes on a lab's line
// equal to the fields of the labs.
func TestLintKnowsWhatLabsTake(t *testing.T) {
	s := newServer(t, nil)
	if len(s.site.experiments) != len(lessons.LabSettings) {
		t.Errorf("%d labs, and lint knows %d", len(s.site.experiments), len(lessons.LabSettings))
	}
	for _, l := range s.site.experiments {
		var fields []string
		for _, f := range l.info().Fields {
			fields = append(fields, f.Name)
			if number := f.Kind == view.LabNumber; number != slices.Contains(lessons.LabNumbers, f.Name) {
				t.Errorf("lab %s: %s is a number: %v, and lint thinks otherwise", l.info().ID, f.Name, number)
			}
		}
		if known := lessons.LabSettings[l.info().ID]; !slices.Equal(slices.Sorted(slices.Values(fields)), slices.Sorted(slices.Values(known))) {
			t.Errorf("lab %s takes %v, and lint knows %v", l.info().ID, fields, known)
		}
	}
}
