package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/a-h/templ"

	"coldstart/lessons/check"
	"coldstart/sandbox/box"
	"coldstart/sandbox/trace"
	"coldstart/web/classroom"
	"coldstart/web/lab"
	"coldstart/web/live"
	"coldstart/web/view"
)

// labDensity is the name of the density lab, as lessons write it.
const labDensity = "density"

// densityLab is how much memory copies of a handler hold.
func (s *Site) densityLab() experiment {
	return &labOf[lab.Density]{
		labInfo: labInfo{LabInfo: view.LabInfo{
			ID: labDensity, Title: "Density", Heading: "How many fit?", Verb: "Fill",
			Lead: "How much memory do copies of one visit counter hold, as isolates, as Node processes, in containers? Press Fill: a few copies start, then more, and each time Linux is asked. In the end thousands of isolates live at once, and you see the pages of their memory.",
			Fields: []view.LabField{{
				Name: "boxes", Label: "Beside isolates", Kind: view.LabSeveral, Value: "proc cont",
				Options: []view.LabOption{{Value: lab.Process, Label: "Node processes"}, {Value: lab.Container, Label: "Linux containers"}, {Value: lab.Workerd, Label: "workerd processes"}},
			}, {Name: "isolates", Label: "Isolates in the end", Kind: view.LabNumber, Value: "2000", Min: 200, Max: lab.MostAlive, Step: 100}},
			Description: "Isolates, processes and containers, started and measured before your eyes.",
		}},
		Run: s.runDensity,
		Draw: func(d *lab.Density, values map[string]string) templ.Component {
			if d == nil {
				plan := lab.Planned(strings.Fields(values["boxes"]), false, int(labNumber(values, "isolates")))
				d = &plan
			}
			return view.DensityView(densityView(*d))
		},
		Figures: func(d *lab.Density) map[string]string { return densityView(*d).Figures() },
		Numbers: func(d *lab.Density) map[string]float64 { return densityView(*d).Numbers() },
		Check: func(d *lab.Density) any {
			lines := map[string]check.Line{}
			for _, l := range d.Lines {
				lines[l.Key] = checkLine(l, d.At)
			}
			return lines
		},
	}
}

func (s *Site) runDensity(ctx context.Context, r *labRun[lab.Density]) (*lab.Density, error) {
	own, err := s.ownProject(ctx, r.Project)
	if err != nil {
		return nil, err
	}
	d, err := s.labs.Fill(ctx, live.Key(r.Project), own, strings.Fields(r.Values["boxes"]), int(labNumber(r.Values, "isolates")), func(d lab.Density, say string) {
		if len(d.Lines) == 0 {
			r.Say("%s", say)
			return
		}
		r.Show(&d, say)
	})
	if iso := d.Line(lab.Isolate); iso == nil || err != nil && len(iso.Samples) < 2 {
		return nil, err
	}
	return &d, err
}

// ownProject is the learner's project for a lab; nil while it is as the lesson gave it.
func (s *Site) ownProject(ctx context.Context, p classroom.Project) (*trace.Project, error) {
	l, err := s.begun(ctx, s.lessonByID(p.Lesson), p.LessonRevision)
	if err != nil {
		return nil, err
	}
	if l == nil || bytes.Equal(l.Starter[l.Main()], p.Files[l.Main()]) {
		return nil, nil
	}
	own, err := live.Sources(p, s.config.Ceiling)
	return &own, err
}

