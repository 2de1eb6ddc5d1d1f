package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"coldstart/lessons/check"
	"coldstart/sandbox/trace"
	"coldstart/web/classroom"
	"coldstart/web/lab"
	"coldstart/web/live"
	"coldstart/web/view"
)

// labDensity is the name of the density lab, as lessons write it.
const labDensity = "density"

// labRunner runs labs for the hub.
type labRunner struct{ s *Site }

// Lab implements live.Labs.
func (k labRunner) Lab(ctx context.Context, p classroom.Project, name string, emit func(live.LabEvent)) error {
	if name != labDensity {
		return &live.InputError{Message: "There is no such lab on this server."}
	}
	own, err := k.s.ownProject(p)
	if err != nil {
		return err
	}
	d, err := k.s.labs.Fill(ctx, live.Key(p), own, func(d lab.Density, say string) {
		e := live.LabEvent{Say: say}
		if len(d.Lines) > 0 {
			e.HTML = k.s.drawn(ctx, d)
		}
		emit(e)
	})
	if errors.Is(err, lab.ErrBusy) {
		return &live.InputError{Message: "Many labs wait already. Try again in a minute."}
	}
	if len(d.Lines) > 0 {
		emit(live.LabEvent{HTML: k.s.drawn(ctx, d), Figures: densityView(d).Figures()})
	}
	if d.Line(lab.Isolate) != nil && (err == nil || len(d.Line(lab.Isolate).Samples) > 1) {
		record, merr := json.Marshal(d)
		if merr != nil {
			return merr
		}
		err = errors.Join(err, k.s.config.Store.SaveLab(context.WithoutCancel(ctx), p.Workspace, name, record))
	}
	if errors.Is(err, lab.ErrTime) {
		return &live.InputError{Message: "That took too long. What was measured stays."}
	}
	return err
}

// ownProject is the learner's project for a lab; nil while it is as the lesson gave it.
func (s *Site) ownProject(p classroom.Project) (*trace.Project, error) {
	l := s.catalog.Load().ByID(p.Lesson)
	if l == nil || bytes.Equal(l.Starter[l.Main()], p.Files[l.Main()]) {
		return nil, nil
	}
	own, err := live.Sources(p, s.config.Ceiling)
	return &own, err
}

func (s *Site) drawn(ctx context.Context, d lab.Density) string {
	var b bytes.Buffer
	if err := view.DensityView(densityView(d)).Render(ctx, &b); err != nil {
		s.log.Error("lab not drawn", "error", err)
		return ""
	}
	return b.String()
}

// densityView is what was measured as the page shows it.
func densityView(d lab.Density) view.Density {
	out := view.Density{Cap: d.Cap}
	var n []string
	for _, l := range d.Lines {
		b := view.DensityBox{Name: l.Name, Plural: l.Plural, Round: l.Round, Off: l.Off}
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
		out.How = fmt.Sprintf("Pages in memory after one request to each copy, from /proc/PID/smaps; what copies share counts once. The lines are least squares, n = %s. Processes and isolates run the lab's own visit counter. %s, on %s.",
			strings.Join(n, " and "), d.At.UTC().Format("2 January 2006, 15:04 UTC"), d.Machine)
	}
	return out
}

// density is what the learner's density lab measured last, nil before it ran.
func (s *Site) density(ctx context.Context, workspace string) (*lab.Density, error) {
	record, err := s.config.Store.Lab(ctx, workspace, labDensity)
	if errors.Is(err, classroom.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
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
	if name != "process" {
		return check.Line{Why: "this server has no boxes of the kind " + name}, nil
	}
	d, err := s.density(ctx, workspace)
	if err != nil {
		return check.Line{}, err
	}
	var line lab.Line
	at := s.config.Now()
	if d != nil && d.Line(lab.Process) != nil && len(d.Line(lab.Process).Samples) > 1 {
		line, at = *d.Line(lab.Process), d.At
	} else if line, err = s.labs.Processes(ctx); err != nil {
		return check.Line{}, err
	}
	return checkLine(line, at), nil
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

// checkLab gives checks what the learner's lab measured, nil before it ran.
func (s *Site) checkLab(ctx context.Context, workspace, name string) (any, error) {
	if name != labDensity {
		return nil, fmt.Errorf("there is no lab %q here", name)
	}
	d, err := s.density(ctx, workspace)
	if d == nil || err != nil {
		return nil, err
	}
	lines := map[string]check.Line{}
	for _, l := range d.Lines {
		lines[l.Key] = checkLine(l, d.At)
	}
	return lines, nil
}

// lessonLab is a lab's button without scripts: it measures, then shows the lesson.
func (s *Site) lessonLab(c *call) error {
	l, form, err := s.lessonForm(c)
	if err != nil {
		return err
	}
	name := form.Get("lab")
	if name != labDensity {
		return fail(http.StatusBadRequest, "The lesson has no such lab. Load the page again.")
	}
	if err := s.allowRun(c); err != nil {
		return err
	}
	p, err := s.begin(c.r.Context(), c.session, l.ID)
	if err != nil {
		return err
	}
	if err := s.hub.Lab(c.r.Context(), live.Key(p), "f"+classroom.NewID(9), name, 0, false); err != nil {
		return err
	}
	return c.seeOther(lessonURL(l, "", "", "lab-"+name))
}

// isLab reports whether a project's name is that of a lab's own page.
func isLab(project string) bool { return project == "lab-"+labDensity }

// labPage is a lab without a lesson around it.
func (s *Site) labPage(c *call) error {
	name := c.param("lab")
	if name != labDensity {
		return fail(http.StatusNotFound, "There is no lab at this address.")
	}
	p := view.LabPage{
		Shell: c.shell(), Project: "lab-" + name,
		Lead: "How much memory do copies of one visit counter hold, as isolates and as Node processes? Press Fill: a few copies start, then more, and each time Linux is asked.",
		Lab:  view.Lab{ID: name, Title: "Density", Verb: "Fill", Action: "/labs/" + name},
	}
	p.Title, p.Description = "How many fit?", "Isolates and Node processes, started and measured before your eyes."
	if c.session.stored {
		d, err := s.density(c.r.Context(), c.session.workspace.ID)
		if err != nil {
			return err
		}
		if d != nil {
			drawn := densityView(*d)
			p.Lab.Density = &drawn
		}
	}
	return c.page(http.StatusOK, view.LabView(p))
}

// labPost is the page's button without scripts.
func (s *Site) labPost(c *call) error {
	if _, err := c.form(); err != nil {
		return err
	}
	name := c.param("lab")
	if name != labDensity {
		return fail(http.StatusNotFound, "There is no lab at this address.")
	}
	if err := s.allowRun(c); err != nil {
		return err
	}
	p, err := s.begin(c.r.Context(), c.session, "lab-"+name)
	if err != nil {
		return err
	}
	if err := s.hub.Lab(c.r.Context(), live.Key(p), "f"+classroom.NewID(9), name, 0, false); err != nil {
		return err
	}
	return c.seeOther("/labs/" + name)
}