// densityView is what was measured as the page shows it.
func densityView(d lab.Density) view.Density {
	out := view.Density{Cap: d.Cap}
	if a := d.Alive; a != nil {
		out.Alive = &view.Alive{
			Want: a.Want, Isolates: a.Isolates, Bytes: a.Bytes, Took: a.Took, Short: a.Short, Done: a.Done,
			Read: a.Read, Shared: a.Shared, Private: a.Private, Untouched: a.Untouched, Fresh: a.Fresh, Map: a.Map, Kernel: a.Kernel,
		}
	}
	var n []string
	for _, l := range d.Lines {
		b := view.DensityBox{Name: l.Name, Plural: l.Plural, Round: l.Round, Off: l.Off, Walls: wallsView(l.Walls)}
		if l.Key != lab.Own {
			b.Key = l.Key
		}
		for _, s := range l.Samples {
			b.Samples = append(b.Samples, view.DensitySample{Copies: s.Copies, Bytes: s.Bytes})
		}
		out.Boxes = append(out.Boxes, b)
		if len(b.Samples) > 0 {
			n = append(n, fmt.Sprintf("%d counts up to %d %s", len(b.Samples), l.Copies, l.Plural))
		}
	}
	if d.Machine != "" {
		out.How = fmt.Sprintf("Pages in memory after one request to each copy, isolates at rest, from /proc/PID/smaps; what copies share counts once. The lines are least squares, n = %s. Programs and isolates run the lab's own visit counter. %s, on %s.",
			strings.Join(n, " and "), d.At.UTC().Format("2 January 2006, 15:04 UTC"), d.Machine)
	}
	return out
}

// density is what the learner's density lab measured last, nil before it ran.
func (s *Site) density(ctx context.Context, workspace string) (*lab.Density, error) {
	record, err := s.labRecord(ctx, workspace, labDensity)
	if record == nil || err != nil {
		return nil, err
	}
	var d lab.Density
	if err := json.Unmarshal(record, &d); err != nil {
		return nil, fmt.Errorf("read lab %q: %w", labDensity, err)
	}
	return &d, nil
}

// checkBox measures a kind of box for checks: as the learner's lab did, else now.
func (s *Site) checkBox(ctx context.Context, workspace, name string) (check.Line, error) {
	key := map[string]string{"process": lab.Process, "container": lab.Container}[name]
	if key == "" {
		return check.Line{Why: "this server has no boxes of the kind " + name}, nil
	}
	if key == lab.Process {
		d, err := s.density(ctx, workspace)
		if err != nil {
			return check.Line{}, err
		}
		if d != nil && d.Line(key) != nil && len(d.Line(key).Samples) > 1 {
			return checkLine(*d.Line(key), d.At), nil
		}
	}
	line, inside, outside, err := s.labs.Boxes(ctx, key)
	if err != nil {
		return check.Line{}, err
	}
	out := checkLine(line, s.config.Now())
	out.Inside, out.Outside = inside, outside
	return out, nil
}

// checkWalls puts a witness behind walls that a learner chose, as box.json writes them.
func (s *Site) checkWalls(ctx context.Context, walls any) (check.Line, error) {
	text, err := json.Marshal(walls)
	if err != nil {
		return check.Line{}, err
	}
	var w box.Walls
	if err := json.Unmarshal(text, &w); err != nil {
		return check.Line{Why: "a wall is switched by true or false, memory_mb is a whole number, door a text"}, nil
	}
	inside, outside, err := s.labs.Witness(ctx, w)
	var missing *box.MissingError
	if errors.As(err, &missing) {
		return check.Line{Why: missing.Why}, nil
	}
	if err != nil {
		return check.Line{}, err
	}
	out := check.Line{Available: true}
	if out.Inside, err = json.Marshal(inside); err != nil {
		return check.Line{}, err
	}
	out.Outside, err = json.Marshal(outside)
	return out, err
}

func checkLine(l lab.Line, at time.Time) check.Line {
	if l.Off != "" {
		return check.Line{Why: l.Off}
	}
	out := check.Line{Available: true, Method: "pages in memory after one request each, shared ones once, measured " + at.UTC().Format("2 January 2006, 15:04 UTC")}
	for _, s := range l.Samples {
		out.Dots = append(out.Dots, check.Dot{Copies: s.Copies, MB: float64(s.Bytes) / (1 << 20)})
	}
	out.Fixed, out.Each = check.Fit(out.Dots)
	return out
}

// wallsView are the walls around a kind of box as the page shows them.
func wallsView(walls []box.Wall) []view.Wall {
	out := make([]view.Wall, len(walls))
	for i, w := range walls {
		out[i] = view.Wall{Name: w.Name, Text: w.Text, Holds: w.Holds}
	}
	return out
}
